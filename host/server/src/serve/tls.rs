//! The certificate of the API, read from its files.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config::Listen;

/// What the API's listener speaks; absent: plain HTTP.
pub(super) type Current = Option<Arc<ServerConfig>>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsFileError {
    #[error("`{}` is no PEM file of a certificate or a key: {error}", path.display())]
    Pem { path: PathBuf, error: pem::Error },
    #[error("`{}` holds no `-----BEGIN CERTIFICATE-----`", .0.display())]
    Empty(PathBuf),
    #[error("certificate and key do not go together: {0}")]
    Pair(rustls::Error),
}

pub(super) fn read(listen: &Listen) -> Result<Current, TlsFileError> {
    let (Some(certificate), Some(key)) = (&listen.tls_certificate_file, &listen.tls_key_file) else {
        return Ok(None);
    };
    let failed = |path: &PathBuf| {
        let path = path.clone();
        move |error| TlsFileError::Pem { path, error }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(failed(certificate))?;
    if chain.is_empty() {
        return Err(TlsFileError::Empty(certificate.clone()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(failed(key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(TlsFileError::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}
