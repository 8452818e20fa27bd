//! Against Debian's mosquitto.

use insta::assert_snapshot;
use sandbell_domain::grant::TlsMaterial;
use sandbell_domain::{Exchange, Mode};
use sandbell_peers::{MOSQUITTO_USER, Mosquitto};

use super::said;
use crate::tests::peer::Case;
use crate::value::{Credentials, MqttBroker, MqttMessage, MqttServer};

pub(super) fn server(port: u16, version: &str) -> MqttServer {
    MqttServer {
        host: "localhost".to_owned(),
        port,
        tls: false,
        version: version.to_owned(),
        client_id: "sandbell".to_owned(),
        login: Some(Credentials { user: MOSQUITTO_USER.0.to_owned(), password: "password".to_owned() }),
    }
}

pub(super) fn message(topic: &str, qos: u8) -> MqttMessage {
    MqttMessage { topic: topic.to_owned(), body: br#"{"a":1}"#.to_vec(), qos, ..MqttMessage::default() }
}

pub(super) fn case(port: u16) -> Case {
    Case {
        mqtt: ["mqtt", "mqtts"]
            .into_iter()
            .flat_map(|scheme| {
                ["alerts/*", "closed"].map(|topic| format!("{scheme}://localhost:{port} topic:{topic}"))
            })
            .collect(),
        names: vec![("localhost", vec![[127, 0, 0, 1].into()])],
        secrets: vec![("password", MOSQUITTO_USER.1.to_owned()), ("wrong", "battery staple".to_owned())],
        ..Case::default()
    }
}

async fn publish(case: &Case, server: MqttServer, message: MqttMessage) -> String {
    let port = server.port;
    said(case.brokers().mqtt(MqttBroker::Server(server), message).await, port)
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_takes_every_version_and_qos() {
    let mosquitto = Mosquitto::start().unwrap();
    let port = mosquitto.mqtt_port;
    let case = case(port);
    for version in ["3.1.1", "5"] {
        for qos in 0..=2 {
            let topic = format!("alerts/{version}/{qos}");
            let subscriber = mosquitto.subscribe(&topic).unwrap();
            assert_eq!(publish(&case, server(port, version), message(&topic, qos)).await, "published");
            let arrived = subscriber.message().unwrap();
            assert_eq!(
                (&arrived["topic"], &arrived["qos"]),
                (&topic.as_str().into(), &qos.into()),
                "{arrived}"
            );
            assert_eq!(arrived["payload"], r#"{"a":1}"#);
        }
    }
    // With version 5 a message says more.
    let subscriber = mosquitto.subscribe("alerts/full").unwrap();
    let full = MqttMessage {
        content_type: "application/json".to_owned(),
        headers: vec![("source".to_owned(), "icinga".to_owned())],
        ..message("alerts/full", 1)
    };
    assert_eq!(publish(&case, server(port, "5"), full).await, "published");
    let arrived = subscriber.message().unwrap();
    assert_snapshot!(arrived["properties"], @r#"{"content-type":"application/json","user-properties":{"source":"icinga"}}"#);
    // A retained message is there for who comes later.
    let retained = MqttMessage { retain: true, body: vec![b'x'; 200_000], ..message("alerts/kept", 1) };
    let brokers = case.brokers();
    brokers.mqtt(MqttBroker::Server(server(port, "5")), retained).await.unwrap();
    let arrived = mosquitto.subscribe("alerts/kept").unwrap().message().unwrap();
    assert_eq!((arrived["retain"].as_u64(), arrived["payloadlen"].as_u64()), (Some(1), Some(200_000)));
    let record = brokers.take_record();
    let Exchange::Publish(exchange) = &record.exchanges[0] else { panic!("{record:?}") };
    assert_snapshot!(
        format!("{} {} {:?} {:?}", exchange.broker, exchange.place, exchange.login, exchange.answer)
            .replace(&port.to_string(), "PORT"),
        @r#"mqtt://localhost:PORT (MQTT 5 as `sandbell`) topic:alerts/kept (QoS 1, retained) Some("sandbell with <secret:password>") Some("taken, though nobody subscribes to it")"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_refuses_and_comes_back() {
    let mut mosquitto = Mosquitto::start().unwrap();
    let port = mosquitto.mqtt_port;
    let mut case = case(port);
    let check = async |server, message| publish(&case, server, message).await;
    let wrong = |version| MqttServer {
        login: Some(Credentials { user: MOSQUITTO_USER.0.to_owned(), password: "wrong".to_owned() }),
        ..server(port, version)
    };
    assert_snapshot!(check(wrong("3.1.1"), message("alerts/a", 1)).await, @"auth: the broker refused the login: not authorized (135)");
    assert_snapshot!(check(wrong("5"), message("alerts/a", 1)).await, @"auth: the broker refused the login: not authorized (135)");
    let nobody = MqttServer { login: None, ..server(port, "5") };
    assert_snapshot!(check(nobody, message("alerts/a", 0)).await, @"auth: the broker refused the login: not authorized (135)");
    // Version 5 says that a topic is closed; 3.1.1 has no word for it.
    assert_snapshot!(check(server(port, "5"), message("closed", 1)).await, @"auth: the broker refused the message: not authorized (135)");
    assert_snapshot!(check(server(port, "5"), message("closed", 2)).await, @"auth: the broker refused the message: not authorized (135)");
    assert_snapshot!(check(server(port, "3.1.1"), message("closed", 1)).await, @"published");

    // Two at once with one client id do not end each other.
    let channel = case.open();
    let attempts = [case.attempt(&channel), case.attempt(&channel), case.attempt(&channel)];
    let sent = attempts.map(|brokers| {
        let server = server(port, "5");
        tokio::runtime::Handle::current()
            .spawn(async move { brokers.mqtt(MqttBroker::Server(server), message("alerts/a", 2)).await })
    });
    for sent in sent {
        sent.await.unwrap().unwrap();
    }

    // TLS, with and without knowing the authority.
    let tls_port = mosquitto.mqtts_port;
    case.mqtt = vec![format!("mqtts://localhost:{tls_port} topic:alerts/*")];
    let encrypted = || MqttServer { tls: true, ..server(tls_port, "5") };
    assert_snapshot!(publish(&case, encrypted(), message("alerts/a", 1)).await, @"tls: no encrypted connection: invalid peer certificate: UnknownIssuer");
    let authorities = std::fs::read_to_string(mosquitto.authority().authority_file()).unwrap();
    case.tls = TlsMaterial { authorities_pem: Some(authorities), identity: None };
    let subscriber = mosquitto.subscribe("alerts/tls").unwrap();
    assert_eq!(publish(&case, encrypted(), message("alerts/tls", 1)).await, "published");
    assert_eq!(subscriber.message().unwrap()["topic"], "alerts/tls");

    // Away and back.
    mosquitto.stop();
    assert_snapshot!(publish(&case, encrypted(), message("alerts/a", 1)).await, @"connect: no connection to `localhost` on port PORT: connection refused");
    mosquitto.run().unwrap();
    assert_eq!(publish(&case, encrypted(), message("alerts/a", 1)).await, "published");
}

#[tokio::test]
async fn a_message_is_refused_before_a_connection_is_made() {
    // Nothing listens there, so whatever tried to connect would say so.
    let port = 60_009;
    let mut case = case(port);
    case.mode = Mode::DryRun;
    let check = async |server, message| publish(&case, server, message).await;
    assert_eq!(check(server(port, "5"), message("alerts/a", 1)).await, "published");
    assert_snapshot!(check(server(port, "5"), message("other", 1)).await, @"denied: `mqtt://localhost:PORT topic:other` is not granted; the missing want is `mqtt mqtt://localhost:PORT topic:other`, granted is `mqtt://localhost:PORT topic:alerts/*`, `mqtt://localhost:PORT topic:closed`, `mqtts://localhost:PORT topic:alerts/*`, `mqtts://localhost:PORT topic:closed`");
    assert_snapshot!(check(MqttServer { tls: true, host: "evil.example".to_owned(), ..server(port, "5") }, message("alerts/a", 1)).await, @"denied: `mqtts://evil.example:PORT topic:alerts/a` is not granted; the missing want is `mqtt mqtts://evil.example:PORT topic:alerts/a`, granted is `mqtt://localhost:PORT topic:alerts/*`, `mqtt://localhost:PORT topic:closed`, `mqtts://localhost:PORT topic:alerts/*`, `mqtts://localhost:PORT topic:closed`");
    assert_snapshot!(check(server(port, "4"), message("alerts/a", 1)).await, @"invalid-message: `4` is no version of MQTT; write 3.1.1 or 5");
    assert_snapshot!(check(server(port, "5"), message("alerts/a", 3)).await, @"invalid-message: 3 is no QoS; write 0, 1 or 2");
    assert_snapshot!(check(server(port, "5"), message("alerts/#", 1)).await, @"invalid-message: a topic to publish to is not empty and has neither `+` nor `#`");
    assert_snapshot!(check(server(port, "5"), message("alerts/\n", 1)).await, @r"invalid-message: `alerts/\n` holds a control character; remove it");
    let typed = MqttMessage { content_type: "text/plain".to_owned(), ..message("alerts/a", 1) };
    assert_snapshot!(check(server(port, "3.1.1"), typed).await, @"invalid-message: MQTT 3.1.1 has neither a content type nor headers; use version 5");
    let body = vec![0; 256 * 1024 + 1];
    assert_snapshot!(check(server(port, "5"), MqttMessage { body, ..message("alerts/a", 1) }).await, @"too-large: the message has more than 262144 bytes");
    case.mqtt.clear();
    assert_snapshot!(publish(&case, server(port, "5"), message("alerts/a", 1)).await, @"denied: mqtt is not granted: the plugin has no want of mqtt that applies to this configuration");
}
