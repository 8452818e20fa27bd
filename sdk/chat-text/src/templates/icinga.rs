//! The data that the templates see: Icinga's `NotificationRequest`, with Go's field names.
//!
//! What Icinga sent is shown as it came, so that `{{json .}}` gives the same bytes back
//! (`reference/icinga.md` §2.3). What other sources sent is shown in the same shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use sandbell_go_template::{Field, List, Map, Named, StructType, Time, Value};
use sandbell_sdk::serde_json::{self, Value as Json};
use sandbell_sdk::{Notification, Severity};

static REQUEST: StructType = StructType::new(
    "plugin.NotificationRequest",
    &[
        Field::new("Contact", "contact"),
        Field::new("Object", "object"),
        Field::new("Incident", "incident"),
        Field::new("Event", "event"),
    ],
);
static CONTACT: StructType = StructType::new(
    "plugin.Contact",
    &[Field::new("FullName", "full_name"), Field::new("Addresses", "addresses")],
);
static ADDRESS: StructType =
    StructType::new("plugin.Address", &[Field::new("Type", "type"), Field::new("Address", "address")]);
static INCIDENT: StructType = StructType::new(
    "plugin.Incident",
    &[Field::new("Id", "id"), Field::new("Url", "url"), Field::new("Severity", "severity")],
);
static OBJECT: StructType = StructType::new(
    "plugin.Object",
    &[Field::new("Name", "name"), Field::new("Url", "url"), Field::new("Tags", "tags")],
);
static EVENT: StructType =
    StructType::new("plugin.Event", &[Field::new("Time", "time"), Field::new("Message", "message")]);
/// Releases up to 0.2.0 also send extra tags,
static OBJECT_0_2: StructType = StructType::new(
    "plugin.Object",
    &[
        Field::new("Name", "name"),
        Field::new("Url", "url"),
        Field::new("Tags", "tags"),
        Field::new("ExtraTags", "extra_tags"),
    ],
);
/// and a type and a user name.
static EVENT_0_2: StructType = StructType::new(
    "plugin.Event",
    &[
        Field::new("Time", "time"),
        Field::new("Type", "type"),
        Field::new("Username", "username"),
        Field::new("Message", "message"),
    ],
);

/// The value of `.` in a template of Icinga's webhook.
pub fn icinga_data(notification: &Notification) -> Value {
    Value::Struct(Arc::new(REQUEST.value(icinga_parts(notification).into()).behind_pointer()))
}

/// Contact, object, incident and event.
pub(super) fn icinga_parts(notification: &Notification) -> [Value; 4] {
    let from_icinga = (notification.source.system == "icinga")
        .then(|| serde_json::from_str(&notification.source.payload).ok())
        .flatten()
        .filter(Json::is_object);
    match from_icinga {
        Some(json) => {
            let is_0_2 = json["object"].get("extra_tags").is_some() || json["event"].get("type").is_some();
            parts(&json, is_0_2)
        }
        // Other sources have types, users and extra data; the older shape has room for them.
        None => parts(&in_icingas_words(notification), true),
    }
}

fn parts(json: &Json, is_0_2: bool) -> [Value; 4] {
    let (object, event) = if is_0_2 { (&OBJECT_0_2, &EVENT_0_2) } else { (&OBJECT, &EVENT) };
    [
        pointer(&CONTACT, &json["contact"]),
        pointer(object, &json["object"]),
        pointer(&INCIDENT, &json["incident"]),
        pointer(event, &json["event"]),
    ]
}

/// A struct behind a pointer, or a nil pointer; every field that is missing has Go's zero value.
fn pointer(of: &'static StructType, json: &Json) -> Value {
    let Json::Object(map) = json else { return Value::NilPointer(of) };
    let field =
        |field: &Field| value(field.name, field.json.and_then(|name| map.get(name)).unwrap_or(&Json::Null));
    Value::Struct(Arc::new(of.value(of.fields.iter().map(field).collect()).behind_pointer()))
}

/// A field's value by its Go name: the names are unambiguous across the structs.
fn value(field: &str, json: &Json) -> Value {
    match field {
        "Id" => Value::Int(json.as_i64().unwrap_or_default()),
        "Severity" => severity(json),
        "Time" => time(json.as_str().unwrap_or_default()),
        "Tags" | "ExtraTags" => tags(json),
        "Addresses" => addresses(json),
        _ => text(json.as_str().unwrap_or_default()),
    }
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

/// The times of a source that does not write RFC 3339 are shown as they came.
fn time(rfc3339: &str) -> Value {
    Time::parse_rfc3339(rfc3339).map_or_else(|| text(rfc3339), |time| Value::Time(Arc::new(time)))
}

/// `none` is `null` in JSON.
fn severity(json: &Json) -> Value {
    let Some(word) = json.as_str() else { return Value::Nil };
    let rank = SEVERITIES.iter().position(|known| *known == word).unwrap_or_default();
    Value::Named(Arc::new(Named {
        type_name: "plugin.Severity",
        text: word.into(),
        value: Value::Uint(rank as u64 + 1),
        json_is_text: true,
    }))
}

const SEVERITIES: [&str; 9] = ["ok", "debug", "info", "notice", "warning", "err", "crit", "alert", "emerg"];

fn tags(json: &Json) -> Value {
    let Json::Object(map) = json else { return Value::Map(Arc::new(Map::nil("string"))) };
    let entries: BTreeMap<_, _> =
        map.iter().map(|(key, value)| (key.clone(), text(value.as_str().unwrap_or_default()))).collect();
    Value::Map(Arc::new(Map::new("string", entries)))
}

fn addresses(json: &Json) -> Value {
    let Json::Array(addresses) = json else { return Value::List(Arc::new(List::nil("*plugin.Address"))) };
    Value::List(Arc::new(List::new(
        "*plugin.Address",
        addresses.iter().map(|json| pointer(&ADDRESS, json)).collect(),
    )))
}

/// The request that Icinga would have sent.
fn in_icingas_words(notification: &Notification) -> Json {
    let Notification { contact, object, incident, event, extra, delivery: _, source: _, links: _ } =
        notification;
    let tags = |pairs: &[(String, String)]| -> Json {
        pairs
            .iter()
            .map(|(key, value)| (key.clone(), Json::from(value.as_str())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let addresses: Vec<_> = contact
        .addresses
        .iter()
        .map(|address| serde_json::json!({ "type": address.kind, "address": address.address }))
        .collect();
    let word = |severity: Option<Severity>| severity.map(Severity::as_str);
    serde_json::json!({
        "contact": { "full_name": contact.full_name, "addresses": addresses },
        "object": { "name": object.name, "url": object.url, "tags": tags(&object.tags), "extra_tags": tags(extra) },
        "incident": incident.as_ref().map(|incident| serde_json::json!({
            "id": incident.id, "url": incident.url, "severity": word(incident.severity),
        })),
        "event": {
            "time": event.time, "type": event.kind, "username": event.username, "message": event.message,
        },
    })
}
