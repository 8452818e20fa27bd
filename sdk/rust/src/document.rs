//! A notification as one JSON document, for what reads it by machine.

use serde_json::{Value, json};

use crate::{Notification, Severity};

impl Notification {
    /// Everything that is known, in this program's own words. Tags and extras are lists of `key` and `value`, because
    /// their keys may repeat.
    pub fn document(&self) -> Value {
        let Self { contact, object, incident, event, delivery, source, links, extra } = self;
        let pairs = |pairs: &[(String, String)]| -> Value {
            pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
        };
        let links: Vec<_> =
            links.iter().map(|link| json!({ "label": link.label, "url": link.url })).collect();
        let incident = incident.as_ref().map(|incident| {
            json!({ "id": incident.id, "url": incident.url, "severity": incident.severity.map(Severity::as_str) })
        });
        json!({
            "title": self.subject(),
            "message": event.message,
            "severity": self.severity().map(Severity::as_str),
            "event": { "time": event.time, "kind": event.kind, "username": event.username },
            "object": { "name": object.name, "url": object.url, "tags": pairs(&object.tags) },
            "incident": incident,
            "extra": pairs(extra),
            "links": links,
            "contact": contact.full_name,
            "source": source.system,
            // The same for every attempt: two documents with one of these are the same notification.
            "delivery_id": delivery.id,
        })
    }

    /// What the source sent, if it was `system` and sent a JSON object.
    pub fn payload_of(&self, system: &str) -> Option<Value> {
        let payload = serde_json::from_str(&self.source.payload).ok();
        payload.filter(|payload: &Value| self.source.system == system && payload.is_object())
    }
}
