//! Rules for messages: which broker, and which names there.

use std::fmt;
use std::net::Ipv6Addr;

use url::Host;

use super::HostPattern;
use crate::escape;
use crate::target::BadTarget;

/// One line of an AMQP grant: where a message may be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmqpRule {
    pub is_encrypted: bool,
    pub host: HostPattern,
    pub port: u16,
    pub vhost: String,
    pub exchange: NamePattern,
    pub key: NamePattern,
}

/// One line of an MQTT grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttRule {
    pub is_encrypted: bool,
    pub host: HostPattern,
    pub port: u16,
    pub topic: NamePattern,
}

/// A name, or all names with the same beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    Exact(String),
    /// Everything that starts like this; of nothing, everything.
    Prefix(String),
}

impl AmqpRule {
    pub fn parse(target: &str) -> Result<Self, BadTarget> {
        let bad = || BadTarget::Amqp(shown(target));
        let (scheme, rest) = target.trim_start().split_once("://").ok_or_else(bad)?;
        let (place, names) = rest.split_once(" exchange:").ok_or_else(bad)?;
        let (exchange, key) = names.split_once(" key:").ok_or_else(bad)?;
        let (authority, vhost) = place.split_once('/').unwrap_or((place, ""));
        let (is_encrypted, default_port) = match scheme {
            "amqp" => (false, 5672),
            "amqps" => (true, 5671),
            _ => return Err(bad()),
        };
        let (host, port) = server(authority, default_port).ok_or_else(bad)??;
        let exchange = NamePattern::parse(exchange)?;
        // The broker's every queue would be within reach.
        if exchange == NamePattern::Prefix(String::new()) {
            return Err(BadTarget::Name(shown(target)));
        }
        let vhost = if vhost.is_empty() { "/" } else { vhost }.to_owned();
        Ok(Self { is_encrypted, host, port, vhost, exchange, key: NamePattern::parse(key)? })
    }

    /// Whether a message may go to `exchange` with the routing key `key`.
    pub fn covers(
        &self,
        is_encrypted: bool,
        host: &Host<&str>,
        port: u16,
        vhost: &str,
        exchange: &str,
        key: &str,
    ) -> bool {
        self.is_encrypted == is_encrypted
            && self.host.covers(host)
            && self.port == port
            && self.vhost == vhost
            && self.exchange.covers(exchange)
            && self.key.covers(key)
    }
}

impl MqttRule {
    pub fn parse(target: &str) -> Result<Self, BadTarget> {
        let bad = || BadTarget::Mqtt(shown(target));
        let (scheme, rest) = target.trim_start().split_once("://").ok_or_else(bad)?;
        let (authority, topic) = rest.split_once(" topic:").ok_or_else(bad)?;
        let (is_encrypted, default_port) = match scheme {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            _ => return Err(bad()),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = server(authority, default_port).ok_or_else(bad)??;
        let topic = NamePattern::parse(topic)?;
        if matches!(&topic, NamePattern::Exact(name) | NamePattern::Prefix(name) if name.is_empty()) {
            return Err(BadTarget::Name(shown(target)));
        }
        Ok(Self { is_encrypted, host, port, topic })
    }

    /// Whether a message may go to `topic`.
    pub fn covers(&self, is_encrypted: bool, host: &Host<&str>, port: u16, topic: &str) -> bool {
        self.is_encrypted == is_encrypted
            && self.host.covers(host)
            && self.port == port
            && self.topic.covers(topic)
    }
}

impl NamePattern {
    fn parse(text: &str) -> Result<Self, BadTarget> {
        let (head, is_prefix) = text.strip_suffix('*').map_or((text, false), |head| (head, true));
        if head.contains('*') {
            return Err(BadTarget::Name(shown(text)));
        }
        let head = head.to_owned();
        Ok(if is_prefix { Self::Prefix(head) } else { Self::Exact(head) })
    }

    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => name == exact,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }
}

/// A host and a port; `None` if it is neither.
fn server(authority: &str, default_port: u16) -> Option<Result<(HostPattern, u16), BadTarget>> {
    if authority.contains('@') {
        return Some(Err(BadTarget::UserInfo));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok().filter(|port| *port != 0)?),
        Some(_) | None => (authority, default_port),
    };
    // An IPv6 address is written with and without brackets.
    let host = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
    Some(HostPattern::parse(&host).map(|host| (host, port)))
}

/// The target without what could be a password in it.
fn shown(target: &str) -> String {
    let target = match target.split_once('@') {
        Some((_, rest)) if target.contains("://") => rest,
        Some(_) | None => target,
    };
    escape::line(&escape::cut(target, 120))
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl fmt::Display for AmqpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_encrypted, host, port, vhost, exchange, key } = self;
        let scheme = if *is_encrypted { "amqps" } else { "amqp" };
        write!(f, "{scheme}://{host}:{port}/{vhost} exchange:{exchange} key:{key}")
    }
}

