//! What happened, to what: everything of a notification but who is told.

use jiff::Timestamp;
use sandbell_domain::{
    Contact, Event, Incident, Link, Notification, NotificationId, Object, Severity, Source, TenantId,
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::Object as Schema;

use super::bad::{self, BadField, Pointer};
use super::text;
use super::unique::Table;

/// Texts of one line: names, kinds, labels.
pub(super) const LINE_CHARS_MAX: usize = 256;
/// URLs, addresses, titles and values of tags.
pub(super) const LONG_CHARS_MAX: usize = 2_048;
/// What happened, in full.
const MESSAGE_CHARS_MAX: usize = 65_536;
/// Entries of each list and each object.
pub(super) const ENTRIES_MAX: usize = 100;

/// What it is about, e.g. a host or a service.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Object)]
pub(crate) struct ObjectForm {
    #[serde(default)]
    #[schema(max_length = 2048, example = "db1")]
    pub(crate) name: String,
    #[serde(default)]
    #[schema(max_length = 2048, example = "https://monitoring.example.com/db1")]
    url: String,
    #[serde(default)]
    #[schema(schema_with = table_of_texts)]
    tags: Table<String>,
}

/// The open case.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Incident)]
pub(crate) struct IncidentForm {
    #[schema(minimum = -9_223_372_036_854_775_808_i64, maximum = 9_223_372_036_854_775_807_i64, example = 7)]
    id: i64,
    #[serde(default)]
    #[schema(max_length = 2048)]
    url: String,
    #[serde(default)]
    #[schema(schema_with = text::severity_or_null)]
    severity: Option<Severity>,
}

/// What just happened.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Event)]
pub(crate) struct EventForm {
    /// RFC 3339, kept with its offset. Absent: now.
    #[serde(default)]
    #[schema(schema_with = text::time_or_null)]
    time: Option<String>,
    /// The sender's word, e.g. `state`.
    #[serde(default)]
    #[schema(max_length = 256, example = "state")]
    kind: String,
    #[serde(default)]
    #[schema(schema_with = text::severity_or_null)]
    severity: Option<Severity>,
    #[serde(default)]
    #[schema(max_length = 2048)]
    title: Option<String>,
    #[serde(default)]
    #[schema(max_length = 256)]
    username: String,
    #[serde(default)]
    #[schema(max_length = 65536, example = "disk full")]
    pub(crate) message: String,
}

/// A button that a reader may press.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Link)]
pub(crate) struct LinkForm {
    #[schema(max_length = 256, example = "Acknowledge")]
    label: String,
    #[schema(max_length = 2048, example = "https://monitoring.example.com/7/ack")]
    url: String,
}

pub(super) fn table_of_texts() -> Schema {
    text::table(text::string().max_length(Some(LONG_CHARS_MAX)).build(), ENTRIES_MAX, LINE_CHARS_MAX)
}

/// Everything of a notification but who is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) object: ObjectForm,
    pub(crate) incident: Option<IncidentForm>,
    pub(crate) event: EventForm,
    pub(crate) links: Vec<LinkForm>,
    pub(crate) extra: Table<String>,
}

/// What a notification is given beside what was written: which it is, whose, and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) id: NotificationId,
    pub(crate) tenant: TenantId,
    /// The time of an event that names none.
    pub(crate) now: Timestamp,
    /// What was handed in, as JSON.
    pub(crate) payload: String,
}

impl Content {
    pub(crate) fn check(&self, at: &Pointer) -> Result<(), BadField> {
        let Self { object, incident, event, links, extra } = self;
        let ObjectForm { name, url, tags } = object;
        let in_object = at.then("object");
        bad::text(&in_object.then("name"), name, LONG_CHARS_MAX)?;
        bad::text(&in_object.then("url"), url, LONG_CHARS_MAX)?;
        check_table(&in_object.then("tags"), tags)?;
        if let Some(IncidentForm { id: _, url, severity: _ }) = incident {
            bad::text(&at.then("incident").then("url"), url, LONG_CHARS_MAX)?;
        }
        event.check(&at.then("event"))?;
        let in_links = at.then("links");
        bad::items(&in_links, links.len(), ENTRIES_MAX)?;
        for (index, LinkForm { label, url }) in links.iter().enumerate() {
            bad::text(&in_links.then(index).then("label"), label, LINE_CHARS_MAX)?;
            bad::text(&in_links.then(index).then("url"), url, LONG_CHARS_MAX)?;
        }
        check_table(&at.then("extra"), extra)
    }

