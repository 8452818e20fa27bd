//! What a save changed, as a sentence for the audit log: names of options, never what they are set to.

use std::collections::BTreeSet;

use crate::{ChannelDraft, ChannelRecord, Enabled};

pub(super) fn sentence(before: Option<&ChannelRecord>, draft: &ChannelDraft, revision: u32) -> String {
    let Some(before) = before else {
        return format!("revision {revision}: new, with plugin {}", draft.plugin);
    };
    let mut changes = Vec::new();
    if before.plugin != draft.plugin {
        changes.push(format!("plugin {}", draft.plugin));
    }
    for option in before.settings.keys().chain(draft.settings.keys()).collect::<BTreeSet<_>>() {
        if before.settings.get(option) != draft.settings.get(option) {
            changes.push(format!("settings.{option}"));
        }
    }
    let sealed = |option: &str, of: &[crate::SealedSecret]| {
        of.iter().find(|secret| secret.option == option).map(|secret| secret.sealed.clone())
    };
    let options = before.secrets.iter().chain(&draft.secrets).map(|secret| secret.option.as_str());
    for option in options.collect::<BTreeSet<_>>() {
        if sealed(option, &before.secrets) != sealed(option, &draft.secrets) {
            changes.push(format!("secrets.{option}"));
        }
    }
    if before.policy != draft.policy {
        changes.push("policy".to_owned());
    }
    if before.enabled != draft.enabled {
        changes.push(match &draft.enabled {
            Enabled::Yes => "enabled".to_owned(),
            Enabled::No { reason } => format!("disabled: {reason}"),
        });
    }
    if changes.is_empty() {
        changes.push("nothing changed".to_owned());
    }
    format!("revision {revision}: {}", changes.join(", "))
}
