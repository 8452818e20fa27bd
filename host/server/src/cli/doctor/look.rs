//! The parts that are looked at, from the directory up to the daemon. No look changes anything.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::Path;

use sandbell_store::Depth;

use super::super::args::SettingsFile;
use super::super::data::{Local, checked, runtime};
use super::super::problem::Problem;
use super::super::remote::Remote;
use super::super::run::Context;
use super::super::serve;
use super::finding::{Finding, Fix};
use crate::client::{ClientError, Place, Request};
use crate::install::{Installed, Standing, State, StateError, tls_material};
use crate::vault::{Vault, VaultError};

pub(super) fn all(context: &Context, remote: &Remote, settings: &SettingsFile) -> Vec<Finding> {
    let mut findings = vec![configuration(settings)];
    let (state, finding) = state(context);
    findings.push(finding);
    if let (Some(state), Ok(settings)) = (state, serve::settings(settings)) {
        let local = Local { state, settings };
        findings.extend(directories(&local.state));
        findings.push(database(&local));
        findings.push(key(&local));
        findings.extend(plugins(&local.state));
    }
    findings.push(daemon(context, remote));
    findings
}

fn configuration(settings: &SettingsFile) -> Finding {
    match serve::settings(settings) {
        Ok(_) => match serve::file(settings) {
            Some(file) => Finding::ok("configuration", format!("{} is understood", file.display())),
            None => Finding::ok("configuration", "there is no file; every setting has its default"),
        },
        Err(error) => Finding::bad("configuration", error.to_string().replace('\n', " "))
            .hint("`sandbell config check` shows the place"),
    }
}

fn state(context: &Context) -> (Option<State>, Finding) {
    let dir = &context.app.config.state_dir;
    match context.app.state() {
        Ok(state) => {
            (Some(state), Finding::ok("state", format!("{} is private and this user's own", dir.display())))
        }
        Err(StateError::Absent(_)) => (
            None,
            Finding::note("state", format!("there is no directory {}", dir.display()))
                .hint("`sandbell serve` and `sandbell plugin install` make it; SANDBELL_STATE names another"),
        ),
        Err(error @ StateError::Open(_)) => (
            None,
            Finding::bad("state", error.to_string())
                .hint(format!("chmod 700 {}", dir.display()))
                .fix(Fix::Chmod(dir.clone(), 0o700)),
        ),
        Err(error) => (None, Finding::bad("state", error.to_string())),
    }
}

/// Plugins and compiled artefacts; the cache can always be made anew.
fn directories(state: &State) -> Vec<Finding> {
    let missing = state.parts().into_iter().filter(|part| !part.is_dir());
    missing
        .map(|part| {
            Finding::bad("state", format!("there is no directory {}", part.display()))
                .hint(format!("mkdir -m 700 {}", part.display()))
                .fix(Fix::MakeDir(part))
        })
        .collect()
}

fn database(local: &Local) -> Finding {
    let path = local.database();
    if !path.exists() {
        return Finding::note(
            "database",
            format!("there is none; `sandbell serve` makes {}", path.display()),
        );
    }
    match checked(&path, Depth::Quick) {
        Ok(problems) => match problems.first() {
            None => Finding::ok("database", format!("{} is whole", path.display())),
            Some(first) => Finding::bad("database", format!("{} is damaged: {first}", path.display()))
                .hint("`sandbell db check` shows everything, `sandbell restore FILE` goes back to a backup"),
        },
        Err(problem) => Finding::bad("database", problem.what().to_owned()),
    }
}

/// Whether there is a key, and whether it opens what is sealed.
fn key(local: &Local) -> Finding {
    let is_new = !local.database().exists();
    match Vault::open(&local.key_sources(), false) {
        Ok((vault, _)) if is_new => Finding::ok("key", format!("{} is there", vault.keys().first())),
        Ok((vault, _)) => match opens(local, &vault) {
            Ok(()) => Finding::ok("key", format!("{} opens the secrets", vault.keys().first())),
            Err(problem) => Finding::bad("key", problem.what().to_owned())
                .hint("put the key back that belongs to this database; nothing else opens its secrets"),
        },
        Err(VaultError::None(_)) if is_new => {
            Finding::note("key", "there is none; `sandbell serve` makes one")
        }
        Err(error @ VaultError::Open(_)) => {
            let VaultError::Open(path) = &error else { unreachable!("it was just matched") };
            Finding::bad("key", error.to_string())
                .hint(format!("chmod 600 {}", path.display()))
                .fix(Fix::Chmod(path.clone(), 0o600))
        }
        Err(error) => Finding::bad("key", error.to_string()),
    }
}

