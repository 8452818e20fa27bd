//! The three methods in this process: one plugin, one configuration at a time, many attempts.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sandbell_domain::{Approval, Delivery, Digest, Lease, Mode, Outcome, PluginInfo};
use sandbell_sandbox::{OpenChannel, Plugin};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::journal::Journal;
use super::link::Link;
use super::process::{self, Methods, SET_CONFIG, lock};
use super::serve::{Call, Params};
use super::translate::{Addressing, translate};
use super::wire::{Answer, MethodError};
use crate::engine::Engine;
use crate::install::{Prepared, State, StateError, prepare};

/// One process of the daemon: the plugin that its link names.
pub(super) struct Host {
    link: Link,
    engine: Engine,
    journal: Journal,
    started_at: Timestamp,
    /// What the last accepted `SetConfig` set; a send takes a copy at its start.
    active: Mutex<Option<Active>>,
    /// The last compiled component, so that a reload compiles nothing.
    compiled: Mutex<Option<(Digest, Plugin)>>,
}

#[derive(Clone)]
struct Active {
    /// The place of its `SetConfig` in the stream: a later one wins, whenever it is done.
    sequence: u64,
    open: OpenChannel,
    info: Arc<PluginInfo>,
    approval: Arc<Approval>,
}

impl Methods for Host {
    async fn answer(self: Arc<Self>, call: Call) -> Answer {
        match call {
            Call::GetInfo => process::get_info(&self.link).map(Some),
            Call::SetConfig(params) => match timeout(SET_CONFIG, self.set_config(params)).await {
                Ok(result) => result.map(|()| None).map_err(MethodError::Config),
                Err(_) => Err(process::too_slow_config()),
            },
            Call::SendNotification(params) => self.send_notification(&params).await.map(|()| None),
        }
    }
}

impl Host {
    pub(super) fn new(link: Link, engine: Engine, journal: Journal, started_at: Timestamp) -> Self {
        Self { link, engine, journal, started_at, active: Mutex::default(), compiled: Mutex::default() }
    }

    /// Swaps the configuration only if everything accepts the new one.
    async fn set_config(self: &Arc<Self>, params: Params) -> Result<(), String> {
        let Params { sequence, json, give_up: _ } = params;
        let this = self.clone();
        let prepared = spawn_blocking(move || this.prepare(json.get()));
        let prepared = prepared.await.map_err(|error| error.to_string())??;
        let Prepared { channel, info, approval, bytes, waiting } = prepared;
        let digest = channel.plugin;
        let sandbox = self.engine.sandbox().map_err(|error| error.to_string())?;
        let compiled = lock(&self.compiled).clone().filter(|(compiled, _)| *compiled == digest);
        let plugin = match compiled {
            Some((_, plugin)) => plugin,
            None => sandbox.load(&bytes).await.map_err(|error| error.to_string())?,
        };
        *lock(&self.compiled) = Some((digest, plugin.clone()));
        let open = sandbox.open(&plugin, channel).map_err(|error| error.to_string())?;
        sandbox.check_config(&open).await.map_err(|refusal| refusal.to_string())?;
        if let Some(waiting) = waiting {
            let name = &self.link.plugin;
            self.journal.warn(&format!(
                "{waiting} is installed as `{name}` but not approved, so {digest} still runs; run `sandbell plugin \
                 approve {name}`"
            ));
        }
        let mut active = lock(&self.active);
        if active.as_ref().is_none_or(|active| active.sequence < sequence) {
            let (info, approval) = (Arc::new(info), Arc::new(approval));
            *active = Some(Active { sequence, open, info, approval });
        }
        Ok(())
    }

    /// Everything that reads files, and the engine's start.
    fn prepare(&self, params: &str) -> Result<Prepared, String> {
        let config = serde_json::from_str(params).map_err(|error| error.to_string())?;
        let state = State::open(&self.link.state_dir).map_err(|error| error.to_string())?;
        let prepared = prepare(&state, &self.link.plugin, &config).map_err(|error| error.to_string())?;
        self.engine.sandbox().map_err(|error| error.to_string())?;
        Ok(prepared)
    }

    async fn send_notification(self: &Arc<Self>, params: &Params) -> Result<(), MethodError> {
        let Params { sequence, json, give_up: _ } = params;
        let active = lock(&self.active).clone();
        let address_types = active.as_ref().map(|active| active.info.address_types.as_slice());
        let addressing = Addressing { link: &self.link.name, plugin: address_types.unwrap_or_default() };
        let notification =
            translate(json.get(), process::notification_id(self.started_at, *sequence, json), addressing)
                .map_err(|error| MethodError::Notification(error.to_string()))?;
        let Some(Active { open, approval, .. }) = active else {
            return Err(process::no_config());
        };
        self.check_approval(approval).await?;
        let lease = Lease {
            delivery: Delivery::new(open.channel().id, Arc::new(notification)),
            attempt_number: NonZeroU32::MIN,
        };
        let sandbox = self.engine.sandbox().map_err(|error| MethodError::Failed(error.to_string()))?;
        let attempt = sandbox.attempt(&open, &lease, Mode::Send).await;
        for line in &attempt.log {
            self.journal.write(line.level, &line.message, &line.fields);
        }
        match attempt.outcome {
            Outcome::Delivered { .. } => Ok(()),
            Outcome::Failed(failure) => Err(MethodError::Failed(failure.detail)),
        }
    }

    /// What was revoked ends with the next attempt, not with the daemon, which lives for weeks.
    async fn check_approval(self: &Arc<Self>, earlier: Arc<Approval>) -> Result<(), MethodError> {
        let this = self.clone();
        let is_covered = spawn_blocking(move || -> Result<bool, StateError> {
            let installed = State::open(&this.link.state_dir)?.get(&this.link.plugin)?;
            Ok(installed.approval.is_some_and(|approval| approval.covers(&earlier)))
        });
        let is_covered = is_covered.await.map_err(|error| MethodError::Failed(error.to_string()))?;
        if is_covered.map_err(|error| MethodError::Failed(error.to_string()))? {
            return Ok(());
        }
        let name = &self.link.plugin;
        Err(MethodError::Failed(format!(
            "the approval of plugin `{name}` has changed since this channel was configured; run `sandbell plugin \
             approve {name}` if it is to go on, and save the channel again"
        )))
    }
}
