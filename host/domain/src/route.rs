//! Who gets a notification: from what was asked for to deliveries.

use std::collections::HashSet;
use std::sync::Arc;

use crate::{ChannelId, Delivery, Notification};

/// What routing knows of an enabled channel of the notification's tenant.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub id: ChannelId,
    /// The addresses that it can tell somebody at: its plugin's types, or the plugin's name.
    pub address_kinds: &'a [String],
}

/// Which of a tenant's channels a notification is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// These, each once, in this order.
    Channels(Vec<ChannelId>),
    /// Every channel of a kind for which the contact has an address.
    ByAddress,
}

/// Why a notification would reach nobody, or not everybody who was named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    #[error("there is no channel {0}; name one that `sandbell channel list` shows")]
    NoChannel(ChannelId),
    #[error("no channel was named; name at least one")]
    NobodyNamed,
    #[error("no enabled channel is of a kind for which the contact has an address; the contact has {0}")]
    NoAddress(String),
}

/// One delivery for each channel that `target` means.
///
/// A notification for several contacts is fanned out once for each of them. Nobody to tell is an error and not an
/// empty list: what was accepted is delivered to someone.
pub fn fan_out<'a>(
    notification: &Arc<Notification>,
    target: &Target,
    channels: impl IntoIterator<Item = Candidate<'a>>,
) -> Result<Vec<Delivery>, RouteError> {
    let chosen: Vec<ChannelId> = match target {
        Target::Channels(named) => {
            let known: HashSet<ChannelId> = channels.into_iter().map(|channel| channel.id).collect();
            if let Some(&unknown) = named.iter().find(|id| !known.contains(id)) {
                return Err(RouteError::NoChannel(unknown));
            }
            named.clone()
        }
        Target::ByAddress => {
            let mut chosen = Vec::new();
            let addresses = &notification.contact.addresses;
            for channel in channels {
                if addresses.iter().any(|address| channel.address_kinds.contains(&address.kind)) {
                    chosen.push(channel.id);
                }
            }
            chosen
        }
    };
    if chosen.is_empty() {
        return Err(match target {
            Target::Channels(_) => RouteError::NobodyNamed,
            Target::ByAddress => RouteError::NoAddress(kinds_of(notification)),
        });
    }
    let mut seen = HashSet::new();
    Ok(chosen
        .into_iter()
        .filter(|id| seen.insert(*id))
        .map(|id| Delivery::new(id, Arc::clone(notification)))
        .collect())
}

fn kinds_of(notification: &Notification) -> String {
    let kinds: Vec<String> =
        notification.contact.addresses.iter().map(|address| format!("`{}`", address.kind)).collect();
    if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use insta::assert_snapshot;

    use super::*;
    use crate::{Address, Contact, Event, NotificationId, Object, Source, TenantId};

    fn notification(kinds: &[&str]) -> Arc<Notification> {
        let addresses = kinds
            .iter()
            .map(|kind| Address { kind: (*kind).to_owned(), address: format!("{kind}@example.com") })
            .collect();
        Arc::new(Notification {
            id: NotificationId::of(&[b"n"]),
            tenant: TenantId::local(),
            contact: Contact { full_name: "Ada".to_owned(), addresses },
            object: Object::default(),
            incident: None,
            event: Event {
                time: "2026-11-24T10:00:00Z".to_owned(),
                kind: "state".to_owned(),
                severity: None,
                title: None,
                username: String::new(),
                message: String::new(),
            },
            links: Vec::new(),
            extra: Vec::new(),
            source: Source { system: "test".to_owned(), payload: "{}".to_owned() },
        })
    }

    /// `mail` and `late` reach e-mail addresses, `chat` Slack's.
    fn channels() -> impl Iterator<Item = Candidate<'static>> {
        static EMAIL: LazyLock<[String; 1]> = LazyLock::new(|| ["email".to_owned()]);
        static CHAT: LazyLock<[String; 1]> = LazyLock::new(|| ["slack".to_owned()]);
        [("mail", &EMAIL), ("chat", &CHAT), ("late", &EMAIL)].into_iter().map(|(name, kinds)| Candidate {
            id: ChannelId::of(&[name.as_bytes()]),
            address_kinds: kinds.as_slice(),
        })
    }

    fn named(names: &[&str]) -> Target {
        Target::Channels(names.iter().map(|name| ChannelId::of(&[name.as_bytes()])).collect())
    }

    #[test]
    fn a_target_becomes_one_delivery_for_each_channel() {
        let check = |target: Target, kinds: &[&str], want: &[&str]| {
            let deliveries = fan_out(&notification(kinds), &target, channels()).unwrap();
            let got: Vec<ChannelId> = deliveries.iter().map(|delivery| delivery.channel).collect();
            let want: Vec<ChannelId> = want.iter().map(|name| ChannelId::of(&[name.as_bytes()])).collect();
            assert_eq!(got, want, "{target:?}");
        };
        check(named(&["chat"]), &[], &["chat"]);
        check(named(&["late", "mail", "late"]), &[], &["late", "mail"]);
        check(Target::ByAddress, &["email"], &["mail", "late"]);
        check(Target::ByAddress, &["slack", "slack", "email"], &["mail", "chat", "late"]);
    }

    #[test]
    fn doing_it_twice_gives_the_same_ids() {
        let ids = || -> Vec<_> {
            let deliveries = fan_out(&notification(&["email"]), &Target::ByAddress, channels()).unwrap();
            deliveries.into_iter().map(|delivery| delivery.id).collect()
        };
        assert_eq!(ids(), ids());
        assert_ne!(ids()[0], ids()[1]);
    }

    #[test]
    fn nobody_to_tell_is_an_error_that_says_so() {
        let refused = |target: Target, kinds: &[&str]| {
            fan_out(&notification(kinds), &target, channels()).unwrap_err().to_string()
        };
        assert_snapshot!(refused(named(&["mail", "foreign"]), &[]), @"there is no channel chn_fd5f6ffd148a5971b1a721008f247213; name one that `sandbell channel list` shows");
        assert_snapshot!(refused(named(&[]), &[]), @"no channel was named; name at least one");
        assert_snapshot!(refused(Target::ByAddress, &["sms", "signal"]), @"no enabled channel is of a kind for which the contact has an address; the contact has `sms`, `signal`");
        assert_snapshot!(refused(Target::ByAddress, &[]), @"no enabled channel is of a kind for which the contact has an address; the contact has none");
    }
}
