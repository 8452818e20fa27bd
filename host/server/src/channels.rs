//! Channels: made, checked with their plugin, tried and saved, whichever way they come in.
//!
//! Invariant: what is saved was taken by the plugin's own `set-config`, with the grants that its approval gives.
//! Invariant: a secret is sealed before anything of it leaves this file, and one that is kept stays as it was sealed.
//! Invariant: a kept secret goes nowhere that it did not go before; who may change a channel must not learn what it was told.

mod carried; // channels whose configuration comes with their source

use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::Timestamp;
use sandbell_domain::{
    Attempt, ChannelId, ChannelPolicy, ConfigError, Delivery, Lease, Mode, Name, Notification, OptionKind,
    PluginInfo, TenantId,
};
use sandbell_sandbox::{ConfigRefusal, OpenChannel};
use sandbell_store::seal::SealError;
use sandbell_store::{
    Actor, Catalog as _, ChannelDraft, ChannelRecord, Enabled, Expect, Saved, SealedSecret, StoreError,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value as Json};

use crate::dice;
use crate::install::{PluginName, PrepareError, StateError, TIMEOUT_OPTION};
use crate::node::Node;
use crate::runner::OpenError;
use crate::vault::VaultError;

pub(crate) use carried::{CarryError, carry, is_carried};

/// What a channel is to be.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) name: Name,
    pub(crate) plugin: PluginName,
    pub(crate) settings: Map<String, Json>,
    /// Those that change; the others stay, unless the plugin changes.
    pub(crate) secrets: Vec<(String, SecretEdit)>,
    pub(crate) policy: ChannelPolicy,
    /// Absent: as it is; a new channel is enabled.
    pub(crate) enabled: Option<bool>,
}

#[derive(Debug)]
pub(crate) enum SecretEdit {
    Set(SecretString),
    Remove,
}

