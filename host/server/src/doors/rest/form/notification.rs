//! What happened and who is told, as it comes over the wire and as it stands in a file for `sandbell send`.

use sandbell_domain::{Address, Contact, Name};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::Array;

use super::bad::{self, BadField, Pointer};
use super::content::{
    Content, ENTRIES_MAX, EventForm, IncidentForm, LINE_CHARS_MAX, LONG_CHARS_MAX, LinkForm, ObjectForm,
    table_of_texts,
};
use super::text;
use super::unique::Table;

/// Contacts of one notification: each is told apart.
const CONTACTS_MAX: usize = 100;
/// Channels that one notification names.
const CHANNELS_MAX: usize = 100;
/// Notifications of one batch.
pub(crate) const BATCH_MAX: usize = 100;

/// A notification to be delivered.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Notification)]
pub(crate) struct NotificationForm {
    /// The names of the channels that deliver it. Absent: every channel that takes an address of the contact.
    #[serde(default)]
    #[schema(schema_with = channel_names_or_null)]
    pub(crate) channels: Option<Vec<Name>>,
    /// Who is told; each contact is told apart. Absent: whomever the channels are set to tell.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) contacts: Vec<ContactForm>,
    #[serde(default)]
    pub(crate) object: ObjectForm,
    /// The open case, if there is one.
    #[serde(default)]
    pub(crate) incident: Option<IncidentForm>,
    #[serde(default)]
    pub(crate) event: EventForm,
    /// Buttons that a reader may press.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) links: Vec<LinkForm>,
    /// What else the sender knows; a plugin may use it.
    #[serde(default)]
    #[schema(schema_with = table_of_texts)]
    pub(crate) extra: Table<String>,
}

/// Several notifications that are accepted together, or none of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Batch)]
#[expect(dead_code, reason = "it describes; what is read keeps each notification as it was written")]
pub(crate) struct BatchForm {
    #[schema(min_items = 1, max_items = 100)]
    notifications: Vec<NotificationForm>,
}

/// What a test or a preview of a channel shows; what is absent is made up.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Sample)]
pub(crate) struct SampleForm {
    #[serde(default)]
    pub(crate) contact: ContactForm,
    #[serde(default)]
    pub(crate) object: ObjectForm,
    #[serde(default)]
    pub(crate) incident: Option<IncidentForm>,
    #[serde(default)]
    pub(crate) event: EventForm,
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) links: Vec<LinkForm>,
    #[serde(default)]
    #[schema(schema_with = table_of_texts)]
    pub(crate) extra: Table<String>,
}

/// Who is told.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Contact)]
pub(crate) struct ContactForm {
    #[serde(default)]
    #[schema(max_length = 256, example = "Jane Doe")]
    full_name: String,
    #[serde(default)]
    #[schema(max_items = 100)]
    addresses: Vec<AddressForm>,
}

/// One way to reach a contact.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Address)]
pub(crate) struct AddressForm {
    /// A plugin's word, e.g. `email`.
    #[schema(max_length = 256, example = "email")]
    kind: String,
    #[schema(max_length = 2048, example = "jane@example.com")]
    address: String,
}

fn channel_names_or_null() -> Array {
    let mut names = text::names(CHANNELS_MAX);
    names.min_items = Some(1);
    names.schema_type = [utoipa::openapi::Type::Array, utoipa::openapi::Type::Null].into_iter().collect();
    names
}

/// The channels that are named, the contacts, and the rest.
pub(crate) type Checked = (Option<Vec<Name>>, Vec<Contact>, Content);

impl NotificationForm {
    /// The channels, the contacts and the rest, each checked.
    pub(crate) fn checked(self, at: &Pointer) -> Result<Checked, BadField> {
        let Self { channels, contacts, object, incident, event, links, extra } = self;
        if let Some(channels) = &channels {
            bad::items(&at.then("channels"), channels.len(), CHANNELS_MAX)?;
            if channels.is_empty() {
                let message = "names no channel; name at least one, or leave it out";
                return Err(BadField::new(at.then("channels"), message));
            }
        }
        bad::items(&at.then("contacts"), contacts.len(), CONTACTS_MAX)?;
        let contacts = contacts.into_iter().enumerate();
        let contacts = contacts.map(|(index, contact)| contact.checked(&at.then("contacts").then(index)));
        let contacts = contacts.collect::<Result<_, _>>()?;
        let content = Content { object, incident, event, links, extra };
        content.check(at)?;
        Ok((channels, contacts, content))
    }
}

impl ContactForm {
    pub(crate) fn checked(self, at: &Pointer) -> Result<Contact, BadField> {
        let Self { full_name, addresses } = self;
        bad::text(&at.then("full_name"), &full_name, LINE_CHARS_MAX)?;
        let at = at.then("addresses");
        bad::items(&at, addresses.len(), ENTRIES_MAX)?;
        for (index, AddressForm { kind, address }) in addresses.iter().enumerate() {
            let at = at.then(index);
            bad::text(&at.then("kind"), kind, LINE_CHARS_MAX)?;
            bad::text(&at.then("address"), address, LONG_CHARS_MAX)?;
        }
        let addresses = addresses.into_iter().map(|AddressForm { kind, address }| Address { kind, address });
        Ok(Contact { full_name, addresses: addresses.collect() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn refused(form: Json) -> String {
        let form: NotificationForm = match serde_json::from_value(form) {
            Ok(form) => form,
            Err(error) => return error.to_string(),
        };
        form.checked(&Pointer::default()).unwrap_err().to_string()
    }

    #[test]
    fn who_is_told_is_checked() {
        let check = |form: Json, want: &str| assert_eq!(refused(form), want);
        let long = "x".repeat(65_537);
        let address = json!({ "kind": "a", "address": &long });
        let many = |item: Json| Json::from(vec![item; 101]);
        check(json!({ "contacts": many(json!({})) }), "contacts: has 101 entries; at most 100 are allowed");
        check(
            json!({ "contacts": [{}, { "full_name": long }] }),
            "contacts.1.full_name: has 65537 characters; at most 256 are allowed",
        );
        check(
            json!({ "contacts": [{ "addresses": [address] }] }),
            "contacts.0.addresses.0.address: has 65537 characters; at most 2048 are allowed",
        );
        check(json!({ "channels": many(json!("a")) }), "channels: has 101 entries; at most 100 are allowed");
        check(json!({ "channels": [] }), "channels: names no channel; name at least one, or leave it out");
        check(
            json!({ "channels": ["A b"] }),
            "`A b` is no name; write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first",
        );
    }

    #[test]
    fn what_is_absent_is_nobody() {
        let form: NotificationForm = serde_json::from_str("{}").unwrap();
        let (channels, contacts, _) = form.checked(&Pointer::default()).unwrap();
        assert_eq!((channels, contacts), (None, vec![]));
    }
}
