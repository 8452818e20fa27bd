//! `/deliveries/tail`: what becomes of deliveries, as it happens, by server-sent events.
//!
//! Whoever reads too slowly is told so and let go: nobody keeps what they did not read.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt as _, future, stream};
use jiff::Timestamp;
use sandbell_domain::{ChannelId, DeliveryId, Name, NotificationId, Outcome, TenantId};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::accepting::waiter;
use super::auth::{Caller, Reader};
use super::deliveries::named;
use super::extract::Params;
use super::form::{self, FailureForm, VerdictForm};
use super::problem::{Problem, ProblemResponse};
use crate::events::Tried;

/// A comment goes out this often, so that whatever is in between sees that somebody is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long somebody whose token was revoked can go on watching.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(tail))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TailParams {
    /// Of this channel only.
    #[serde(default)]
    #[param(schema_with = form::name_schema)]
    channel: Option<Name>,
}

/// One try is over, and this is what became of the delivery: the data of an event `delivery`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TriedEvent {
    #[schema(schema_with = form::delivery_id)]
    id: DeliveryId,
    #[schema(schema_with = form::notification_id)]
    notification: NotificationId,
    #[schema(schema_with = form::name_or_null)]
    channel: Option<Name>,
    #[schema(schema_with = form::channel_id)]
    channel_id: ChannelId,
    attempt: u32,
    #[schema(schema_with = form::time)]
    at: Timestamp,
    verdict: VerdictForm,
    failure: Option<FailureForm>,
}

/// Watch what becomes of deliveries
///
/// Server-sent events: `delivery` with a `TriedEvent`, and `end` with a reason when the host lets go.
#[utoipa::path(
    get, path = "/deliveries/tail", tag = "deliveries", security(("token" = ["read"])), params(TailParams),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", response = ProblemResponse),
    ),
)]
async fn tail(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Params(TailParams { channel }): Params<TailParams>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let tenant = caller.tenant().id;
    let channels = node.roster.channels(tenant).await?;
    let channel = channel.map(|name| named(&channels, &name)).transpose()?;
    let waiter = waiter(&node)?;
    let (events, stop) = (BroadcastStream::new(node.events.watch()), node.stop.clone());
    let over = over(Shared::clone(&node), caller, stop);
    let seen = events.filter_map(move |event| {
        let node = Shared::clone(&node);
        async move {
            match event {
                Ok(tried) if is_meant(&tried, tenant, channel) => Some(Ok(shown(&node, tried).await)),
                Ok(_) => None,
                Err(BroadcastStreamRecvError::Lagged(missed)) => {
                    Some(Err(end(&format!("{missed} events were missed: they were not read in time"))))
                }
            }
        }
    });
    // The first `end` is the last event.
    let events = stream::select(seen, stream::once(over)).scan(false, |is_over, event| {
        let next = (!*is_over).then(|| {
            event.unwrap_or_else(|event| {
                *is_over = true;
                event
            })
        });
        future::ready(next)
    });
    let events = events.map(move |event| {
        let _held = &waiter;
        Ok(event)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Resolves to the last event: the host stops, or the caller may not look any longer.
async fn over(node: Shared, caller: Caller, stop: CancellationToken) -> Result<Event, Event> {
    loop {
        tokio::select! {
            () = stop.cancelled() => return Err(end("the host is stopping")),
            () = sleep(LOOK_AGAIN) => {}
        }
        if let Err(refusal) = caller.check_again(&node).await {
            return Err(end(refusal.detail()));
        }
    }
}

fn is_meant(tried: &Tried, tenant: TenantId, channel: Option<ChannelId>) -> bool {
    tried.tenant == tenant && channel.is_none_or(|channel| channel == tried.channel)
}

async fn shown(node: &Shared, tried: Tried) -> Event {
    let Tried { tenant, channel, notification, delivery, attempt_number, outcome, verdict, at } = tried;
    let name = node.roster.channel(tenant, channel).await.ok().flatten();
    let form = TriedEvent {
        id: delivery,
        notification,
        channel: name.map(|channel| channel.name.clone()),
        channel_id: channel,
        attempt: attempt_number,
        at,
        verdict: verdict.into(),
        failure: match &outcome {
            Outcome::Delivered { .. } => None,
            Outcome::Failed(failure) => Some(failure.into()),
        },
    };
    let json = serde_json::to_string(&form).expect("texts and numbers always serialise");
    Event::default().event("delivery").id(delivery.to_string()).data(json)
}

fn end(reason: &str) -> Event {
    Event::default().event("end").data(serde_json::json!({ "reason": reason }).to_string())
}
