//! Who each channel talks to in the demo, and how that one answers.

use anyhow::{Context as _, Result};
use sandbell_peers::Request;

/// Who takes what a channel sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// An HTTP receiver: the option that holds its URL, and the URL's path.
    Http(&'static str, &'static str),
    /// A mail server.
    Mail,
    /// An AMQP broker.
    Amqp,
    /// An MQTT broker.
    Mqtt,
    /// Somebody whose name is part of the channel; no machine of ours can be that one.
    Fixed,
}

/// Of every channel of the repository; nothing is sent by one that is not here.
const PEERS: [(&str, Peer); 29] = [
    ("alertmanager", Peer::Http("url", "")),
    ("amqp", Peer::Amqp),
    ("apprise", Peer::Http("endpoint", "")),
    ("discord", Peer::Http("webhook_url", "/api/webhooks/1/example")),
    ("elasticsearch", Peer::Http("address", "")),
    ("email", Peer::Mail),
    ("flowdock", Peer::Http("endpoint", "")),
    ("github-issue", Peer::Http("api_url", "")),
    ("gotify", Peer::Http("endpoint", "")),
    ("hipchat", Peer::Http("endpoint", "")),
    ("jira", Peer::Http("url", "")),
    ("kakao-biz", Peer::Http("api_url", "/v1/openapi")),
    ("matrix", Peer::Http("homeserver_url", "")),
    ("mattermost", Peer::Http("webhook_url", "/hooks/example")),
    ("mqtt", Peer::Mqtt),
    ("msteams", Peer::Http("webhook_url", "/webhookb2/example")),
    ("naver-works", Peer::Fixed),
    ("ntfy", Peer::Http("endpoint", "")),
    ("opsgenie", Peer::Fixed),
    ("pagerduty", Peer::Fixed),
    ("pushbullet", Peer::Fixed),
    ("pushover", Peer::Fixed),
    ("rocketchat", Peer::Http("url", "")),
    ("signal-rest", Peer::Http("endpoint", "/v2/send")),
    ("slack", Peer::Http("webhook_url", "/services/T/B/example")),
    ("sms", Peer::Mail),
    ("telegram", Peer::Http("api_url", "")),
    ("webhook", Peer::Http("url_template", "/monitoring")),
    ("zulip", Peer::Http("site", "")),
];

impl Peer {
    pub(crate) fn of(channel: &str) -> Result<Self> {
        let known = PEERS.iter().find(|(name, _)| *name == channel).map(|(_, peer)| *peer);
        known
            .with_context(|| format!("nobody is there for the channel `{channel}`; name its peer in peer.rs"))
    }
}

/// What the service answers that the channel sends to: status and body, as it documents success.
pub(crate) fn answer(channel: &str, request: &Request) -> (u16, &'static str) {
    match channel {
        "apprise" => (200, r#"{"error":null}"#),
        "discord" => (200, r#"{"id":"42","type":0}"#),
        "elasticsearch" => (201, r#"{"_index":"diun-notifications","_id":"W0tp","result":"created"}"#),
        "github-issue" if request.method == "GET" => (200, "[]"),
        "github-issue" => {
            (201, r#"{"id":1,"number":42,"html_url":"https://github.com/example/operations/issues/42"}"#)
        }
        "gotify" => (200, r#"{"id":25,"appid":5,"message":"x"}"#),
        "hipchat" => (204, ""),
        "jira" => (201, r#"{"id":"10000","key":"OPS-24"}"#),
        "matrix" if request.target.contains("/join/") => (200, r#"{"room_id":"!abc:example.com"}"#),
        "matrix" => (200, r#"{"event_id":"$1"}"#),
        "mattermost" | "slack" => (200, "ok"),
        "msteams" => (202, ""),
        "ntfy" => (200, r#"{"id":"Gh6a","time":1,"event":"message","topic":"operations"}"#),
        "rocketchat" => (200, r#"{"success":true}"#),
        "signal-rest" => (201, r#"{"timestamp":"1720781250123"}"#),
        "telegram" => (200, r#"{"ok":true,"result":{"message_id":42}}"#),
        "zulip" => (200, r#"{"result":"success","msg":"","id":42}"#),
        _ => (200, "{}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::{PEERS, Peer};

    /// Each folder of a channel has its peer, and nothing else has.
    #[test]
    fn every_channel_has_somebody_to_talk_to() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../channels-wasm");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut folders: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        folders.sort();
        assert_eq!(folders, PEERS.map(|(name, _)| name.to_owned()));
        assert_snapshot!(
            Peer::of("fax").unwrap_err(),
            @"nobody is there for the channel `fax`; name its peer in peer.rs"
        );
    }
}
