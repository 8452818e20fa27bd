//! What was given up, and who may ask.

use std::fs;

use insta::assert_snapshot;
use sandbell_peers::wait_for;

use super::receiver;
use crate::host::{channel, text};
use crate::served::Served;

#[test]
fn a_dead_letter_is_found_read_and_redriven() {
    let receiver = receiver();
    let served = Served::start(&[channel("slack")]);
    let create = ["channel", "create", "slack", "ops", "--secret", "webhook_url"];
    served.host.run_with(&create, &receiver.url("/gone")).expect(0);
    let notify = ["notify", "ops", "--message", "disk full", "--wait", "20"];
    assert_snapshot!(served.see(6, &notify), @"
    ntf_ID is accepted
    DELIVERY  CHANNEL  STATE
    dlv_ID  ops  dead: permanent, just now  Slack answered `no_service`: the webhook is disabled, removed, or not valid (permanent, auth)
    ");
    let list = served.run(&["delivery", "list", "--state", "dead", "--json"]).expect(0).json();
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    assert_snapshot!(served.see(0, &["delivery", "show", &id]), @"
    DELIVERY
    id  dlv_ID
    notification  ntf_ID
    channel  ops
    state  dead: permanent, just now
    accepted  just now (TIME)
    attempts  1
    last failure  Slack answered `no_service`: the webhook is disabled, removed, or not valid (permanent, auth)

    ATTEMPT  WHEN  TOOK  OUTCOME  THEN
    1  just now  N ms  permanent, auth: Slack answered `no_service`: the webhook is disabled, removed, or not valid  dead: permanent

    hint: `sandbell delivery redrive dlv_ID` tries it again
    ");
    let shown = served.run(&["delivery", "show", &id, "--verbose"]).expect(0).stdout;
    assert!(shown.contains("answered 404") && shown.contains("disk full"), "{shown}");
    assert_snapshot!(served.see(2, &["delivery", "redrive"]), @"
    error: no delivery is named
    hint: name ids, or say which with --channel, --reason, --code, --since, --until, or --all
    ");
    served.host.run_with(&["secret", "set", "ops", "webhook_url"], &receiver.url("/ok")).expect(0);
    assert_snapshot!(served.see(0, &["delivery", "redrive", "--reason", "permanent", "--yes"]), @"1 delivery is redriven");
    let state =
        || served.run(&["delivery", "show", &id, "--json"]).expect(0).json()["delivery"]["state"].clone();
    wait_for("the redriven delivery", || (state() == "delivered").then_some(())).unwrap();
    assert_snapshot!(served.see(5, &["delivery", "cancel", &id, "--yes"]), @"error: delivery dlv_ID was settled before");
}

#[test]
fn who_is_asked_what_and_who_may() {
    let served = Served::start(&[]);
    assert_snapshot!(served.see(0, &["tenant", "create", "acme"]), @"
    acme is there
    hint: `sandbell token create NAME --scope read --scope manage --scope send --tenant acme` makes its first token
    ");
    assert_snapshot!(served.see(0, &["tenant", "list"]), @"
    TENANT  STATE  CREATED
    acme  active  just now
    local  active  just now
    ");
    let token = served.run(&["token", "create", "ci", "--scope", "send", "--tenant", "acme"]).expect(0);
    let file = served.host.dir.path().join("token");
    fs::write(&file, &token.stdout).unwrap();
    let api = served.api();
    let remote = ["--server", api.as_str(), "--token-file", text(&file)];
    let as_ci = |code, arguments: &[&str]| served.see(code, &[arguments, &remote].concat());
    assert_snapshot!(as_ci(4, &["channel", "list"]), @"
    error: token `ci` has not the scope `read`
    hint: use a token that has it
    ");
    assert_snapshot!(served.see(4, &["status", "--server", &api]), @"
    error: there is no token
    hint: send `Authorization: Bearer sbt_…`; `sandbell token create` makes one
    ");
    assert_snapshot!(served.see(0, &["token", "list", "--tenant", "acme"]), @"
    NAME  MAY  STATE  CREATED  TOKEN
    ci  send  valid  just now  tok_ID
    ");
    served.run(&["tenant", "suspend", "acme", "--yes"]).expect(0);
    assert_snapshot!(as_ci(4, &["notify", "--message", "hello"]), @"
    error: the tenant is suspended
    hint: ask the operator of the host; nothing of it is lost
    ");
    served.run(&["tenant", "resume", "acme"]).expect(0);
    let id = served.run(&["token", "list", "--tenant", "acme", "--json"]).expect(0).json()["items"][0]["id"]
        .clone();
    served.run(&["token", "revoke", id.as_str().unwrap(), "--yes", "--tenant", "acme"]).expect(0);
    assert_snapshot!(as_ci(4, &["notify", "--message", "hello"]), @"
    error: token `ci` was revoked
    hint: send `Authorization: Bearer sbt_…`; `sandbell token create` makes one
    ");
}
