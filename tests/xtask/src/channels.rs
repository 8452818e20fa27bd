//! `cargo xtask channels`: builds the channels of this repository as components, and shows what they are.

pub(crate) mod inspected; // what a channel says about itself
pub(crate) mod manual; // docs/channels.md
pub(crate) mod picture; // what arrives

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use self::{inspected::Inspected, manual::Chapter, picture::Studio};
use crate::{
    files,
    house::{GUEST_TARGET, House},
    run, say, tools,
};

/// The most a channel may weigh: what an operator downloads, and what every host compiles.
const CHANNEL_BYTES_MAX: u64 = 400 * 1024;
/// A channel with Go templates carries a whole language.
const TEMPLATED_BYTES_MAX: u64 = 900 * 1024;
/// The package that makes the difference, and the feature of another that brings it along.
const TEMPLATES: &str = "sandbell-go-template";
const TEMPLATES_FEATURE: (&str, &str) = ("sandbell-chat-text", "templates");

/// Build the channels into `target/channels` and show what they are.
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
        let mut cargo = house.cargo();
        cargo.args(["build", "--locked", "--profile=channel", "--target", GUEST_TARGET]);
        for package in &packages {
            cargo.args(["--package", package]);
        }
        run::run(&mut cargo)?;
        let built = packages.iter().map(|package| collect(house, package)).collect::<Result<Vec<_>>>()?;
        let inspected = inspect_all(house, &built, self.check_imports)?;
        say::table(&table(house, &built, &inspected)?);
        check_sizes(&built)
    }
}

/// The page `docs/channels.md`, from the components as they were built last.
pub(crate) fn manual(house: &House) -> Result<String> {
    let program = house.program().context("the program is not built; `cargo build --package sandbell`")?;
    let studio = Studio::open(house, program.clone())?;
    let chapter = |package: &str| {
        let name = short_name(package);
        let component = house.target.join("channels").join(format!("{name}.wasm"));
        let folder = house.root.join("channels-wasm").join(name);
        let config = folder.join("example.json");
        let example = fs::read_to_string(&config).with_context(|| {
            format!("channels-wasm/{name} has no example.json: a configuration that works")
        })?;
        Ok(Chapter {
            folder: name.to_owned(),
            description: house.description(package).to_owned(),
            inspected: inspect(house, &program, &component)?,
            picture: studio.take(name, &component, &config)?,
            example,
        })
    };
    let chapters = house.channels().into_iter().map(chapter).collect::<Result<Vec<_>>>()?;
    Ok(manual::page(&chapters))
}

fn short_name(package: &str) -> &str {
    package.trim_start_matches("channel-")
}

/// `channel-slack` is built as `channel_slack.wasm` and known as `slack.wasm`.
fn collect(house: &House, package: &str) -> Result<Built> {
    let name = short_name(package).to_owned();
    let made =
        house.target.join(GUEST_TARGET).join("channel").join(format!("{}.wasm", package.replace('-', "_")));
    let folder = house.target.join("channels");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.wasm"));
    let bytes = fs::copy(&made, &path).with_context(|| {
        format!("{} was not built; a channel needs `crate-type = [\"cdylib\"]`", made.display())
    })?;
    let (with, feature) = TEMPLATES_FEATURE;
    let has_templates = house.depends_on(package, TEMPLATES) || house.uses_feature(package, with, feature);
    let bytes_max = if has_templates { TEMPLATED_BYTES_MAX } else { CHANNEL_BYTES_MAX };
    Ok(Built { name, path, bytes, bytes_max })
}

/// Without the program there is nothing to say about what is inside.
fn table(house: &House, built: &[Built], inspected: &[Option<Inspected>]) -> Result<Vec<Vec<String>>> {
    let mut rows =
        vec![["channel", "size", "imports", "wants", "options", "tests"].map(str::to_owned).to_vec()];
    for (Built { name, bytes, .. }, inspected) in built.iter().zip(inspected) {
        let (imports, wants, options) = inspected.as_ref().map_or_else(
            || ("–".to_owned(), "–".to_owned(), "–".to_owned()),
            |it| (it.imports.join(", "), wants(it), it.options.len().to_string()),
        );
        let tests = tests(&house.root, name)?.to_string();
        rows.push(vec![name.clone(), kib(*bytes), imports, wants, options, tests]);
    }
    Ok(rows)
}

/// `http 2, smtp 1`
fn wants(inspected: &Inspected) -> String {
    let mut counts: Vec<(&str, u32)> = Vec::new();
    for want in &inspected.wants {
        match counts.iter_mut().find(|(capability, _)| *capability == want.capability) {
            Some((_, count)) => *count += 1,
            None => counts.push((&want.capability, 1)),
        }
    }
    counts.iter().map(|(capability, count)| format!("{capability} {count}")).collect::<Vec<_>>().join(", ")
}

/// Test functions of a channel.
fn tests(root: &Path, name: &str) -> Result<usize> {
    let sources = files::read(root, &format!("channels-wasm/{name}/src"), &[".rs"])?;
    Ok(sources.iter().map(|source| source.text.lines().filter(|line| line.trim() == "#[test]").count()).sum())
}

fn check_sizes(built: &[Built]) -> Result<()> {
    let heavy: Vec<String> = built
        .iter()
        .filter(|it| it.bytes > it.bytes_max)
        .map(|it| format!("{} is over {}", it.name, kib(it.bytes_max)))
        .collect();
    if heavy.is_empty() { Ok(()) } else { bail!("{}", heavy.join(", ")) }
}

/// Inspecting is also the check that imports are within wants.
fn inspect_all(house: &House, built: &[Built], is_check: bool) -> Result<Vec<Option<Inspected>>> {
    let Some(program) = house.program() else {
        say::note("imports are not checked: the program is not built; `cargo build --package sandbell`");
        return Ok(built.iter().map(|_| None).collect());
    };
    say::step("inspects each channel");
    let one = |Built { name, path, .. }: &Built| match inspect(house, &program, path) {
        Ok(inspected) => Ok(Some(inspected)),
        Err(error) if is_check => Err(error.context(format!("{name} is refused"))),
        // A program of another day may not know what today's channels ask for.
        Err(error) => {
            say::note(&format!("{name} is not inspected: {error:#}"));
            Ok(None)
        }
    };
    built.iter().map(one).collect()
}

fn inspect(house: &House, program: &Path, component: &Path) -> Result<Inspected> {
    let mut inspect = house.command(program);
    Inspected::parse(&run::output(inspect.args(["inspect", "--json"]).arg(component))?)
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::{Built, CHANNEL_BYTES_MAX, check_sizes, inspected, tests, wants};
    use crate::files::tree;

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
        assert_snapshot!(check_sizes(&heavy).unwrap_err(), @"email is over 400 KiB");
    }

    #[test]
    fn wants_and_tests_are_counted() {
        let push = inspected::Inspected::parse(inspected::EXAMPLE).unwrap();
        assert_eq!(wants(&push), "http 1");
        let code = "#[test]\nfn a() {}\n    #[test]\n    fn b() {}\n// #[test]\n";
        let tree =
            tree(&[("channels-wasm/push/src/lib.rs", code), ("channels-wasm/push/src/tests.rs", "#[test]")]);
        assert_eq!(tests(tree.path(), "push").unwrap(), 3);
    }
}
