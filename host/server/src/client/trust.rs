//! Whom TLS believes: the system's authorities, or those of one file.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::{ClientError, Place};

/// A client's side of TLS for a place; where there is none, nothing is read.
pub(super) fn client_config(place: &Place, ca_file: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let start = |error: rustls::Error| ClientError::Start(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(start)?;
    let is_tls = matches!(place, Place::Url(url) if url.scheme() == "https");
    let builder = match ca_file {
        _ if !is_tls => builder.with_root_certificates(RootCertStore::empty()),
        Some(path) => builder.with_root_certificates(authorities(path)?),
        None => builder.with_platform_verifier().map_err(start)?,
    };
    Ok(builder.with_no_client_auth())
}

fn authorities(path: &Path) -> Result<RootCertStore, ClientError> {
    let bad = |because: String| ClientError::Authorities { path: path.to_owned(), because };
    let pem = fs::read(path).map_err(|error| bad(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(bad("it holds no certificate; write PEM".to_owned()));
    }
    Ok(roots)
}
