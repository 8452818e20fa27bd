//! Which brokers of messages a grant allows, and which names there.

use std::sync::Arc;

use sandbell_domain::{AmqpRule, MqttRule, escape};
use url::Host;

use super::{AuthorizedTarget, DialError, Reach, not_granted};
use crate::value::{AmqpMessage, AmqpServer, MqttMessage, MqttServer};

impl Reach {
    /// Whether the grant covers this message to this broker.
    pub(crate) fn amqp(
        self: &Arc<Self>,
        rules: &[AmqpRule],
        server: &AmqpServer,
        message: &AmqpMessage,
    ) -> Result<AuthorizedTarget, DialError> {
        let AmqpServer { host, port, tls, vhost, login: _ } = server;
        let (exchange, key) = (&message.exchange, &message.routing_key);
        let is_covered =
            |host: &Host<&str>| rules.iter().any(|rule| rule.covers(*tls, host, *port, vhost, exchange, key));
        self.place(host, *port, is_covered, |host| {
            let scheme = if *tls { "amqps" } else { "amqp" };
            let asked = format!(
                "{scheme}://{host}:{port}/{} exchange:{} key:{}",
                shown(vhost),
                shown(exchange),
                shown(key)
            );
            not_granted("amqp", &asked, rules.iter().map(ToString::to_string))
        })
    }

    /// As [`Reach::amqp`], for a topic.
    pub(crate) fn mqtt(
        self: &Arc<Self>,
        rules: &[MqttRule],
        server: &MqttServer,
        message: &MqttMessage,
    ) -> Result<AuthorizedTarget, DialError> {
        let MqttServer { host, port, tls, version: _, client_id: _, login: _ } = server;
        let topic = &message.topic;
        let is_covered = |host: &Host<&str>| rules.iter().any(|rule| rule.covers(*tls, host, *port, topic));
        self.place(host, *port, is_covered, |host| {
            let scheme = if *tls { "mqtts" } else { "mqtt" };
            let asked = format!("{scheme}://{host}:{port} topic:{}", shown(topic));
            not_granted("mqtt", &asked, rules.iter().map(ToString::to_string))
        })
    }
}

fn shown(name: &str) -> String {
    escape::line(&escape::cut(name, 128))
}
