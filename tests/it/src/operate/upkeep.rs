//! Backup, keys, the doctor, and a host that does not serve.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;

use super::{masked, receiver};
use crate::host::{Host, channel, text};
use crate::served::Served;

#[test]
fn a_backup_brings_everything_back_and_a_key_is_changed() {
    let receiver = receiver();
    let served = Served::start(&[channel("slack")]);
    let create = ["channel", "create", "slack", "ops", "--secret", "webhook_url"];
    served.host.run_with(&create, &receiver.url("/ok")).expect(0);
    let file = served.host.dir.path().join("backup.db");
    let backup = ["backup", text(&file)];
    assert_snapshot!(served.see(0, &backup), @"
    N KiB is written to DIR/backup.db
    hint: the key of the secrets is not in it; keep DIR/state/sandbell.key elsewhere
    ");
    assert_snapshot!(served.see(5, &backup), @"error: no copy was made at `DIR/backup.db`: there is something already; name a file that is not there, in a folder with room for it");
    assert_snapshot!(served.see(0, &["db", "check"]), @"DIR/state/sandbell.db is whole");
    assert_snapshot!(served.see(5, &["restore", text(&file), "--yes"]), @"
    error: another sandbell serves `DIR/state` as process PID; stop it first, or give this one a state directory of its own
    hint: `systemctl stop sandbell` stops the installed one
    ");
    served.run(&["channel", "delete", "ops", "--yes"]).expect(0);
    let host = served.stop();
    let see = |code, arguments: &[&str]| masked(&host.run(arguments).expect(code), &host);
    assert_snapshot!(see(4, &["restore", text(&file)]), @"
    Replace DIR/state/sandbell.db by DIR/backup.db? What was accepted since is lost.
    error: there is nobody to ask
    hint: `--yes` replaces without asking
    ");
    assert_snapshot!(see(0, &["restore", text(&file), "--yes"]), @"
    DIR/state/sandbell.db is what DIR/backup.db holds
    hint: `sandbell doctor` tries the key on it
    what was there before is kept in DIR/state/sandbell.db.TIME
    ");
    assert_snapshot!(see(0, &["secret", "rotate-key", "--drop-old"]), @"1 secret is sealed with the new key KEY, the first in DIR/state/sandbell.key");
    assert_snapshot!(see(0, &["doctor"]), @"
    ok  configuration  there is no file; every setting has its default
    ok  state  DIR/state is private and this user's own
    ok  database  DIR/state/sandbell.db is whole
    ok  key  KEY opens the secrets
    ok  plugins  1 is installed, whole and approved
    note  daemon  none runs here
                         hint: `systemctl start sandbell` or `sandbell serve` starts one

    Nothing is wrong.
    ");
    let served = Served::of(host);
    served.run(&["channel", "test", "ops"]).expect(0);
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn a_file_that_is_no_backup_is_refused() {
    let served = Served::start(&[]);
    let host = served.stop();
    let see = |code, arguments: &[&str]| masked(&host.run(arguments).expect(code), &host);
    let file = host.dir.path().join("backup.db");
    fs::write(&file, "not a database").unwrap();
    assert_snapshot!(see(1, &["restore", text(&file), "--yes"]), @"error: `DIR/backup.db` is damaged (file is not a database); restore a backup, or move the file away to start with an empty one");
    assert_snapshot!(see(1, &["db", "check", text(&file)]), @"error: `DIR/backup.db` is damaged (file is not a database); restore a backup, or move the file away to start with an empty one");
    assert_snapshot!(see(3, &["restore", "nowhere.db", "--yes"]), @"error: there is no file `nowhere.db`");
    host.run(&["db", "check"]).expect(0);
}

#[test]
fn the_doctor_finds_what_is_wrong_and_mends_what_is_safe() {
    let served = Served::start(&[channel("slack")]);
    assert_snapshot!(served.see(0, &["doctor"]), @"
    ok  configuration  there is no file; every setting has its default
    ok  state  DIR/state is private and this user's own
    ok  database  DIR/state/sandbell.db is whole
    ok  key  KEY opens the secrets
    ok  plugins  1 is installed, whole and approved
    ok  daemon  version 0.1.0 answers at unix:DIR/state/run/api.sock

    Nothing is wrong.
    ");
    let host = served.stop();
    let see = |code, arguments: &[&str]| masked(&host.run(arguments).expect(code), &host);
    let chmod = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    chmod(&host.state().join("sandbell.key"), 0o644);
    fs::remove_dir_all(host.state().join("cache")).unwrap();
    assert_snapshot!(see(1, &["doctor"]), @"
    ok  configuration  there is no file; every setting has its default
    ok  state  DIR/state is private and this user's own
    BAD  state  there is no directory DIR/state/cache
                         hint: mkdir -m 700 DIR/state/cache (--fix does it)
    ok  database  DIR/state/sandbell.db is whole
    BAD  key  the key file `DIR/state/sandbell.key` is open to other users; run `chmod 600 DIR/state/sandbell.key`
                         hint: chmod 600 DIR/state/sandbell.key (--fix does it)
    ok  plugins  1 is installed, whole and approved
    note  daemon  none runs here
                         hint: `systemctl start sandbell` or `sandbell serve` starts one

    2 things are wrong.
    ");
    assert_snapshot!(see(0, &["doctor", "--fix"]), @"
    ok  configuration  there is no file; every setting has its default
    ok  state  DIR/state is private and this user's own
    ok  database  DIR/state/sandbell.db is whole
    ok  key  KEY opens the secrets
    ok  plugins  1 is installed, whole and approved
    note  daemon  none runs here
                         hint: `systemctl start sandbell` or `sandbell serve` starts one
    ok  fix  made DIR/state/cache
    ok  fix  chmod 600 DIR/state/sandbell.key

    Nothing is wrong.
    ");
    fs::write(host.state().join("sandbell.key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    assert_snapshot!(see(1, &["doctor"]), @"
    ok  configuration  there is no file; every setting has its default
    ok  state  DIR/state is private and this user's own
    ok  database  DIR/state/sandbell.db is whole
    BAD  key  none of the 1 key that was given opens this host's secrets, which key `KEY` sealed; give the host that key
                         hint: put the key back that belongs to this database; nothing else opens its secrets
    ok  plugins  1 is installed, whole and approved
    note  daemon  none runs here
                         hint: `systemctl start sandbell` or `sandbell serve` starts one

    1 thing is wrong.
    ");
}

#[test]
fn without_a_daemon_it_is_said_how_to_start_one() {
    let host = Host::new();
    let see = |code, arguments: &[&str]| masked(&host.run(arguments).expect(code), &host);
    assert_snapshot!(see(7, &["status"]), @"
    error: no daemon answers at unix:DIR/state/run/api.sock
    because: No such file or directory (os error 2)
    hint: `systemctl start sandbell` starts the installed daemon, `sandbell serve` one here
    ");
    assert_snapshot!(see(7, &["channel", "list", "--server", "http://127.0.0.1:1"]), @"
    error: no daemon answers at http://127.0.0.1:PORT
    because: Connection refused (os error 111)
    hint: look at --server, and whether the daemon listens there
    ");
    assert_snapshot!(see(7, &["channel", "list", "-o", "json"]), @r#"
    {
      "error": {
        "because": "No such file or directory (os error 2)",
        "code": "unreachable",
        "exit": 7,
        "hint": "`systemctl start sandbell` starts the installed daemon, `sandbell serve` one here",
        "message": "no daemon answers at unix:DIR/state/run/api.sock"
      }
    }
    "#);
    assert_snapshot!(see(2, &["status", "--server", "/run/x"]), @"
    error: invalid value '/run/x' for '--server <PLACE>': `/run/x` is no place of a daemon; write `unix:/run/sandbell/api.sock`, `http://127.0.0.1:PORT` or `https://sandbell.example.com`

    For more information, try '--help'.
    ");
    assert_snapshot!(see(4, &["status", "--server", "http://127.0.0.1:1", "--token-file", "nowhere"]), @"error: the token file `nowhere` cannot be used: No such file or directory (os error 2)");
}
