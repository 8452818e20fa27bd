//! TLS: whom a channel trusts, and whom it shows itself to.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sandbell_domain::grant::{ClientIdentity, TlsMaterial};
use secrecy::SecretString;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use super::peer::{Case, get, listen, ok, read_request};
use crate::EgressError;

/// An authority of a test, and what it signs.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// Chain and key, PEM.
    pub(super) fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    pub(super) fn trust(&self) -> TlsMaterial {
        TlsMaterial { authorities_pem: Some(self.issuer.pem()), identity: None }
    }

    /// A server named `localhost`; with `client`, one that asks for a certificate of that authority.
    pub(super) fn acceptor(&self, client: Option<&Self>) -> TlsAcceptor {
        let (chain, key) = self.sign("localhost");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match client {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.issuer.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()))
    }
}

async fn serve(acceptor: TlsAcceptor) -> u16 {
    listen(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            while read_request(&mut stream).await.is_some() {
                stream.write_all(&ok("encrypted")).await.unwrap();
            }
        }
    })
    .await
}

/// The answer's body, or how it failed.
async fn ask(name: &'static str, port: u16, tls: TlsMaterial) -> String {
    let case = Case {
        tls,
        names: vec![(name, vec!["127.0.0.1".parse().unwrap()])],
        ..Case::http(&[&format!("GET https://{name}:{port}/")])
    };
    match case.brokers().http(get(&format!("https://{name}:{port}/"))).await {
        Ok(answer) => String::from_utf8(answer.body).unwrap(),
        Err(error) => {
            assert_eq!(error.code, "tls", "{error:?}");
            format!("{}: {}", error.code, error.message.replace(&port.to_string(), "PORT"))
        }
    }
}

#[tokio::test]
async fn the_bundle_of_the_grant_is_trusted_and_nothing_else() {
    let (ours, theirs) = (Authority::new("first"), Authority::new("second"));
    let port = serve(ours.acceptor(None)).await;
    assert_eq!(ask("localhost", port, ours.trust()).await, "encrypted");
    let unknown =
        "tls: no encrypted connection to `https://localhost:PORT`: invalid peer certificate: UnknownIssuer";
    assert_eq!(ask("localhost", port, theirs.trust()).await, unknown);
    let other = ask("other.example.com", port, ours.trust()).await;
    assert!(
        other.starts_with(
            "tls: no encrypted connection to `https://other.example.com:PORT`: invalid peer certificate"
        ),
        "{other}"
    );
    let system = ask("localhost", port, TlsMaterial::default()).await;
    assert!(system.starts_with("tls: "), "{system}");
}

#[tokio::test]
async fn a_server_that_asks_is_shown_the_certificate() {
    let (servers, clients) = (Authority::new("first"), Authority::new("second"));
    let port = serve(servers.acceptor(Some(&clients))).await;
    let (certificate_pem, key_pem) = clients.sign("sandbell");
    let identity = Some(ClientIdentity { certificate_pem, key_pem: SecretString::from(key_pem) });
    assert_eq!(ask("localhost", port, TlsMaterial { identity, ..servers.trust() }).await, "encrypted");
    let refused = ask("localhost", port, servers.trust()).await;
    assert!(refused.starts_with("tls: "), "{refused}");
}

#[tokio::test]
async fn broken_material_is_refused_when_the_channel_opens() {
    let authority = Authority::new("first");
    let open = |tls| Case { tls, ..Case::http(&["GET https://a.example/"]) };
    let error = |tls| {
        let case = open(tls);
        case.egress().channel(&case.channel()).err().unwrap()
    };
    let none = TlsMaterial { authorities_pem: Some("no PEM".to_owned()), identity: None };
    assert_eq!(
        error(none).to_string(),
        "the certificate authorities cannot be read: the bundle holds no certificate; write PEM"
    );
    let (certificate_pem, _) = authority.sign("a");
    let identity = ClientIdentity { certificate_pem, key_pem: SecretString::from("no key".to_owned()) };
    let bad = TlsMaterial { identity: Some(identity), ..authority.trust() };
    assert!(matches!(error(bad), EgressError::Identity(_)));
}
