//! `sandbell.toml` as a whole: every section, every key with its default.

use serde::{Deserialize, Serialize};

use super::{Database, Dispatch, Intake, KeyFile, Listen, Log, Retention};

/// The settings of `sandbell serve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    pub(crate) store: Database,
    pub(crate) keys: KeyFile,
    pub(crate) dispatch: Dispatch,
    pub(crate) retention: Retention,
    pub(crate) limits: Intake,
    pub(crate) log: Log,
}

impl Settings {
    /// Which changes of `new` a running process cannot follow; it keeps its own and says so.
    pub(crate) fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let Self { listen, store, keys, dispatch, retention: _, limits: _, log } = self;
        let mut changed = Vec::new();
        let mut note = |is_changed: bool, what| {
            if is_changed {
                changed.push(what);
            }
        };
        note(!listen.is_same_place(&new.listen), "[listen]");
        note(*store != new.store, "[store]");
        note(*keys != new.keys, "[keys]");
        note(
            !dispatch.has_same_permits(&new.dispatch),
            "[dispatch] attempts_max, tenant_attempts_max, reserved_first or attempt",
        );
        note(log.format != new.log.format, "[log] format");
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::super::Address;
    use super::*;

    #[test]
    fn what_a_running_process_cannot_follow_is_named() {
        let old = Settings::default();
        assert!(old.needs_restart(&old).is_empty());
        let mut new = Settings::default();
        new.retention.dead = std::time::Duration::from_secs(1);
        new.log.filter = "debug".to_owned();
        new.listen.tls_certificate_file = Some("/a.pem".into());
        assert!(old.needs_restart(&new).is_empty());
        new.listen.api = Address::Off;
        new.store.path = "/elsewhere.db".into();
        assert_eq!(old.needs_restart(&new), ["[listen]", "[store]"]);
    }
}
