//! Whose things these are, and who may do what.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use sandbell_peers::{Receiver, Reply};
use serde_json::{Value as Json, json};

use super::client::{Answer, Client, delivery, host, notification, rocketchat};

const SCOPES: [&str; 4] = ["send", "read", "manage", "operate"];

/// One operation of the document.
struct Operation {
    method: String,
    /// Below `/api/v1`, with `{…}`.
    path: String,
    scope: String,
    takes_body: bool,
}

/// Every operation that the host says it has.
fn operations(client: &Client) -> Vec<Operation> {
    let document = client.get("/openapi.json").expect(200).json();
    let paths = document["paths"].as_object().unwrap().clone();
    let operations: Vec<_> = paths
        .into_iter()
        .flat_map(|(path, item)| {
            let path = path.strip_prefix("/api/v1").unwrap().to_owned();
            let item = item.as_object().unwrap().clone();
            item.into_iter().map(move |(method, operation)| Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                scope: operation["security"][0]["token"][0].as_str().unwrap().to_owned(),
                takes_body: operation["requestBody"]["required"] == true,
            })
        })
        .collect();
    assert!(operations.len() >= 40, "{}", operations.len());
    operations
}

fn token(operator: &Client, name: &str, scopes: &[&str], query: &str) -> String {
    let made =
        operator.post(&format!("/tokens{query}"), &json!({ "name": name, "scopes": scopes })).expect(201);
    made.json()["token"].as_str().unwrap().to_owned()
}

/// A tenant `a` with a channel, a dead letter and a token; where its things are, by what the document calls them.
fn house_of_a(operator: &Client, receiver: &Receiver) -> (Client, BTreeMap<&'static str, String>) {
    operator.post("/tenants", &json!({ "name": "a" })).expect(201);
    let in_a = operator.header("sandbell-tenant", "a");
    in_a.post("/channels", &rocketchat("ops", &receiver.url(""))).expect(201);
    let dead = delivery(&in_a.post("/notifications?wait=20s", &notification("ops", "x")).expect(200));
    assert_eq!(dead["state"], "dead");
    let token = in_a.post("/tokens", &json!({ "name": "mine", "scopes": ["read"] })).expect(201).json();
    let at = |place: &str, id: &Json| format!("{place}/{}", id.as_str().unwrap());
    let things = BTreeMap::from([
        ("/channels/{name}", "/channels/ops".to_owned()),
        ("/deliveries/{id}", at("/deliveries", &dead["id"])),
        ("/notifications/{id}", at("/notifications", &dead["notification"])),
        ("/tokens/{id}", at("/tokens", &token["id"])),
    ]);
    (in_a, things)
}

/// A body that this operation understands, so that nothing but whose it is decides.
fn body(operation: &Operation) -> Json {
    match operation.path.rsplit('/').next().unwrap() {
        "{name}" => rocketchat("ops", "https://chat.example.com"),
        "{option}" => json!({ "value": "x" }),
        _ => json!({}),
    }
}

fn call(client: &Client, operation: &Operation, path: &str) -> Answer {
    if operation.takes_body {
        let body = body(operation).to_string();
        return client.send(&operation.method, path, Some(("application/json", body.as_bytes())));
    }
    client.send(&operation.method, path, None)
}

#[test]
fn the_things_of_another_tenant_are_not_there() {
    let receiver = Receiver::start(|_| Reply::new(401, "no")).unwrap();
    let (served, operator) = host();
    let (in_a, things) = house_of_a(&operator, &receiver);
    let before = everything(&in_a);
    operator.post("/tenants", &json!({ "name": "b" })).expect(201);
    let b = token(&operator.header("sandbell-tenant", "b"), "b", &["send", "read", "manage"], "");
    let b = Client::with_token(&served, &b);
    let mut walked = 0;
    for operation in operations(&operator) {
        let Some((pattern, thing)) = things.iter().find(|(pattern, _)| operation.path.starts_with(*pattern))
        else {
            continue;
        };
        let path = operation.path.replacen(pattern, thing, 1).replace("{option}", "token");
        if operation.method == "PUT" && operation.path == "/channels/{name}" {
            continue;
        }
        call(&b, &operation, &path).expect(404);
        walked += 1;
    }
    assert!(walked >= 15, "{walked}");
    // A name that another tenant has taken is free here.
    b.put("/channels/ops", &rocketchat("ops", "https://chat.example.com")).expect(201);
    b.delete("/channels/ops").expect(204);
    for list in ["/deliveries", "/tokens", "/audit"] {
        let text = String::from_utf8(b.get(list).expect(200).body).unwrap();
        assert!(
            !things
                .values()
                .any(|thing| text.contains(thing.rsplit('/').next().unwrap()) && !thing.ends_with("ops")),
            "{text}"
        );
    }
    let refused = b.post("/notifications", &notification("ops-of-a", "x")).expect(422).json();
    assert_eq!(refused["code"], "no-channel");
    assert_eq!(everything(&in_a), before);
    assert_snapshot!(b.header("sandbell-tenant", "a").get("/channels").problem(), @"403 other-tenant: the token is of another tenant than `Sandbell-Tenant` names [leave the header out, or use a token of that tenant]");
    assert_snapshot!(b.header("sandbell-tenant", "nobody").get("/channels").problem(), @"403 other-tenant: the token is of another tenant than `Sandbell-Tenant` names [leave the header out, or use a token of that tenant]");
    b.header("sandbell-tenant", "b").get("/channels").expect(200);
}

