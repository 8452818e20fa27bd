//! `/notifications`: what happened comes in, and is on the disk before anybody is told yes.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use sandbell_domain::NotificationId;
use sandbell_store::Outbox as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::accepting::{AcceptedForm, AcceptedNotification, Item, Request};
use super::auth::Sender;
use super::deliveries::shown;
use super::extract::{self, Body, Params, Segment};
use super::form::{BATCH_MAX, BadField, BatchForm, NotificationForm, Pointer, Wait};
use super::page::Nothing;
use super::problem::{Problem, ProblemResponse};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(send)).routes(routes!(send_batch)).routes(routes!(show))
}

#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WaitParams {
    /// Answer when every delivery is settled, or after this time at the latest, e.g. `10s`.
    #[serde(default)]
    #[param(value_type = Option<Wait>, nullable = false)]
    wait: Option<Wait>,
}

/// Hand in a notification
///
/// Without `wait`, the answer is 202 as soon as it is durable. With it, 200 says that every delivery is settled: those that are `dead`
/// say why in `failure`. 202 says that some are still being tried; they are ours from then on.
#[utoipa::path(
    post, path = "/notifications", tag = "notifications", security(("token" = ["send"])), request_body = NotificationForm,
    params(WaitParams, ("Idempotency-Key" = Option<String>, Header, nullable = false, max_length = 255, pattern = "^[!-~]{1,255}$",
        description = "The same key and body within 24 hours are the same notification; the same key with another body is refused")),
    responses(
        (status = 202, body = AcceptedForm), (status = 200, body = AcceptedForm),
        (status = "default", response = ProblemResponse),
    ),
)]
async fn send(
    State(node): State<Shared>,
    Sender(caller): Sender,
    Params(WaitParams { wait }): Params<WaitParams>,
    headers: HeaderMap,
    Body { form, bytes }: Body<NotificationForm>,
) -> Result<Response, Problem> {
    let tenant = caller.tenant().id;
    let at = Pointer::default();
    let item = Item::checked(form, at, &bytes)?;
    Request { node, tenant, wait, bytes }.accept(&headers, vec![item]).await
}

/// Hand in several notifications: all are accepted, or none
#[utoipa::path(
    post, path = "/notifications/batch", tag = "notifications", security(("token" = ["send"])), request_body = BatchForm,
    params(WaitParams, ("Idempotency-Key" = Option<String>, Header, nullable = false, max_length = 255, pattern = "^[!-~]{1,255}$",
        description = "As for one notification")),
    responses(
        (status = 202, body = AcceptedForm), (status = 200, body = AcceptedForm),
        (status = "default", response = ProblemResponse),
    ),
)]
async fn send_batch(
    State(node): State<Shared>,
    Sender(caller): Sender,
    Params(WaitParams { wait }): Params<WaitParams>,
    headers: HeaderMap,
    Body { form, bytes }: Body<RawBatch>,
) -> Result<Response, Problem> {
    let tenant = caller.tenant().id;
    let RawBatch { notifications } = form;
    let at = Pointer::of("notifications");
    if notifications.is_empty() || notifications.len() > BATCH_MAX {
        let message = format!("has {} entries; 1 to {BATCH_MAX} are allowed", notifications.len());
        return Err(BadField::new(at, message).into());
    }
    let mut items = Vec::with_capacity(notifications.len());
    for (index, raw) in notifications.iter().enumerate() {
        let (at, raw) = (at.then(index), raw.get().as_bytes());
        let form: NotificationForm = extract::parse(raw, &at)?;
        items.push(Item::checked(form, at, raw)?);
    }
    Request { node, tenant, wait, bytes }.accept(&headers, items).await
}

/// [`BatchForm`], with each notification as it was written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBatch {
    notifications: Vec<Box<RawValue>>,
}

/// Show a notification's deliveries
#[utoipa::path(
    get, path = "/notifications/{id}", tag = "notifications", security(("token" = ["send"])),
    params(("id" = String, Path, description = "The notification's id")),
    responses((status = 200, body = AcceptedNotification), (status = "default", response = ProblemResponse)),
)]
async fn show(
    State(node): State<Shared>,
    Sender(caller): Sender,
    Segment(id): Segment<NotificationId>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<AcceptedNotification>, Problem> {
    let tenant = caller.tenant().id;
    let statuses = node.store.of_notification(tenant, id).await?;
    if statuses.is_empty() {
        return Err(Problem::not_found(format!("there is no notification {id}")));
    }
    let channels = node.roster.channels(tenant).await?;
    let deliveries = statuses.iter().map(|status| shown(&channels, status)).collect();
    Ok(Json(AcceptedNotification { id, deliveries }))
}
