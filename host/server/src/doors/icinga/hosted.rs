//! The serving host's side of linked channels: a socket of its own, with these routes and no others.
//!
//! Invariant: whoever is let in here can carry configurations and send to what was carried, and nothing else.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use sandbell_domain::{DeadReason, DeliveryId, Target, Tenant, TenantId, escape};
use sandbell_store::{Actor, ChannelRecord, Enabled, State as Standing, Status};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::connected::WAIT;
use super::form::{
    AcceptedForm, CONFIG, ConfigForm, DELIVERIES, NOTIFICATIONS, NotificationForm, RefusalCode, RefusalForm,
    ResultForm, TakenForm,
};
use super::translate::{Addressing, translate};
use crate::channels::{CarryError, carry, is_carried};
use crate::install::{PluginName, user_name};
use crate::listen::Peer;
use crate::node::Node;

type Shared = Arc<Node>;

/// To be served on a Unix socket that puts a [`Peer`] into the requests' extensions.
pub(crate) fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route(CONFIG, post(set_config))
        .route(NOTIFICATIONS, post(accept))
        .route(&format!("{DELIVERIES}{{id}}"), get(result))
        .layer(from_fn_with_state(Arc::clone(&node), check_peer))
        .with_state(node)
}

/// An answer that is no success.
struct Refusal(RefusalForm);

impl Refusal {
    fn new(code: RefusalCode, error: impl Into<String>) -> Self {
        Self(RefusalForm { code, error: error.into() })
    }

    fn failed(error: impl Into<String>) -> Self {
        Self::new(RefusalCode::Failed, error)
    }
}

/// A fault that no daemon can mend.
impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::failed(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            RefusalCode::Config | RefusalCode::Notification => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalCode::NoChannel => StatusCode::NOT_FOUND,
            RefusalCode::NotAllowed => StatusCode::FORBIDDEN,
            RefusalCode::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self.0)).into_response()
    }
}

async fn check_peer(State(node): State<Shared>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let refused = |who: String| {
        let error = format!(
            "{who} may not use this socket; name the daemon's user in `icinga_users` of the serving host's \
             configuration, section `[listen]`, and reload it"
        );
        Refusal::new(RefusalCode::NotAllowed, error).into_response()
    };
    match peer {
        Some(peer) if peer.is_own() => next.run(request).await,
        Some(Peer::Unix { uid }) => {
            let name = user_name(uid);
            if node.settings().listen.icinga_users.contains(uid, &name) {
                return next.run(request).await;
            }
            refused(format!("user `{name}`"))
        }
        Some(Peer::Tcp(_)) | None => refused("nobody from afar".to_owned()),
    }
}

/// `SetConfig`: the channel of this configuration, made if there is none.
async fn set_config(State(node): State<Shared>, request: Request) -> Result<Json<TakenForm>, Refusal> {
    let by = Actor(match request.extensions().get::<Peer>() {
        Some(Peer::Unix { uid }) => format!("icinga (uid {uid})"),
        Some(Peer::Tcp(_)) | None => "icinga".to_owned(),
    });
    let ConfigForm { plugin, config } = read(&node, request.into_body()).await?;
    let of_config = |error: &dyn std::error::Error| Refusal::new(RefusalCode::Config, error.to_string());
    let plugin: PluginName = plugin.parse().map_err(|error| of_config(&error))?;
    let config = serde_json::from_str(config.get()).map_err(|error| of_config(&error))?;
    let tenant = tenant(&node).await?;
    let channel = carry(&node, tenant, &plugin, &config, &by).await.map_err(|error| match &error {
        CarryError::Store(error) => Refusal::failed(error.to_string()),
        CarryError::NoPlugin(_)
        | CarryError::State(_)
        | CarryError::Config(_)
        | CarryError::Refused(_)
        | CarryError::Open(_)
        | CarryError::TooMany
        | CarryError::Race
        | CarryError::Vault(_)
        | CarryError::Seal(_) => of_config(&error),
    })?;
    Ok(Json(TakenForm { channel }))
}

