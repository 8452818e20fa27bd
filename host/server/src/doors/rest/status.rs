//! `/status`: how the host and the tenant stand.

use axum::Json;
use axum::extract::State;
use sandbell_store::{ChannelState, Enabled, Outbox as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::Reader;
use super::extract::Params;
use super::form::StatusForm;
use super::page::Nothing;
use super::problem::{Problem, ProblemResponse};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Show how the host and the tenant stand
#[utoipa::path(
    get, path = "/status", tag = "host", security(("token" = ["read"])),
    responses((status = 200, body = StatusForm), (status = "default", response = ProblemResponse)),
)]
async fn show(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<StatusForm>, Problem> {
    let tenant = caller.tenant();
    let channels = node.roster.channels(tenant.id).await?;
    let disabled = channels.iter().filter(|channel| channel.enabled != Enabled::Yes).count();
    let states = node.store.channel_states(tenant.id, node.clock.now()).await?;
    let sum = |count: fn(&ChannelState) -> u64| states.iter().map(count).sum();
    Ok(Json(StatusForm {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: node.started_at,
        caller: caller.actor().0,
        tenant: tenant.into(),
        channels: channels.iter().len() as u64,
        channels_disabled: disabled as u64,
        waiting: sum(|state| state.waiting),
        leased: sum(|state| state.leased),
        dead: sum(|state| state.dead),
    }))
}
