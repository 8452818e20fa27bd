//! An approval: what an operator allows a plugin.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Digest, NetworkRule, Want};

/// An operator's yes to the wants of one digest, and what goes beyond them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub digest: Digest,
    /// The wants as they were shown; a plugin that comes to want more is not covered.
    pub wants: Vec<Want>,
    /// Targets that the operator added, for what no want can say, e.g. hosts made by a template.
    #[serde(default)]
    pub allow: Vec<Want>,
    /// Private addresses that may be reached. Metadata addresses stay refused.
    #[serde(default)]
    pub networks: Vec<NetworkRule>,
    /// PEM certificates trusted instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// PEM certificate chain and key shown to servers that ask.
    #[serde(default)]
    pub client_certificate_file: Option<PathBuf>,
    #[serde(default)]
    pub client_key_file: Option<PathBuf>,
    /// `http://proxy.example.com:3128`; the environment's proxy is never used.
    #[serde(default)]
    pub proxy: Option<Url>,
    pub approved_at: Timestamp,
    pub approved_by: String,
}

impl Approval {
    /// Whether all that `earlier` allowed is still allowed, for the same bytes and by the same certificates.
    pub fn covers(&self, earlier: &Self) -> bool {
        let Self {
            digest,
            wants,
            allow,
            networks,
            ca_file,
            client_certificate_file,
            client_key_file,
            proxy,
            approved_at: _,
            approved_by: _,
        } = earlier;
        self.digest == *digest
            && wants.iter().all(|want| self.wants.contains(want))
            && allow.iter().all(|target| self.allow.contains(target))
            && networks.iter().all(|network| self.networks.contains(network))
            && self.ca_file == *ca_file
            && self.client_certificate_file == *client_certificate_file
            && self.client_key_file == *client_key_file
            && self.proxy == *proxy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(networks: &[&str]) -> Approval {
        Approval {
            digest: Digest::of(b""),
            wants: vec![],
            allow: vec![],
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
            ca_file: None,
            client_certificate_file: None,
            client_key_file: None,
            proxy: None,
            approved_at: Timestamp::UNIX_EPOCH,
            approved_by: "root".to_owned(),
        }
    }

    #[test]
    fn an_approval_that_lost_something_does_not_cover_what_it_was() {
        let earlier = approval(&["10.0.0.0/8"]);
        let wider = approval(&["127.0.0.1", "10.0.0.0/8"]);
        assert!(earlier.covers(&earlier) && wider.covers(&earlier));
        assert!(!earlier.covers(&wider) && !approval(&[]).covers(&earlier));
        assert!(!Approval { digest: Digest::of(b"other"), ..earlier.clone() }.covers(&earlier));
        assert!(
            !Approval { proxy: Some("http://p.example/".parse().unwrap()), ..earlier.clone() }
                .covers(&earlier)
        );
    }
}