/// Why a channel is not saved, or not tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error("no plugin `{0}` is installed")]
    NoPlugin(PluginName),
    #[error("plugin `{0}` is not approved")]
    NotApproved(PluginName),
    /// `is_secret`: it stands, or should stand, among the secrets.
    #[error("option `{option}`: {message}")]
    Option { option: String, is_secret: bool, message: String },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Open(OpenError),
    /// The revision that it has now, if it is there.
    #[error("the channel is not the one that was meant")]
    Changed(Option<u32>),
    #[error("a tenant has at most {} channels; delete one", sandbell_store::catalog::CHANNELS_MAX)]
    TooMany,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    State(StateError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A channel that its plugin took.
struct Checked {
    id: ChannelId,
    secrets: Vec<SealedSecret>,
    open: OpenChannel,
}

/// Checks a channel and saves it as a new revision.
pub(crate) async fn save(
    node: &Node,
    tenant: TenantId,
    edit: Edit,
    expect: Expect,
    by: Actor,
) -> Result<ChannelRecord, ChannelError> {
    let before = node.store.channel(tenant, edit.name.clone()).await?;
    let current = before.as_ref().map(|before| before.revision);
    let is_expected = match expect {
        Expect::Nothing => current.is_none(),
        Expect::Revision(revision) => current == Some(revision),
    };
    if !is_expected {
        return Err(ChannelError::Changed(current));
    }
    let now = node.clock.now();
    let Checked { id, secrets, open: _ } = check(node, tenant, &edit, before.as_ref(), now).await?;
    let enabled = enabled(edit.enabled, before.map(|before| before.enabled));
    let Edit { name, plugin, settings, secrets: _, policy, enabled: _ } = edit;
    let plugin = plugin.to_string();
    let draft = ChannelDraft { id, tenant, name, plugin, settings, secrets, policy, enabled };
    let saved = node.store.save_channel(draft, expect, by, now).await;
    // Also after an error: a write whose answer was lost may have been done.
    node.roster.forget(tenant);
    match saved? {
        Saved::Done(record) => {
            node.circuits.forget(record.id);
            Ok(*record)
        }
        Saved::Other(revision) => Err(ChannelError::Changed(revision)),
        Saved::TooMany => Err(ChannelError::TooMany),
    }
}

/// Tries a channel that is not saved, or not like this.
pub(crate) async fn try_draft(
    node: &Node,
    tenant: TenantId,
    edit: &Edit,
    notification: Notification,
    mode: Mode,
) -> Result<Attempt, ChannelError> {
    let before = node.store.channel(tenant, edit.name.clone()).await?;
    let checked = check(node, tenant, edit, before.as_ref(), node.clock.now()).await?;
    let lease = lease(checked.id, notification);
    Ok(node.runner.run_open(&checked.open, &lease, mode).await)
}

/// Tries a channel as it is saved. One that cannot be opened is a failed attempt.
pub(crate) async fn try_saved(
    node: &Node,
    record: &ChannelRecord,
    notification: Notification,
    mode: Mode,
) -> Attempt {
    node.runner.run(record, &lease(record.id, notification), mode).await
}

/// The channel as it is, to be saved with a change.
pub(crate) fn edit_of(record: &ChannelRecord) -> Result<Edit, ChannelError> {
    let plugin = record.plugin.parse().map_err(|error| ChannelError::Open(OpenError::Name(error)))?;
    Ok(Edit {
        name: record.name.clone(),
        plugin,
        settings: record.settings.clone(),
        secrets: Vec::new(),
        policy: record.policy.clone(),
        enabled: None,
    })
}

fn lease(channel: ChannelId, notification: Notification) -> Lease {
    Lease { delivery: Delivery::new(channel, Arc::new(notification)), attempt_number: NonZeroU32::MIN }
}

/// Seals the secrets, opens the channel and lets its plugin look at the configuration.
async fn check(
    node: &Node,
    tenant: TenantId,
    edit: &Edit,
    before: Option<&ChannelRecord>,
    now: Timestamp,
) -> Result<Checked, ChannelError> {
    let info = node.runner.info(&edit.plugin).await.map_err(of_state)?;
    check_options(&info, edit)?;
    let id = before.map_or_else(|| ChannelId::of(&[&dice::bytes::<16>()]), |before| before.id);
    // Another plugin gets nothing that was told to this one.
    let kept = before.filter(|before| before.plugin == edit.plugin.as_str());
    let mut config = edit.settings.clone();
    if let Some(before) = kept {
        let Json::Object(mut old) = node.vault.unsealed(before)? else {
            unreachable!("settings are an object")
        };
        for SealedSecret { option, .. } in &before.secrets {
            config.extend(old.remove(option).map(|secret| (option.clone(), secret)));
        }
    }
    let mut secrets = kept.map(|before| before.secrets.clone()).unwrap_or_default();
    for (option, secret) in &edit.secrets {
        secrets.retain(|kept| kept.option != *option);
        config.remove(option);
        if let SecretEdit::Set(secret) = secret {
            let sealed = node.vault.seal(tenant, id, option, secret)?;
            secrets.push(SealedSecret { option: option.clone(), sealed, set_at: now });
            config.insert(option.clone(), Json::from(secret.expose_secret()));
        }
    }
    let config = Json::Object(config);
    let open = node.runner.open(tenant, id, &edit.plugin, &config, &edit.policy).await;
    let open = open.map_err(|error| of_open(error, &info))?;
    check_destinations(node, edit, kept, &open).await?;
    node.runner.check(&open).await.map_err(|refusal| match refusal {
        ConfigRefusal::Refused(error) => of_config(error, &info),
        ConfigRefusal::Failed(failure) => ChannelError::Refused(failure.to_string()),
    })?;
    Ok(Checked { id, secrets, open })
}

/// Secrets that are not told anew are for the places that the channel was set to when they were told.
async fn check_destinations(
    node: &Node,
    edit: &Edit,
    kept: Option<&ChannelRecord>,
    open: &OpenChannel,
) -> Result<(), ChannelError> {
    let Some(before) = kept else { return Ok(()) };
    let is_told = |option: &str| edit.secrets.iter().any(|(told, _)| told == option);
    let Some(secret) = before.secrets.iter().find(|secret| !is_told(&secret.option)) else { return Ok(()) };
    let config = node.vault.unsealed(before)?;
    let earlier = node.runner.open(before.tenant, before.id, &edit.plugin, &config, &before.policy).await;
    // One that cannot be opened any more went nowhere.
    let goes_on = earlier.is_ok_and(|earlier| !open.channel().grants.reach_beyond(&earlier.channel().grants));
    if goes_on {
        return Ok(());
    }
    let message = "must be told again, because the channel would reach a place that it did not reach before";
    Err(ChannelError::Option { option: secret.option.clone(), is_secret: true, message: message.to_owned() })
}

/// Every option is the plugin's, and a secret stands among the secrets.
fn check_options(info: &PluginInfo, edit: &Edit) -> Result<(), ChannelError> {
    let bad = |option: &str, is_secret, message: String| {
        Err(ChannelError::Option { option: option.to_owned(), is_secret, message })
    };
    let kind = |name: &str| info.option(name).map(|option| option.kind);
    for name in edit.settings.keys() {
        match kind(name) {
            None if info.config_attrs.is_empty() && name == TIMEOUT_OPTION => {}
            None => return bad(name, false, unknown(info, |kind| kind != OptionKind::Secret)),
            Some(OptionKind::Secret) => {
                return bad(name, false, "is a secret; write it under `secrets`".to_owned());
            }
            Some(_) => {}
        }
    }
    for (name, _) in &edit.secrets {
        match kind(name) {
            None => return bad(name, true, unknown(info, |kind| kind == OptionKind::Secret)),
            Some(OptionKind::Secret) => {}
            Some(_) => return bad(name, true, "is no secret; write it under `settings`".to_owned()),
        }
    }
    Ok(())
}

fn unknown(info: &PluginInfo, is_meant: impl Fn(OptionKind) -> bool) -> String {
    let names = info.config_attrs.iter().filter(|option| is_meant(option.kind));
    let names: Vec<_> = names.map(|option| format!("`{}`", option.name)).collect();
    match names.as_slice() {
        [] => "the plugin has no option of this name, and none of this sort".to_owned(),
        names => format!("the plugin has no option of this name; it has {}", names.join(", ")),
    }
}

fn of_state(error: StateError) -> ChannelError {
    if let StateError::NotInstalled(name) = error {
        ChannelError::NoPlugin(name)
    } else {
        ChannelError::State(error)
    }
}

fn of_open(error: OpenError, info: &PluginInfo) -> ChannelError {
    let OpenError::Prepare(error) = error else { return ChannelError::Open(error) };
    match error {
        PrepareError::NotApproved(name) => ChannelError::NotApproved(name),
        PrepareError::State(error) => of_state(error),
        PrepareError::Config(error) => of_config(error, info),
        PrepareError::Tls(_) => ChannelError::Open(OpenError::Prepare(error)),
    }
}

fn of_config(error: ConfigError, info: &PluginInfo) -> ChannelError {
    let ConfigError { name, message } = error;
    match name {
        None => ChannelError::Refused(message),
        Some(option) => {
            let is_secret = info.option(&option).is_some_and(|option| option.kind == OptionKind::Secret);
            ChannelError::Option { option, is_secret, message }
        }
    }
}

/// A reason that was given before stays.
fn enabled(wanted: Option<bool>, before: Option<Enabled>) -> Enabled {
    match (wanted, before) {
        (Some(true), _) | (None, None | Some(Enabled::Yes)) => Enabled::Yes,
        (None | Some(false), Some(Enabled::No { reason })) => Enabled::No { reason },
        (Some(false), None | Some(Enabled::Yes)) => Enabled::No { reason: "disabled by hand".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_domain::ConfigOption;
    use serde_json::json;

    use super::*;

    fn info(options: &[(&str, OptionKind)]) -> PluginInfo {
        let option = |(name, kind): &(&str, OptionKind)| ConfigOption {
            name: (*name).to_owned(),
            kind: *kind,
            label: Vec::new(),
            help: Vec::new(),
            default: None,
            required: false,
            choices: Vec::new(),
            min: None,
            max: None,
            hints: Vec::new(),
        };
        PluginInfo {
            name: "Test".to_owned(),
            version: String::new(),
            author: String::new(),
            config_attrs: options.iter().map(option).collect(),
            address_types: Vec::new(),
            wants: Vec::new(),
            extra: Vec::new(),
        }
    }

    fn checked(info: &PluginInfo, settings: Json, secret: Option<&str>) -> String {
        let Json::Object(settings) = settings else { panic!("settings are an object") };
        let edit = Edit {
            name: "ops".parse().unwrap(),
            plugin: "test".parse().unwrap(),
            settings,
            secrets: secret.map(|option| (option.to_owned(), SecretEdit::Remove)).into_iter().collect(),
            policy: ChannelPolicy::default(),
            enabled: None,
        };
        check_options(info, &edit).map_or_else(|error| error.to_string(), |()| "taken".to_owned())
    }

    #[test]
    fn every_option_is_the_plugins_and_stands_where_it_belongs() {
        let plugin =
            info(&[("url", OptionKind::String), ("port", OptionKind::Number), ("token", OptionKind::Secret)]);
        assert_snapshot!(checked(&plugin, json!({ "url": "", "port": 1 }), Some("token")), @"taken");
        assert_snapshot!(checked(&plugin, json!({ "ulr": "" }), None), @"option `ulr`: the plugin has no option of this name; it has `url`, `port`");
        assert_snapshot!(checked(&plugin, json!({ "token": "" }), None), @"option `token`: is a secret; write it under `secrets`");
        assert_snapshot!(checked(&plugin, json!({}), Some("url")), @"option `url`: is no secret; write it under `settings`");
        assert_snapshot!(checked(&plugin, json!({}), Some("pass")), @"option `pass`: the plugin has no option of this name; it has `token`");
        assert_snapshot!(checked(&info(&[]), json!({ TIMEOUT_OPTION: 3 }), None), @"taken");
        assert_snapshot!(checked(&info(&[]), json!({ "x": 3 }), None), @"option `x`: the plugin has no option of this name, and none of this sort");
    }

    #[test]
    fn a_channel_stays_as_it_is_unless_somebody_says_otherwise() {
        let no = |reason: &str| Enabled::No { reason: reason.to_owned() };
        let check = |wanted, before, want| assert_eq!(enabled(wanted, before), want);
        check(None, None, Enabled::Yes);
        check(Some(false), None, no("disabled by hand"));
        check(None, Some(Enabled::Yes), Enabled::Yes);
        check(None, Some(no("3 failures")), no("3 failures"));
        check(Some(false), Some(no("3 failures")), no("3 failures"));
        check(Some(false), Some(Enabled::Yes), no("disabled by hand"));
        check(Some(true), Some(no("3 failures")), Enabled::Yes);
    }
}
