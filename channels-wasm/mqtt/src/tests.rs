//! What a broker gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

fn sent(config: &Value, change: impl FnOnce(&mut Notification)) -> String {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    assert_eq!(host.send::<Mqtt>(config, &notification).unwrap(), Receipt::new());
    host.message().to_string()
}

fn refused(key: &str, value: Value) -> String {
    let mut config = json!({ "client": "c", "topic": "t" });
    config[key] = value;
    FakeHost::new().configure::<Mqtt>(&config).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"default":"mqtt","help":{"de_DE":"mqtts verschlüsselt die Verbindung.","en_US":"`mqtts` encrypts the connection."},"label":{"de_DE":"Schema","en_US":"Scheme"},"name":"scheme","options":{"mqtt":"mqtt","mqtts":"mqtts (TLS)"},"type":"option"}
    {"default":"localhost","help":{"de_DE":"Name oder Adresse des Brokers.","en_US":"Name or address of the broker."},"label":{"de_DE":"Host","en_US":"Host"},"name":"host","type":"string"}
    {"default":"1883","help":{"de_DE":"Üblich sind 1883 und, verschlüsselt, 8883.","en_US":"Usually 1883, and 8883 with encryption."},"label":{"de_DE":"Port","en_US":"Port"},"max":65535,"min":1,"name":"port","type":"number"}
    {"help":{"de_DE":"Zusammen mit einem Passwort.","en_US":"Together with a password."},"label":{"de_DE":"Benutzername","en_US":"User Name"},"name":"username","type":"string"}
    {"label":{"de_DE":"Passwort","en_US":"Password"},"name":"password","type":"secret"}
    {"help":{"de_DE":"Ein Broker lässt jede nur einmal verbunden sein.","en_US":"The client id; a broker lets each be connected once."},"label":{"de_DE":"Client-ID","en_US":"Client ID"},"name":"client","required":true,"type":"string"}
    {"label":{"de_DE":"Topic","en_US":"Topic"},"name":"topic","required":true,"type":"string"}
    {"default":"0","help":{"de_DE":"0: vom Broker gelesen, 1: mindestens einmal, 2: genau einmal angenommen.","en_US":"0: read by the broker, 1: taken at least once, 2: taken once."},"label":{"de_DE":"QoS","en_US":"QoS"},"max":2,"min":0,"name":"qos","type":"number"}
    {"default":false,"help":{"de_DE":"Der Broker hebt die letzte Nachricht für spätere Abonnenten auf.","en_US":"Kept by the broker for whoever subscribes later."},"label":{"de_DE":"Aufbewahren","en_US":"Retain"},"name":"retain","type":"bool"}
    {"default":"3.1.1","help":{"de_DE":"Version des Protokolls.","en_US":"Version of the protocol."},"label":{"de_DE":"Protokollversion","en_US":"Protocol Version"},"name":"version","options":{"3.1.1":"3.1.1","5":"5"},"type":"option"}
    "#);
    assert_snapshot!(describe::<Mqtt>(), @"
    MQTT by Sandbell
    addresses: mqtt
    wants mqtt {scheme}://{host}:{port} topic:{topic}: Publishes each notification to the topic.
    ");
}

#[test]
fn a_notification_is_published() {
    let config = json!({
        "scheme": "mqtts", "host": "mq.example.com", "port": "8883", "username": "u", "password": "p",
        "client": "sandbell", "topic": "alerts/db", "qos": 2, "retain": true, "version": "5",
    });
    assert_snapshot!(sent(&config, |_| {}), @r#"
    mqtts://mq.example.com:8883 topic:alerts/db
    QoS 2, retained, application/json, MQTT 5, client sandbell, user u, password <secret:password>

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
    assert_snapshot!(sent(&json!({ "client": "diun", "topic": "docker/diun" }), of_diun), @r#"
    mqtt://localhost:1883 topic:docker/diun
    QoS 0, MQTT 3.1.1, client diun

    {"diun_version":"4.33.0","status":"new","image":"docker.io/library/alpine:latest","n":1.0,"metadata":null}
    "#);
}

#[test]
fn a_broker_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (given, retry, code) in [
        ("rejected", Never, code::REJECTED),
        ("auth", Never, code::AUTH),
        ("connect", Later, code::UNREACHABLE),
        ("rate-limited", Later, code::RATE_LIMITED),
    ] {
        let host = FakeHost::new().strict();
        host.refuse_message(mqtt::Error::new(given, "the broker's own words"));
        let config = json!({ "client": "c", "topic": "t" });
        let error = host.send::<Mqtt>(&config, &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str()), (retry, code), "{given}");
        assert_eq!(error.message, "the broker's own words");
    }
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused("client", Value::Null), @"`client` is required and has no value");
    assert_snapshot!(refused("topic", json!("docker/#")), @"`topic` is where to publish, so it has neither `+` nor `#`");
    assert_snapshot!(refused("username", json!("u")), @"`password` is missing beside the user name");
    assert_snapshot!(refused("password", json!("p")), @"`username` is missing beside the password");
    assert_snapshot!(refused("qos", json!(3)), @"`qos` must be between 0 and 2");
    assert_snapshot!(refused("scheme", json!("ws")), @"`scheme` must be one of `mqtt`, `mqtts`");
}
