//! `sandbell plugin show NAME`: everything about an installed plugin.

use sandbell_domain::{Approval, escape};
use serde_json::json;

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
    text.push_str(&format!(
        "\nInstalled {} from {}\n",
        installed.plugin.installed_at,
        escape::line(&installed.plugin.source)
    ));
    text.push_str(&format!("Approved: {}\n", list::standing(installed.standing())));
    if let Some(approval) = &installed.approval {
        text.push_str(&approval_text(approval));
    }
    text
}

/// What an approval allows beyond the wants, and who said so.
pub(super) fn approval_text(approval: &Approval) -> String {
    let Approval {
        digest: _,
        wants: _,
        allow,
        networks,
        ca_file,
        client_certificate_file,
        client_key_file,
        proxy,
        approved_at,
        approved_by,
    } = approval;
    let mut lines = vec![format!("  by {approved_by} at {approved_at}")];
    lines.extend(allow.iter().map(|want| format!("  also {} {}", want.capability.as_str(), want.target)));
    lines.extend(networks.iter().map(|network| format!("  private network {network}")));
    for (what, file) in [
        ("trusts only", ca_file),
        ("shows the client certificate", client_certificate_file),
        ("whose key is", client_key_file),
    ] {
        lines.extend(file.iter().map(|file| format!("  {what} {}", file.display())));
    }
    lines.extend(proxy.iter().map(|proxy| {
        let mut proxy = proxy.clone();
        if proxy.password().is_some() {
            let _ = proxy.set_password(Some("***"));
        }
        format!("  proxy {proxy}")
    }));
    lines.iter().map(|line| format!("{}\n", escape::line(line))).collect()
}