/// `SendNotification`, its first half: when it answers, the notification is on the disk.
async fn accept(State(node): State<Shared>, body: Body) -> Result<Json<AcceptedForm>, Refusal> {
    let NotificationForm { id, channel, link, params } = read(&node, body).await?;
    let tenant = tenant(&node).await?;
    let known = node.roster.channel(tenant, channel).await?;
    let record = known.filter(|record| is_carried(record));
    let record = record.ok_or_else(|| {
        Refusal::new(RefusalCode::NoChannel, "the serving host does not know this channel; save it again")
    })?;
    check_enabled(&record)?;
    let plugin: PluginName = record.plugin.parse()?;
    let info = node.runner.info(&plugin).await?;
    let addressing = Addressing { link: &link, plugin: &info.address_types };
    let notification = translate(params.get(), id, addressing)
        .map_err(|error| Refusal::new(RefusalCode::Notification, error.to_string()))?;
    let target = Target::Channels(vec![channel]);
    let accepted = node.intake.accept(tenant, vec![(notification, target)]).await;
    let accepted = accepted?;
    let delivery = accepted.deliveries.iter().flatten().next();
    let delivery = delivery.ok_or_else(|| Refusal::failed("the notification reached no channel"))?.id;
    Ok(Json(AcceptedForm { delivery }))
}

/// `SendNotification`, its second half.
async fn result(
    State(node): State<Shared>,
    Path(delivery): Path<DeliveryId>,
) -> Result<Json<ResultForm>, Refusal> {
    let tenant = tenant(&node).await?;
    let deliveries = [delivery];
    let statuses = tokio::select! {
        waited = node.intake.wait(tenant, &deliveries, WAIT) => waited?,
        () = node.stop.cancelled() => Vec::new(),
    };
    Ok(Json(ResultForm { error: statuses.first().and_then(given_up) }))
}

/// In the daemon's words, what a dead letter died of.
fn given_up(status: &Status) -> Option<String> {
    let Standing::Dead { reason, .. } = status.state else { return None };
    let detail = status.last_failure.as_ref().map(|failure| failure.detail.clone());
    if reason == DeadReason::Cancelled {
        return Some("the delivery was cancelled on the serving host".to_owned());
    }
    let detail = detail.filter(|detail| !detail.is_empty());
    Some(detail.unwrap_or_else(|| format!("the serving host gave the delivery up: {}", reason.as_str())))
}

fn check_enabled(record: &ChannelRecord) -> Result<(), Refusal> {
    let Enabled::No { reason } = &record.enabled else { return Ok(()) };
    let (name, reason) = (&record.name, escape::line(reason));
    Err(Refusal::failed(format!(
        "channel `{name}` of the serving host is disabled: {reason}; `sandbell channel enable {name}` lets it go on"
    )))
}

/// The daemon knows no tenants: its channels are the local tenant's.
async fn tenant(node: &Node) -> Result<TenantId, Refusal> {
    let id = TenantId::local();
    let tenant = node.roster.tenant_of_id(id).await?;
    match tenant {
        Some(Tenant { is_suspended: true, name, .. }) => {
            Err(Refusal::failed(format!("tenant `{name}` is suspended on the serving host")))
        }
        Some(_) | None => Ok(id),
    }
}

async fn read<T: DeserializeOwned>(node: &Node, body: Body) -> Result<T, Refusal> {
    let limits = &node.settings().limits;
    let body = timeout(limits.request, to_bytes(body, limits.body_bytes_max)).await;
    let body = body.map_err(|_| Refusal::failed("the request came too slowly"))?.map_err(|_| {
        let limit = limits.body_bytes_max;
        Refusal::failed(format!(
            "the request broke off, or has more than the {limit} bytes that the serving host takes; set \
             `body_bytes_max` in its section `[limits]`"
        ))
    })?;
    serde_json::from_slice(&body)
        .map_err(|error| Refusal::failed(format!("the request cannot be read: {error}")))
}
