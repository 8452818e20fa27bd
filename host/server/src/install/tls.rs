//! Reads the certificate files that an approval names.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sandbell_domain::Approval;
use sandbell_domain::grant::{ClientIdentity, TlsMaterial};
use secrecy::SecretString;

/// Largest file of certificates, in bytes: the system's whole bundle has a quarter of it.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// A file of an approval that is no help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("`{path}` cannot be read: {reason}; approve again with a file that this user can read")]
    Unreadable { path: PathBuf, reason: String },
    #[error("`{path}` holds no `-----BEGIN {what}-----`; write a PEM file")]
    NoPem { path: PathBuf, what: &'static str },
    #[error(
        "`{0}` has more than {PEM_BYTES_MAX} bytes; write a file with only the certificates that are needed"
    )]
    Large(PathBuf),
    #[error("a client certificate needs its key, and the key its certificate; give both files or none")]
    HalfIdentity,
}

/// What the approval's files hold; the key only as a secret.
pub(crate) fn tls_material(approval: &Approval) -> Result<TlsMaterial, TlsError> {
    let authorities_pem =
        approval.ca_file.as_deref().map(|path| read_pem(path, "CERTIFICATE")).transpose()?;
    let identity = match (&approval.client_certificate_file, &approval.client_key_file) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some(ClientIdentity {
            certificate_pem: read_pem(certificate, "CERTIFICATE")?,
            key_pem: SecretString::from(read_pem(key, "")?),
        }),
        (Some(_), None) | (None, Some(_)) => return Err(TlsError::HalfIdentity),
    };
    Ok(TlsMaterial { authorities_pem, identity })
}

/// `what` is the beginning of the label; keys have many.
fn read_pem(path: &Path, what: &'static str) -> Result<String, TlsError> {
    let unreadable =
        |error: std::io::Error| TlsError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    // A device has no size and no end.
    let mut text = String::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(PEM_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > PEM_BYTES_MAX {
        return Err(TlsError::Large(path.to_owned()));
    }
    if text.contains(&format!("-----BEGIN {what}")) {
        return Ok(text);
    }
    let what = if what.is_empty() { "PRIVATE KEY" } else { what };
    Err(TlsError::NoPem { path: path.to_owned(), what })
}
