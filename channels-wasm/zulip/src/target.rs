//! Where a message goes: users, or a channel's topic.

/// What an address of the type `zulip` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// By mail address; all of them share one conversation.
    Users(Vec<String>),
    Topic {
        channel: String,
        topic: Option<String>,
    },
}

impl Target {
    /// `user@example.com`, `#channel`, or `#channel>topic` as Zulip itself writes it. Several users are one
    /// conversation; the error goes on after the contact's name.
    pub(crate) fn of_contact<'a>(addresses: impl Iterator<Item = &'a str>) -> Result<Option<Self>, String> {
        let mut users = Vec::new();
        for address in addresses.map(str::trim) {
            if let Some(rest) = address.strip_prefix('#') {
                let (channel, topic) = match rest.split_once('>') {
                    Some((channel, topic)) => (channel, Some(topic.trim().to_owned())),
                    None => (rest, None),
                };
                let channel = channel.trim().to_owned();
                if channel.is_empty() {
                    return Err(bad(address));
                }
                let topic = topic.filter(|topic| !topic.is_empty());
                // The first address counts; users before it are a conversation of their own.
                return Ok(Some(if users.is_empty() {
                    Self::Topic { channel, topic }
                } else {
                    Self::Users(users)
                }));
            }
            let has_user =
                address.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
            if !has_user || address.contains(char::is_whitespace) {
                return Err(bad(address));
            }
            users.push(address.to_owned());
        }
        Ok((!users.is_empty()).then_some(Self::Users(users)))
    }
}

fn bad(address: &str) -> String {
    format!(
        "has the address `{}`; write `user@example.com`, `#channel` or `#channel>topic`",
        address.escape_debug()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_users_or_a_topic() {
        let topic = |channel: &str, topic: Option<&str>| {
            Some(Target::Topic { channel: channel.to_owned(), topic: topic.map(str::to_owned) })
        };
        let users = |users: &[&str]| Some(Target::Users(users.iter().map(|&user| user.to_owned()).collect()));
        for (addresses, want) in [
            (vec![], None),
            (vec!["a@x.example", "b@x.example"], users(&["a@x.example", "b@x.example"])),
            (vec!["#ops"], topic("ops", None)),
            (vec![" # ops team > db > 1 "], topic("ops team", Some("db > 1"))),
            (vec!["#ops>"], topic("ops", None)),
            (vec!["#ops", "a@x.example"], topic("ops", None)),
            (vec!["a@x.example", "#ops"], users(&["a@x.example"])),
        ] {
            assert_eq!(Target::of_contact(addresses.iter().copied()), Ok(want), "{addresses:?}");
        }
        for address in ["jdoe", "#", "#>x", "@x", "a b@x"] {
            let want = format!(
                "has the address `{address}`; write `user@example.com`, `#channel` or `#channel>topic`"
            );
            assert_eq!(Target::of_contact([address].into_iter()), Err(want));
        }
    }
}
