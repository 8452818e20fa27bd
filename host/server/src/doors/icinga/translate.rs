//! The params of `SendNotification` in neutral words (`reference/icinga.md` §2.3).
//!
//! Every version of the request is taken: keys that came or went with a release are optional, and the request as it
//! came stays at hand in [`Source::payload`]. Extra tags become [`Notification::extra`].

use jiff::Timestamp;
use sandbell_domain::{
    Address, Contact, Event, Incident, Notification, NotificationId, Object as Subject, Severity, Source,
    TenantId,
};
use serde_json::Value as Json;

use super::go;
use super::params::{BadParams, Object};

/// Go's zero time, which a request without a time means.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// How the daemon's address types are mapped to the plugin's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addressing<'a> {
    /// What the daemon calls this channel's type: the file name of the link.
    pub(crate) link: &'a str,
    /// What the plugin calls its addresses, the first first.
    pub(crate) plugin: &'a [String],
}

impl Addressing<'_> {
    /// An address of the type of the link is one of the plugin's first type, so a plugin can be linked by any name.
    fn kind(&self, kind: String) -> String {
        match self.plugin.first() {
            Some(first) if kind == self.link && !self.plugin.contains(&kind) => first.clone(),
            Some(_) | None => kind,
        }
    }
}

/// Reads the request. A missing part is empty, a wrong type is an error that names it.
pub(crate) fn translate(
    payload: &str,
    id: NotificationId,
    addressing: Addressing<'_>,
) -> Result<Notification, BadParams> {
    let json: Json = serde_json::from_str(payload).map_err(|error| BadParams::Json(error.to_string()))?;
    let root = Object::root(&json)?;
    let part = |name: &str| root.as_ref().map_or(Ok(None), |root| root.object(name));
    Ok(Notification {
        id,
        tenant: TenantId::local(),
        contact: part("contact")?
            .map_or_else(|| Ok(Contact::default()), |part| contact(&part, addressing))?,
        object: part("object")?.map_or_else(|| Ok(Subject::default()), |part| subject(&part))?,
        incident: part("incident")?.map(|part| incident(&part)).transpose()?,
        event: event(part("event")?.as_ref())?,
        links: Vec::new(),
        extra: part("object")?.map_or_else(|| Ok(Vec::new()), |part| part.texts("extra_tags"))?,
        source: Source { system: "icinga".to_owned(), payload: payload.to_owned() },
    })
}

fn contact(part: &Object<'_>, addressing: Addressing<'_>) -> Result<Contact, BadParams> {
    let mut addresses = Vec::new();
    for address in part.objects("addresses")? {
        let (kind, address) = match address {
            Some(address) => (address.text("type")?, address.text("address")?),
            None => (String::new(), String::new()),
        };
        addresses.push(Address { kind: addressing.kind(kind), address });
    }
    Ok(Contact { full_name: part.text("full_name")?, addresses })
}

fn subject(part: &Object<'_>) -> Result<Subject, BadParams> {
    Ok(Subject { name: part.text("name")?, url: part.text("url")?, tags: part.texts("tags")? })
}

fn incident(part: &Object<'_>) -> Result<Incident, BadParams> {
    let severity = part.optional_text("severity")?.map(|text| severity(&text)).transpose()?;
    Ok(Incident { id: part.integer("id")?, url: part.text("url")?, severity })
}

fn event(part: Option<&Object<'_>>) -> Result<Event, BadParams> {
    let text = |name: &str| part.map_or_else(|| Ok(String::new()), |part| part.text(name));
    let time = part.map_or(Ok(None), |part| part.optional_text("time"))?;
    let time = match (time, part) {
        (Some(time), Some(part)) => {
            let is_time = time.contains('T') && time.parse::<Timestamp>().is_ok();
            let bad = || BadParams::Time { path: part.path("time"), text: go::quote(&time) };
            is_time.then_some(()).ok_or_else(bad)?;
            time
        }
        (Some(_), None) | (None, _) => ZERO_TIME.to_owned(),
    };
    Ok(Event {
        time,
        // Open on purpose: a daemon that has more types of events than we know is no reason to drop one.
        kind: text("type")?,
        severity: None,
        title: None,
        username: text("username")?,
        message: text("message")?,
    })
}

fn severity(text: &str) -> Result<Severity, BadParams> {
    Ok(match text {
        "ok" => Severity::Ok,
        "debug" => Severity::Debug,
        "info" => Severity::Info,
        "notice" => Severity::Notice,
        "warning" => Severity::Warning,
        "err" => Severity::Err,
        "crit" => Severity::Crit,
        "alert" => Severity::Alert,
        "emerg" => Severity::Emerg,
        _ => return Err(BadParams::Severity(go::quote(text))),
    })
}
