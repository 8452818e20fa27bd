//! What belongs together, for services that open an alert and close it again.

use sandbell_sdk::{Notification, Severity};

/// What a notification does to its alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Opens it, or adds to it if it is open.
    Open,
    /// Somebody cares for it.
    Acknowledge,
    /// It is over.
    Close,
}

/// Closes what is ok, acknowledges what was acknowledged, and opens everything else.
pub fn step(notification: &Notification) -> Step {
    match (notification.severity(), notification.event.kind.as_str()) {
        (Some(Severity::Ok), _) | (_, "incident-closed") => Step::Close,
        (_, "acknowledgement-set") => Step::Acknowledge,
        _ => Step::Open,
    }
}

/// The same key for all notifications of one alert: letters, digits, `-` and `_`, at most 64.
///
/// An incident is one alert. Without one, what has a severity is an alert of its object, because its end is told the
/// same way. What has neither is an alert of its own, the same for every attempt.
pub fn thread_key(notification: &Notification) -> String {
    let Notification { object, incident, delivery, source, .. } = notification;
    let system = word(&source.system, 16);
    match (incident, notification.severity()) {
        (Some(incident), _) => format!("{system}-incident-{}", incident.id),
        (None, Some(_)) => {
            let mut tags: Vec<_> = object.tags.iter().collect();
            tags.sort();
            let tags = tags.into_iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
            let texts = [object.name.as_str(), object.url.as_str()].into_iter().chain(tags);
            format!("{system}-object-{:016x}", hash(texts))
        }
        (None, None) => word(&delivery.id, 64),
    }
}

/// FNV-1a of 64 bits: short, and the same in every build. Nothing here is secret.
fn hash<'a>(texts: impl Iterator<Item = &'a str>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    // What no UTF-8 holds stands between the texts.
    let bytes = texts.flat_map(|text| text.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, step)
}

fn word(text: &str, bytes_max: usize) -> String {
    let is_allowed = |char: &char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    text.chars().filter(is_allowed).take(bytes_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Notification)) -> Notification {
        let mut notification = Notification::example();
        change(&mut notification);
        notification
    }

    #[test]
    fn an_end_closes_what_a_beginning_opened() {
        let severity = |severity: Option<Severity>| {
            with(|notification| {
                notification.incident = None;
                notification.event.severity = severity;
            })
        };
        let kind = |kind: &str| with(|notification| kind.clone_into(&mut notification.event.kind));
        assert_eq!(step(&severity(Some(Severity::Ok))), Step::Close);
        assert_eq!(step(&severity(Some(Severity::Crit))), Step::Open);
        assert_eq!(step(&severity(None)), Step::Open);
        assert_eq!(step(&kind("incident-closed")), Step::Close);
        assert_eq!(step(&kind("acknowledgement-set")), Step::Acknowledge);
        assert_eq!(step(&kind("downtime-start")), Step::Open);
        let keys = [Severity::Ok, Severity::Crit].map(|level| thread_key(&severity(Some(level))));
        assert_eq!(keys[0], keys[1]);
    }

    #[test]
    fn keys_tell_alerts_apart() {
        assert_eq!(thread_key(&Notification::example()), "icinga-incident-1437");
        let lone = |change: fn(&mut Notification)| {
            thread_key(&with(|notification| {
                notification.incident = None;
                notification.event.severity = Some(Severity::Crit);
                notification.source.system = "my/source ".to_owned();
                change(notification);
            }))
        };
        let key = lone(|_| ());
        assert_eq!(key.len(), "mysource-object-0123456789abcdef".len());
        assert_eq!(lone(|notification| notification.object.tags.reverse()), key);
        assert_ne!(lone(|notification| notification.object.tags[0].1.push('x')), key);
        assert_ne!(lone(|notification| notification.object.name.push('é')), key);
        let none = with(|notification| {
            notification.incident = None;
            notification.delivery.id = "dlv_01/JX ".to_owned();
        });
        assert_eq!(thread_key(&none), "dlv_01JX");
    }
}
