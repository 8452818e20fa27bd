//! Labels say which alert it is, annotations what to read.

use std::str::FromStr;

use sandbell_chat_text::{Limit, Step, headline, links, step};
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{Map, Value};

/// Alertmanager has no limit; its labels travel through many hands.
const VALUE: Limit = Limit::Chars(500);
const SUMMARY: Limit = Limit::Chars(1000);
const DESCRIPTION: Limit = Limit::Chars(8000);
const TAGS_MAX: usize = 30;
const URL_BYTES_MAX: usize = 2000;

/// Labels of the form, for every alert.
#[derive(Debug, Default)]
pub(crate) struct Labels(Vec<(String, String)>);

impl Labels {
    /// The alert: a severity of ok ends it, everything else begins it or keeps it alive.
    ///
    /// What changes from one notification to the next is an annotation, because other labels are another alert.
    pub(crate) fn alert(&self, notification: &Notification) -> Value {
        let mut alert = json!({
            "labels": self.labels(notification),
            "annotations": annotations(notification),
        });
        if let Some((_, url)) = links(notification, URL_BYTES_MAX).first() {
            alert["generatorURL"] = (*url).into();
        }
        let event = &notification.event;
        if event.unix_seconds().is_some() {
            // Alertmanager would otherwise take the time of receipt, which a retry changes.
            alert["startsAt"] = event.time.as_str().into();
            if step(notification) == Step::Close {
                alert["endsAt"] = event.time.as_str().into();
            }
        }
        alert
    }

    fn labels(&self, notification: &Notification) -> Map<String, Value> {
        let Notification { object, incident, source, .. } = notification;
        let name = [object.name.as_str(), source.system.as_str(), "Sandbell"];
        let name = name.into_iter().find(|name| !name.trim().is_empty()).unwrap_or_default();
        let mut labels = Map::new();
        for (key, value) in object.tags.iter().take(TAGS_MAX) {
            put(&mut labels, &label_name(key), value);
        }
        put(&mut labels, "alertname", name);
        put(&mut labels, "source", &source.system);
        if let Some(incident) = incident {
            put(&mut labels, "incident", &incident.id.to_string());
        }
        for (key, value) in &self.0 {
            put(&mut labels, key, value);
        }
        labels
    }
}

impl FromStr for Labels {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let mut labels = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let pair = word.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            let pair = pair.filter(|(name, value)| label_name(name) == *name && !value.is_empty());
            let Some((name, value)) = pair else {
                let message =
                    format!("has `{word}`; write `name=value`, the name of letters, digits and `_`");
                return Err(ConfigError::option("labels", message));
            };
            labels.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self(labels))
    }
}

/// An empty label is no label to Alertmanager.
fn put(labels: &mut Map<String, Value>, name: &str, value: &str) {
    let value = VALUE.cut(value.trim());
    if !value.is_empty() {
        labels.insert(name.to_owned(), value.into());
    }
}

/// What is no letter, digit or `_` becomes `_`, as Prometheus does with foreign names.
fn label_name(key: &str) -> String {
    let is_word = |char: char| char.is_ascii_alphanumeric();
    let mut name: String = key.chars().map(|char| if is_word(char) { char } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|char: char| char.is_ascii_digit()) {
        name.insert(0, '_');
    }
    VALUE.cut(&name).replace('…', "_")
}

fn annotations(notification: &Notification) -> Map<String, Value> {
    let Notification { object, event, incident, .. } = notification;
    let incident = incident.as_ref().map(|incident| incident.url.as_str()).unwrap_or_default();
    let severity = notification.severity().map(Severity::as_str).unwrap_or_default();
    let texts = [
        ("summary", SUMMARY.cut(headline(notification).trim())),
        ("description", DESCRIPTION.cut(event.message.trim_end())),
        ("severity", severity.to_owned()),
        ("author", VALUE.cut(event.username.trim())),
        ("object_url", VALUE.with_max(URL_BYTES_MAX).cut(&object.url)),
        ("incident_url", VALUE.with_max(URL_BYTES_MAX).cut(incident)),
    ];
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    texts.map(|(name, text)| (name.to_owned(), Value::from(text))).collect()
}
