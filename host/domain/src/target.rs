//! Targets: where a power reaches, in one short line of text.
//!
//! | capability | target | example |
//! | --- | --- | --- |
//! | `http` | methods and a URL without query | `POST https://hooks.slack.com/services/*` |
//! | `smtp` | host and port | `mail.example.com:587` |
//! | `amqp` | a URL with a virtual host, an exchange and a routing key | `amqps://mq.example.com/shop exchange:alerts key:db.*` |
//! | `mqtt` | a URL and a topic | `mqtts://mq.example.com topic:alerts/*` |
//! | network | an address or a CIDR, with or without a port | `10.20.0.0/16:443` |
//!
//! `*` is one label at the start of a host (`*.example.com`) or a tail at the end of a path or a name (`/services/*`),
//! never all; of one exchange, it may be every routing key. A virtual host is written as it is, and nothing is `/`; an
//! exchange of no name is the default one. In a plugin's want, `{option}` stands for the configured value, `{option?}`
//! for one that may be empty; see [`expand`]. What a target becomes is a [rule](crate::rule).

use secrecy::ExposeSecret;

use crate::{Capability, Config, PluginInfo, SettingValue, Want, escape};

/// Methods that a plugin can be granted (`reference/security.md` §1.4 S8): nothing that tunnels or upgrades.
pub const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// Longest target after expansion, in bytes (`reference/security.md` §4.1 rule 1).
pub const TARGET_BYTES_MAX: usize = 2048;

/// A target that cannot be understood; the text says what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    #[error("`{0}` is no target of http; write methods and a URL, e.g. `POST https://api.example.com/*`")]
    Http(String),
    #[error("`{0}` is no method that can be granted; write one of GET, HEAD, POST, PUT, PATCH, DELETE")]
    Method(String),
    #[error("`{0}` is no absolute http or https URL; write e.g. `https://api.example.com/hook`")]
    Url(String),
    #[error("a URL of a target must not hold a user name or a password; give them options of their own")]
    UserInfo,
    #[error("`{0}` is not a host name; write `api.example.com` or `*.example.com`")]
    Host(String),
    #[error("`*` may stand for the first label of a host or the end of a path, not inside `{0}`")]
    Wildcard(String),
    #[error("`{0}` is no target of smtp; write a host and a port, e.g. `mail.example.com:587`")]
    Smtp(String),
    #[error(
        "`{0}` is no target of amqp; write e.g. `amqps://mq.example.com/shop exchange:alerts key:host.*`"
    )]
    Amqp(String),
    #[error("`{0}` is no target of mqtt; write e.g. `mqtts://mq.example.com topic:alerts/*`")]
    Mqtt(String),
    #[error(
        "`*` may stand at the end of an exchange, a routing key or a topic, for more than nothing: not so in `{0}`"
    )]
    Name(String),
    #[error(
        "`{0}` is no network; write an address or a CIDR, with or without a port, e.g. `10.20.0.0/16:443`"
    )]
    Network(String),
    #[error(
        "the secret does not make a target; for http it must be an absolute URL, e.g. `https://api.example.com/hook`"
    )]
    Secret,
    #[error("a target has {0} bytes; at most {TARGET_BYTES_MAX} are allowed")]
    Long(usize),
    #[error("`{{{0}}}` names no option of this plugin")]
    UnknownOption(String),
    #[error("`{{{0}}}` names an option that is neither text nor a number nor a secret")]
    OptionKind(String),
    #[error("`{{` without `}}` in `{0}`")]
    OpenBrace(String),
    #[error(
        "scheme, host and port must be plain text before the first `{{{{`; a grant cannot follow a host that is made \
         at run time"
    )]
    TemplatedHost,
}

/// A want's target with its options filled in.
#[derive(Clone, PartialEq, Eq)]
pub struct Expanded {
    pub text: String,
    /// A secret option went into it.
    pub is_secret: bool,
}

