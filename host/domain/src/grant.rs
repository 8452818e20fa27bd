//! Grants: what an operator allows, made of what a plugin wants and of what was configured.
//!
//! A grant never comes from a plugin alone: no approval, no grant; no grant, no broker.

use secrecy::SecretString;
use url::Url;

use crate::target::{BadTarget, Expanded, expand};
use crate::{
    AmqpRule, Approval, Capability, Config, ConfigError, HttpRule, MqttRule, NetworkRule, SmtpRule, Want,
};

/// The powers of one channel. No grant, no broker.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    pub http: Option<HttpGrant>,
    pub smtp: Option<SmtpGrant>,
    pub amqp: Option<AmqpGrant>,
    pub mqtt: Option<MqttGrant>,
}

impl Grants {
    /// Whether there is a place that these reach and `earlier` did not name.
    pub fn reach_beyond(&self, earlier: &Self) -> bool {
        fn adds<G, R: PartialEq>(now: Option<&G>, earlier: Option<&G>, rules: fn(&G) -> &[R]) -> bool {
            let earlier = earlier.map(rules).unwrap_or_default();
            now.map(rules).unwrap_or_default().iter().any(|rule| !earlier.contains(rule))
        }
        let Self { http, smtp, amqp, mqtt } = self;
        adds(http.as_ref(), earlier.http.as_ref(), |grant| &grant.rules)
            || adds(smtp.as_ref(), earlier.smtp.as_ref(), |grant| &grant.servers)
            || adds(amqp.as_ref(), earlier.amqp.as_ref(), |grant| &grant.rules)
            || adds(mqtt.as_ref(), earlier.mqtt.as_ref(), |grant| &grant.rules)
    }
}

#[derive(Clone, Debug)]
pub struct HttpGrant {
    pub rules: Vec<HttpRule>,
    pub networks: Vec<NetworkRule>,
    pub tls: TlsMaterial,
    pub proxy: Option<Url>,
}

#[derive(Clone, Debug)]
pub struct SmtpGrant {
    pub servers: Vec<SmtpRule>,
    pub networks: Vec<NetworkRule>,
    pub tls: TlsMaterial,
}

#[derive(Clone, Debug)]
pub struct AmqpGrant {
    pub rules: Vec<AmqpRule>,
    pub networks: Vec<NetworkRule>,
    pub tls: TlsMaterial,
}

#[derive(Clone, Debug)]
pub struct MqttGrant {
    pub rules: Vec<MqttRule>,
    pub networks: Vec<NetworkRule>,
    pub tls: TlsMaterial,
}

/// Whom to trust and who to be; read from the approval's files by whoever makes the grants.
#[derive(Clone, Debug, Default)]
pub struct TlsMaterial {
    /// PEM; absent: the system's authorities.
    pub authorities_pem: Option<String>,
    pub identity: Option<ClientIdentity>,
}

/// A client certificate chain and its key, PEM.
#[derive(Clone, Debug)]
pub struct ClientIdentity {
    pub certificate_pem: String,
    pub key_pem: SecretString,
}

/// Why a configured channel gets no grants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("`{} {}` is wanted but not approved", .0.capability.as_str(), .0.target)]
    NotApproved(Want),
    #[error("the want `{} {}` cannot be granted: {error}", want.capability.as_str(), want.target)]
    Target { want: Want, error: BadTarget },
}

impl Refusal {
    /// Blames the option whose value does not fit: a method and a host come first in a target, a URL last.
    pub fn into_config_error(self) -> ConfigError {
        let name = match &self {
            Self::Target { error: BadTarget::UnknownOption(_), .. } | Self::NotApproved(_) => None,
            Self::Target { want, error: BadTarget::Method(_) | BadTarget::Host(_) } => want
                .target
                .split_once('{')
                .and_then(|(_, rest)| rest.split_once('}'))
                .map(|(name, _)| name.to_owned()),
            Self::Target { want, .. } => want
                .target
                .rsplit_once('}')
                .and_then(|(head, _)| head.rsplit_once('{'))
                .map(|(_, name)| name.to_owned()),
        };
        match (name, self) {
            (Some(name), Self::Target { error, .. }) => ConfigError::option(&name, error.to_string()),
            (_, refusal) => ConfigError::whole(refusal.to_string()),
        }
    }
}

