//! What is installed, and what an operator allowed it.

use std::path::PathBuf;

use jiff::Timestamp;
use sandbell_domain::{Approval, Digest, NetworkRule, PluginInfo, Want};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa::openapi::{Array, ArrayBuilder};

use super::bad::{self, BadField, Pointer};
use super::text;
use crate::install::{Installed, PluginV1, Standing};

const ENTRIES_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 2_048;

/// A name, and the component that was installed last under it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plugin)]
pub(crate) struct PluginForm {
    #[schema(schema_with = text::name)]
    name: String,
    #[schema(schema_with = text::digest)]
    digest: Digest,
    size_bytes: u64,
    #[schema(schema_with = text::time)]
    installed_at: Timestamp,
    /// Where it came from, for people.
    source: String,
    standing: StandingForm,
    /// The component that runs under this name; `null` if none is approved.
    #[schema(value_type = Option<String>)]
    running: Option<Digest>,
    world: String,
    imports: Vec<String>,
    exports: Vec<String>,
    /// What it says of itself; `config_attrs` are the options of its channels.
    #[schema(value_type = Object)]
    info: PluginInfo,
}

/// Whether what is installed may run. `upgrade`: another component was approved under this name and runs until this one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Standing)]
enum StandingForm {
    Approved,
    NotApproved,
    Upgrade,
}

impl From<&Installed> for PluginForm {
    fn from(installed: &Installed) -> Self {
        let Installed { name, plugin, info, approval: _ } = installed;
        let PluginV1 { version: _, digest, size_bytes, installed_at, source } = plugin;
        let (standing, running) = match installed.standing() {
            Standing::Approved => (StandingForm::Approved, Some(*digest)),
            Standing::NotApproved => (StandingForm::NotApproved, None),
            Standing::Upgrade { running } => (StandingForm::Upgrade, Some(running)),
        };
        Self {
            name: name.to_string(),
            digest: *digest,
            size_bytes: *size_bytes,
            installed_at: *installed_at,
            source: source.clone(),
            standing,
            running,
            world: info.world.clone(),
            imports: info.imports.clone(),
            exports: info.exports.clone(),
            info: info.info.clone(),
        }
    }
}

/// What an operator says yes to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovalInput {
    /// The component that was looked at; another one that came meanwhile is not approved.
    #[schema(schema_with = text::digest)]
    pub(crate) digest: Digest,
    /// Targets beyond its wants: a capability and a target, e.g. `http POST https://*.example.com/*`.
    #[serde(default)]
    #[schema(schema_with = texts)]
    pub(crate) allow: Vec<String>,
    /// Private addresses that may be reached, e.g. `10.20.0.0/16:443`.
    #[serde(default)]
    #[schema(schema_with = texts)]
    pub(crate) networks: Vec<String>,
    /// PEM certificates on the host that are trusted instead of the system's.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2048, pattern = "^/")]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2048, pattern = "^/")]
    pub(crate) client_certificate_file: Option<PathBuf>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2048, pattern = "^/")]
    pub(crate) client_key_file: Option<PathBuf>,
    /// `http://proxy.example.com:3128`.
    #[serde(default)]
    #[schema(max_length = 2048)]
    pub(crate) proxy: Option<String>,
}

fn texts() -> Array {
    let text = text::string().max_length(Some(TEXT_CHARS_MAX)).build();
    ArrayBuilder::new().items(text).max_items(Some(ENTRIES_MAX)).build()
}

