//! `sandbell plugin show NAME`: everything about an installed plugin.

use std::fmt::Write as _;

use sandbell_domain::{Approval, escape};
use serde_json::{Value as Json, json};
use url::Url;

use super::super::exit::Exit;
use super::super::inspect;
use super::super::run::{Context, Done};
use super::list;
use crate::install::{Installed, PluginName};

pub(in crate::cli) fn run(context: &Context, name: &PluginName) -> Done {
    let installed = context.app.state()?.get(name)?;
    context.output.result(
        || text(&installed),
        || json!({ "installed": list::to_json(&installed), "component": inspect::to_json(&installed.info) }),
    );
    Ok(Exit::Ok)
}

fn text(installed: &Installed) -> String {
    let mut text = inspect::describe(&installed.info);
    let _ = write!(
        text,
        "\nInstalled {} from {}\n",
        installed.plugin.installed_at,
        escape::line(&installed.plugin.source)
    );
    let _ = writeln!(text, "Approved: {}", list::standing(installed.standing()));
    if let Some(approval) = &installed.approval {
        text.push_str(&approval_text(approval));
    }
    text
}

/// Who approved, and what beyond the wants.
fn approval_text(approval: &Approval) -> String {
    let Approval { approved_at, approved_by, .. } = approval;
    format!("  by {} at {approved_at}\n{}", escape::line(approved_by), beyond_wants(approval))
}

/// What an approval allows beyond the wants.
pub(super) fn beyond_wants(approval: &Approval) -> String {
    let Approval {
        digest: _,
        wants: _,
        allow,
        networks,
        ca_file,
        client_certificate_file,
        client_key_file,
        proxy,
        approved_at: _,
        approved_by: _,
    } = approval;
    let mut lines: Vec<_> =
        allow.iter().map(|want| format!("  also {} {}", want.capability.as_str(), want.target)).collect();
    lines.extend(networks.iter().map(|network| format!("  private network {network}")));
    for (what, file) in [
        ("trusts only", ca_file),
        ("shows the client certificate", client_certificate_file),
        ("whose key is", client_key_file),
    ] {
        lines.extend(file.iter().map(|file| format!("  {what} {}", file.display())));
    }
    lines.extend(masked(proxy.as_ref()).iter().map(|proxy| format!("  proxy {proxy}")));
    lines.iter().fold(String::new(), |text, line| text + &escape::line(line) + "\n")
}

/// An approval for programs; the proxy's password is the only secret that it can hold.
pub(super) fn approval_json(approval: &Approval) -> Json {
    json!(Approval { proxy: masked(approval.proxy.as_ref()), ..approval.clone() })
}

fn masked(proxy: Option<&Url>) -> Option<Url> {
    let mut proxy = proxy?.clone();
    if proxy.password().is_some() {
        let _ = proxy.set_password(Some("***"));
    }
    Some(proxy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::fixture::approval;

    #[test]
    fn a_password_for_the_proxy_is_shown_to_nobody() {
        let proxy = Some("http://me:hunter2@proxy.example.com:3128".parse().unwrap());
        let approval = Approval { proxy, ..approval(b"", &[]) };
        assert_eq!(beyond_wants(&approval), "  proxy http://me:***@proxy.example.com:3128/\n");
        assert_eq!(approval_json(&approval)["proxy"], "http://me:***@proxy.example.com:3128/");
    }
}