    pub(crate) fn into_notification(self, contact: Contact, given: Given) -> Notification {
        let Self { object, incident, event, links, extra } = self;
        let Given { id, tenant, now, payload } = given;
        Notification {
            id,
            tenant,
            contact,
            object: Object { name: object.name, url: object.url, tags: object.tags.0 },
            incident: incident.map(|IncidentForm { id, url, severity }| Incident { id, url, severity }),
            event: Event {
                time: event.time.unwrap_or_else(|| now.to_string()),
                kind: event.kind,
                severity: event.severity,
                title: event.title,
                username: event.username,
                message: event.message,
            },
            links: links.into_iter().map(|LinkForm { label, url }| Link { label, url }).collect(),
            extra: extra.0,
            source: Source { system: "api".to_owned(), payload },
        }
    }
}

impl EventForm {
    fn check(&self, at: &Pointer) -> Result<(), BadField> {
        let Self { time, kind, severity: _, title, username, message } = self;
        if let Some(time) = time
            && time.parse::<Timestamp>().is_err()
        {
            let shown = sandbell_domain::escape::cut(&sandbell_domain::escape::line(time), 80);
            let message = format!("`{shown}` is no RFC 3339 time, e.g. 2026-11-22T04:49:53Z");
            return Err(BadField::new(at.then("time"), message));
        }
        bad::text(&at.then("kind"), kind, LINE_CHARS_MAX)?;
        bad::text(&at.then("title"), title.as_deref().unwrap_or_default(), LONG_CHARS_MAX)?;
        bad::text(&at.then("username"), username, LINE_CHARS_MAX)?;
        bad::text(&at.then("message"), message, MESSAGE_CHARS_MAX)
    }
}

fn check_table(at: &Pointer, table: &Table<String>) -> Result<(), BadField> {
    bad::items(at, table.0.len(), ENTRIES_MAX)?;
    for (key, value) in &table.0 {
        bad::text(at, key, LINE_CHARS_MAX)?;
        bad::text(&at.then(key), value, LONG_CHARS_MAX)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::doors::rest::form::NotificationForm;

    fn refused(form: Json) -> String {
        let form: NotificationForm = match serde_json::from_value(form) {
            Ok(form) => form,
            Err(error) => return error.to_string(),
        };
        form.checked(&Pointer::default()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_too_long_or_too_much_is_named() {
        let check = |form: Json, want: &str| assert_eq!(refused(form), want);
        let long = "x".repeat(MESSAGE_CHARS_MAX + 1);
        let many = |item: Json| Json::from(vec![item; 101]);
        check(
            json!({ "event": { "message": long } }),
            "event.message: has 65537 characters; at most 65536 are allowed",
        );
        check(
            json!({ "event": { "kind": long } }),
            "event.kind: has 65537 characters; at most 256 are allowed",
        );
        check(
            json!({ "event": { "title": long } }),
            "event.title: has 65537 characters; at most 2048 are allowed",
        );
        check(
            json!({ "event": { "username": long } }),
            "event.username: has 65537 characters; at most 256 are allowed",
        );
        check(
            json!({ "object": { "name": long } }),
            "object.name: has 65537 characters; at most 2048 are allowed",
        );
        check(
            json!({ "object": { "url": long } }),
            "object.url: has 65537 characters; at most 2048 are allowed",
        );
        check(
            json!({ "object": { "tags": { "a": long } } }),
            "object.tags.a: has 65537 characters; at most 2048 are allowed",
        );
        check(
            json!({ "incident": { "id": 1, "url": long } }),
            "incident.url: has 65537 characters; at most 2048 are allowed",
        );
        check(
            json!({ "links": [{ "label": "", "url": long }] }),
            "links.0.url: has 65537 characters; at most 2048 are allowed",
        );
        check(
            json!({ "links": [{ "label": long, "url": "" }] }),
            "links.0.label: has 65537 characters; at most 256 are allowed",
        );
        check(
            json!({ "links": many(json!({ "label": "", "url": "" })) }),
            "links: has 101 entries; at most 100 are allowed",
        );
        check(
            json!({ "extra": { long.as_str(): "" } }),
            "extra: has 65537 characters; at most 256 are allowed",
        );
        check(
            json!({ "event": { "time": "noon\n" } }),
            r"event.time: `noon\n` is no RFC 3339 time, e.g. 2026-11-22T04:49:53Z",
        );
        check(
            json!({ "event": { "severity": "bad" } }),
            "unknown variant `bad`, expected one of `ok`, `debug`, `info`, `notice`, `warning`, `err`, `crit`, `alert`, `emerg`",
        );
    }

    #[test]
    fn what_is_absent_is_empty_and_the_time_is_now() {
        let given = Given {
            id: NotificationId::of(&[b"1"]),
            tenant: TenantId::local(),
            now: Timestamp::UNIX_EPOCH,
            payload: "{}".to_owned(),
        };
        let notification = Content::default().into_notification(Contact::default(), given);
        assert_eq!(notification.event.time, "1970-01-01T00:00:00Z");
        assert_eq!(notification.source, Source { system: "api".to_owned(), payload: "{}".to_owned() });
    }
}
