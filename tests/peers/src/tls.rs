//! A certificate authority of the test's own, made by the `openssl` program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// An authority and one certificate for `localhost` and `127.0.0.1` that it signed.
pub struct Authority {
    dir: PathBuf,
}

impl Authority {
    /// Writes `ca.pem`, `cert.pem` and `key.pem` into `dir`.
    pub fn create(dir: &Path) -> Result<Self> {
        let extensions = dir.join("san.cnf");
        std::fs::write(&extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\n")?;
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let ca = ["req", "-x509", "-subj", "/CN=Sandbell test authority", "-days", "2"];
        openssl(dir, &[&ca[..], &curve, &["-keyout", "ca-key.pem", "-out", "ca.pem"]].concat())?;
        let request = ["req", "-new", "-subj", "/CN=localhost"];
        openssl(dir, &[&request[..], &curve, &["-keyout", "key.pem", "-out", "cert.csr"]].concat())?;
        let sign =
            ["x509", "-req", "-in", "cert.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"];
        openssl(dir, &[&sign[..], &["-days", "2", "-extfile", "san.cnf", "-out", "cert.pem"]].concat())?;
        Ok(Self { dir: dir.to_owned() })
    }

    pub fn authority_file(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    pub fn certificate_file(&self) -> PathBuf {
        self.dir.join("cert.pem")
    }

    pub fn key_file(&self) -> PathBuf {
        self.dir.join("key.pem")
    }
}

fn openssl(dir: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(dir)
        .output()
        .context("`openssl` cannot be started; `cargo xtask setup` installs it")?;
    ensure!(output.status.success(), "openssl {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr));
    Ok(())
}
