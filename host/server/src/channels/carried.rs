//! Channels whose configuration is carried by their source, as Icinga's daemon does.
//!
//! Such a channel is its configuration: the same one is the same channel, however often and by however many processes it
//! is carried; another one is another channel. Ids follow from what is no secret. Where only secrets differ, ids are
//! numbered and secrets are compared once they are unsealed, so that nothing is kept that a secret could be guessed by.

use std::fmt::Write as _;

use sandbell_domain::{Channel, ChannelId, ChannelPolicy, Config, ConfigError, Name, SettingValue, TenantId};
use sandbell_sandbox::ConfigRefusal;
use sandbell_store::seal::SealError;
use sandbell_store::{
    Actor, Catalog as _, ChannelDraft, ChannelRecord, Enabled, Expect, Saved, SealedSecret, StoreError,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value as Json};

use crate::install::{PluginName, StateError, TIMEOUT_OPTION};
use crate::node::Node;
use crate::runner::OpenError;
use crate::vault::VaultError;

/// Begins the name of each of them.
const PREFIX: &str = "icinga-";

/// How much of a plugin's name goes into a channel's, in bytes.
const PLUGIN_BYTES_MAX: usize = 40;

/// How often somebody else may take the place that was free.
const RACES_MAX: u32 = 8;