fn opens(local: &Local, vault: &Vault) -> Result<(), Problem> {
    let store = local.store()?;
    Ok(runtime()?.block_on(vault.check(&store))?)
}

fn plugins(state: &State) -> Vec<Finding> {
    let all = match state.list() {
        Ok(all) => all,
        Err(error) => return vec![Finding::bad("plugins", error.to_string())],
    };
    if all.is_empty() {
        return vec![
            Finding::note("plugins", "none is installed").hint("`sandbell plugin install FILE` installs one"),
        ];
    }
    let mut findings: Vec<_> = all
        .iter()
        .filter_map(|installed| match installed {
            Ok(installed) => plugin(state, installed),
            Err((name, error)) => Some(Finding::bad("plugins", format!("{name}: {error}"))),
        })
        .collect();
    if findings.is_empty() {
        let plugins = if all.len() == 1 { "1 is".to_owned() } else { format!("{} are", all.len()) };
        findings.push(Finding::ok("plugins", format!("{plugins} installed, whole and approved")));
    }
    findings
}

/// What is not right about one plugin.
fn plugin(state: &State, installed: &Installed) -> Option<Finding> {
    let Installed { name, plugin, approval, .. } = installed;
    let running = approval.as_ref().map_or(plugin.digest, |approval| approval.digest);
    if let Err(error) = state.bytes(&running) {
        return Some(Finding::bad("plugins", format!("{name}: {error}")));
    }
    if let Some(Err(error)) = approval.as_ref().map(tls_material) {
        return Some(Finding::bad("plugins", format!("{name}: {error}")));
    }
    let hint = format!("`sandbell plugin approve {name}` shows what it wants and asks");
    match installed.standing() {
        Standing::Approved => None,
        Standing::NotApproved => {
            Some(Finding::note("plugins", format!("{name} is not approved and does nothing")).hint(hint))
        }
        Standing::Upgrade { .. } => {
            Some(Finding::note("plugins", format!("{name} has an upgrade that is not approved")).hint(hint))
        }
    }
}

fn daemon(context: &Context, remote: &Remote) -> Finding {
    let client = match remote.connect(context) {
        Ok(client) => client,
        Err(problem) => return Finding::bad("daemon", problem.what().to_owned()),
    };
    let place = client.place().clone();
    match client.call(&Request::get(&["status"])) {
        Ok(status) => {
            let version = status["version"].as_str().unwrap_or("?");
            let finding = format!("version {version} answers at {place}");
            if version == env!("CARGO_PKG_VERSION") {
                Finding::ok("daemon", finding)
            } else {
                Finding::note("daemon", format!("{finding}; this program is {}", env!("CARGO_PKG_VERSION")))
                    .hint("restart the daemon after an upgrade")
            }
        }
        Err(ClientError::Unreachable { place: Place::Socket(path), because }) => {
            unreachable_socket(&path, &because)
        }
        Err(error) => Finding::bad("daemon", error.to_string()),
    }
}

fn unreachable_socket(path: &Path, because: &str) -> Finding {
    let starts = "`systemctl start sandbell` or `sandbell serve` starts one";
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Finding::note("daemon", "none runs here").hint(starts)
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            Finding::note("daemon", format!("none runs here; {} is what is left of one", path.display()))
                .hint(starts)
                .fix(Fix::RemoveSocket(path.to_owned()))
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Finding::bad("daemon", format!("{} cannot be used by this user", path.display()))
                .hint("run this as root or as the daemon's user, or use --server and --token-file")
        }
        Ok(_) | Err(_) => Finding::bad("daemon", format!("{}: {because}", path.display())),
    }
}
