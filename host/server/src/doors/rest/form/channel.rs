//! A channel, as it is written and as it is read. A secret goes in and never comes out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sandbell_domain::{ChannelId, Name};
use sandbell_store::{ChannelRecord, Enabled, SealedSecret};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Object, Schema};

use super::bad::{self, BadField, Pointer};
use super::notification::SampleForm;
use super::policy::PolicyForm;
use super::standing::ChannelStanding;
use super::text;
use super::unique::{Table, Unique};

/// Options of one plugin.
const OPTIONS_MAX: usize = 200;
const OPTION_CHARS_MAX: usize = 64;
const SECRET_CHARS_MAX: usize = 65_536;
const REASON_CHARS_MAX: usize = 256;

/// What a channel is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelInput {
    #[schema(schema_with = text::name)]
    pub(crate) name: Name,
    /// What the plugin is called on this host.
    #[schema(schema_with = text::name)]
    pub(crate) plugin: Name,
    /// The plugin's options, without its secrets; `GET /plugins/{name}` lists them.
    #[serde(default)]
    #[schema(schema_with = settings)]
    pub(crate) settings: Table<Unique>,
    /// Secrets by option. One that is absent stays as it is, `null` removes it.
    #[serde(default)]
    #[schema(schema_with = secrets)]
    pub(crate) secrets: Table<SecretInput>,
    /// What is absent in it has its default.
    #[serde(default)]
    pub(crate) policy: PolicyForm,
    /// Absent: a new channel is enabled, another one stays as it is.
    #[serde(default)]
    pub(crate) enabled: Option<bool>,
}

/// A secret that was handed in. It has no `Debug` that shows it.
#[derive(Debug)]
pub(crate) enum SecretInput {
    Set(SecretString),
    Remove,
}

impl<'de> Deserialize<'de> for SecretInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.map_or(Self::Remove, |text| Self::Set(SecretString::from(text))))
    }
}

/// A secret that is to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Secret)]
pub(crate) struct SecretForm {
    #[serde(deserialize_with = "secret_from_text")]
    #[schema(value_type = String, max_length = 65536, write_only)]
    value: SecretString,
}

fn secret_from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// Why a channel is disabled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Disable)]
pub(crate) struct DisableForm {
    /// For people. Absent: nobody said why.
    #[serde(default)]
    #[schema(max_length = 256)]
    reason: Option<String>,
}

/// A channel that is tried before it is saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Draft)]
pub(crate) struct DraftForm {
    /// Secrets that are absent are those of the saved channel of this name, if there is one.
    pub(crate) channel: ChannelInput,
    #[serde(default)]
    pub(crate) notification: SampleForm,
}

/// A channel as it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel)]
pub(crate) struct ChannelForm {
    #[schema(schema_with = text::channel_id)]
    id: ChannelId,
    #[schema(schema_with = text::name)]
    name: Name,
    #[schema(schema_with = text::name)]
    plugin: String,
    #[schema(value_type = Object)]
    settings: Map<String, Json>,
    /// When each secret was set. What it is, nobody is told.
    secrets: BTreeMap<String, SecretSeen>,
    policy: PolicyForm,
    enabled: bool,
    disabled_reason: Option<String>,
    /// 1 when it was made; each save adds one.
    revision: u32,
    #[schema(schema_with = text::time)]
    created_at: Timestamp,
    #[schema(schema_with = text::time)]
    updated_at: Timestamp,
    updated_by: String,
    /// How its deliveries stand; only where one channel is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    state: Option<ChannelStanding>,
}

/// That a secret is set, and since when.
#[derive(Debug, Serialize, ToSchema)]
struct SecretSeen {
    #[schema(schema_with = text::time)]
    set_at: Timestamp,
}

fn settings() -> Object {
    text::table(Schema::from(Object::with_type(SchemaType::AnyValue)), OPTIONS_MAX, OPTION_CHARS_MAX)
}

fn secrets() -> Object {
    let secret = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .max_length(Some(SECRET_CHARS_MAX))
        .write_only(true);
    text::table(secret.build(), OPTIONS_MAX, OPTION_CHARS_MAX)
}

impl ChannelInput {
    pub(crate) fn check(&self, at: &Pointer) -> Result<(), BadField> {
        let Self { name: _, plugin: _, settings, secrets, policy, enabled: _ } = self;
        let in_settings = at.then("settings");
        bad::items(&in_settings, settings.0.len(), OPTIONS_MAX)?;
        for (option, _) in &settings.0 {
            bad::text(&in_settings, option, OPTION_CHARS_MAX)?;
        }
        let in_secrets = at.then("secrets");
        bad::items(&in_secrets, secrets.0.len(), OPTIONS_MAX)?;
        for (option, secret) in &secrets.0 {
            bad::text(&in_secrets, option, OPTION_CHARS_MAX)?;
            if let SecretInput::Set(secret) = secret {
                bad::text(&in_secrets.then(option), secret.expose_secret(), SECRET_CHARS_MAX)?;
            }
        }
        policy.check(&at.then("policy"))
    }
}

