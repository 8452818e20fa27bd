//! `sandbell plugin list`: what is installed, and whether it may run.

use serde_json::json;

use super::super::exit::Exit;
use super::super::output::{Output, size, table};
use super::super::run::{Context, Done};
use super::show;
use crate::install::{Installed, Listed, Standing, StateError};

pub(in crate::cli) fn run(context: &Context) -> Done {
    let all = match context.app.state() {
        Ok(state) => state.list()?,
        Err(StateError::Absent(_)) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    context
        .output
        .result(|| text(&all), || json!({ "items": all.iter().map(item_json).collect::<Vec<_>>() }));
    let mut exit = Exit::Ok;
    for (name, error) in all.iter().filter_map(|listed| listed.as_ref().err()) {
        Output::note(&format!("error: `{name}` cannot be read: {error}"));
        exit = Exit::Failed;
    }
    Ok(exit)
}

/// What cannot be read has a row, too: it is there, and somebody must mend or remove it.
fn text(all: &[Listed]) -> String {
    if all.is_empty() {
        return "Nothing is installed.\nhint: `sandbell plugin install FILE` installs a plugin\n".to_owned();
    }
    let row = |listed: &Listed| {
        let installed = match listed {
            Ok(installed) => installed,
            Err((name, _)) => {
                return [name.as_str(), "–", "–", "–", "unreadable", "–"].map(str::to_owned);
            }
        };
        let Installed { name, plugin, info, .. } = installed;
        [
            name.to_string(),
            info.info.name.clone(),
            info.info.version.clone(),
            size(plugin.size_bytes),
            standing(installed.standing()).to_owned(),
            plugin.digest.to_string()[..19].to_owned(),
        ]
    };
    table(["NAME", "PLUGIN", "VERSION", "SIZE", "APPROVED", "DIGEST"], all.iter().map(row))
}

pub(super) const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Approved => "yes",
        Standing::NotApproved => "no",
        Standing::Upgrade { .. } => "earlier one",
    }
}

fn item_json(listed: &Listed) -> serde_json::Value {
    match listed {
        Ok(installed) => to_json(installed),
        Err((name, error)) => json!({ "name": name.as_str(), "error": error.to_string() }),
    }
}

pub(super) fn to_json(installed: &Installed) -> serde_json::Value {
    let Installed { name, plugin, info, approval } = installed;
    json!({
        "name": name.as_str(),
        "plugin": info.info.name,
        "version": info.info.version,
        "digest": plugin.digest,
        "size_bytes": plugin.size_bytes,
        "installed_at": plugin.installed_at,
        "source": plugin.source,
        "approved": installed.standing() == Standing::Approved,
        "approval": approval.as_ref().map(show::approval_json),
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::install::fixture::{approval, installed};

    #[test]
    fn a_list_tells_what_may_run() {
        let all = [
            Ok(installed(b"one", &[], None)),
            Ok(installed(b"one", &[], Some(approval(b"one", &[])))),
            Ok(installed(b"two", &[], Some(approval(b"one", &[])))),
            Err(("mail".parse().unwrap(), StateError::Tampered("approval.json".into()))),
        ];
        assert_snapshot!(text(&all), @"
        NAME  PLUGIN  VERSION  SIZE  APPROVED     DIGEST
        test  Test    1.0.0    3 B   no           sha256:7692c3ad3540
        test  Test    1.0.0    3 B   yes          sha256:7692c3ad3540
        test  Test    1.0.0    3 B   earlier one  sha256:3fc4ccfe7458
        mail  –       –        –     unreadable   –
        ");
        assert_snapshot!(text(&[]), @"
        Nothing is installed.
        hint: `sandbell plugin install FILE` installs a plugin
        ");
    }
}