/// Turns wants into grants: each must be approved, and each is filled in with what was configured.
///
/// A want whose option has no value is left out: there is nowhere to go.
pub fn approve(
    wants: &[Want],
    config: &Config,
    approval: &Approval,
    tls: &TlsMaterial,
) -> Result<Grants, Refusal> {
    if let Some(want) = wants.iter().find(|want| !approval.wants.contains(want)) {
        return Err(Refusal::NotApproved(want.clone()));
    }
    let mut rules = Rules::default();
    for want in wants.iter().chain(&approval.allow) {
        let refused = |error| Refusal::Target { want: want.clone(), error };
        let Some(expanded) = expand(&want.target, config).map_err(refused)? else { continue };
        rules
            .add(want.capability, &expanded)
            .map_err(|error| refused(if expanded.is_secret { BadTarget::Secret } else { error }))?;
    }
    Ok(rules.into_grants(approval, tls))
}

/// What was wanted, sorted by the kind of power.
#[derive(Default)]
struct Rules {
    http: Vec<HttpRule>,
    smtp: Vec<SmtpRule>,
    amqp: Vec<AmqpRule>,
    mqtt: Vec<MqttRule>,
}

impl Rules {
    fn add(&mut self, capability: Capability, target: &Expanded) -> Result<(), BadTarget> {
        let Expanded { text, is_secret } = target;
        match capability {
            Capability::Http => {
                self.http.push(HttpRule { is_secret: *is_secret, ..HttpRule::parse(text)? });
            }
            Capability::Smtp => self.smtp.push(SmtpRule::parse(text)?),
            Capability::Amqp => self.amqp.push(AmqpRule::parse(text)?),
            Capability::Mqtt => self.mqtt.push(MqttRule::parse(text)?),
        }
        Ok(())
    }

