//! A notification to begin with.

use crate::channel::{Address, Contact, Delivery, Event, Incident, Notification, Object, Severity, Source};

impl Notification {
    /// A critical service of Icinga for a contact with an address of each kind that this repository's channels take.
    /// Change what your test is about.
    pub fn example() -> Self {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let address =
            |kind: &str, address: &str| Address { kind: kind.to_owned(), address: address.to_owned() };
        Self {
            contact: Contact {
                full_name: "Icinga Admin".to_owned(),
                addresses: vec![
                    address("email", "admin@example.com"),
                    address("rocketchat", "#monitoring"),
                    address("slack", "#monitoring"),
                ],
            },
            object: Object {
                name: "dummy-809!random fortune".to_owned(),
                url: "https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"
                    .to_owned(),
                tags: vec![pair("host", "dummy-809"), pair("service", "random fortune")],
            },
            incident: Some(Incident {
                id: 1437,
                url: "https://icinga.example.com/notifications/incident?id=1437".to_owned(),
                severity: Some(Severity::Crit),
            }),
            event: Event {
                time: "2024-07-12T12:47:30.123+02:00".to_owned(),
                kind: String::new(),
                severity: None,
                title: None,
                username: String::new(),
                message: "Something <went> wrong & broke".to_owned(),
            },
            delivery: Delivery {
                id: "dlv_01JX".to_owned(),
                attempt: 1,
                time_left_ms: 30_000,
                dry_run: false,
                locale: None,
            },
            source: Source { system: "icinga".to_owned(), payload: "{}".to_owned() },
            links: Vec::new(),
            extra: Vec::new(),
        }
    }
}
