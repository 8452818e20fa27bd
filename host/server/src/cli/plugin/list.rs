//! `sandbell plugin list`: what is installed, and whether it may run.

use serde_json::json;

use super::super::exit::Exit;
use super::super::output::{size, table};
use super::super::run::{Context, Done};
use super::show;
use crate::install::{Installed, Standing, StateError};

pub(in crate::cli) fn run(context: &Context) -> Done {
    let all = match context.app.state() {
        Ok(state) => state.list()?,
        Err(StateError::Absent(_)) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    context.output.result(|| text(&all), || json!({ "items": all.iter().map(to_json).collect::<Vec<_>>() }));
    Ok(Exit::Ok)
}

fn text(all: &[Installed]) -> String {
    if all.is_empty() {
        return "Nothing is installed.\nhint: `sandbell plugin install FILE` installs a plugin\n".to_owned();
    }
    let row = |installed: &Installed| {
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
            installed(b"one", &[], None),
            installed(b"one", &[], Some(approval(b"one", &[]))),
            installed(b"two", &[], Some(approval(b"one", &[]))),
        ];
        assert_snapshot!(text(&all), @"
        NAME  PLUGIN  VERSION  SIZE  APPROVED     DIGEST
        test  Test    1.0.0    3 B   no           sha256:7692c3ad3540
        test  Test    1.0.0    3 B   yes          sha256:7692c3ad3540
        test  Test    1.0.0    3 B   earlier one  sha256:3fc4ccfe7458
        ");
        assert_snapshot!(text(&[]), @"
        Nothing is installed.
        hint: `sandbell plugin install FILE` installs a plugin
        ");
    }
}