impl SecretForm {
    pub(crate) fn checked(self) -> Result<SecretString, BadField> {
        bad::text(&Pointer::of("value"), self.value.expose_secret(), SECRET_CHARS_MAX)?;
        Ok(self.value)
    }
}

impl DisableForm {
    /// The reason as it is kept.
    pub(crate) fn checked(self) -> Result<String, BadField> {
        let reason = self.reason.unwrap_or_else(|| "disabled by hand".to_owned());
        bad::text(&Pointer::of("reason"), &reason, REASON_CHARS_MAX)?;
        Ok(reason)
    }
}

impl ChannelForm {
    pub(crate) fn new(record: &ChannelRecord, state: Option<ChannelStanding>) -> Self {
        let ChannelRecord {
            id,
            tenant: _,
            name,
            plugin,
            settings,
            secrets,
            policy,
            enabled,
            revision,
            created_at,
            updated_at,
            updated_by,
        } = record.clone();
        let secrets = secrets
            .into_iter()
            .map(|SealedSecret { option, sealed: _, set_at }| (option, SecretSeen { set_at }))
            .collect();
        let (enabled, disabled_reason) = match enabled {
            Enabled::Yes => (true, None),
            Enabled::No { reason } => (false, Some(reason)),
        };
        let (policy, updated_by) = ((&policy).into(), updated_by.0);
        Self {
            id,
            name,
            plugin,
            settings,
            secrets,
            policy,
            enabled,
            disabled_reason,
            revision,
            created_at,
            updated_at,
            updated_by,
            state,
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_domain::ChannelPolicy;
    use serde_json::json;

    use super::*;

    fn refused(json: Json) -> String {
        match serde_json::from_value::<ChannelInput>(json) {
            Err(error) => error.to_string(),
            Ok(input) => input.check(&Pointer::default()).unwrap_err().to_string(),
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let with = |field: &str, value: Json| {
            let mut json = json!({ "name": "ops", "plugin": "slack" });
            json[field] = value;
            refused(json)
        };
        assert_snapshot!(refused(json!({ "plugin": "slack" })), @"missing field `name`");
        assert_snapshot!(with("name", json!("Ops")), @"`Ops` is no name; write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first");
        assert_snapshot!(with("label", json!("x")), @"unknown field `label`, expected one of `name`, `plugin`, `settings`, `secrets`, `policy`, `enabled`");
        assert_snapshot!(with("settings", json!([])), @"invalid type: sequence, expected an object");
        assert_snapshot!(with("settings", json!({ "x".repeat(65): 1 })), @"settings: has 65 characters; at most 64 are allowed");
        assert_snapshot!(with("secrets", json!({ "token": 7 })), @"invalid type: integer `7`, expected a string");
        assert_snapshot!(with("policy", json!({ "attempts_at_once_max": 0 })), @"invalid value: integer `0`, expected a nonzero u32");
        assert_snapshot!(with("policy", json!({ "attempts_at_once_max": 1001 })), @"policy.attempts_at_once_max: is 1001; at most 1000 is allowed");
        assert_snapshot!(with("policy", json!({ "retry": { "wait_max": "1w" } })), @"`1w` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`");
    }

    #[test]
    fn a_secret_goes_in_and_does_not_come_out() {
        let json =
            json!({ "name": "ops", "plugin": "slack", "secrets": { "token": "hunter2", "old": null } });
        let input: ChannelInput = serde_json::from_value(json).unwrap();
        assert!(!format!("{input:?}").contains("hunter2"));
        // `json!` sorts its keys.
        let SecretInput::Set(secret) = &input.secrets.0[1].1 else { panic!("it was set") };
        assert_eq!(secret.expose_secret(), "hunter2");
        assert!(matches!(input.secrets.0[0].1, SecretInput::Remove));
        let record = ChannelRecord {
            id: ChannelId::of(&[b"c"]),
            tenant: sandbell_domain::TenantId::local(),
            name: "ops".parse().unwrap(),
            plugin: "slack".to_owned(),
            settings: Map::new(),
            secrets: vec![SealedSecret {
                option: "token".to_owned(),
                sealed: "v1:sealed".to_owned(),
                set_at: Timestamp::UNIX_EPOCH,
            }],
            policy: ChannelPolicy::default(),
            enabled: Enabled::No { reason: "3 failures in a row".to_owned() },
            revision: 2,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            updated_by: sandbell_store::Actor("uid 0".to_owned()),
        };
        assert_snapshot!(serde_json::to_string(&ChannelForm::new(&record, None)).unwrap(), @r#"{"id":"chn_c5f11d0b496e54e889cf77a9e0111a9f","name":"ops","plugin":"slack","settings":{},"secrets":{"token":{"set_at":"1970-01-01T00:00:00Z"}},"policy":{"retry":{"wait_first":"5s","wait_max":"1h","age_max":"1d","attempts_max":20},"attempts_at_once_max":16,"is_ordered":false,"per_minute_max":null,"disable_after":null},"enabled":false,"disabled_reason":"3 failures in a row","revision":2,"created_at":"1970-01-01T00:00:00Z","updated_at":"1970-01-01T00:00:00Z","updated_by":"uid 0"}"#);
    }
}
