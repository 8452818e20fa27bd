//! `cargo xtask channels`: builds the channels of this repository as components.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    house::{GUEST_TARGET, House},
    run, say, tools,
};

/// The most a channel may weigh: what an operator downloads, and what every host compiles.
const CHANNEL_BYTES_MAX: u64 = 300 * 1024;
/// A channel with Go templates carries a whole language.
const TEMPLATED_BYTES_MAX: u64 = 330 * 1024;
/// The package that makes the difference.
const TEMPLATES: &str = "sandbell-go-template";
/// That language is large and never hot: the network is a thousand times slower.
const FOR_SIZE: [&str; 2] = ["--config", "profile.channel.opt-level=\"z\""];

/// Build the channels into `target/channels` and show their sizes.
#[derive(clap::Args)]
pub(crate) struct Channels {
    /// Let the built program inspect each: what it imports must be within what it asks for
    #[arg(long)]
    pub(crate) check_imports: bool,
}

/// A channel that was built.
struct Built {
    name: String,
    path: PathBuf,
    bytes: u64,
    bytes_max: u64,
}

impl Channels {
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        tools::ensure_guest_target()?;
        let packages = house.channels();
        say::step(&format!("builds {} channels for {GUEST_TARGET}", packages.len()));
        let mut built = Vec::new();
        for package in &packages {
            compile(house, package)?;
            built.push(collect(house, package)?);
        }
        say::table(&sizes(&built));
        check_sizes(&built)?;
        if self.check_imports { check_imports(house, &built) } else { Ok(()) }
    }
}

/// Links a channel as one piece: cargo only optimises across crates where nothing but the `cdylib` is asked for.
fn compile(house: &House, package: &str) -> Result<()> {
    let mut cargo = house.cargo();
    cargo.args(["rustc", "--locked", "--profile=channel", "--target", GUEST_TARGET]);
    cargo.args(["--package", package, "--lib", "--crate-type=cdylib"]);
    if house.depends_on(package, TEMPLATES) {
        cargo.args(FOR_SIZE);
    }
    run::run(&mut cargo)
}

/// `channel-slack` is built as `channel_slack.wasm` and known as `slack.wasm`.
fn collect(house: &House, package: &str) -> Result<Built> {
    let name = package.trim_start_matches("channel-").to_owned();
    let made =
        house.target.join(GUEST_TARGET).join("channel").join(format!("{}.wasm", package.replace('-', "_")));
    let folder = house.target.join("channels");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.wasm"));
    let bytes = fs::copy(&made, &path).with_context(|| {
        format!("{} was not built; a channel needs `crate-type = [\"cdylib\", \"rlib\"]`", made.display())
    })?;
    let bytes_max =
        if house.depends_on(package, TEMPLATES) { TEMPLATED_BYTES_MAX } else { CHANNEL_BYTES_MAX };
    Ok(Built { name, path, bytes, bytes_max })
}

fn sizes(built: &[Built]) -> Vec<Vec<String>> {
    let head = vec!["channel".to_owned(), "size".to_owned(), "file".to_owned()];
    let row =
        |Built { name, path, bytes, .. }: &Built| vec![name.clone(), kib(*bytes), path.display().to_string()];
    std::iter::once(head).chain(built.iter().map(row)).collect()
}

fn check_sizes(built: &[Built]) -> Result<()> {
    let heavy: Vec<String> = built
        .iter()
        .filter(|it| it.bytes > it.bytes_max)
        .map(|it| format!("{} is over {}", it.name, kib(it.bytes_max)))
        .collect();
    if heavy.is_empty() { Ok(()) } else { bail!("{}", heavy.join(", ")) }
}

fn check_imports(house: &House, built: &[Built]) -> Result<()> {
    let Some(program) = house.program() else {
        say::note("imports are not checked: the program is not built; `cargo build --package sandbell`");
        return Ok(());
    };
    say::step("inspects each channel");
    for Built { name, path, .. } in built {
        let mut inspect = house.command(&program);
        run::output(inspect.args(["inspect", "--json"]).arg(path))
            .with_context(|| format!("{name} is refused"))?;
        say::note(&format!("{name}: its imports are within what it asks for"));
    }
    Ok(())
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::{Built, CHANNEL_BYTES_MAX, check_sizes};

    #[test]
    fn a_heavy_channel_is_named() {
        let built = |name: &str, bytes| Built {
            name: name.to_owned(),
            path: "x.wasm".into(),
            bytes,
            bytes_max: CHANNEL_BYTES_MAX,
        };
        assert!(check_sizes(&[built("slack", CHANNEL_BYTES_MAX)]).is_ok());
        let heavy = [built("slack", CHANNEL_BYTES_MAX), built("email", CHANNEL_BYTES_MAX + 1)];
        assert_snapshot!(check_sizes(&heavy).unwrap_err(), @"email is over 300 KiB");
    }
}