/// Why a carried configuration is not taken, in words for whoever wrote it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CarryError {
    #[error("the serving host has no plugin `{0}`; install and approve it there")]
    NoPlugin(PluginName),
    #[error(transparent)]
    State(StateError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Refused(#[from] ConfigRefusal),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("a tenant has at most {} channels; delete one", sandbell_store::catalog::CHANNELS_MAX)]
    TooMany,
    #[error("others change the same channels all the time; save the channel again")]
    Race,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A configuration, typed after the plugin's options and parted as it is kept.
struct Carried {
    config: Config,
    settings: Map<String, Json>,
    secrets: Vec<(String, SecretString)>,
}

/// Where a carried channel is, or belongs.
enum Place<'a> {
    Taken(&'a ChannelRecord),
    Free(ChannelId),
}

/// Finds the channel of this configuration or makes it, once its plugin took the configuration.
pub(crate) async fn carry(
    node: &Node,
    tenant: TenantId,
    plugin: &PluginName,
    json: &Json,
    by: &Actor,
) -> Result<ChannelId, CarryError> {
    let info = node.runner.info(plugin).await.map_err(of_state)?;
    let carried = Carried::new(Config::from_json(&info.config_attrs, json)?, json);
    for _ in 0..RACES_MAX {
        let channels = node.roster.channels(tenant).await?;
        let of_id = |id| channels.of_id(id).map(|record| &**record);
        match carried.place(node, tenant, plugin, of_id)? {
            Place::Taken(record) => {
                let open = node.runner.open_saved(record).await?;
                node.runner.check(&open).await?;
                return Ok(record.id);
            }
            Place::Free(id) => match carried.save(node, tenant, plugin, id, by.clone()).await? {
                Saved::Done(record) => return Ok(record.id),
                Saved::TooMany => return Err(CarryError::TooMany),
                // Another process carried it, or one like it, at the same moment.
                Saved::Other(_) => {}
            },
        }
    }
    Err(CarryError::Race)
}

/// The plugin may well be installed where the link was made.
fn of_state(error: StateError) -> CarryError {
    if let StateError::NotInstalled(name) = error {
        CarryError::NoPlugin(name)
    } else {
        CarryError::State(error)
    }
}

/// Whether a source carries this channel's configuration, so that it may also send to it.
pub(crate) fn is_carried(record: &ChannelRecord) -> bool {
    record.name.as_str().starts_with(PREFIX)
}

impl Carried {
    fn new(config: Config, json: &Json) -> Self {
        let (mut settings, mut secrets) = (Map::new(), Vec::new());
        for setting in config.settings() {
            let name = setting.name.clone();
            let value = match &setting.value {
                SettingValue::Boolean(value) => Json::from(*value),
                SettingValue::Integer(value) => Json::from(*value),
                SettingValue::Text(value) => Json::from(value.as_str()),
                SettingValue::Many(values) => Json::from(values.clone()),
                SettingValue::Secret(secret) => {
                    secrets.push((name, secret.clone()));
                    continue;
                }
            };
            settings.insert(name, value);
        }
        // The host's own option is no plugin's.
        if let Some(timeout) = json.get(TIMEOUT_OPTION).filter(|_| config.settings().is_empty()) {
            settings.insert(TIMEOUT_OPTION.to_owned(), timeout.clone());
        }
        Self { config, settings, secrets }
    }

    fn place<'a>(
        &self,
        node: &Node,
        tenant: TenantId,
        plugin: &PluginName,
        of_id: impl Fn(ChannelId) -> Option<&'a ChannelRecord>,
    ) -> Result<Place<'a>, VaultError> {
        let mut nth = 0;
        loop {
            let id = Channel::carried_id(tenant, plugin.as_str(), &self.config, nth);
            let Some(record) = of_id(id) else { return Ok(Place::Free(id)) };
            // Somebody may have changed it by hand since; then it is another one.
            let is_like_it = record.plugin == plugin.as_str() && record.settings == self.settings;
            if is_like_it && node.vault.unsealed(record)? == self.whole() {
                return Ok(Place::Taken(record));
            }
            nth += 1;
        }
    }

    /// With the secrets in their places.
    fn whole(&self) -> Json {
        let mut whole = self.settings.clone();
        for (option, secret) in &self.secrets {
            whole.insert(option.clone(), Json::from(secret.expose_secret()));
        }
        Json::Object(whole)
    }

    async fn save(
        &self,
        node: &Node,
        tenant: TenantId,
        plugin: &PluginName,
        id: ChannelId,
        by: Actor,
    ) -> Result<Saved, CarryError> {
        let policy = ChannelPolicy::default();
        let open = node.runner.open(tenant, id, plugin, &self.whole(), &policy).await?;
        node.runner.check(&open).await?;
        let now = node.clock.now();
        let mut secrets = Vec::with_capacity(self.secrets.len());
        for (option, secret) in &self.secrets {
            let sealed = node.vault.seal(tenant, id, option, secret)?;
            secrets.push(SealedSecret { option: option.clone(), sealed, set_at: now });
        }
        let draft = ChannelDraft {
            id,
            tenant,
            name: name(plugin, id),
            plugin: plugin.to_string(),
            settings: self.settings.clone(),
            secrets,
            policy,
            enabled: Enabled::Yes,
        };
        let saved = node.store.save_channel(draft, Expect::Nothing, by, now).await;
        // Also after an error: a write whose answer was lost may have been done.
        node.roster.forget(tenant);
        Ok(saved?)
    }
}

/// E.g. `icinga-slack-0123456789ab`.
fn name(plugin: &PluginName, id: ChannelId) -> Name {
    let plugin = plugin.as_str();
    let mut name = format!("{PREFIX}{}-", &plugin[..plugin.len().min(PLUGIN_BYTES_MAX)]);
    for byte in &id.as_bytes()[..6] {
        let _ = write!(name, "{byte:02x}");
    }
    name.parse().expect("a plugin's name and hexadecimal digits are a name")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_carried_channel_has_a_name_that_people_can_type() {
        let id = ChannelId::of(&[b"x"]);
        let name = |plugin: &str| name(&plugin.parse().unwrap(), id).to_string();
        assert_snapshot!(name("slack").replace(&name("slack")[13..], "ID"), @"icinga-slack-ID");
        assert_eq!(name("slack").len(), 25);
        assert!(name(&"p".repeat(63)).len() <= sandbell_domain::tenant::NAME_BYTES_MAX);
    }
}
