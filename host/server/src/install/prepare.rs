//! A plugin, a configuration and an approval become a channel, ready to be opened by the sandbox.

use std::time::Duration;

use sandbell_domain::grant::TlsMaterial;
use sandbell_domain::{
    Approval, Channel, Config, ConfigError, Digest, Grants, PluginInfo, Refusal, TenantId, approve,
};
use serde_json::Value as Json;

use super::{Installed, PluginName, Standing, State, StateError, TlsError, tls_material};

/// The option that a host adds to a plugin that has none, since a form needs one (`reference/icinga.md` §3.7).
pub(crate) const TIMEOUT_OPTION: &str = "sandbell_timeout";

/// The range of [`TIMEOUT_OPTION`], in seconds.
pub(crate) const TIMEOUT_SECONDS: std::ops::RangeInclusive<i64> = 1..=120;

/// The component that runs under a name, and what it may do.
pub(crate) struct Approved {
    pub(crate) info: PluginInfo,
    pub(crate) approval: Approval,
    /// The installed component, if it waits for an approval while this one runs.
    pub(crate) waiting: Option<Digest>,
    tls: TlsMaterial,
}

/// A configuration that fits the plugin, and the powers that follow from it.
pub(crate) struct Configured {
    pub(crate) config: Config,
    pub(crate) grants: Grants,
    /// Absent: what the host's limits say.
    pub(crate) attempt: Option<Duration>,
}

/// Everything that a sandbox needs to open a channel whose configuration is carried by its source.
pub(crate) struct Prepared {
    pub(crate) channel: Channel,
    pub(crate) info: PluginInfo,
    /// What the channel's grants were made of.
    pub(crate) approval: Approval,
    pub(crate) bytes: Vec<u8>,
    /// As in [`Approved`].
    pub(crate) waiting: Option<Digest>,
}

/// Why there is no channel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("plugin `{0}` is not approved; look at what it wants and run `sandbell plugin approve {0}`")]
    NotApproved(PluginName),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Approved {
    /// Reads what was approved under this name, with the certificate files that the approval names.
    pub(crate) fn read(state: &State, name: &PluginName) -> Result<Self, PrepareError> {
        let installed = state.get(name)?;
        let standing = installed.standing();
        let Installed { info: installed_info, approval, plugin, .. } = installed;
        let approval = approval.ok_or_else(|| PrepareError::NotApproved(name.clone()))?;
        let (info, waiting) = match standing {
            Standing::Upgrade { running } => (state.info(&running)?.info, Some(plugin.digest)),
            Standing::Approved | Standing::NotApproved => (installed_info.info, None),
        };
        let tls = tls_material(&approval)?;
        Ok(Self { info, approval, waiting, tls })
    }

    /// Types the configuration and asks the approval for grants.
    pub(crate) fn configure(&self, config: &Json) -> Result<Configured, ConfigError> {
        let Self { info, approval, waiting: _, tls } = self;
        let attempt = if info.config_attrs.is_empty() { timeout(config)? } else { None };
        let config = Config::from_json(&info.config_attrs, config)?;
        let grants = approve(&info.wants, &config, approval, tls).map_err(Refusal::into_config_error)?;
        Ok(Configured { config, grants, attempt })
    }
}

/// For a configuration that its source carries: types it, asks for grants and reads the bytes of what was approved.
pub(crate) fn prepare(state: &State, name: &PluginName, config: &Json) -> Result<Prepared, PrepareError> {
    let approved = Approved::read(state, name)?;
    let Configured { config, grants, attempt } = approved.configure(config)?;
    let Approved { info, approval, waiting, tls: _ } = approved;
    let mut channel = Channel::carried(TenantId::local(), name.as_str(), approval.digest, config, grants);
    channel.limits.attempt = attempt.unwrap_or(channel.limits.attempt);
    let bytes = state.bytes(&approval.digest)?;
    Ok(Prepared { channel, info, approval, bytes, waiting })
}

/// The host's own option of a plugin without options.
fn timeout(config: &Json) -> Result<Option<Duration>, ConfigError> {
    let seconds = match config.get(TIMEOUT_OPTION) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Json::String(text)) => text.trim().parse::<i64>().ok(),
        Some(json) => json.as_i64(),
    };
    let seconds = seconds.filter(|seconds| TIMEOUT_SECONDS.contains(seconds)).ok_or_else(|| {
        let (min, max) = (TIMEOUT_SECONDS.start(), TIMEOUT_SECONDS.end());
        ConfigError::option(TIMEOUT_OPTION, format!("must be a whole number between {min} and {max}"))
    })?;
    Ok(Some(Duration::from_secs(seconds.unsigned_abs())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hosts_own_option_is_read_as_leniently_as_a_plugins() {
        let check = |config: Json, want: Result<Option<u64>, ()>| {
            let got = timeout(&config).map(|wait| wait.map(|wait| wait.as_secs())).map_err(|_| ());
            assert_eq!(got, want, "{config}");
        };
        check(json!(null), Ok(None));
        check(json!({}), Ok(None));
        check(json!({ "sandbell_timeout": "" }), Ok(None));
        check(json!({ "sandbell_timeout": "45" }), Ok(Some(45)));
        check(json!({ "sandbell_timeout": 1 }), Ok(Some(1)));
        check(json!({ "sandbell_timeout": 0 }), Err(()));
        check(json!({ "sandbell_timeout": "121" }), Err(()));
        check(json!({ "sandbell_timeout": true }), Err(()));
    }
}
