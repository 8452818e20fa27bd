//! Debian's Postfix as an instance of its own: plain, STARTTLS and implicit TLS, with and without login.
//!
//! It keeps its configuration, queue and mailboxes in one directory and touches nothing of the system's Postfix.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::{Authority, free_port, wait_for};

/// Who can log in, and the password.
pub const USER: (&str, &str) = ("alice@localhost", "correct horse");
/// Whoever is not refused has one mailbox.
pub const RECIPIENT: &str = "alice@example.com";
/// This recipient is refused with 550.
pub const REFUSED: &str = "nobody@example.com";

pub struct Postfix {
    dir: TempDir,
    authority: Authority,
    /// SMTP: STARTTLS offered; login offered once TLS is on.
    pub smtp_port: u16,
    /// SMTP under TLS from the first byte.
    pub smtps_port: u16,
    /// SMTP without any TLS, as an old relay has it; login offered in the clear.
    pub plain_port: u16,
}

impl Postfix {
    /// Starts an instance; needs root, because Postfix does.
    pub fn start() -> Result<Self> {
        // Postfix gives up its rights, so the way to its files must be open to its users.
        let dir = tempfile::Builder::new().prefix("sandbell-postfix").tempdir()?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        let authority = Authority::create(dir.path())?;
        let postfix = Self {
            smtp_port: free_port()?,
            smtps_port: free_port()?,
            plain_port: free_port()?,
            dir,
            authority,
        };
        postfix.write_configuration()?;
        let output = postfix.run(&["start"])?;
        ensure!(
            output.status.success(),
            "postfix does not start: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        wait_for("the start of Postfix", || {
            std::net::TcpStream::connect(("127.0.0.1", postfix.plain_port)).ok()
        })?;
        Ok(postfix)
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The mails that were delivered, as files of a maildir hold them, oldest first.
    pub fn mails(&self) -> Result<Vec<String>> {
        let inbox = self.dir.path().join("mail/inbox/new");
        let Ok(entries) = fs::read_dir(inbox) else { return Ok(Vec::new()) };
        let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.sort();
        files.into_iter().map(|file| Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned())).collect()
    }

    /// Waits until `count` mails were delivered.
    pub fn wait_for_mails(&self, count: usize) -> Result<Vec<String>> {
        wait_for("the delivery of the mail", || self.mails().ok().filter(|mails| mails.len() >= count))
            .with_context(|| self.log())
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("maillog")).unwrap_or_default()
    }

    fn write_configuration(&self) -> Result<()> {
        let dir = self.dir.path().display();
        let (user, group) = (id("-u")?, id("-g")?);
        let main = format!(
            "compatibility_level = 3.6\n\
             queue_directory = {dir}/queue\ndata_directory = {dir}/data\nmaillog_file = {dir}/maillog\n\
             maillog_file_prefixes = {dir}\n\
             myhostname = relay.example.com\nmydestination =\nmynetworks =\ninet_interfaces = 127.0.0.1\n\
             virtual_mailbox_domains = example.com\nvirtual_mailbox_base = {dir}/mail\n\
             virtual_mailbox_maps = static:inbox/\nvirtual_minimum_uid = 1\n\
             virtual_uid_maps = static:{user}\nvirtual_gid_maps = static:{group}\n\
             smtpd_recipient_restrictions = check_recipient_access \
             inline:{{ {{ {REFUSED} = 550 no such user }} }}, reject_unauth_destination\n\
             smtpd_tls_cert_file = {dir}/cert.pem\nsmtpd_tls_key_file = {dir}/key.pem\nsmtpd_tls_security_level = may\n\
             smtpd_tls_auth_only = yes\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = cyrus\nsmtpd_sasl_path = smtpd\n\
             cyrus_sasl_config_path = {dir}/sasl\nsmtpd_sasl_security_options = noanonymous\n\
             smtpd_forbid_bare_newline = yes\nalias_maps =\nalias_database =\n"
        );
        let (smtp, smtps, plain) = (self.smtp_port, self.smtps_port, self.plain_port);
        let master = format!(
            "127.0.0.1:{smtp} inet n - n - - smtpd\n\
             127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
             127.0.0.1:{plain} inet n - n - - smtpd -o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no\n\
             cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
             error unix - - n - - error\nretry unix - - n - - error\nvirtual unix - n n - - virtual\n\
             anvil unix - - n - 1 anvil\nproxymap unix - - n - - proxymap\ntlsmgr unix - - n 1000? 1 tlsmgr\n\
             pickup unix n - n 60 1 pickup\npostlog unix-dgram n - n - 1 postlogd\nsmtp unix - - n - - smtp\n\
             local unix - n n - - local\nflush unix n - n 1000? 0 flush\nverify unix - - n - 1 verify\n\
             showq unix n - n - - showq\nscache unix - - n - 1 scache\n"
        );
        let path = |name: &str| self.dir.path().join(name);
        for name in ["sasl", "queue", "data", "mail"] {
            fs::create_dir(path(name))?;
        }
        for owned in ["data", "mail"] {
            std::os::unix::fs::chown(path(owned), Some(user), Some(group))?;
        }
        fs::write(path("main.cf"), main)?;
        fs::write(path("master.cf"), master)?;
        let sasl = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {dir}/sasl/db\n"
        );
        fs::write(path("sasl/smtpd.conf"), sasl)?;
        create_user(&path("sasl/db"))?;
        std::os::unix::fs::chown(path("sasl/db"), Some(user), Some(group))?;
        Ok(())
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        Command::new("postfix")
            .arg("-c")
            .arg(self.dir.path())
            .args(arguments)
            .output()
            .context("`postfix` cannot be started; `cargo xtask setup` installs it")
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // A directory that is about to go needs no farewell from a server that does not stop.
        let _ = self.run(&["abort"]);
    }
}

/// The user or group number of Debian's `postfix` user.
fn id(flag: &str) -> Result<u32> {
    let output = Command::new("id").args([flag, "postfix"]).output().context("`id` cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().context("there is no user `postfix`; `cargo xtask setup` installs the package")
}

fn create_user(database: &Path) -> Result<()> {
    use std::io::Write as _;
    let (name, realm) = USER.0.split_once('@').expect("a user of the realm localhost");
    let mut child = Command::new("saslpasswd2")
        .args(["-p", "-c", "-f"])
        .arg(database)
        .args(["-u", realm, name])
        .stdin(Stdio::piped())
        .spawn()
        .context("`saslpasswd2` cannot be started; `cargo xtask setup` installs it")?;
    child.stdin.take().expect("stdin is piped").write_all(USER.1.as_bytes())?;
    ensure!(child.wait()?.success(), "saslpasswd2 does not create the user");
    Ok(())
}
