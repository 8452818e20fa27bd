//! `docs/api.md` does what it says: each of its commands is run, in its order.

use std::path::Path;
use std::process::Command;

use sandbell_peers::{Receiver, Reply};
use serde_json::Value as Json;

use super::client::{Client, Served};
use crate::host::channel;

/// The blocks of this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.by_ref().any(|line| line == fence) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n") + "\n");
    }
    blocks
}

#[test]
fn every_command_of_the_guide_does_what_it_says() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let receiver = Receiver::start(|_| Reply::new(200, r#"{"success":true}"#)).unwrap();
    let served = Served::empty("");
    let operator = Client::operator(&served);
    let digest =
        || operator.get("/plugins/rocketchat").json()["digest"].as_str().unwrap_or_default().to_owned();
    let run = |script: &String| -> Json {
        let output = Command::new("sh")
            .args(["-c", script])
            .env("SOCKET", &served.serving().socket)
            .env("COMPONENT", channel("rocketchat"))
            .env("DIGEST", digest())
            .env("URL", receiver.url(""))
            .env("CURL_HOME", "/nonexistent")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{script}"))
    };
    let commands = blocks(&guide, "sh");
    let answers: Vec<Json> = commands.iter().map(run).collect();
    let [good @ .., refused] = answers.as_slice() else { panic!("there are no commands") };
    for (answer, command) in good.iter().zip(&commands) {
        assert!(answer["status"].is_null(), "{answer}\n{command}");
    }
    assert!(answers.iter().any(|answer| answer["notifications"][0]["deliveries"][0]["state"] == "delivered"));
    assert_eq!(receiver.requests().len(), 1);
    let shown: Vec<Json> =
        blocks(&guide, "json").iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(shown, std::slice::from_ref(refused));
}
