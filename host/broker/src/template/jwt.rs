//! JSON Web Tokens, signed with a key that the plugin never sees (RFC 7515, RFC 7518 §3, RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::TemplateError;

/// How long a token is good where its claims do not say: the shortest that a known service asks for.
const SECONDS: i64 = 600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    /// The way to derive that is called so.
    pub(super) fn of(how: &str) -> Option<Self> {
        match how {
            "jwt-rs256" => Some(Self::Rs256),
            "jwt-es256" => Some(Self::Es256),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// The signed token. The header gets `alg` and `typ`; the claims get `iat` and `exp` where they have none.
    pub(super) fn token(
        self,
        key: &[u8],
        header: &[u8],
        claims: &[u8],
        now: Timestamp,
    ) -> Result<String, TemplateError> {
        let mut header = object(header, "header")?;
        header.insert("alg".to_owned(), self.name().into());
        header.entry("typ").or_insert_with(|| "JWT".into());
        let mut claims = object(claims, "claims")?;
        let now = now.as_second();
        let issued = claims.entry("iat").or_insert_with(|| now.into()).as_i64().unwrap_or(now);
        claims.entry("exp").or_insert_with(|| issued.saturating_add(SECONDS).into());
        let encode = |object: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(object).to_string());
        let mut token = format!("{}.{}", encode(header), encode(claims));
        let signature = self.sign(key, token.as_bytes())?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }

    fn sign(self, key: &[u8], message: &[u8]) -> Result<Vec<u8>, TemplateError> {
        let bad = || TemplateError::Key(self.name());
        // Copied out of a service's JSON file, a key has `\n` for its line ends.
        let text = Zeroizing::new(String::from_utf8_lossy(key).replace("\\n", "\n"));
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| bad())?;
        let random = SystemRandom::new();
        match (self, &key) {
            (Self::Rs256, PrivateKeyDer::Pkcs8(_) | PrivateKeyDer::Pkcs1(_)) => {
                let pair = if let PrivateKeyDer::Pkcs1(key) = &key {
                    RsaKeyPair::from_der(key.secret_pkcs1_der())
                } else {
                    RsaKeyPair::from_pkcs8(key.secret_der())
                };
                let pair = pair.map_err(|_| bad())?;
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(|_| bad())?;
                Ok(signature)
            }
            (Self::Es256, PrivateKeyDer::Pkcs8(key)) => {
                let pair = EcdsaKeyPair::from_pkcs8(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    key.secret_pkcs8_der(),
                    &random,
                )
                .map_err(|_| bad())?;
                Ok(pair.sign(&random, message).map_err(|_| bad())?.as_ref().to_vec())
            }
            _ => Err(bad()),
        }
    }
}

fn object(text: &[u8], what: &'static str) -> Result<Map<String, Value>, TemplateError> {
    serde_json::from_slice(text).map_err(|_| TemplateError::Object(what))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use ring::signature::{self, UnparsedPublicKey};

    use super::*;

    /// A key of `openssl`'s, and its public half as ring takes it.
    fn key(arguments: &[&str]) -> (String, Vec<u8>) {
        let run = |arguments: &[&str], input: &[u8]| {
            use std::io::Write as _;
            let mut child = Command::new("openssl")
                .args(arguments)
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(input).unwrap();
            child.wait_with_output().unwrap().stdout
        };
        let pem = run(arguments, b"");
        let public = run(&["pkey", "-pubout", "-outform", "DER"], &pem);
        (String::from_utf8(pem).unwrap(), public)
    }

    fn rsa() -> (String, Vec<u8>) {
        let (pem, public) = key(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
        // Behind the head of a SubjectPublicKeyInfo of this size stands the key itself.
        (pem, public[24..].to_vec())
    }

    fn ec() -> (String, Vec<u8>) {
        let (pem, public) = key(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        (pem, public[public.len() - 65..].to_vec())
    }

    fn parts(token: &str) -> (String, String, &str, Vec<u8>) {
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let text = |part: &str| String::from_utf8(decode(part)).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        (text(header), text(claims), signed, decode(signature))
    }

    fn token(algorithm: Algorithm, key: &str, header: &str, claims: &str) -> Result<String, String> {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        algorithm
            .token(key.as_bytes(), header.as_bytes(), claims.as_bytes(), now)
            .map_err(|error| format!("{}: {error}", error.code()))
    }

    #[test]
    fn tokens_are_signed_as_their_algorithm_says() {
        let (pem, public) = rsa();
        let rs256 = token(Algorithm::Rs256, &pem, "{}", r#"{"iss":"me"}"#).unwrap();
        let (header, claims, signed, signature) = parts(&rs256);
        assert_eq!(header, r#"{"alg":"RS256","typ":"JWT"}"#);
        assert_eq!(claims, r#"{"exp":1700000600,"iat":1700000000,"iss":"me"}"#);
        let verify = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &public);
        verify.verify(signed.as_bytes(), &signature).unwrap();

        let (pem, public) = ec();
        let flat = pem.replace('\n', "\\n");
        let es256 =
            token(Algorithm::Es256, &flat, r#"{"kid":"7","alg":"none"}"#, r#"{"iat":5,"exp":9}"#).unwrap();
        let (header, claims, signed, signature) = parts(&es256);
        assert_eq!(header, r#"{"alg":"ES256","kid":"7","typ":"JWT"}"#);
        assert_eq!(claims, r#"{"exp":9,"iat":5}"#);
        let verify = UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &public);
        verify.verify(signed.as_bytes(), &signature).unwrap();
    }

    #[test]
    fn what_cannot_be_signed_says_why_and_shows_no_key() {
        let (rsa, _) = rsa();
        let (ec, _) = ec();
        let bad = |name: &str| {
            format!("secret: the secret is no private key for {name}; enter it as PEM, whole, in PKCS #8")
        };
        assert_eq!(token(Algorithm::Rs256, &ec, "{}", "{}").unwrap_err(), bad("RS256"));
        assert_eq!(token(Algorithm::Es256, &rsa, "{}", "{}").unwrap_err(), bad("ES256"));
        assert_eq!(token(Algorithm::Es256, "hunter2", "{}", "{}").unwrap_err(), bad("ES256"));
        let object = |what: &str| format!("invalid-request: the {what} of a token must be a JSON object");
        assert_eq!(token(Algorithm::Es256, &ec, "[]", "{}").unwrap_err(), object("header"));
        assert_eq!(token(Algorithm::Es256, &ec, "{}", "").unwrap_err(), object("claims"));
    }
}
