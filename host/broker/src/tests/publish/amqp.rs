//! Against Debian's `RabbitMQ`. One node serves all that needs one: it takes seconds to start.

use insta::assert_snapshot;
use sandbell_domain::Exchange;
use sandbell_domain::grant::TlsMaterial;
use sandbell_domain::{DeliveryId, Mode};
use sandbell_peers::{RABBITMQ_USER, RABBITMQ_VHOST, RabbitMq};
use serde_json::json;

use super::said;
use crate::tests::peer::Case;
use crate::value::{AmqpBroker, AmqpMessage, AmqpServer, Credentials};

pub(super) fn server(port: u16) -> AmqpServer {
    AmqpServer {
        host: "localhost".to_owned(),
        port,
        tls: false,
        vhost: RABBITMQ_VHOST.to_owned(),
        login: Some(Credentials { user: RABBITMQ_USER.0.to_owned(), password: "password".to_owned() }),
    }
}

pub(super) fn message(exchange: &str, key: &str) -> AmqpMessage {
    AmqpMessage {
        exchange: exchange.to_owned(),
        routing_key: key.to_owned(),
        content_type: "application/json".to_owned(),
        headers: vec![("source".to_owned(), "icinga".to_owned())],
        body: "{\"é\":1}".as_bytes().to_vec(),
        persistent: true,
        mandatory: true,
    }
}

/// A channel that may publish wherever these tests go.
pub(super) fn case(port: u16) -> Case {
    let place = |scheme: &str, port: u16, vhost: &str, exchange: &str| {
        format!("{scheme}://localhost:{port}/{vhost} exchange:{exchange} key:*")
    };
    Case {
        amqp: [
            ("shop", "alerts"),
            ("shop", ""),
            ("shop", "gone"),
            ("shop", "locked"),
            ("closed", ""),
            ("amq", ""),
        ]
        .map(|(vhost, exchange)| place("amqp", port, vhost, exchange))
        .into_iter()
        .chain([place("amqps", port, "shop", "alerts")])
        .collect(),
        names: vec![("localhost", vec![[127, 0, 0, 1].into()])],
        secrets: vec![("password", RABBITMQ_USER.1.to_owned()), ("wrong", "battery staple".to_owned())],
        ..Case::default()
    }
}

