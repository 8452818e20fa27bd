//! A serving host with the slack channel, and the receiver that it sends to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use sandbell_peers::{Answer, Client, Receiver, Reply, Serving, wait_for};
use serde_json::{Value as Json, json};

use crate::host::{Host, channel, program};

/// Short enough for tests; an attempt is given a second, so a lease lasts two.
pub(crate) const QUICK: &str = "[dispatch]\nattempt = \"1s\"\n";

/// Quick retries, and nothing else that is unusual.
pub(crate) fn quick_retry() -> Json {
    json!({ "wait_first": "100ms", "wait_max": "100ms" })
}

pub(crate) struct Site {
    pub(crate) host: Host,
    configuration: String,
    serving: Option<Serving>,
}

impl Site {
    /// Serves with this configuration.
    pub(crate) fn new(configuration: &str) -> Self {
        let host = Host::with(&channel("slack"), &["--network", "127.0.0.1"]);
        let mut site = Self { host, configuration: configuration.to_owned(), serving: None };
        site.start();
        site
    }

    pub(crate) fn start(&mut self) {
        let serving = Serving::start(&program(), &self.host.state(), &self.configuration);
        self.serving = Some(serving.unwrap());
    }

    pub(crate) fn start_by(&mut self, command: std::process::Command) {
        let serving = Serving::start_by(command, &self.host.state(), &self.configuration);
        self.serving = Some(serving.unwrap());
    }

    pub(crate) fn serving(&self) -> &Serving {
        self.serving.as_ref().unwrap()
    }

    pub(crate) fn serving_mut(&mut self) -> &mut Serving {
        self.serving.as_mut().unwrap()
    }

    /// SIGTERM, and its end.
    pub(crate) fn stop(&mut self) {
        let status = self.serving.take().unwrap().stop().unwrap();
        assert!(status.success(), "{status}");
    }

    pub(crate) fn kill(&mut self) {
        self.serving.take().unwrap().kill().unwrap();
    }

    pub(crate) fn operator(&self) -> Client {
        self.serving().operator()
    }

    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: &Json) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let headers: &[_] = if body.is_empty() { &[] } else { &[("content-type", "application/json")] };
        self.operator().call(method, &format!("/api/v1{path}"), headers, &body).unwrap()
    }

    /// A call that succeeds.
    #[track_caller]
    pub(crate) fn ok(&self, method: &str, path: &str, body: &Json) -> Json {
        let answer = self.call(method, path, body);
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
        answer.json().unwrap()
    }

    /// A slack channel with this webhook.
    #[track_caller]
    pub(crate) fn channel(&self, name: &str, url: &str, policy: &Json) {
        let channel =
            json!({ "name": name, "plugin": "slack", "secrets": { "webhook_url": url }, "policy": policy });
        self.ok("POST", "/channels", &channel);
    }

    /// Hands a notification in; its delivery's id.
    #[track_caller]
    pub(crate) fn notify(&self, channel: &str, message: &str) -> String {
        let accepted = self.ok("POST", "/notifications", &notification(channel, message));
        accepted["notifications"][0]["deliveries"][0]["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn delivery(&self, id: &str) -> Json {
        self.ok("GET", &format!("/deliveries/{id}"), &Json::Null)
    }

    #[track_caller]
    pub(crate) fn attempts(&self, id: &str) -> Vec<Json> {
        let all = self.ok("GET", &format!("/deliveries/{id}/attempts"), &Json::Null);
        all["items"].as_array().unwrap().clone()
    }

    /// Waits until the delivery is in this state.
    #[track_caller]
    pub(crate) fn wait(&self, id: &str, state: &str) -> Json {
        let ask = || Some(self.delivery(id)).filter(|delivery| delivery["state"] == state);
        wait_for(&format!("{id} {state}"), ask).unwrap_or_else(|error| {
            panic!("{error}: {:#}\n{}", self.delivery(id), self.serving().log().join("\n"))
        })
    }

    #[track_caller]
    pub(crate) fn state_of(&self, channel: &str) -> Json {
        self.ok("GET", &format!("/channels/{channel}"), &Json::Null)
    }
}

pub(crate) fn notification(channel: &str, message: &str) -> Json {
    json!({
        "channels": [channel],
        "contacts": [{ "full_name": "Ada", "addresses": [{ "kind": "slack", "address": "#ops" }] }],
        "object": { "name": "db1" },
        "event": { "message": message, "severity": "crit" },
    })
}

/// A receiver whose answer changes: a status, 0 for a reset, 1 for silence.
pub(crate) struct Moody {
    pub(crate) receiver: Receiver,
    mood: Arc<AtomicU16>,
}

pub(crate) const RESETS: u16 = 0;
pub(crate) const HANGS: u16 = 1;

impl Moody {
    pub(crate) fn new(status: u16) -> Self {
        let mood = Arc::new(AtomicU16::new(status));
        let now = Arc::clone(&mood);
        let receiver = Receiver::start(move |_| match now.load(Ordering::Relaxed) {
            RESETS => Reply::reset(),
            HANGS => Reply::hang(),
            200 => Reply::new(200, "ok"),
            404 => Reply::new(404, "no_service"),
            status => Reply::new(status, "busy"),
        });
        Self { receiver: receiver.unwrap(), mood }
    }

    pub(crate) fn set(&self, status: u16) {
        self.mood.store(status, Ordering::Relaxed);
    }

    pub(crate) fn url(&self) -> String {
        self.receiver.url("/hook")
    }

    /// Waits for so many requests.
    #[track_caller]
    pub(crate) fn wait(&self, count: usize) {
        wait_for(&format!("{count} requests"), || (self.receiver.count() >= count).then_some(())).unwrap();
    }

    /// How often a message arrived.
    pub(crate) fn arrived(&self, message: &str) -> usize {
        let quoted = format!("\"{message}\"");
        self.receiver.requests().iter().filter(|request| request.body_text().contains(&quoted)).count()
    }
}

/// For what must not happen.
pub(crate) fn a_while() {
    std::thread::sleep(Duration::from_millis(400));
}
