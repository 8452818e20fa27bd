//! Whom a channel trusts and who it is, in rustls' words.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use sandbell_domain::escape;
use sandbell_domain::grant::{ClientIdentity, TlsMaterial};
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::EgressError;

/// How long a server may take to agree on encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why a connection was not encrypted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("no encrypted connection: {0}")]
    Refused(String),
    #[error("the server did not reply within {HANDSHAKE:?}")]
    Silent,
}

impl HandshakeError {
    /// The contract's word for it.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "tls",
            Self::Silent => "timeout",
        }
    }
}

/// Encrypts a connection to a server that must bear a certificate for `host`.
pub(crate) async fn handshake(
    stream: TcpStream,
    host: String,
    config: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, HandshakeError> {
    let bad = |reason: &str| HandshakeError::Refused(escape::cut(reason, 256));
    let name = ServerName::try_from(host).map_err(|_| bad("the host cannot bear a certificate"))?;
    match timeout(HANDSHAKE, TlsConnector::from(config.clone()).connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            Err(inner.map_or_else(|| bad(&error.kind().to_string()), |inner| bad(&inner.to_string())))
        }
        Err(_) => Err(HandshakeError::Silent),
    }
}

/// The system's authorities, read at the first handshake: a process that never opens a connection never reads them.
#[derive(Debug)]
pub(crate) struct SystemAuthorities {
    provider: Arc<CryptoProvider>,
    verifier: OnceLock<Result<Verifier, Error>>,
}

impl SystemAuthorities {
    pub(crate) fn new() -> Self {
        Self { provider: Arc::new(rustls::crypto::ring::default_provider()), verifier: OnceLock::new() }
    }

    fn verifier(&self) -> Result<&Verifier, Error> {
        self.verifier.get_or_init(|| Verifier::new(self.provider.clone())).as_ref().map_err(Clone::clone)
    }

    /// A client configuration of its own for each use, so that no session is resumed across channels.
    pub(crate) fn client_config(self: &Arc<Self>, tls: &TlsMaterial) -> Result<ClientConfig, EgressError> {
        let TlsMaterial { authorities_pem, identity } = tls;
        let verifier: Arc<dyn ServerCertVerifier> = match authorities_pem {
            None => self.clone(),
            Some(pem) => bundle(pem, &self.provider)?,
        };
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| EgressError::Authorities(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        match identity {
            None => Ok(builder.with_no_client_auth()),
            Some(ClientIdentity { certificate_pem, key_pem }) => {
                let bad = |error: String| EgressError::Identity(error);
                let chain = CertificateDer::pem_slice_iter(certificate_pem.as_bytes())
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| bad(error.to_string()))?;
                let key = PrivateKeyDer::from_pem_slice(key_pem.expose_secret().as_bytes())
                    .map_err(|error| bad(error.to_string()))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| bad(error.to_string()))
            }
        }
    }
}

/// The authorities of a grant, trusted instead of the system's.
fn bundle(pem: &str, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, EgressError> {
    let bad = EgressError::Authorities;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(bad("the bundle holds no certificate; write PEM".to_owned()));
    }
    WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map_err(|error| bad(error.to_string()))
}

impl ServerCertVerifier for SystemAuthorities {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
