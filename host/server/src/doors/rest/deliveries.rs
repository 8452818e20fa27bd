//! `/deliveries`: how they stand, what was tried, and what an operator does about them.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use sandbell_domain::{ChannelId, DeadReason, DeliveryId, Name, TenantId};
use sandbell_store::{
    AuditEntry, Cancelled, Catalog as _, Cursor, Filter, Outbox as _, Page as Statuses, Redrive, Status,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::{Caller, Manager, Reader};
use super::extract::{Body, Params, Segment};
use super::form::{self, BadField, DeliveryForm, DeliveryState, Pointer, TriedForm};
use super::page::{All, Limit, Nothing, Page, count_max, cursor, cursor_from_text, cursor_text};
use super::problem::{Problem, ProblemResponse};
use crate::roster::Channels;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(redrive_matching))
        .routes(routes!(show))
        .routes(routes!(attempts))
        .routes(routes!(redrive))
        .routes(routes!(cancel))
}

/// The longest code of a failure, in characters.
const CODE_CHARS_MAX: usize = 256;

/// Which deliveries; what is absent does not matter.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Of this channel.
    #[serde(default)]
    #[param(schema_with = form::name_schema)]
    channel: Option<Name>,
    #[serde(default)]
    #[param(nullable = false)]
    state: Option<DeliveryState>,
    /// Why it is dead.
    #[serde(default)]
    #[param(schema_with = form::dead_reason)]
    reason: Option<DeadReason>,
    /// The code of the last failure, e.g. `http-status:503`.
    #[serde(default)]
    #[param(nullable = false, max_length = 256)]
    code: Option<String>,
    /// Settled at this moment or later.
    #[serde(default)]
    #[param(schema_with = form::time)]
    since: Option<Timestamp>,
    /// Settled before this moment.
    #[serde(default)]
    #[param(schema_with = form::time)]
    until: Option<Timestamp>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<usize>, nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<Limit>,
    /// Where to go on: the `next` of the page before.
    #[serde(default, deserialize_with = "cursor_from_text")]
    #[param(schema_with = cursor)]
    cursor: Option<Cursor>,
}

/// Which dead letters are tried again; what is absent does not matter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Redrive)]
struct RedriveForm {
    #[serde(default)]
    #[schema(schema_with = form::name_or_null)]
    channel: Option<Name>,
    #[serde(default)]
    #[schema(schema_with = form::dead_reason_or_null)]
    reason: Option<DeadReason>,
    /// The code of the last failure.
    #[serde(default)]
    #[schema(max_length = 256)]
    code: Option<String>,
    /// Dead since this moment or later.
    #[serde(default)]
    #[schema(schema_with = form::time_or_null)]
    since: Option<Timestamp>,
    /// Dead before this moment.
    #[serde(default)]
    #[schema(schema_with = form::time_or_null)]
    until: Option<Timestamp>,
}

/// How many dead letters are tried again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Redriven)]
struct RedrivenForm {
    redriven: u64,
}

/// What cancelling did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cancelled)]
struct CancelledForm {
    /// It is being tried: it becomes a dead letter unless this try delivers it.
    after_this_try: bool,
}

/// List deliveries, newest first
#[utoipa::path(
    get, path = "/deliveries", tag = "deliveries", security(("token" = ["read"])), params(ListParams),
    responses((status = 200, body = Page<DeliveryForm>), (status = "default", response = ProblemResponse)),
)]
async fn list(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Params(params): Params<ListParams>,
) -> Result<Json<Page<DeliveryForm>>, Problem> {
    let tenant = caller.tenant().id;
    let ListParams { channel, state, reason, code, since, until, limit, cursor } = params;
    check_code(code.as_deref())?;
    let channels = node.roster.channels(tenant).await?;
    let filter = Filter {
        channel: channel.map(|name| named(&channels, &name)).transpose()?,
        state: state.map(Into::into),
        reason,
        failure_code: code,
        settled_from: since,
        settled_until: until,
    };
    let Statuses { deliveries, next } = node.store.list(tenant, filter, cursor, count_max(limit)).await?;
    let items = deliveries.iter().map(|status| shown(&channels, status)).collect();
    Ok(Json(Page { items, next: next.map(cursor_text) }))
}

