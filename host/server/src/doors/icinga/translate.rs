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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use serde_json::value::RawValue;

    use super::*;

    fn translated(payload: &str) -> Result<Notification, String> {
        let plugin = ["room".to_owned()];
        let addressing = Addressing { link: "spy", plugin: &plugin };
        translate(payload, NotificationId::of(&[]), addressing).map_err(|error| error.to_string())
    }

    /// The parts that a plugin sees, one per line.
    fn shown(request: &str) -> String {
        let request: BTreeMap<String, Box<RawValue>> = serde_json::from_str(request).unwrap();
        let params = request["params"].get();
        let Notification { id: _, tenant: _, contact, object, incident, event, links, extra, source } =
            translated(params).unwrap();
        assert_eq!(source.payload, params);
        format!("{contact:?}\n{object:?}\n{incident:?}\n{event:?}\n{links:?} {extra:?} {}", source.system)
    }

    #[test]
    fn the_request_of_v0_2_0_is_translated() {
        let request = include_str!("../../../../../tests/fixtures/icinga/v0.2.0-send-notification.json");
        assert_snapshot!(shown(request), @r#"
        Contact { full_name: "Icinga Admin", addresses: [Address { kind: "email", address: "admin@example.com" }, Address { kind: "room", address: "spy-room" }] }
        Object { name: "dummy-809!random fortune", url: "http://localhost/icingaweb2//icingadb/service?name=x", tags: [("host", "dummy-809"), ("service", "random fortune")] }
        Some(Incident { id: 1, url: "http://localhost/icingaweb2/notifications/incident?id=1", severity: Some(Crit) })
        Event { time: "2026-11-22T04:49:53.181747244Z", kind: "state", severity: None, title: None, username: "", message: "Something <went> wrong & é" }
        [] [("hostgroup/a", "")] icinga
        "#);
    }

    #[test]
    fn the_request_of_head_is_translated() {
        let request = include_str!("../../../../../tests/fixtures/icinga/head-send-notification.json");
        assert_snapshot!(shown(request), @r#"
        Contact { full_name: "No Addr", addresses: [] }
        Object { name: "dummy-809!random fortune", url: "http://localhost/icingaweb2/icingadb/service?name=random%20fortune&host.name=dummy-809", tags: [("host", "dummy-809"), ("service", "random fortune")] }
        Some(Incident { id: 1, url: "http://localhost/icingaweb2/notifications/incident?id=1", severity: Some(Crit) })
        Event { time: "2026-11-22T04:49:52.699Z", kind: "", severity: None, title: None, username: "", message: "m" }
        [] [] icinga
        "#);
    }

    #[test]
    fn what_is_missing_is_empty_as_in_go() {
        let empty = translated("{}").unwrap();
        assert_eq!(empty.contact, Contact::default());
        assert_eq!(empty.incident, None);
        assert_eq!(empty.event.time, "0001-01-01T00:00:00Z");
        for payload in [
            "null",
            r#"{"contact":null,"object":null,"incident":null,"event":null}"#,
            r#"{"contact":{},"object":{"tags":null,"extra_tags":null},"event":{"time":null,"type":null}}"#,
            r#"{"contact":{"full_name":null,"addresses":[]},"unknown":{"a":[1]}}"#,
        ] {
            let Notification { contact, object, incident, event, extra, .. } = translated(payload).unwrap();
            assert_eq!(
                (contact, object, incident),
                (Contact::default(), Subject::default(), None),
                "{payload}"
            );
            assert_eq!((event, extra), (empty.event.clone(), vec![]), "{payload}");
        }
        let incident = translated(r#"{"incident":{"severity":null}}"#).unwrap().incident.unwrap();
        assert_eq!(incident, Incident { id: 0, url: String::new(), severity: None });
        let contact = translated(r#"{"contact":{"addresses":[null]}}"#).unwrap().contact;
        assert_eq!(contact.addresses, [Address { kind: String::new(), address: String::new() }]);
    }

    #[test]
    fn keys_match_in_any_case_and_nulls_in_tags_are_empty() {
        let notification =
            translated(r#"{"Object":{"NAME":"db1","tags":{"Host":"db1","x":null}},"EVENT":{"Message":"m"}}"#)
                .unwrap();
        assert_eq!(notification.object.name, "db1");
        assert_eq!(notification.event.message, "m");
        let tags = [("Host", "db1"), ("x", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(notification.object.tags, tags);
    }

    #[test]
    fn a_wrong_type_is_an_error_that_names_the_place() {
        let check =
            |payload: &str, want: &str| assert_eq!(translated(payload).unwrap_err(), want, "{payload}");
        check("[]", "params: expected an object, found an array");
        check(r#"{"contact":7}"#, "contact: expected an object, found a number");
        check(r#"{"contact":{"addresses":{}}}"#, "contact.addresses: expected an array, found an object");
        check(
            r#"{"contact":{"addresses":[{"type":1}]}}"#,
            "contact.addresses[0].type: expected a string, found a number",
        );
        check(
            r#"{"object":{"tags":{"a b":true}}}"#,
            r#"object.tags["a b"]: expected a string, found a boolean"#,
        );
        check(
            r#"{"incident":{"id":"1"}}"#,
            "incident.id: expected a whole number of 64 bits, found a string",
        );
        check(
            r#"{"incident":{"id":1.5}}"#,
            "incident.id: expected a whole number of 64 bits, found a number",
        );
        check(r#"{"incident":{"severity":"bad"}}"#, r#"unknown severity "bad""#);
        check(r#"{"incident":{"severity":""}}"#, r#"unknown severity """#);
        check(
            r#"{"event":{"time":"noon"}}"#,
            r#"event.time: "noon" is no RFC 3339 time, e.g. 2026-11-22T04:49:53Z"#,
        );
        check(
            r#"{"event":{"time":"2026-11-22 04:49:53Z"}}"#,
            r#"event.time: "2026-11-22 04:49:53Z" is no RFC 3339 time, e.g. 2026-11-22T04:49:53Z"#,
        );
        check(
            r#"{"event":{"message":null,"username":[]}}"#,
            "event.username: expected a string, found an array",
        );
    }

    #[test]
    fn severities_are_those_of_the_daemon() {
        for severity in ["ok", "debug", "info", "notice", "warning", "err", "crit", "alert", "emerg"] {
            let payload = format!(r#"{{"incident":{{"severity":"{severity}"}}}}"#);
            let incident = translated(&payload).unwrap().incident.unwrap();
            assert_eq!(serde_json::to_value(incident.severity).unwrap(), severity);
        }
    }

    #[test]
    fn an_address_of_the_links_type_is_one_of_the_plugins_first_type() {
        let payload =
            r#"{"contact":{"addresses":[{"type":"spy","address":"a"},{"type":"email","address":"b"}]}}"#;
        let kinds = |link: &str, plugin: &[&str]| {
            let plugin: Vec<_> = plugin.iter().map(|kind| (*kind).to_owned()).collect();
            let addressing = Addressing { link, plugin: &plugin };
            let contact = translate(payload, NotificationId::of(&[]), addressing).unwrap().contact;
            contact.addresses.into_iter().map(|address| address.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds("spy", &["room"]), ["room", "email"]);
        assert_eq!(kinds("spy", &["room", "spy"]), ["spy", "email"]);
        assert_eq!(kinds("spy", &[]), ["spy", "email"]);
        assert_eq!(kinds("other", &["room"]), ["spy", "email"]);
    }
}
