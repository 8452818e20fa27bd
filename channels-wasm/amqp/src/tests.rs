//! What a broker gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn sent(config: &Value, change: impl FnOnce(&mut Notification)) -> String {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    assert_eq!(host.send::<Amqp>(config, &notification).unwrap(), Receipt::new());
    host.message().to_string()
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<Amqp>(config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"default":"amqp","help":{"de_DE":"amqps verschlüsselt die Verbindung.","en_US":"`amqps` encrypts the connection."},"label":{"de_DE":"Schema","en_US":"Scheme"},"name":"scheme","options":{"amqp":"amqp","amqps":"amqps (TLS)"},"type":"option"}
    {"default":"localhost","help":{"de_DE":"Name oder Adresse des Brokers.","en_US":"Name or address of the broker."},"label":{"de_DE":"Host","en_US":"Host"},"name":"host","type":"string"}
    {"default":"5672","help":{"de_DE":"Üblich sind 5672 und, verschlüsselt, 5671.","en_US":"Usually 5672, and 5671 with encryption."},"label":{"de_DE":"Port","en_US":"Port"},"max":65535,"min":1,"name":"port","type":"number"}
    {"help":{"de_DE":"Zusammen mit einem Passwort; ohne beides ist der Benutzer guest.","en_US":"Together with a password; without both, the user is `guest`."},"label":{"de_DE":"Benutzername","en_US":"User Name"},"name":"username","type":"string"}
    {"label":{"de_DE":"Passwort","en_US":"Password"},"name":"password","type":"secret"}
    {"help":{"de_DE":"Ohne Angabe ist es /.","en_US":"Virtual host; without one it is `/`."},"label":{"de_DE":"Virtual Host","en_US":"Virtual Host"},"name":"vhost","type":"string"}
    {"help":{"de_DE":"Ohne Angabe gehen Nachrichten direkt an die Queue.","en_US":"Without one, messages go straight to the queue."},"label":{"de_DE":"Exchange","en_US":"Exchange"},"name":"exchange","type":"string"}
    {"help":{"de_DE":"Name der Queue oder Routing Key des Exchange. Die Queue muss es geben.","en_US":"Name of the queue, or the routing key of the exchange. The queue must exist."},"label":{"de_DE":"Queue","en_US":"Queue"},"name":"queue","required":true,"type":"string"}
    "#);
    assert_snapshot!(describe::<Amqp>(), @"
    AMQP by Sandbell
    addresses: amqp
    wants amqp {scheme}://{host}:{port}/{vhost?} exchange:{exchange?} key:{queue}: Publishes each notification to the queue.
    ");
}

#[test]
fn a_notification_is_published() {
    let config = json!({
        "scheme": "amqps", "host": "mq.example.com", "port": "5671", "username": "u", "password": "p",
        "vhost": "shop", "exchange": "alerts", "queue": "db.down",
    });
    assert_snapshot!(sent(&config, |_| {}), @r#"
    amqps://mq.example.com:5671/shop exchange:alerts key:db.down
    persistent, mandatory, application/json, user u, password <secret:password>

    {"contact":"Icinga Admin","delivery_id":"dlv_01JX","event":{"kind":"","time":"2024-07-12T12:47:30.123+02:00","username":""},"extra":[],"incident":{"id":1437,"severity":"crit","url":"https://icinga.example.com/notifications/incident?id=1437"},"links":[],"message":"Something <went> wrong & broke","object":{"name":"dummy-809!random fortune","tags":[{"key":"host","value":"dummy-809"},{"key":"service","value":"random fortune"}],"url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"},"severity":"crit","source":"icinga","title":"[#1437] dummy-809!random fortune is crit"}
    "#);
}

#[test]
fn defaults_are_diuns_and_so_is_its_document() {
    // The order and the digits are Diun's; nothing is read and written anew.
    let payload = r#"{"diun_version":"4.33.0","status":"new","image":"docker.io/library/alpine:latest","n":1.0,"metadata":null}"#;
    let of_diun = |notification: &mut Notification| {
        notification.source.system = "diun".to_owned();
        notification.source.payload = payload.to_owned();
    };
    assert_snapshot!(sent(&json!({ "queue": "diun" }), of_diun), @r#"
    amqp://localhost:5672// exchange: key:diun
    persistent, mandatory, application/json

    {"diun_version":"4.33.0","status":"new","image":"docker.io/library/alpine:latest","n":1.0,"metadata":null}
    "#);
    // What only says that it is Diun's is no document.
    let broken = |notification: &mut Notification| {
        notification.source.system = "diun".to_owned();
        notification.source.payload = "<html>".to_owned();
    };
    assert!(
        sent(&json!({ "queue": "diun" }), broken).contains(r#""title":"[#1437] dummy-809!random fortune"#)
    );
}

#[test]
fn a_broker_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (given, retry, code) in [
        ("unroutable", Never, code::REJECTED),
        ("nacked", Later, code::REJECTED),
        ("auth", Never, code::AUTH),
        ("connect", Later, code::UNREACHABLE),
        ("timeout", Later, code::UNREACHABLE),
    ] {
        let host = FakeHost::new().strict();
        host.refuse_message(amqp::Error::new(given, "the broker's own words"));
        let error = host.send::<Amqp>(&json!({ "queue": "q" }), &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str()), (retry, code), "{given}");
        assert_eq!(error.message, "the broker's own words");
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused(&json!({})), @"`queue` is required and has no value");
    assert_snapshot!(refused(&json!({ "queue": "q", "username": "u" })), @"`password` is missing beside the user name");
    assert_snapshot!(refused(&json!({ "queue": "q", "password": "p" })), @"`username` is missing beside the password");
    assert_snapshot!(refused(&json!({ "queue": "q", "port": 0 })), @"`port` must be between 1 and 65535");
    assert_snapshot!(refused(&json!({ "queue": "q", "scheme": "http" })), @"`scheme` must be one of `amqp`, `amqps`");
}
