//! An event as Argus' plugins tell it (`reference/argus.md` §4.1, §4.2), from whatever source it is.

use sandbell_sdk::Notification;
use sandbell_sdk::serde_json::{self, Value};

use crate::facts::{facts, headline};

/// Columns of an incident, in Argus' order; what is no column has another place in a message.
const COLUMNS: [&str; 10] = [
    "start_time",
    "end_time",
    "source_incident_id",
    "details_url",
    "description",
    "level",
    "ticket_url",
    "search_text",
    "metadata",
    "tags",
];

/// Argus' title of an event: `'Incident end': db is down, labsource @ 2026-11-22T06:01:00+01:00`.
pub fn argus_title(notification: &Notification) -> String {
    let Some((event, incident)) = payload(notification) else { return headline(notification) };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, actor) = (text(&event["type"]["display"]), text(&event["actor"]["username"]));
    let (what, when) = (text(&incident["description"]), text(&event["timestamp"]));
    format!("'{kind}': {what}, {actor} @ {when}")
}

/// `Status`, `Actor` and every column of the incident that says something; of other sources its facts.
pub fn argus_lines(notification: &Notification) -> Vec<(String, String)> {
    let Some((event, incident)) = payload(notification) else {
        return facts(notification).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    };
    let mut lines = vec![
        ("Status".to_owned(), plain(&event["type"]["display"])),
        ("Actor".to_owned(), plain(&event["actor"]["username"])),
    ];
    for column in COLUMNS {
        let value = match (column, &incident[column]) {
            ("end_time", Value::String(time)) if time == "infinity" => "Still open".to_owned(),
            ("tags", Value::Array(tags)) => {
                tags.iter().map(|tag| plain(&tag["tag"])).collect::<Vec<_>>().join(", ")
            }
            (_, value) => plain(value),
        };
        lines.push((column.to_owned(), value));
    }
    lines.retain(|(_, value)| !value.trim().is_empty());
    lines
}

/// The level, 1 (critical) to 5 (information), where Argus names one.
pub fn argus_level(notification: &Notification) -> Option<u64> {
    payload(notification).and_then(|(_, incident)| incident["level"].as_u64())
}

fn payload(notification: &Notification) -> Option<(Value, Value)> {
    if notification.source.system != "argus" {
        return None;
    }
    let mut json: Value = serde_json::from_str(&notification.source.payload).ok()?;
    let (event, incident) = (json["event"].take(), json["incident"].take());
    (event.is_object() && incident.is_object()).then_some((event, incident))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(map) if map.is_empty() => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::argus;

    #[test]
    fn an_event_is_told_as_argus_tells_it() {
        let notification = argus();
        assert_eq!(
            argus_title(&notification),
            "'Incident start': db is down, labsource @ 2026-11-22T06:01:00+01:00"
        );
        assert_eq!(argus_level(&notification), Some(1));
        let lines: Vec<_> =
            argus_lines(&notification).iter().map(|(key, value)| format!("{key}: {value}")).collect();
        assert_eq!(
            lines.join("\n"),
            "Status: Incident start\nActor: labsource\nstart_time: 2026-11-22T06:00:00+01:00\nend_time: Still open\nsource_incident_id: 17\ndetails_url: https://zino.example.com/17\ndescription: db is down\nlevel: 1\ntags: host=db1, site=oslo"
        );
        assert_eq!(argus_title(&Notification::example()), "[#1437] dummy-809!random fortune is crit");
        assert_eq!(argus_lines(&Notification::example())[0], ("host".to_owned(), "dummy-809".to_owned()));
        assert_eq!(argus_level(&Notification::example()), None);
    }
}
