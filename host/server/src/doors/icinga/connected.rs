//! The three methods by a serving host: it checks, keeps and delivers, and this process only carries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use sandbell_domain::ChannelId;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::caller::{CallError, Caller};
use super::connect::Connect;
use super::form::{
    AcceptedForm, CONFIG, ConfigForm, DELIVERIES, NOTIFICATIONS, NotificationForm, RefusalCode, RefusalForm,
    ResultForm, TakenForm,
};
use super::link::Link;
use super::process::{self, Methods, SET_CONFIG, lock};
use super::serve::{Call, Params};
use super::wire::{Answer, MethodError};

/// How long the daemon is kept waiting for a result once the host has the notification. It has no limit of its own and
/// sends nothing else meanwhile (`reference/icinga.md` §1.7).
pub(super) const WAIT: Duration = Duration::from_secs(10);

/// By then the host has answered, or it never will.
const ANSWER_LATE: Duration = Duration::from_secs(2);

pub(super) struct Connected {
    link: Link,
    host: Caller,
    started_at: Timestamp,
    /// What the last accepted `SetConfig` set; a send takes a copy at its start.
    carried: Mutex<Option<Carried>>,
}

#[derive(Clone)]
struct Carried {
    /// The place of its `SetConfig` in the stream: a later one wins, whenever it is done.
    sequence: u64,
    /// As it came, to be carried again if the host does not know the channel any more.
    config: Arc<RawValue>,
    channel: ChannelId,
}

impl Connected {
    pub(super) fn new(link: Link, connect: &Connect, started_at: Timestamp) -> Self {
        let host = Caller::new(connect.socket().to_owned());
        Self { link, host, started_at, carried: Mutex::default() }
    }

    async fn set_config(&self, params: Params) -> Result<(), MethodError> {
        let Params { sequence, json, give_up: _ } = params;
        let channel = self.carry(&json).await?;
        let config = Arc::from(json);
        let mut carried = lock(&self.carried);
        if carried.as_ref().is_none_or(|carried| carried.sequence < sequence) {
            *carried = Some(Carried { sequence, config, channel });
        }
        Ok(())
    }

    async fn carry(&self, config: &RawValue) -> Result<ChannelId, MethodError> {
        let form = ConfigForm { plugin: self.link.plugin.to_string(), config: config.to_owned() };
        let taken: TakenForm = self.host.post(CONFIG, &form).await.map_err(of_call)?;
        Ok(taken.channel)
    }

    async fn send_notification(&self, params: Params) -> Result<(), MethodError> {
        let Params { sequence, json, give_up } = params;
        let carried = lock(&self.carried).clone().ok_or_else(process::no_config)?;
        let id = process::notification_id(self.started_at, sequence, &json);
        let mut form =
            NotificationForm { id, channel: carried.channel, link: self.link.name.clone(), params: json };
        let mut accepted = self.host.post(NOTIFICATIONS, &form).await;
        if let Err(CallError::Refused(refusal)) = &accepted
            && refusal.code == RefusalCode::NoChannel
        {
            form.channel = self.carry(&carried.config).await?;
            self.moved(&carried, form.channel);
            accepted = self.host.post(NOTIFICATIONS, &form).await;
        }
        let AcceptedForm { delivery } = accepted.map_err(of_call)?;
        // From here on the host has it on the disk: whatever keeps its result from us, it will be delivered or seen.
        let path = format!("{DELIVERIES}{delivery}");
        let result = tokio::select! {
            result = timeout(WAIT + ANSWER_LATE, self.host.get::<ResultForm>(&path)) => result,
            () = give_up.cancelled() => return Ok(()),
        };
        match result {
            Ok(Ok(ResultForm { error: Some(error) })) => Err(MethodError::Failed(error)),
            Ok(Ok(ResultForm { error: None }) | Err(_)) | Err(_) => Ok(()),
        }
    }

    /// The configuration was carried again; the next send need not do it.
    fn moved(&self, before: &Carried, channel: ChannelId) {
        let mut carried = lock(&self.carried);
        if let Some(carried) = carried.as_mut().filter(|carried| carried.sequence == before.sequence) {
            carried.channel = channel;
        }
    }
}

fn of_call(error: CallError) -> MethodError {
    let CallError::Refused(RefusalForm { code, error }) = error else {
        return MethodError::Failed(error.to_string());
    };
    match code {
        RefusalCode::Config => MethodError::Config(error),
        RefusalCode::Notification => MethodError::Notification(error),
        RefusalCode::NoChannel | RefusalCode::NotAllowed | RefusalCode::Failed => MethodError::Failed(error),
    }
}

impl Methods for Connected {
    async fn answer(self: Arc<Self>, call: Call) -> Answer {
        match call {
            Call::GetInfo => process::get_info(&self.link).map(Some),
            Call::SetConfig(params) => match timeout(SET_CONFIG, self.set_config(params)).await {
                Ok(result) => result.map(|()| None),
                Err(_) => Err(process::too_slow_config()),
            },
            Call::SendNotification(params) => self.send_notification(params).await.map(|()| None),
        }
    }
}
