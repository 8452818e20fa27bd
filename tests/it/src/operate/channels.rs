//! A channel from its making to its end, and its secrets.

use insta::assert_snapshot;

use super::receiver;
use crate::host::channel;
use crate::served::Served;

#[test]
fn a_channel_is_made_and_tried() {
    let receiver = receiver();
    let served = Served::start(&[channel("slack")]);
    assert_snapshot!(served.see(0, &["status"]), @"
    DAEMON
    at  unix:DIR/state/run/api.sock
    version  0.1.0
    started  just now
    you are  uid 0
    tenant  local
    channels  0
    deliveries  0 waiting, 0 being tried, 0 dead
    ");
    assert_snapshot!(served.see(0, &["channel", "list"]), @"
    No channel is configured.
    hint: `sandbell channel create PLUGIN NAME` makes one
    ");
    let create = ["channel", "create", "slack", "ops", "--secret", "webhook_url"];
    assert_snapshot!(served.see_with(0, &create, &format!("{}\n", receiver.url("/ok"))), @"
    ops is saved
    hint: `sandbell channel test ops` sends a test notification
    ");
    assert_snapshot!(served.see(0, &["channel", "test", "ops", "--message", "hello"]), @"ops delivered the test notification in N ms");
    assert_eq!(receiver.requests().len(), 1);
    assert_snapshot!(served.see(0, &["channel", "show", "ops"]), @"
    CHANNEL
    name  ops
    plugin  slack
    state  ok
    revision  1, just now by uid 0
    deliveries  0 waiting, 0 being tried, 0 dead

    OPTION  VALUE
    webhook_url  (secret)  set just now

    POLICY
    attempts_at_once_max  16
    disable_after  -
    is_ordered  false
    per_minute_max  -
    retry.age_max  1d
    retry.attempts_max  20
    retry.wait_first  5s
    retry.wait_max  1h
    ");
    assert_snapshot!(served.see(0, &["secret", "list", "ops"]), @"
    SECRET  SET
    webhook_url  just now
    ");
}

#[test]
fn a_channel_is_watched_and_removed() {
    let receiver = receiver();
    let served = Served::start(&[channel("slack")]);
    let create = ["channel", "create", "slack", "ops", "--secret", "webhook_url"];
    served.host.run_with(&create, &receiver.url("/ok")).expect(0);
    let notify = ["notify", "ops", "--subject", "db1", "--message", "disk full", "--severity", "crit"];
    assert_snapshot!(served.see(0, &[&notify[..], &["--wait", "20"]].concat()), @"
    ntf_ID is accepted
    DELIVERY  CHANNEL  STATE
    dlv_ID  ops  delivered just now
    ");
    assert_snapshot!(served.see(0, &["delivery", "list", "--channel", "ops"]), @"
    DELIVERY  CHANNEL  STATE  ATTEMPTS  ACCEPTED  LAST FAILURE
    dlv_ID  ops  delivered just now  1  just now
    ");
    assert_snapshot!(served.see(0, &["channel", "list"]), @"
    NAME  PLUGIN  STATE  LAST DELIVERY  24 H  OPEN  DEAD
    ops  slack  ok  just now  1 ok, 0 bad  0  0
    1 channel
    ");
    assert_snapshot!(served.see(0, &["channel", "disable", "ops", "--reason", "moved"]), @"ops is disabled; what arrives waits");
    assert_snapshot!(served.see(4, &["channel", "delete", "ops"]), @"
    Delete ops, its revisions and its secrets?
    error: there is nobody to ask
    hint: `sandbell channel delete ops --yes` deletes without asking
    ");
    assert_snapshot!(served.see(0, &["channel", "delete", "ops", "--yes"]), @"ops is deleted");
    assert_snapshot!(served.see(3, &["channel", "show", "ops"]), @"error: there is no channel `ops`");
    assert_snapshot!(served.see(0, &["audit"]), @"
    WHEN  WHO  ACTION  WHAT
    just now  uid 0  channel.delete  ops  chn_ID
    just now  uid 0  channel.disable  ops  moved
    just now  uid 0  channel.save  ops  revision 1: new, with plugin slack
    ");
}

#[test]
fn a_secret_goes_in_and_never_comes_out() {
    let receiver = receiver();
    let served = Served::start(&[channel("slack")]);
    let url = receiver.url("/ok?s3cret");
    served.host.run_with(&["channel", "create", "slack", "ops", "--secret", "webhook_url"], &url).expect(0);
    for arguments in [
        &["channel", "show", "ops"][..],
        &["channel", "show", "ops", "--json"],
        &["channel", "list", "--json"],
        &["channel", "export"],
        &["channel", "preview", "ops"],
        &["channel", "test", "ops", "--json"],
        &["audit", "--json"],
        &["secret", "list", "ops", "--json"],
    ] {
        let run = served.run(arguments).expect(0);
        assert!(!format!("{}{}", run.stdout, run.stderr).contains("s3cret"), "{arguments:?}: {}", run.stdout);
    }
    assert_snapshot!(served.see(2, &["channel", "set", "ops", "webhook_url=https://x"]), @"
    error: `webhook_url` is a secret; the command line can be read by others
    hint: `--set-file webhook_url=FILE` reads it from a file, `sandbell secret set CHANNEL webhook_url` asks for it
    ");
    let gone = format!("{}\n", receiver.url("/gone"));
    assert_snapshot!(served.see_with(0, &["secret", "set", "ops", "webhook_url"], &gone), @"
    webhook_url of ops is set
    hint: `sandbell channel test ops` tries it
    ");
    assert_snapshot!(served.see(6, &["channel", "test", "ops"]), @r##"
    to http://127.0.0.1:PORT
    POST /<secret:webhook_url> HTTP/1.1
    host: 127.0.0.1:PORT
    user-agent: sandbell/0.1.0
    accept: */*
    accept-encoding: gzip
    content-type: application/json
    content-length: N

    {"attachments":[{"blocks":[{"text":{"text":"This is a test of the channel `ops`.","type":"mrkdwn","verbatim":true},"type":"section"},{"elements":[{"text":"<!date^SECONDS^{date_short_pretty} {time_secs}|TIME>","type":"mrkdwn","verbatim":true}],"type":"context"}],"color":"#aaaaaa"}],"blocks":[{"text":{"emoji":false,"text":"Sandbell","type":"plain_text"},"type":"header"}],"text":"Sandbell"}

    answered 404 in N ms
    content-length: N

    no_service


    error: ops did not deliver the test notification (permanent, auth)
    because: Slack answered `no_service`: the webhook is disabled, removed, or not valid
    hint: a real delivery would not be tried again; `sandbell channel set ops` and `sandbell secret set ops` change the configuration
    "##);
    assert_snapshot!(served.see(1, &["secret", "remove", "ops", "webhook_url", "--yes"]), @"error: option `webhook_url`: must be set, unless there is a `token`");
}