impl fmt::Display for MqttRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_encrypted, host, port, topic } = self;
        let scheme = if *is_encrypted { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{host}:{port} topic:{topic}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amqp(target: &str) -> String {
        AmqpRule::parse(target).map_or_else(|error| error.to_string(), |rule| rule.to_string())
    }

    fn mqtt(target: &str) -> String {
        MqttRule::parse(target).map_or_else(|error| error.to_string(), |rule| rule.to_string())
    }

    #[test]
    fn targets_parse_or_say_what_to_write() {
        assert_eq!(amqp("amqp://mq exchange: key:diun"), "amqp://mq:5672// exchange: key:diun");
        assert_eq!(
            amqp("amqps://MQ.example.com:1/a b exchange:x y key:*"),
            "amqps://mq.example.com:1/a b exchange:x y key:*"
        );
        assert_eq!(amqp("amqp://::1:5672// exchange:a* key:b*"), "amqp://[::1]:5672// exchange:a* key:b*");
        assert_eq!(amqp("amqp://[::1] exchange:a key:"), "amqp://[::1]:5672// exchange:a key:");
        let bad = |target: &str| {
            format!(
                "`{target}` is no target of amqp; write e.g. `amqps://mq.example.com/shop exchange:alerts key:host.*`"
            )
        };
        for target in
            ["mq:5672", "http://mq exchange:a key:b", "amqp://mq exchange:a", "amqp://mq:0/ exchange:a key:b"]
        {
            assert_eq!(amqp(target), bad(target));
        }
        assert_eq!(
            amqp("amqp://u:hunter2@mq exchange:a key:b"),
            "a URL of a target must not hold a user name or a password; give them options of their own"
        );
        let all = |text: &str| {
            format!(
                "`*` may stand at the end of an exchange, a routing key or a topic, for more than nothing: not so in `{text}`"
            )
        };
        assert_eq!(amqp("amqp://mq exchange:* key:b"), all("amqp://mq exchange:* key:b"));
        assert_eq!(amqp("amqp://mq exchange:a key:*.b"), all("*.b"));

        assert_eq!(mqtt("mqtt://mq topic:diun"), "mqtt://mq:1883 topic:diun");
        assert_eq!(mqtt("mqtts://mq:1/ topic:a/*"), "mqtts://mq:1 topic:a/*");
        assert_eq!(mqtt("mqtt://mq topic:*"), all("mqtt://mq topic:*"));
        assert_eq!(mqtt("mqtt://mq topic:"), all("mqtt://mq topic:"));
        assert_eq!(
            mqtt("ws://mq topic:a"),
            "`ws://mq topic:a` is no target of mqtt; write e.g. `mqtts://mq.example.com topic:alerts/*`"
        );
    }

    #[test]
    fn a_rule_covers_what_it_says_and_nothing_else() {
        let rule = AmqpRule::parse("amqps://mq.example.com/shop exchange:alerts key:db.*").unwrap();
        let covers = |tls, host: &str, port, vhost: &str, exchange: &str, key: &str| {
            rule.covers(tls, &Host::Domain(host), port, vhost, exchange, key)
        };
        assert!(covers(true, "mq.example.com", 5671, "shop", "alerts", "db.1"));
        assert!(covers(true, "mq.example.com", 5671, "shop", "alerts", "db."));
        assert!(!covers(false, "mq.example.com", 5671, "shop", "alerts", "db.1"));
        assert!(!covers(true, "evil.example", 5671, "shop", "alerts", "db.1"));
        assert!(!covers(true, "mq.example.com", 5672, "shop", "alerts", "db.1"));
        assert!(!covers(true, "mq.example.com", 5671, "/", "alerts", "db.1"));
        assert!(!covers(true, "mq.example.com", 5671, "shop", "", "db.1"));
        assert!(!covers(true, "mq.example.com", 5671, "shop", "alerts", "web"));

        let rule = MqttRule::parse("mqtt://mq topic:alerts/*").unwrap();
        assert!(rule.covers(false, &Host::Domain("mq"), 1883, "alerts/db"));
        assert!(!rule.covers(true, &Host::Domain("mq"), 1883, "alerts/db"));
        assert!(!rule.covers(false, &Host::Domain("mq"), 1884, "alerts/db"));
        assert!(!rule.covers(false, &Host::Domain("other"), 1883, "alerts/db"));
        assert!(!rule.covers(false, &Host::Domain("mq"), 1883, "alertsdb"));
    }
}