/// Fills in `{option}`; `None` if an option has no value, because then there is nowhere to go. `{option?}` may have none.
///
/// A value may be a Go template (the webhook's URL): what comes before its first `{{` must hold scheme and host,
/// and everything after is a path tail, as if `*` stood there.
pub fn expand(target: &str, config: &Config) -> Result<Option<Expanded>, BadTarget> {
    let mut text = String::with_capacity(target.len());
    let mut is_secret = false;
    let mut rest = target;
    while let Some(start) = rest.find('{') {
        text.push_str(&rest[..start]);
        let end = rest
            .find('}')
            .filter(|end| *end > start)
            .ok_or_else(|| BadTarget::OpenBrace(target.to_owned()))?;
        let (name, may_be_empty) = named(&rest[start + 1..end]);
        rest = &rest[end + 1..];
        let value = match config.get(name) {
            None if may_be_empty => String::new(),
            None => return Ok(None),
            Some(SettingValue::Text(value)) => value.clone(),
            Some(SettingValue::Integer(value)) => value.to_string(),
            Some(SettingValue::Secret(secret)) => {
                is_secret = true;
                secret.expose_secret().to_owned()
            }
            Some(SettingValue::Boolean(_) | SettingValue::Many(_)) => {
                return Err(BadTarget::OptionKind(name.to_owned()));
            }
        };
        if value.is_empty() && !may_be_empty {
            return Ok(None);
        }
        if let Some(action) = value.find("{{") {
            text.push_str(&value[..action]);
            if !has_whole_authority(&text) {
                return Err(BadTarget::TemplatedHost);
            }
            if !text.contains(['?', '#']) {
                text.push('*');
            }
            return Ok(Some(Expanded { text, is_secret }));
        }
        text.push_str(value.trim());
        // `https://chat.example.com/` before `/api` is one slash.
        if rest.starts_with('/') {
            text.truncate(text.trim_end_matches('/').len());
        }
    }
    text.push_str(rest);
    if text.len() > TARGET_BYTES_MAX {
        return Err(BadTarget::Long(text.len()));
    }
    Ok(Some(Expanded { text, is_secret }))
}

/// Whether a want's target can be expanded at all: every `{option}` exists and has a fitting kind.
pub fn check_options(target: &str, info: &PluginInfo) -> Result<(), BadTarget> {
    use crate::OptionKind as Kind;
    let mut rest = target;
    while let Some(start) = rest.find('{') {
        let end = rest
            .find('}')
            .filter(|end| *end > start)
            .ok_or_else(|| BadTarget::OpenBrace(target.to_owned()))?;
        let (name, _) = named(&rest[start + 1..end]);
        match info.option(name).map(|option| option.kind) {
            None => return Err(BadTarget::UnknownOption(name.to_owned())),
            Some(Kind::Bool | Kind::Options) => return Err(BadTarget::OptionKind(name.to_owned())),
            Some(Kind::String | Kind::Text | Kind::Number | Kind::Option | Kind::Secret) => {}
        }
        rest = &rest[end + 1..];
    }
    Ok(())
}

/// What an operator allows beyond the wants: a capability and a target, which may name options of the plugin, e.g.
/// `http POST https://*.example.com/*`. The error is a sentence without its end.
pub fn allowed(text: &str, info: &PluginInfo) -> Result<Want, String> {
    let (capability, target) = text.trim().split_once(' ').unwrap_or((text, ""));
    let capability = Capability::parse(capability)
        .ok_or_else(|| format!("`{}` is no capability", escape::line(capability)))?;
    check_options(target, info).map_err(|error| error.to_string())?;
    if !target.contains('{') {
        capability.check_target(target).map_err(|error| error.to_string())?;
    }
    Ok(Want { capability, target: target.trim().to_owned(), reason: "allowed by the operator".to_owned() })
}

/// The option's name, and whether it may have no value.
fn named(braced: &str) -> (&str, bool) {
    braced.strip_suffix('?').map_or((braced, false), |name| (name, true))
}

fn has_whole_authority(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?']) && !rest.starts_with(['/', '?']))
}
