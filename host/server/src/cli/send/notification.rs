//! The notification file: Sandbell's own words if it has a `version`, else those of Icinga.
//!
//! ```json
//! {
//!   "version": 1,
//!   "contact": { "full_name": "Jane Doe", "addresses": [{ "kind": "email", "address": "jane@example.com" }] },
//!   "object": { "name": "db1", "url": "https://icinga.example.com/db1", "tags": { "host": "db1" } },
//!   "incident": { "id": 7, "url": "https://icinga.example.com/7", "severity": "crit" },
//!   "event": { "time": "2026-11-22T04:49:53Z", "kind": "state", "message": "disk full" },
//!   "links": [{ "label": "Acknowledge", "url": "https://icinga.example.com/7/ack" }],
//!   "extra": { "graph": "https://grafana.example.com/g/7.png" }
//! }
//! ```
//!
//! Only `version` is needed; the time is now if there is none.

use jiff::Timestamp;
use sandbell_domain::{Notification, NotificationId, TenantId};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::doors::icinga::{Addressing, BadParams, translate};
use crate::doors::rest::form::{
    BadField, ContactForm, Content, EventForm, Given, IncidentForm, LinkForm, ObjectForm, Pointer, Table,
};

#[derive(Debug, thiserror::Error)]
pub(super) enum BadNotification {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Icinga(#[from] BadParams),
    #[error("the version must be 1")]
    Version,
    #[error("{0}")]
    Field(#[from] BadField),
}

/// The same as the API takes, for one contact.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotificationV1 {
    version: u32,
    #[serde(default)]
    contact: ContactForm,
    #[serde(default)]
    object: ObjectForm,
    #[serde(default)]
    incident: Option<IncidentForm>,
    #[serde(default)]
    event: EventForm,
    #[serde(default)]
    links: Vec<LinkForm>,
    #[serde(default)]
    extra: Table<String>,
}

/// Icinga's request, with or without the envelope of the wire.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    params: &'a RawValue,
}

/// Reads the file's text. Two deliveries of the same file are two notifications.
pub(super) fn parse(
    text: &str,
    now: Timestamp,
    addressing: Addressing<'_>,
) -> Result<Notification, BadNotification> {
    let id = NotificationId::of(&[b"cli", &now.as_nanosecond().to_be_bytes(), text.as_bytes()]);
    let json: Json = serde_json::from_str(text)?;
    if json.get("version").is_some() {
        return neutral(text, serde_json::from_str(text)?, now, id);
    }
    if json.get("method").is_some() && json.get("params").is_some() {
        let Envelope { params } = serde_json::from_str(text)?;
        return Ok(translate(params.get(), id, addressing)?);
    }
    Ok(translate(text.trim(), id, addressing)?)
}

fn neutral(
    text: &str,
    form: NotificationV1,
    now: Timestamp,
    id: NotificationId,
) -> Result<Notification, BadNotification> {
    let NotificationV1 { version, contact, object, incident, event, links, extra } = form;
    if version != 1 {
        return Err(BadNotification::Version);
    }
    let at = Pointer::default();
    let contact = contact.checked(&at.then("contact"))?;
    let content = Content { object, incident, event, links, extra };
    content.check(&at)?;
    let given = Given { id, tenant: TenantId::local(), now, payload: text.trim().to_owned() };
    Ok(content.into_notification(contact, given))
}

#[cfg(test)]
mod tests {
    use sandbell_domain::{Severity, Source};

    use super::*;

    const NOBODY: Addressing<'_> = Addressing { link: "slack", plugin: &[] };

    fn parsed(text: &str) -> Result<Notification, String> {
        parse(text, Timestamp::UNIX_EPOCH, NOBODY).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_of_the_documentation_is_read() {
        let example: String = include_str!("notification.rs")
            .lines()
            .skip_while(|line| *line != "//! ```json")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| line.trim_start_matches("//!"))
            .collect();
        let notification = parsed(&example).unwrap();
        assert_eq!(notification.contact.addresses[0].kind, "email");
        assert_eq!(notification.incident.unwrap().severity, Some(Severity::Crit));
        assert_eq!(
            notification.extra,
            [("graph".to_owned(), "https://grafana.example.com/g/7.png".to_owned())]
        );
        assert_eq!(notification.source.system, "api");
    }

    #[test]
    fn icingas_request_is_read_with_and_without_its_envelope() {
        let params = r#"{"object":{"name":"db1"},"event":{"message":"down"}}"#;
        let plain = parsed(params).unwrap();
        let wrapped =
            parsed(&format!(r#"{{"method":"SendNotification","params":{params},"id":2}}"#)).unwrap();
        for notification in [plain, wrapped] {
            assert_eq!(notification.object.name, "db1");
            assert_eq!(
                notification.source,
                Source { system: "icinga".to_owned(), payload: params.to_owned() }
            );
        }
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let check = |text: &str, want: &str| assert_eq!(parsed(text).unwrap_err(), want, "{text}");
        check(r#"{"version":2}"#, "the version must be 1");
        check(
            r#"{"version":1,"event":{"time":"noon"}}"#,
            "event.time: `noon` is no RFC 3339 time, e.g. 2026-11-22T04:49:53Z",
        );
        check(r#"{"object":7}"#, "object: expected an object, found a number");
        assert!(parsed(r#"{"version":1,"evnt":{}}"#).unwrap_err().starts_with("unknown field `evnt`"));
        assert_eq!(parsed(r#"{"version":1}"#).unwrap().event.time, "1970-01-01T00:00:00Z");
    }
}
