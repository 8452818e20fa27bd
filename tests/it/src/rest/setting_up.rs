//! Plugins, approvals, channels and secrets.

use insta::assert_snapshot;
use sandbell_peers::{Receiver, Reply};
use serde_json::{Value as Json, json};

use super::client::{Client, Served, host, rocketchat};
use crate::host::{channel, guest};

fn accepting() -> Receiver {
    Receiver::start(|_| Reply::new(200, r#"{"success":true}"#)).unwrap()
}

#[test]
fn a_plugin_is_installed_approved_used_and_removed() {
    let receiver = accepting();
    let served = Served::empty("");
    let operator = Client::operator(&served);
    let bytes = std::fs::read(channel("rocketchat")).unwrap();
    let install = |name: &str, bytes: &[u8]| {
        operator.send("POST", &format!("/plugins?name={name}"), Some(("application/wasm", bytes)))
    };
    assert_snapshot!(install("x", b"no component").problem(), @"422 no-plugin: the file is a text file, not a WebAssembly component; write the path of a component, e.g. `slack.wasm`");
    assert_snapshot!(install("x", &std::fs::read(guest("loop-in-get-info")).unwrap()).problem(), @"422 no-plugin: `get-info` failed: the plugin used up its 100 ms of CPU in `get-info`; look for a loop without an end (cpu)");
    assert_snapshot!(operator.post("/plugins?name=x", &json!({})).problem(), @"415 media-type: `application/json` is no component [send the component with `Content-Type: application/wasm`]");
    let installed = install("rocketchat", &bytes).expect(201).json();
    assert_eq!((&installed["standing"], &installed["running"]), (&json!("not-approved"), &Json::Null));
    assert_eq!(installed["info"]["config_attrs"][2]["kind"], "secret");

    let form = rocketchat("ops", &receiver.url(""));
    assert_snapshot!(operator.post("/channels", &form).problem(), @"422 not-approved /plugin: plugin `rocketchat` is not approved [an operator looks at what it wants and runs `sandbell plugin approve rocketchat`]");
    let approve = |more: Json| {
        let mut approval = json!({ "digest": installed["digest"] });
        approval.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        operator.put("/plugins/rocketchat/approval", &approval)
    };
    operator.get("/plugins/rocketchat/approval").expect(404);
    assert_snapshot!(approve(json!({ "networks": ["home"] })).problem(), @"422 invalid-field /networks/0: networks.0: `home` is no network; write an address or a CIDR, with or without a port, e.g. `10.20.0.0/16:443`");
    assert_snapshot!(approve(json!({ "allow": ["http GET {nothing}"] })).problem(), @"422 invalid-field /allow/0: allow.0: `{nothing}` names no option of this plugin; write e.g. `http POST https://api.example.com/*`");
    assert_snapshot!(approve(json!({ "ca_file": "/nowhere.pem" })).problem(), @"422 tls-file: `/nowhere.pem` cannot be read: No such file or directory (os error 2); approve again with a file that this user can read");
    assert_snapshot!(approve(json!({ "digest": format!("sha256:{}", "0".repeat(64)) })).problem(), @"409 changed: `rocketchat` was installed anew while you looked at it; look again [`digest` is not that of the component that is installed now]");
    approve(json!({ "networks": ["127.0.0.1"] })).expect(200);
    assert_eq!(operator.get("/plugins/rocketchat").expect(200).json()["standing"], "approved");
    operator.post("/channels", &form).expect(201);

    assert_snapshot!(operator.delete("/plugins/rocketchat").problem(), @"409 in-use: 1 channels use plugin `rocketchat` [delete them first, or let them use another plugin]");
    operator.delete("/plugins/rocketchat/approval").expect(204);
    let tested = operator.send("POST", "/channels/ops/test", None).expect(200).json();
    assert_eq!(tested["outcome"]["code"], "plugin-not-approved", "{tested}");
    operator.delete("/channels/ops").expect(204);
    operator.delete("/plugins/rocketchat").expect(204);
    operator.get("/plugins/rocketchat").expect(404);
    let actions: Vec<String> = audit(&operator, "/audit?host=true");
    assert_eq!(actions[..4], ["plugin.remove", "plugin.revoke", "plugin.approve", "plugin.install"]);
    assert!(receiver.requests().is_empty());
}

fn audit(client: &Client, path: &str) -> Vec<String> {
    let log = client.get(path).expect(200).json();
    let entries = log["items"].as_array().unwrap().iter();
    entries.map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_channel_is_made_changed_and_its_secrets_are_told_to_nobody() {
    let receiver = accepting();
    let (_served, operator) = host();
    let form = rocketchat("ops", &receiver.url(""));
    let made = operator.post("/channels", &form).expect(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let mut all = String::from_utf8(made.body).unwrap();
    assert_snapshot!(operator.post("/channels", &form).problem(), @"409 exists: there is a channel of this name already [`PUT /api/v1/channels/{name}` replaces it]");

    // A secret that is absent stays; the revision before is kept.
    let mut changed = form.clone();
    changed["settings"]["user_id"] = json!("sandbell");
    changed.as_object_mut().unwrap().remove("secrets");
    changed["policy"] = json!({ "retry": { "attempts_max": 3 } });
    let answer = operator.header("if-match", "\"1\"").put("/channels/ops", &changed).expect(200);
    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_snapshot!(operator.header("if-match", "\"1\"").put("/channels/ops", &changed).problem(), @"412 revision: the channel has revision 2 and not 1: somebody else saved it [read it again, and make the change to what is there now]");
    assert_snapshot!(operator.header("if-none-match", "*").put("/channels/ops", &changed).problem(), @"409 exists: there is a channel of this name already [`PUT /api/v1/channels/{name}` replaces it]");
    let revisions = operator.get("/channels/ops/revisions").expect(200).json();
    assert_eq!(revisions["items"][0]["settings"]["user_id"], "icinga", "{revisions}");
    let tested = operator.send("POST", "/channels/ops/test", None).expect(200);
    assert_eq!(tested.json()["outcome"]["code"], "address", "{:?}", tested.json());
    let sample = json!({ "contact": { "addresses": [{ "kind": "rocketchat", "address": "#ops" }] } });
    let tested = operator.post("/channels/ops/test", &sample).expect(200);
    assert_eq!(tested.json()["outcome"]["delivered"], true);
    assert_eq!(receiver.requests()[0].header("x-auth-token"), Some("hunter2-token"));
    let preview = operator.post("/channels/ops/preview", &sample).expect(200);
    assert_eq!((preview.json()["dry_run"].clone(), receiver.requests().len()), (json!(true), 1));

    // One secret at a time.
    operator.put("/channels/ops/secrets/token", &json!({ "value": "hunter3-token" })).expect(204);
    operator.post("/channels/ops/test", &sample).expect(200);
    assert_eq!(receiver.requests()[1].header("x-auth-token"), Some("hunter3-token"));
    assert_snapshot!(operator.delete("/channels/ops/secrets/token").problem(), @"422 config /secrets/token: option `token`: is required and has no value");
    assert_snapshot!(operator.put("/channels/ops/secrets/url", &json!({ "value": "x" })).problem(), @"422 config /secrets/url: option `url`: is no secret; write it under `settings`");

    for path in ["/channels", "/channels/ops", "/channels/ops/revisions", "/audit", "/audit?host=true"] {
        all.push_str(&String::from_utf8(operator.get(path).expect(200).body).unwrap());
    }
    for answer in [answer, tested, preview] {
        all.push_str(&String::from_utf8(answer.body).unwrap());
    }
    assert!(all.contains("set_at") && !all.contains("hunter"), "{all}");
}

#[test]
fn a_secret_that_is_kept_goes_nowhere_else() {
    let (receiver, thief) = (accepting(), accepting());
    let (_served, operator) = host();
    operator.post("/channels", &rocketchat("ops", &receiver.url(""))).expect(201);
    let mut elsewhere = rocketchat("ops", &thief.url(""));
    let told = elsewhere.as_object_mut().unwrap().remove("secrets").unwrap();
    assert_snapshot!(operator.put("/channels/ops", &elsewhere).problem(), @"422 config /secrets/token: option `token`: must be told again, because the channel would reach a place that it did not reach before");
    let draft = json!({ "channel": elsewhere,
        "notification": { "contact": { "addresses": [{ "kind": "rocketchat", "address": "#ops" }] } } });
    assert_snapshot!(operator.post("/drafts/test", &draft).problem(), @"422 config /channel/secrets/token: option `token`: must be told again, because the channel would reach a place that it did not reach before");
    assert!(thief.requests().is_empty());
    elsewhere["secrets"] = told;
    operator.put("/channels/ops", &elsewhere).expect(200);
}

#[test]
fn a_draft_is_tried_before_it_is_saved() {
    let receiver = accepting();
    let (_served, operator) = host();
    let draft = |form: Json| {
        json!({ "channel": form,
            "notification": { "contact": { "addresses": [{ "kind": "rocketchat", "address": "#ops" }] } } })
    };
    let form = rocketchat("ops", &receiver.url(""));
    let preview = operator.post("/drafts/preview", &draft(form.clone())).expect(200).json();
    assert!(preview["exchanges"][0]["headers"].to_string().contains("<secret:token>"), "{preview}");
    assert!(receiver.requests().is_empty());
    let tested = operator.post("/drafts/test", &draft(form.clone())).expect(200).json();
    assert_eq!(tested["outcome"]["delivered"], true);
    operator.get("/channels/ops").expect(404);

    let mut bad = form.clone();
    bad["settings"]["url"] = json!("chat.example.com");
    assert_snapshot!(operator.post("/drafts/test", &draft(bad)).problem(), @"422 config /channel/settings/url: option `url`: `chat.example.com/api/v1/chat.postMessage` is no absolute http or https URL; write e.g. `https://api.example.com/hook`");
    let mut without = form.clone();
    without.as_object_mut().unwrap().remove("secrets");
    assert_snapshot!(operator.post("/drafts/test", &draft(without.clone())).problem(), @"422 config /channel/secrets/token: option `token`: is required and has no value");
    // The secrets of the channel that is there are used, and only by the same plugin.
    operator.post("/channels", &form).expect(201);
    assert_eq!(
        operator.post("/drafts/test", &draft(without)).expect(200).json()["outcome"]["delivered"],
        true
    );
    assert_eq!(receiver.requests().len(), 2);
}

#[test]
fn a_channel_that_is_disabled_lets_its_deliveries_wait() {
    let receiver = accepting();
    let (_served, operator) = host();
    operator.post("/channels", &rocketchat("ops", &receiver.url(""))).expect(201);
    let disabled =
        operator.post("/channels/ops/disable", &json!({ "reason": "maintenance" })).expect(200).json();
    assert_eq!((&disabled["enabled"], &disabled["disabled_reason"]), (&json!(false), &json!("maintenance")));
    let waits = operator.post("/notifications?wait=1s", &super::client::notification("ops", "x")).expect(202);
    assert_eq!(super::client::delivery(&waits)["state"], "waiting");
    assert!(receiver.requests().is_empty());
    let enabled = operator.send("POST", "/channels/ops/enable", None).expect(200).json();
    assert_eq!(enabled["enabled"], true);
    let id = super::client::delivery(&waits)["id"].as_str().unwrap().to_owned();
    let is_delivered =
        || operator.get(&format!("/deliveries/{id}")).expect(200).json()["state"] == "delivered";
    assert!((0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        is_delivered()
    }));
}