    fn into_grants(self, approval: &Approval, tls: &TlsMaterial) -> Grants {
        fn some<T>(rules: Vec<T>) -> Option<Vec<T>> {
            (!rules.is_empty()).then_some(rules)
        }
        let Self { http, smtp, amqp, mqtt } = self;
        let networks = || approval.networks.clone();
        let tls = || tls.clone();
        Grants {
            http: some(http).map(|rules| HttpGrant {
                rules,
                networks: networks(),
                tls: tls(),
                proxy: approval.proxy.clone(),
            }),
            smtp: some(smtp).map(|servers| SmtpGrant { servers, networks: networks(), tls: tls() }),
            amqp: some(amqp).map(|rules| AmqpGrant { rules, networks: networks(), tls: tls() }),
            mqtt: some(mqtt).map(|rules| MqttGrant { rules, networks: networks(), tls: tls() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{ConfigOption, Digest, OptionKind};

    fn want(capability: Capability, target: &str) -> Want {
        Want { capability, target: target.to_owned(), reason: String::new() }
    }

    fn granted(want: &Want, config: &serde_json::Value) -> String {
        let options: Vec<_> = [
            ("url", OptionKind::String),
            ("method", OptionKind::String),
            ("hook", OptionKind::Secret),
            ("port", OptionKind::Number),
            ("b", OptionKind::Bool),
        ]
        .map(|(name, kind)| ConfigOption {
            name: name.into(),
            kind,
            label: vec![],
            help: vec![],
            default: None,
            required: false,
            choices: vec![],
            min: None,
            max: None,
            hints: vec![],
        })
        .to_vec();
        let config = Config::from_json(&options, config).unwrap();
        let approval = approval(std::slice::from_ref(want));
        match approve(std::slice::from_ref(want), &config, &approval, &TlsMaterial::default()) {
            Ok(Grants { http: Some(http), .. }) => format!("{:?}", http.rules),
            Ok(Grants { smtp: Some(smtp), .. }) => smtp.servers[0].to_string(),
            Ok(Grants { amqp: Some(amqp), .. }) => amqp.rules[0].to_string(),
            Ok(Grants { mqtt: Some(mqtt), .. }) => mqtt.rules[0].to_string(),
            Ok(Grants { http: None, smtp: None, amqp: None, mqtt: None }) => "nothing".to_owned(),
            Err(refusal) => refusal.into_config_error().to_string(),
        }
    }

    fn approval(wants: &[Want]) -> Approval {
        Approval {
            digest: Digest::of(b""),
            wants: wants.to_vec(),
            allow: vec![],
            networks: vec![],
            ca_file: None,
            client_certificate_file: None,
            client_key_file: None,
            proxy: None,
            approved_at: Timestamp::UNIX_EPOCH,
            approved_by: "root".to_owned(),
        }
    }

    #[test]
    fn a_grant_is_what_was_configured_and_nothing_else() {
        let http = |target: &str, config| granted(&want(Capability::Http, target), &config);
        assert_eq!(
            http("POST {url}/api/v1/chat.postMessage", json!({ "url": "https://chat.example.com" })),
            "[POST https://chat.example.com/api/v1/chat.postMessage]"
        );
        assert_eq!(
            http("POST {url}/api", json!({ "url": "https://chat.example.com/sub//" })),
            "[POST https://chat.example.com/sub/api]"
        );
        assert_eq!(
            http("{method} {url}", json!({ "method": "put", "url": "http://a.example:81/x?y=1" })),
            "[PUT http://a.example:81/x]"
        );
        assert_eq!(
            http("POST {hook}", json!({ "hook": "https://hooks.example.com/T/hunter2" })),
            "[POST https://hooks.example.com/…]"
        );
        assert_eq!(http("POST {hook}", json!({})), "nothing");
        assert_eq!(
            granted(
                &want(Capability::Smtp, "{url}:{port}"),
                &json!({ "url": "mail.example.com", "port": "25" })
            ),
            "mail.example.com:25"
        );
    }

    #[test]
    fn a_place_for_messages_is_what_was_configured_too() {
        let amqp = |config| {
            let target = "amqp://{url}:{port}/{method?} exchange:{method?} key:{hook}";
            granted(&want(Capability::Amqp, target), &config)
        };
        assert_eq!(
            amqp(json!({ "url": "mq.example.com", "port": 5672, "hook": "diun" })),
            "amqp://mq.example.com:5672// exchange: key:diun"
        );
        assert_eq!(
            amqp(json!({ "url": "mq.example.com", "port": 1, "method": "x", "hook": "diun" })),
            "amqp://mq.example.com:1/x exchange:x key:diun"
        );
        assert_eq!(amqp(json!({ "url": "mq.example.com", "port": 1 })), "nothing");
        let mqtt =
            |config| granted(&want(Capability::Mqtt, "{method}://{url}:{port} topic:a/{url}/*"), &config);
        assert_eq!(
            mqtt(json!({ "method": "mqtts", "url": "mq.example.com", "port": 8883 })),
            "mqtts://mq.example.com:8883 topic:a/mq.example.com/*"
        );
    }

    #[test]
    fn a_template_grants_its_plain_beginning() {
        let http = |url: &str| granted(&want(Capability::Http, "POST {url}"), &json!({ "url": url }));
        assert_eq!(http("https://a.example/x/{{.Object.Name}}/y"), "[POST https://a.example/x/*]");
        assert_eq!(http("https://a.example/x?name={{.Object.Name}}"), "[POST https://a.example/x]");
        let refused = "option `url`: scheme, host and port must be plain text before the first `{{`; a grant cannot follow a host that is made at run time";
        for url in [
            "https://{{.Object.Name}}.example/x",
            "https://a.example{{.X}}",
            "{{.Url}}",
            "https://a.example:{{.P}}/",
        ] {
            assert_eq!(http(url), refused, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_granted_names_the_option_and_hides_the_secret() {
        let http = |target: &str, config| granted(&want(Capability::Http, target), &config);
        assert_eq!(
            http("POST {url}", json!({ "url": "chat" })),
            "option `url`: `chat` is no absolute http or https URL; write e.g. `https://api.example.com/hook`"
        );
        assert_eq!(
            http("POST {hook}", json!({ "hook": "hunter2" })),
            "option `hook`: the secret does not make a target; for http it must be an absolute URL, e.g. `https://api.example.com/hook`"
        );
        assert_eq!(
            http("POST {b}", json!({ "b": true })),
            "option `b`: `{b}` names an option that is neither text nor a number nor a secret"
        );
    }

    #[test]
    fn a_place_that_was_not_named_before_is_beyond() {
        let grants = |http: &[&str], smtp: &[&str]| {
            let wants: Vec<Want> = http
                .iter()
                .map(|target| want(Capability::Http, target))
                .chain(smtp.iter().map(|target| want(Capability::Smtp, target)))
                .collect();
            approve(&wants, &Config::default(), &approval(&wants), &TlsMaterial::default()).unwrap()
        };
        let (a, b) = ("POST https://a.example/", "POST https://b.example/");
        let check = |now: &Grants, earlier: &Grants, want| assert_eq!(now.reach_beyond(earlier), want);
        check(&grants(&[a], &[]), &grants(&[a, b], &[]), false);
        check(&grants(&[a, b], &[]), &grants(&[a], &[]), true);
        check(&grants(&[a], &["mail.example.com:25"]), &grants(&[a], &[]), true);
        check(&grants(&[], &["mail.example.com:25"]), &grants(&[], &["mail.example.com:587"]), true);
        check(&Grants::default(), &grants(&[a], &[]), false);
    }

    #[test]
    fn a_want_that_nobody_approved_is_refused() {
        let asked = want(Capability::Http, "POST https://a.example/");
        let refusal =
            approve(&[asked], &Config::default(), &approval(&[]), &TlsMaterial::default()).unwrap_err();
        assert_eq!(refusal.to_string(), "`http POST https://a.example/` is wanted but not approved");
    }
}