/// Show a delivery
#[utoipa::path(
    get, path = "/deliveries/{id}", tag = "deliveries", security(("token" = ["read"])),
    params(("id" = String, Path, description = "The delivery's id")),
    responses((status = 200, body = DeliveryForm), (status = "default", response = ProblemResponse)),
)]
async fn show(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Segment(id): Segment<DeliveryId>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<DeliveryForm>, Problem> {
    let tenant = caller.tenant().id;
    Ok(Json(find(&node, tenant, id).await?))
}

/// Show what was tried: what was sent, what came back, what the plugin wrote, what it cost
#[utoipa::path(
    get, path = "/deliveries/{id}/attempts", tag = "deliveries", security(("token" = ["read"])),
    params(("id" = String, Path, description = "The delivery's id")),
    responses((status = 200, body = All<TriedForm>), (status = "default", response = ProblemResponse)),
)]
async fn attempts(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Segment(id): Segment<DeliveryId>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<All<TriedForm>>, Problem> {
    let tenant = caller.tenant().id;
    find(&node, tenant, id).await?;
    let attempts = node.store.attempts(tenant, id).await?;
    Ok(Json(All { items: attempts.iter().map(Into::into).collect() }))
}

/// Try a dead letter again
#[utoipa::path(
    post, path = "/deliveries/{id}/redrive", tag = "deliveries", security(("token" = ["manage"])),
    params(("id" = String, Path, description = "The delivery's id")),
    responses((status = 200, body = DeliveryForm), (status = "default", response = ProblemResponse)),
)]
async fn redrive(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(id): Segment<DeliveryId>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<DeliveryForm>, Problem> {
    let tenant = caller.tenant().id;
    let before = find(&node, tenant, id).await?;
    if node.store.redrive(tenant, Redrive::One(id), node.clock.now()).await? == 0 {
        let detail = format!("delivery {id} is no dead letter; it is {}", word(before.state));
        return Err(Problem::conflict("not-dead", detail));
    }
    audit(&node, &caller, tenant, "delivery.redrive", id.to_string(), String::new()).await?;
    Ok(Json(find(&node, tenant, id).await?))
}

/// Try every dead letter again that is meant
#[utoipa::path(
    post, path = "/deliveries/redrive", tag = "deliveries", security(("token" = ["manage"])), request_body = RedriveForm,
    responses((status = 200, body = RedrivenForm), (status = "default", response = ProblemResponse)),
)]
async fn redrive_matching(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Params(Nothing {}): Params<Nothing>,
    Body { form, bytes }: Body<RedriveForm>,
) -> Result<Json<RedrivenForm>, Problem> {
    let tenant = caller.tenant().id;
    let RedriveForm { channel, reason, code, since, until } = form;
    check_code(code.as_deref())?;
    let channels = node.roster.channels(tenant).await?;
    let filter = Filter {
        channel: channel.map(|name| named(&channels, &name)).transpose()?,
        state: None,
        reason,
        failure_code: code,
        settled_from: since,
        settled_until: until,
    };
    let redriven = node.store.redrive(tenant, Redrive::Matching(filter), node.clock.now()).await?;
    let which = sandbell_domain::escape::line(&String::from_utf8_lossy(&bytes));
    let detail = format!("{redriven}: {}", sandbell_domain::escape::cut(&which, 512));
    audit(&node, &caller, tenant, "delivery.redrive", "by filter".to_owned(), detail).await?;
    Ok(Json(RedrivenForm { redriven }))
}

/// Make a delivery a dead letter
#[utoipa::path(
    post, path = "/deliveries/{id}/cancel", tag = "deliveries", security(("token" = ["manage"])),
    params(("id" = String, Path, description = "The delivery's id")),
    responses((status = 200, body = CancelledForm), (status = "default", response = ProblemResponse)),
)]
async fn cancel(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(id): Segment<DeliveryId>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<(StatusCode, Json<CancelledForm>), Problem> {
    let tenant = caller.tenant().id;
    let after_this_try = match node.store.cancel(tenant, id, node.clock.now()).await? {
        Cancelled::Done => false,
        Cancelled::AfterThisTry => true,
        Cancelled::SettledBefore => {
            return Err(Problem::conflict("settled", format!("delivery {id} was settled before")));
        }
        Cancelled::Unknown => return Err(unknown(id)),
    };
    audit(&node, &caller, tenant, "delivery.cancel", id.to_string(), String::new()).await?;
    Ok((StatusCode::OK, Json(CancelledForm { after_this_try })))
}

fn check_code(code: Option<&str>) -> Result<(), BadField> {
    form::check_text(&Pointer::of("code"), code.unwrap_or_default(), CODE_CHARS_MAX)
}

/// A delivery under its channel's name of today.
pub(super) fn shown(channels: &Channels, status: &Status) -> DeliveryForm {
    DeliveryForm::new(status, channels.of_id(status.channel).map(|channel| channel.name.clone()))
}

/// The channel of this name, or that there is none.
pub(super) fn named(channels: &Channels, name: &Name) -> Result<ChannelId, Problem> {
    channels.named(name).map(|channel| channel.id).ok_or_else(|| super::channels::unknown(name))
}

async fn find(node: &Shared, tenant: TenantId, id: DeliveryId) -> Result<DeliveryForm, Problem> {
    let status = node.store.status(tenant, id).await?.ok_or_else(|| unknown(id))?;
    Ok(shown(&*node.roster.channels(tenant).await?, &status))
}

fn unknown(id: DeliveryId) -> Problem {
    Problem::not_found(format!("there is no delivery {id}"))
}

const fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "waiting",
        DeliveryState::Leased => "being tried",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Dead => "dead",
    }
}

async fn audit(
    node: &Shared,
    caller: &Caller,
    tenant: TenantId,
    action: &str,
    object: String,
    detail: String,
) -> Result<(), Problem> {
    let (at, by, action) = (node.clock.now(), caller.actor(), action.to_owned());
    Ok(node.store.audit(AuditEntry { tenant: Some(tenant), at, by, action, object, detail }).await?)
}