impl ApprovalInput {
    pub(crate) fn check(&self) -> Result<(), BadField> {
        let Self { digest: _, allow, networks, ca_file, client_certificate_file, client_key_file, proxy } =
            self;
        for (field, list) in [("allow", allow), ("networks", networks)] {
            bad::items(&Pointer::of(field), list.len(), ENTRIES_MAX)?;
            for (index, entry) in list.iter().enumerate() {
                bad::text(&Pointer::of(field).then(index), entry, TEXT_CHARS_MAX)?;
            }
        }
        bad::text(&Pointer::of("proxy"), proxy.as_deref().unwrap_or_default(), TEXT_CHARS_MAX)?;
        for (field, path) in [
            ("ca_file", ca_file),
            ("client_certificate_file", client_certificate_file),
            ("client_key_file", client_key_file),
        ] {
            if path.as_ref().is_some_and(|path| !path.is_absolute()) {
                return Err(BadField::new(
                    Pointer::of(field),
                    "is no absolute path; write the file's path on the host, from `/` on",
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn parsed_networks(&self) -> Result<Vec<NetworkRule>, BadField> {
        let parse = |(index, network): (usize, &String)| {
            let bad = |error: sandbell_domain::BadTarget| {
                BadField::new(Pointer::of("networks").then(index), error.to_string())
            };
            network.parse().map_err(bad)
        };
        self.networks.iter().enumerate().map(parse).collect()
    }
}

/// What an operator allowed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Approval)]
pub(crate) struct ApprovalForm {
    #[schema(schema_with = text::digest)]
    digest: Digest,
    wants: Vec<WantForm>,
    /// Beyond the wants.
    allow: Vec<WantForm>,
    networks: Vec<String>,
    ca_file: Option<String>,
    client_certificate_file: Option<String>,
    client_key_file: Option<String>,
    /// A password in it is masked.
    proxy: Option<String>,
    #[schema(schema_with = text::time)]
    approved_at: Timestamp,
    approved_by: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Want)]
struct WantForm {
    capability: String,
    target: String,
    reason: String,
}

impl From<&Want> for WantForm {
    fn from(want: &Want) -> Self {
        let Want { capability, target, reason } = want;
        Self { capability: capability.as_str().to_owned(), target: target.clone(), reason: reason.clone() }
    }
}

impl From<&Approval> for ApprovalForm {
    fn from(approval: &Approval) -> Self {
        let Approval {
            digest,
            wants,
            allow,
            networks,
            ca_file,
            client_certificate_file,
            client_key_file,
            proxy,
            approved_at,
            approved_by,
        } = approval;
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        Self {
            digest: *digest,
            wants: wants.iter().map(Into::into).collect(),
            allow: allow.iter().map(Into::into).collect(),
            networks: networks.iter().map(ToString::to_string).collect(),
            ca_file: path(ca_file),
            client_certificate_file: path(client_certificate_file),
            client_key_file: path(client_key_file),
            proxy: proxy.as_ref().map(masked),
            approved_at: *approved_at,
            approved_by: approved_by.clone(),
        }
    }
}

/// The proxy's password is the only secret that an approval can hold.
fn masked(proxy: &Url) -> String {
    let mut proxy = proxy.clone();
    if proxy.password().is_some() {
        let _ = proxy.set_password(Some("***"));
    }
    proxy.to_string()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::install::fixture::{approval, installed, want};

    #[test]
    fn a_plugin_says_what_runs_under_its_name() {
        let standing = |installed: &Installed| {
            let form = PluginForm::from(installed);
            (form.standing, form.running)
        };
        let old = Some(approval(b"one", &[]));
        assert_eq!(standing(&installed(b"one", &[], None)), (StandingForm::NotApproved, None));
        assert_eq!(
            standing(&installed(b"one", &[], old.clone())),
            (StandingForm::Approved, Some(Digest::of(b"one")))
        );
        assert_eq!(standing(&installed(b"two", &[], old)), (StandingForm::Upgrade, Some(Digest::of(b"one"))));
    }

    #[test]
    fn a_password_for_the_proxy_is_shown_to_nobody() {
        let proxy = Some("http://me:hunter2@proxy.example.com:3128".parse().unwrap());
        let approval = Approval { proxy, ..approval(b"", &[want("POST {url}", "delivers")]) };
        let form = ApprovalForm::from(&approval);
        assert_eq!(form.proxy.as_deref(), Some("http://me:***@proxy.example.com:3128/"));
        assert_snapshot!(serde_json::to_string(&form.wants).unwrap(), @r#"[{"capability":"http","target":"POST {url}","reason":"delivers"}]"#);
    }

    #[test]
    fn what_cannot_be_approved_is_named() {
        let refused = |json: serde_json::Value| {
            let mut whole = json!({ "digest": Digest::of(b"one") });
            whole.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
            let input: ApprovalInput = serde_json::from_value(whole).unwrap();
            input.check().and_then(|()| input.parsed_networks()).unwrap_err().to_string()
        };
        assert_snapshot!(refused(json!({ "ca_file": "ca.pem" })), @"ca_file: is no absolute path; write the file's path on the host, from `/` on");
        assert_snapshot!(refused(json!({ "networks": ["10.0.0.1", "home"] })), @"networks.1: `home` is no network; write an address or a CIDR, with or without a port, e.g. `10.20.0.0/16:443`");
        assert_snapshot!(refused(json!({ "allow": vec![""; 101] })), @"allow: has 101 entries; at most 100 are allowed");
    }
}