/// All that a tenant can see of its own.
fn everything(client: &Client) -> Vec<Json> {
    let lists = ["/channels", "/channels/ops", "/channels/ops/revisions", "/deliveries", "/tokens", "/audit"];
    lists.iter().map(|list| client.get(list).expect(200).json()).collect()
}

#[test]
fn every_operation_asks_for_its_scope_and_for_a_token() {
    let (served, operator) = host();
    let nobody = Client::nobody(&served);
    for operation in operations(&operator) {
        let path =
            operation.path.replace("{name}", "x").replace("{option}", "x").replace("{id}", &"0".repeat(32));
        let path = ["/deliveries/", "/notifications/", "/tokens/"]
            .iter()
            .zip(["dlv_", "ntf_", "tok_"])
            .fold(path, |path, (place, prefix)| {
                path.replace(&format!("{place}0"), &format!("{place}{prefix}0"))
            });
        let path = if operation.path == "/plugins" && operation.method == "POST" {
            "/plugins?name=x"
        } else {
            &path
        };
        assert_eq!(call(&nobody, &operation, path).status, 401, "{} {path}", operation.method);
        let name = format!("t{}", operation.method.to_lowercase());
        let others: Vec<&str> = SCOPES.into_iter().filter(|scope| *scope != operation.scope).collect();
        let made =
            operator.post("/tokens?host=true", &json!({ "name": name, "scopes": others })).expect(201).json();
        let client = Client::with_token(&served, made["token"].as_str().unwrap());
        let answer = call(&client, &operation, path).expect(403);
        assert_eq!(answer.json()["code"], "scope", "{} {path}", operation.method);
        operator.delete(&format!("/tokens/{}?host=true", made["id"].as_str().unwrap())).expect(204);
    }
}

#[test]
fn a_tenants_token_does_not_speak_for_the_host() {
    let (served, operator) = host();
    assert_snapshot!(operator.post("/tokens", &json!({ "name": "x", "scopes": ["operate"] })).problem(), @"422 invalid-field /scopes: scopes: `operate` is for tokens of the host [leave it out, or make a token of the host with `?host=true`]");
    let manager = Client::with_token(&served, &token(&operator, "manager", &["manage", "read"], ""));
    assert_snapshot!(manager.post("/tokens", &json!({ "name": "x", "scopes": ["send"] })).problem(), @"403 scope /scopes: a token cannot give scopes that it has not itself");
    assert_snapshot!(manager.get("/tokens?host=true").problem(), @"403 not-operator: this concerns the host, and the token is of one tenant [use a token of the host, or the host's own socket as its user]");
    assert_snapshot!(manager.get("/audit?host=true").problem(), @"403 not-operator: this concerns the host, and the token is of one tenant [use a token of the host, or the host's own socket as its user]");
    assert_snapshot!(manager.get("/tenants").problem(), @"403 scope: token `manager` has not the scope `operate` [use a token that has it]");
    let whole = Client::with_token(&served, &token(&operator, "root", &SCOPES, "?host=true"));
    whole.get("/tenants").expect(200);
    whole.header("sandbell-tenant", "local").get("/channels").expect(200);
}

#[test]
fn a_suspended_tenant_is_let_in_no_more_until_it_is_let_go_on() {
    let (served, operator) = host();
    operator.post("/tenants", &json!({ "name": "a" })).expect(201);
    assert_snapshot!(operator.post("/tenants", &json!({ "name": "a" })).problem(), @"409 exists: there is a tenant `a` already");
    let a = Client::with_token(&served, &token(&operator.header("sandbell-tenant", "a"), "a", &["read"], ""));
    a.get("/channels").expect(200);
    operator.patch("/tenants/a", &json!({ "is_suspended": true })).expect(200);
    assert_snapshot!(a.get("/channels").problem(), @"403 suspended: the tenant is suspended [ask the operator of the host; nothing of it is lost]");
    operator.patch("/tenants/a", &json!({ "is_suspended": false })).expect(200);
    a.get("/channels").expect(200);
}