async fn publish(case: &Case, server: AmqpServer, message: AmqpMessage) -> String {
    let port = server.port;
    said(case.brokers().amqp(AmqpBroker::Server(server), message).await, port)
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_confirms_returns_refuses_and_comes_back() {
    let mut rabbit = RabbitMq::start().unwrap();
    let port = rabbit.amqp_port;
    let mut case = case(port);

    // What arrives, and what is written down of it.
    let brokers = case.brokers();
    let broker = || AmqpBroker::Server(server(port));
    brokers.amqp(broker(), message("alerts", "db.down")).await.unwrap();
    brokers.amqp(broker(), AmqpMessage { body: vec![b'x'; 200_000], ..message("", "all") }).await.unwrap();
    let id = DeliveryId::of(&[b"test"]);
    assert_eq!(
        rabbit.take("all").unwrap(),
        Some(json!({
            "exchange": "alerts", "routing_key": "db.down", "content_type": "application/json",
            "headers": { "source": "icinga" }, "delivery_mode": 2, "message_id": id.to_string(),
            "body": "{\"é\":1}",
        }))
    );
    let large = rabbit.take("all").unwrap().unwrap();
    assert_eq!(large["body"].as_str().unwrap().len(), 200_000);
    assert_eq!(large["message_id"], format!("{id}.2"));
    let record = brokers.take_record();
    let Exchange::Publish(exchange) = &record.exchanges[0] else { panic!("{record:?}") };
    assert_snapshot!(
        format!("{} {} {:?} {:?}", exchange.broker, exchange.place, exchange.login, exchange.answer)
            .replace(&port.to_string(), "PORT"),
        @r#"amqp://localhost:PORT/shop exchange:alerts key:db.down Some("sandbell with <secret:password>") Some("confirmed")"#
    );

    // What does not arrive.
    let check = async |server, message| publish(&case, server, message).await;
    assert_snapshot!(check(server(port), message("alerts", "web.down")).await, @"unroutable: the broker returned the message: 312 NO_ROUTE; does the queue exist, and is it bound?");
    assert_snapshot!(check(server(port), message("", "nowhere")).await, @"unroutable: the broker returned the message: 312 NO_ROUTE; does the queue exist, and is it bound?");
    assert_snapshot!(check(server(port), message("gone", "x")).await, @"unroutable: the broker refused the message: 404 NOT_FOUND - no exchange 'gone' in vhost 'shop'");
    assert_snapshot!(check(server(port), message("locked", "x")).await, @"auth: the broker refused the message: 403 ACCESS_REFUSED - access to exchange 'locked' in vhost 'shop' refused for user 'sandbell'");
    assert_snapshot!(check(server(port), message("", "full")).await, @"nacked: the broker did not take responsibility for the message (nack); is the queue full?");
    let optional = AmqpMessage { mandatory: false, ..message("", "nowhere") };
    assert_snapshot!(check(server(port), optional).await, @"published");
    let login = |user: &str, password: &str| {
        Some(Credentials { user: user.to_owned(), password: password.to_owned() })
    };
    let wrong = AmqpServer { login: login(RABBITMQ_USER.0, "wrong"), ..server(port) };
    assert_snapshot!(check(wrong, message("", "all")).await, @"auth: the broker refused the login: 403 ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.");
    let closed = AmqpServer { vhost: "closed".to_owned(), ..server(port) };
    assert_snapshot!(check(closed, message("", "all")).await, @"rejected: the broker refused the virtual host: 530 NOT_ALLOWED - access to vhost 'closed' refused for user 'sandbell'");
    let missing = AmqpServer { vhost: "amq".to_owned(), ..server(port) };
    assert_snapshot!(check(missing, message("", "all")).await, @"rejected: the broker refused the virtual host: 530 NOT_ALLOWED - vhost amq not found");
    let guest = AmqpServer { login: None, ..server(port) };
    assert_snapshot!(check(guest, message("", "all")).await, @"auth: the broker refused the login: 403 ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.");
    let silent = AmqpServer { tls: true, ..server(port) };
    assert_snapshot!(check(silent, message("alerts", "db")).await, @"tls: no encrypted connection: received corrupt message of type InvalidContentType");
    assert_eq!(rabbit.take("all").unwrap(), None);

    // TLS, with and without knowing the authority.
    let port = rabbit.amqps_port;
    case.amqp = vec![format!("amqps://localhost:{port}/shop exchange:alerts key:db.*")];
    let encrypted = || AmqpServer { tls: true, ..server(port) };
    assert_snapshot!(publish(&case, encrypted(), message("alerts", "db.tls")).await, @"tls: no encrypted connection: invalid peer certificate: UnknownIssuer");
    let authorities = std::fs::read_to_string(rabbit.authority().authority_file()).unwrap();
    case.tls = TlsMaterial { authorities_pem: Some(authorities), identity: None };
    assert_eq!(publish(&case, encrypted(), message("alerts", "db.tls")).await, "published");
    assert_eq!(rabbit.take("all").unwrap().unwrap()["routing_key"], "db.tls");

    // Away and back: nothing is kept open, so nothing is stale.
    rabbit.stop().unwrap();
    assert_snapshot!(publish(&case, encrypted(), message("alerts", "db.2")).await, @"connect: no connection to `localhost` on port PORT: connection refused");
    rabbit.run().unwrap();
    assert_eq!(publish(&case, encrypted(), message("alerts", "db.3")).await, "published");
    // A crash may forget that a message was taken.
    let arrived = std::iter::from_fn(|| rabbit.take("all").unwrap());
    assert!(arrived.map(|message| message["routing_key"].clone()).any(|key| key == "db.3"));
}

#[tokio::test]
async fn a_message_is_refused_before_a_connection_is_made() {
    // Nothing listens there, so whatever tried to connect would say so.
    let port = 60_009;
    let mut case = case(port);
    case.mode = Mode::DryRun;
    let check = async |server, message| publish(&case, server, message).await;
    assert_eq!(check(server(port), message("alerts", "db")).await, "published");
    assert_snapshot!(check(server(port), message("other", "db")).await, @"denied: `amqp://localhost:PORT/shop exchange:other key:db` is not granted; the missing want is `amqp amqp://localhost:PORT/shop exchange:other key:db`, granted is `amqp://localhost:PORT/shop exchange:alerts key:*`, `amqp://localhost:PORT/shop exchange: key:*`, `amqp://localhost:PORT/shop exchange:gone key:*`, `amqp://localhost:PORT/shop exchange:locked key:*`, `amqp://localhost:PORT/closed exchange: key:*`, `amqp://localhost:PORT/amq exchange: key:*`, `amqps://localhost:PORT/shop exchange:alerts key:*`");
    assert_snapshot!(check(AmqpServer { vhost: "/".to_owned(), ..server(port) }, message("alerts", "db")).await, @"denied: `amqp://localhost:PORT// exchange:alerts key:db` is not granted; the missing want is `amqp amqp://localhost:PORT// exchange:alerts key:db`, granted is `amqp://localhost:PORT/shop exchange:alerts key:*`, `amqp://localhost:PORT/shop exchange: key:*`, `amqp://localhost:PORT/shop exchange:gone key:*`, `amqp://localhost:PORT/shop exchange:locked key:*`, `amqp://localhost:PORT/closed exchange: key:*`, `amqp://localhost:PORT/amq exchange: key:*`, `amqps://localhost:PORT/shop exchange:alerts key:*`");
    assert_snapshot!(check(AmqpServer { host: "evil.example".to_owned(), ..server(port) }, message("alerts", "db")).await, @"denied: `amqp://evil.example:PORT/shop exchange:alerts key:db` is not granted; the missing want is `amqp amqp://evil.example:PORT/shop exchange:alerts key:db`, granted is `amqp://localhost:PORT/shop exchange:alerts key:*`, `amqp://localhost:PORT/shop exchange: key:*`, `amqp://localhost:PORT/shop exchange:gone key:*`, `amqp://localhost:PORT/shop exchange:locked key:*`, `amqp://localhost:PORT/closed exchange: key:*`, `amqp://localhost:PORT/amq exchange: key:*`, `amqps://localhost:PORT/shop exchange:alerts key:*`");
    assert_snapshot!(check(server(port), AmqpMessage { routing_key: "k".repeat(256), ..message("", "") }).await, @"invalid-message: the routing key has 256 bytes; at most 255 are allowed");
    for name in ["CC", "bcc", "x-death", ""] {
        let headers = vec![(name.to_owned(), "all".to_owned())];
        assert_eq!(
            check(server(port), AmqpMessage { headers, ..message("", "all") }).await,
            format!("invalid-message: the header `{name}` is not the channel's to set")
        );
    }
    let headers = vec![("a".to_owned(), "b".repeat(4096))];
    assert_snapshot!(check(server(port), AmqpMessage { headers, ..message("", "all") }).await, @"invalid-message: a message has at most 32 headers of 4096 bytes together");
    let body = vec![0; 256 * 1024 + 1];
    assert_snapshot!(check(server(port), AmqpMessage { body, ..message("", "all") }).await, @"too-large: the message has more than 262144 bytes");
    let login = Some(Credentials { user: "a\0b".to_owned(), password: "password".to_owned() });
    assert_snapshot!(check(AmqpServer { login, ..server(port) }, message("", "all")).await, @"auth: the user name holds a control character or is too long");
    let login = Some(Credentials { user: "a".to_owned(), password: "unknown".to_owned() });
    assert_snapshot!(check(AmqpServer { login, ..server(port) }, message("", "all")).await, @"auth: `unknown` names no secret that is set; write the name of an option of kind `secret`");
    let brokers = case.brokers();
    assert_snapshot!(said(brokers.amqp(AmqpBroker::Named("events".to_owned()), message("", "all")).await, port), @"denied: no broker named `events` is declared");
    for _ in 0..10 {
        brokers.amqp(AmqpBroker::Server(server(port)), message("", "all")).await.unwrap();
    }
    assert_snapshot!(said(brokers.amqp(AmqpBroker::Server(server(port)), message("", "all")).await, port), @"denied: an attempt may publish at most 10 messages");
    case.amqp.clear();
    assert_snapshot!(publish(&case, server(port), message("", "all")).await, @"denied: amqp is not granted: the plugin has no want of amqp that applies to this configuration");
}
