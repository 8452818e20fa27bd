//! What is stored: what Diun sent as it was, everything else in this program's own words.

use sandbell_chat_text::headline;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Map, Value};

/// The document, with the time of the event and who sent it.
///
/// There is no clock here, so the time is the event's; Diun's is that of sending, a moment later.
pub(crate) fn document(notification: &Notification, client: &str) -> Value {
    let mut document = of_diun(notification).unwrap_or_else(|| own(notification));
    let event = &notification.event;
    // What is no time would be refused together with the document.
    if event.unix_seconds().is_some() {
        document.insert("@timestamp".to_owned(), event.time.as_str().into());
    }
    document.insert("client".to_owned(), client.into());
    Value::Object(document)
}

/// Diun's own document (`reference/diun.md` §1.1).
fn of_diun(notification: &Notification) -> Option<Map<String, Value>> {
    let source = &notification.source;
    let payload = (source.system == "diun").then(|| serde_json::from_str(&source.payload).ok()).flatten();
    match payload {
        Some(Value::Object(document)) if document.contains_key("image") => Some(document),
        _ => None,
    }
}

/// Lists of pairs instead of objects: tags with dots or many names would change the index's mapping.
fn own(notification: &Notification) -> Map<String, Value> {
    let Notification { contact, object, incident, event, delivery, source, links, extra } = notification;
    let pairs = |pairs: &[(String, String)]| -> Value {
        pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
    };
    let links: Vec<_> = links.iter().map(|link| json!({ "label": link.label, "url": link.url })).collect();
    let incident = incident.as_ref().map(|incident| {
        json!({ "id": incident.id, "url": incident.url, "severity": incident.severity.map(Severity::as_str) })
    });
    let document = json!({
        "title": headline(notification),
        "message": event.message,
        "severity": notification.severity().map(Severity::as_str),
        "event": { "kind": event.kind, "username": event.username },
        "object": { "name": object.name, "url": object.url, "tags": pairs(&object.tags) },
        "incident": incident,
        "extra": pairs(extra),
        "links": links,
        "contact": contact.full_name,
        "source": source.system,
        // The same for every attempt: two documents with one of these are the same notification.
        "delivery_id": delivery.id,
    });
    match document {
        Value::Object(document) => document,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
