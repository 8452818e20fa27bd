//! Names of users, for messages and for the record of who approved.

use std::fs;

/// The user's name, or `#1000` where nobody gave it one; `sudo -u` takes both.
pub(crate) fn user_name(uid: u32) -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_in(&passwd, uid).unwrap_or_else(|| format!("#{uid}"))
}

/// Finds the name in the lines of passwd(5).
fn name_in(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_after_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nicinga:x:101:102::/var/lib/icinga:/bin/false\n";
        assert_eq!(name_in(passwd, 101).as_deref(), Some("icinga"));
        assert_eq!(name_in(passwd, 102), None);
    }
}
