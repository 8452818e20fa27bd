//! Messages through real brokers: what Diun sent arrives as it was.

use sandbell_peers::{
    Dialect, MOSQUITTO_USER, Mosquitto, RABBITMQ_USER, RABBITMQ_VHOST, RabbitMq, example_request,
};
use serde_json::{Value as Json, json};

use crate::host::{Host, channel};

fn send(host: &Host, kind: &str, config: &Json) -> Json {
    let request = example_request(Dialect::JsonRpc, kind, "x");
    let run = host.send(kind, config, &request, &["--json"]);
    assert!(!run.stdout.contains(RABBITMQ_USER.1), "{}", run.stdout);
    run.json()
}

#[test]
fn a_message_arrives_in_a_queue() {
    let rabbit = RabbitMq::start().unwrap();
    let host = Host::with(&channel("amqp"), &["--network", "127.0.0.1"]);
    let config = |queue: &str| {
        json!({
            "host": "localhost", "port": rabbit.amqp_port, "username": RABBITMQ_USER.0,
            "password": RABBITMQ_USER.1, "vhost": RABBITMQ_VHOST, "queue": queue,
        })
    };
    let report = send(&host, "amqp", &config("all"));
    assert_eq!(report["outcome"]["delivered"], true, "{report}");
    let message = rabbit.take("all").unwrap().unwrap();
    let body: Json = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&body["message"], &message["delivery_mode"]),
        (&json!("Something <went> wrong & é"), &json!(2))
    );
    assert_eq!(message["message_id"], body["delivery_id"]);

    let report = send(&host, "amqp", &config("nowhere"));
    assert_eq!(report["outcome"]["kind"], "permanent", "{report}");
    let detail = report["outcome"]["detail"].as_str().unwrap();
    assert!(detail.contains("312 NO_ROUTE"), "{detail}");
}

#[test]
fn a_message_arrives_at_a_topic() {
    let mosquitto = Mosquitto::start().unwrap();
    let host = Host::with(&channel("mqtt"), &["--network", "127.0.0.1"]);
    let config = |password: &str| {
        json!({
            "host": "localhost", "port": mosquitto.mqtt_port, "username": MOSQUITTO_USER.0, "password": password,
            "client": "sandbell", "topic": "alerts/db", "qos": 2, "version": "5",
        })
    };
    let subscriber = mosquitto.subscribe("alerts/db").unwrap();
    let report = send(&host, "mqtt", &config(MOSQUITTO_USER.1));
    assert_eq!(report["outcome"]["delivered"], true, "{report}");
    let message = subscriber.message().unwrap();
    let body: Json = serde_json::from_str(message["payload"].as_str().unwrap()).unwrap();
    assert_eq!(body["message"], "Something <went> wrong & é");

    let report = send(&host, "mqtt", &config("battery staple"));
    assert_eq!(
        (&report["outcome"]["kind"], &report["outcome"]["code"]),
        (&json!("permanent"), &json!("auth"))
    );
}
