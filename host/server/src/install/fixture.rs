//! A plugin for tests of what is done with one.

use jiff::Timestamp;
use sandbell_domain::{Approval, Capability, Digest, PluginInfo, Want};

use super::{InfoV1, Installed, PluginV1};

pub(crate) fn want(target: &str, reason: &str) -> Want {
    Want { capability: Capability::Http, target: target.to_owned(), reason: reason.to_owned() }
}

/// What the component made of `bytes` would say of itself.
pub(crate) fn info(bytes: &[u8], wants: &[Want]) -> InfoV1 {
    InfoV1 {
        version: 1,
        digest: Digest::of(bytes),
        size_bytes: bytes.len() as u64,
        world: "sandbell:channel@0.1.0".to_owned(),
        imports: vec![],
        exports: vec![],
        info: PluginInfo {
            name: "Test".to_owned(),
            version: "1.0.0".to_owned(),
            author: String::new(),
            config_attrs: vec![],
            address_types: vec![],
            wants: wants.to_vec(),
            extra: vec![],
        },
    }
}

pub(crate) fn approval(bytes: &[u8], wants: &[Want]) -> Approval {
    Approval {
        digest: Digest::of(bytes),
        wants: wants.to_vec(),
        allow: vec![],
        networks: vec![],
        ca_file: None,
        client_certificate_file: None,
        client_key_file: None,
        proxy: None,
        approved_at: Timestamp::UNIX_EPOCH,
        approved_by: "root".to_owned(),
    }
}

/// The component made of `bytes`, as it is listed.
pub(crate) fn installed(bytes: &[u8], wants: &[Want], approval: Option<Approval>) -> Installed {
    let info = info(bytes, wants);
    let plugin = PluginV1 {
        version: 1,
        digest: info.digest,
        size_bytes: info.size_bytes,
        installed_at: Timestamp::UNIX_EPOCH,
        source: "/tmp/test.wasm".to_owned(),
    };
    Installed { name: "test".parse().unwrap(), plugin, info, approval }
}
