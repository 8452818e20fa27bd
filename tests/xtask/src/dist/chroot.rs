//! Installs, starts, stops, removes and purges a package in a Debian of its own.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{house::House, run, say};

/// The Debian that the package is for.
const SUITE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";

/// What is tried, line by line; the first that fails ends it.
///
/// There is no systemd running in a chroot, so the daemon is started as its unit does: as its user, with its state.
const SCRIPT: &str = r#"
set -eu
say() { echo "   $*"; }
fail() { echo "error: $*" >&2; exit 1; }

say "installs"
export DEBIAN_FRONTEND=noninteractive
apt-get install --yes -qq --no-install-recommends /sandbell.deb >/tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }
getent passwd sandbell >/dev/null || fail "there is no user sandbell"
[ "$(stat -c '%U %a' /var/lib/sandbell)" = "sandbell 700" ] || fail "the state directory is not the daemon's own"
[ "$(stat -c '%a' /etc/sandbell/secrets)" = 700 ] || fail "others can look into the secrets"
sandbell --version

say "starts"
install -d -o sandbell -g sandbell /run/sandbell
as_daemon="setpriv --reuid=sandbell --regid=sandbell --init-groups env SANDBELL_STATE=/var/lib/sandbell"
$as_daemon sandbell config check --config /etc/sandbell/sandbell.toml
$as_daemon sandbell serve --config /etc/sandbell/sandbell.toml >/tmp/serve.log 2>&1 &
daemon=$!
for i in $(seq 100); do sandbell status --quiet 2>/dev/null && break; sleep 0.1; done
sandbell status || { cat /tmp/serve.log; fail "the daemon does not answer"; }
$as_daemon sandbell plugin install /usr/lib/sandbell/channels/slack.wasm
$as_daemon sandbell plugin approve slack --yes
printf 'https://hooks.example.com/services/x' | sandbell channel create slack ops --secret webhook_url
sandbell channel list
sandbell channel preview ops

say "stops"
kill "$daemon"
wait "$daemon" || { cat /tmp/serve.log; fail "the daemon did not end well"; }
sandbell status --quiet && fail "something answers after the end" || [ $? -eq 7 ] || fail "status ended with $?"

say "is installed again, and keeps the operator's configuration"
echo '# mine' >>/etc/sandbell/sandbell.toml
apt-get install --yes -qq --reinstall /sandbell.deb >/tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }
grep -q '# mine' /etc/sandbell/sandbell.toml || fail "the configuration was overwritten"

say "removes"
apt-get remove --yes -qq sandbell >/tmp/remove.log 2>&1 || { cat /tmp/remove.log; exit 1; }
[ ! -e /usr/bin/sandbell ] || fail "the program is still there"
[ -e /etc/sandbell/sandbell.toml ] || fail "removing took the configuration"
[ -e /var/lib/sandbell/sandbell.db ] || fail "removing took the state"

say "purges"
apt-get purge --yes -qq sandbell >/tmp/purge.log 2>&1 || { cat /tmp/purge.log; exit 1; }
[ ! -e /etc/sandbell/sandbell.toml ] || fail "purging left the configuration"
[ -e /var/lib/sandbell/sandbell.db ] || fail "purging took the state, which holds what was accepted"
"#;

pub(super) fn try_out(house: &House, deb: &Path) -> Result<()> {
    let base = house.target.join("chroot").join(SUITE);
    if !Path::new("/usr/sbin/debootstrap").exists() {
        bail!("as root on Debian: apt-get install debootstrap; the package is tried in a Debian of its own");
    }
    if !base.join("done").exists() {
        bootstrap(&base)?;
    }
    // A fresh copy each time: what an installation leaves behind must not help the next one.
    let root = house.target.join("chroot").join("try");
    remove(&root)?;
    run::run(Command::new("cp").args(["--archive", "--reflink=auto"]).arg(&base).arg(&root))?;
    fs::copy(deb, root.join("sandbell.deb")).context("the package cannot be copied")?;
    fs::write(root.join("try.sh"), SCRIPT)?;
    say::step("tries the package in a Debian of its own");
    let result = run::run(Command::new("unshare").args(["--mount", "--pid", "--fork", "--"]).args([
        "sh",
        "-c",
        "mount -t proc proc \"$0/proc\" && mount -t tmpfs tmpfs \"$0/run\" && exec chroot \"$0\" sh /try.sh",
    ]).arg(&root));
    remove(&root)?;
    result
}

fn bootstrap(base: &Path) -> Result<()> {
    say::step(&format!("makes a minimal Debian {SUITE}, because the package is tried in one"));
    remove(base)?;
    fs::create_dir_all(base)?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args([
        "--variant=minbase",
        "--include=ca-certificates,systemd-standalone-sysusers,systemd-standalone-tmpfiles",
    ]);
    debootstrap.arg(SUITE).arg(base).arg(MIRROR);
    run::run(&mut debootstrap)?;
    // No service starts by itself in there.
    fs::write(base.join("usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n")?;
    run::run(Command::new("chmod").arg("755").arg(base.join("usr/sbin/policy-rc.d")))?;
    Ok(fs::write(base.join("done"), "")?)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    Ok(())
}
