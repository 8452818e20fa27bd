//! Messages to AMQP and MQTT brokers, in the contract's words and in ours.

use sandbell_broker::value;

use super::{amqp, mqtt};

pub(crate) fn amqp_broker(broker: amqp::Broker) -> value::AmqpBroker {
    match broker {
        amqp::Broker::Named(name) => value::AmqpBroker::Named(name),
        amqp::Broker::Server(amqp::Server { host, port, tls, vhost, login }) => {
            let login = login.map(|amqp::Login { user, password }| value::Credentials { user, password });
            value::AmqpBroker::Server(value::AmqpServer { host, port, tls, vhost, login })
        }
    }
}

pub(crate) fn amqp_message(message: amqp::Message) -> value::AmqpMessage {
    let amqp::Message { exchange, routing_key, content_type, headers, body, persistent, mandatory } = message;
    value::AmqpMessage { exchange, routing_key, content_type, headers, body, persistent, mandatory }
}

pub(crate) fn amqp_answer(answer: Result<(), value::PublishError>) -> Result<(), amqp::Error> {
    answer.map_err(|value::PublishError { code, message }| amqp::Error { code: code.to_owned(), message })
}

pub(crate) fn mqtt_broker(broker: mqtt::Broker) -> value::MqttBroker {
    match broker {
        mqtt::Broker::Named(name) => value::MqttBroker::Named(name),
        mqtt::Broker::Server(mqtt::Server { host, port, tls, version, client_id, login }) => {
            let login = login.map(|mqtt::Login { user, password }| value::Credentials { user, password });
            value::MqttBroker::Server(value::MqttServer { host, port, tls, version, client_id, login })
        }
    }
}

pub(crate) fn mqtt_message(message: mqtt::Message) -> value::MqttMessage {
    let mqtt::Message { topic, content_type, headers, body, qos, retain } = message;
    value::MqttMessage { topic, content_type, headers, body, qos, retain }
}

pub(crate) fn mqtt_answer(answer: Result<(), value::PublishError>) -> Result<(), mqtt::Error> {
    answer.map_err(|value::PublishError { code, message }| mqtt::Error { code: code.to_owned(), message })
}
