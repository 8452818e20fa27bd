//! The host keeps to its document, whatever schemathesis makes of it.

use std::process::Command;

use sandbell_peers::{Receiver, Reply};
use serde_json::json;

use super::client::{Client, Served, delivery, host, notification, rocketchat};
use crate::host::built;

/// What is drawn for each operation, beside the cases at the edges.
const EXAMPLES: &str = "20";

#[test]
fn schemathesis_finds_nothing() {
    let schemathesis = built().tool("schemathesis").unwrap();
    let receiver = Receiver::start(|_| Reply::new(401, "no")).unwrap();
    let (served, operator) = host();
    operator.post("/channels", &rocketchat("ops", &receiver.url(""))).expect(201);
    let dead = delivery(&operator.post("/notifications?wait=20s", &notification("ops", "x")).expect(200));
    let scopes = ["send", "read", "manage", "operate"];
    let token =
        operator.post("/tokens?host=true", &json!({ "name": "schemathesis", "scopes": scopes })).expect(201);
    let settings = include_str!("schemathesis.toml")
        .replace("DELIVERY", dead["id"].as_str().unwrap())
        .replace("NOTIFICATION", dead["notification"].as_str().unwrap());
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("schemathesis.toml"), settings).unwrap();
    let output = Command::new(schemathesis.join("bin/schemathesis"))
        .env("PYTHONPATH", &schemathesis)
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(format!("http://{}/api/v1/openapi.json", served.serving().api))
        .args(["--header", &format!("Authorization: Bearer {}", token.json()["token"].as_str().unwrap())])
        .args(["--max-examples", EXAMPLES, "--seed", "1", "--checks", "all", "--continue-on-failure"])
        .args(["--request-timeout", "30", "--no-color"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    // It looked at everything but the tail.
    assert!(text.contains("Selected: 39/40") && text.contains("Tested: 39"), "{text}");
    operator.get("/status").expect(200);
}

#[test]
fn the_page_that_shows_the_document_needs_nothing_from_elsewhere() {
    let served = Served::empty("");
    // What the API looks like is no secret.
    let nobody = Client::nobody(&served);
    let page = nobody.get("/docs").expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    let html = String::from_utf8(page.body).unwrap();
    let own = |name: &str| html.contains(&format!("\"docs/{name}\""));
    assert!(own("page.js") && own("page.css") && !html.contains("://") && !html.contains("style="), "{html}");
    let script = nobody.get("/docs/page.js").expect(200);
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    let script = String::from_utf8(script.body).unwrap();
    // Texts of the document are put in as texts.
    assert!(!script.contains("innerHTML") && !script.contains("://") && script.contains("openapi.json"));
    nobody.get("/docs/page.css").expect(200);
    let document = nobody.get("/openapi.json").expect(200);
    let kept = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json")).unwrap();
    assert_eq!(document.body, kept);
    assert_eq!(document.json()["openapi"], "3.1.0");
}
