//! `/channels/{name}/test` and `preview`, and the same for `/drafts`: one attempt, outside the outbox.
//!
//! A test sends, a preview builds everything and sends nothing. Neither is retried, and neither is a delivery.

use axum::Json;
use axum::extract::State;
use sandbell_domain::{Mode, Name, Notification, NotificationId, TenantId};
use sandbell_store::{AuditEntry, Catalog as _, Expect};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::{Caller, Manager};
use super::channels::find;
use super::edits::{edit, refused};
use super::extract::{Body, MaybeBody, Params, Segment};
use super::form::{AttemptForm, Content, DraftForm, Given, Pointer, SampleForm};
use super::page::Nothing;
use super::problem::{Problem, ProblemResponse};
use crate::channels;
use crate::dice;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(test))
        .routes(routes!(preview))
        .routes(routes!(test_draft))
        .routes(routes!(preview_draft))
}

/// Send a test through a channel
#[utoipa::path(
    post, path = "/channels/{name}/test", tag = "channels", security(("token" = ["manage"])),
    params(("name" = String, Path, description = "The channel's name")), request_body = Option<SampleForm>,
    responses((status = 200, body = AttemptForm), (status = "default", response = ProblemResponse)),
)]
async fn test(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
    MaybeBody(sample): MaybeBody<SampleForm>,
) -> Result<Json<AttemptForm>, Problem> {
    of_saved(&node, &caller, &name, sample, Mode::Send).await
}

/// Show what a channel would send
#[utoipa::path(
    post, path = "/channels/{name}/preview", tag = "channels", security(("token" = ["manage"])),
    params(("name" = String, Path, description = "The channel's name")), request_body = Option<SampleForm>,
    responses((status = 200, body = AttemptForm), (status = "default", response = ProblemResponse)),
)]
async fn preview(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
    MaybeBody(sample): MaybeBody<SampleForm>,
) -> Result<Json<AttemptForm>, Problem> {
    of_saved(&node, &caller, &name, sample, Mode::DryRun).await
}

/// Send a test through a channel that is not saved
#[utoipa::path(
    post, path = "/drafts/test", tag = "channels", security(("token" = ["manage"])), request_body = DraftForm,
    responses((status = 200, body = AttemptForm), (status = "default", response = ProblemResponse)),
)]
async fn test_draft(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Params(Nothing {}): Params<Nothing>,
    Body { form, .. }: Body<DraftForm>,
) -> Result<Json<AttemptForm>, Problem> {
    of_draft(&node, &caller, form, Mode::Send).await
}

/// Show what a channel that is not saved would send
#[utoipa::path(
    post, path = "/drafts/preview", tag = "channels", security(("token" = ["manage"])), request_body = DraftForm,
    responses((status = 200, body = AttemptForm), (status = "default", response = ProblemResponse)),
)]
async fn preview_draft(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Params(Nothing {}): Params<Nothing>,
    Body { form, .. }: Body<DraftForm>,
) -> Result<Json<AttemptForm>, Problem> {
    of_draft(&node, &caller, form, Mode::DryRun).await
}

async fn of_saved(
    node: &Shared,
    caller: &Caller,
    name: &Name,
    sample: SampleForm,
    mode: Mode,
) -> Result<Json<AttemptForm>, Problem> {
    let tenant = caller.tenant().id;
    let notification = notification(node, tenant, name, sample, &Pointer::default())?;
    let channel = find(node, tenant, name).await?;
    let attempt = channels::try_saved(node, &channel, notification, mode).await;
    audit(node, caller, tenant, name, mode).await?;
    Ok(Json(AttemptForm::new(&attempt, mode == Mode::DryRun)))
}

async fn of_draft(
    node: &Shared,
    caller: &Caller,
    form: DraftForm,
    mode: Mode,
) -> Result<Json<AttemptForm>, Problem> {
    let tenant = caller.tenant().id;
    let DraftForm { channel, notification: sample } = form;
    let name = channel.name.clone();
    let notification = notification(node, tenant, &name, sample, &Pointer::of("notification"))?;
    let at = Pointer::of("channel");
    let edit = edit(channel, &at)?;
    let attempt = channels::try_draft(node, tenant, &edit, notification, mode).await;
    let attempt = attempt.map_err(|error| refused(error, Expect::Nothing, &at))?;
    audit(node, caller, tenant, &name, mode).await?;
    Ok(Json(AttemptForm::new(&attempt, mode == Mode::DryRun)))
}

fn notification(
    node: &Shared,
    tenant: TenantId,
    channel: &Name,
    sample: SampleForm,
    at: &Pointer,
) -> Result<Notification, Problem> {
    let SampleForm { contact, object, incident, event, links, extra } = sample;
    let contact = contact.checked(&at.then("contact"))?;
    let mut content = Content { object, incident, event, links, extra };
    content.check(at)?;
    if content.object.name.is_empty() {
        "Sandbell".clone_into(&mut content.object.name);
    }
    if content.event.message.is_empty() {
        content.event.message = format!("This is a test of the channel `{channel}`.");
    }
    let id = NotificationId::of(&[b"test", &dice::bytes::<16>()]);
    let given = Given { id, tenant, now: node.clock.now(), payload: "{}".to_owned() };
    Ok(content.into_notification(contact, given))
}

/// A test reaches people; a preview reaches nobody, and is nobody's business.
async fn audit(
    node: &Shared,
    caller: &Caller,
    tenant: TenantId,
    name: &Name,
    mode: Mode,
) -> Result<(), Problem> {
    if mode == Mode::DryRun {
        return Ok(());
    }
    let entry = AuditEntry {
        tenant: Some(tenant),
        at: node.clock.now(),
        by: caller.actor(),
        action: "channel.test".to_owned(),
        object: name.to_string(),
        detail: String::new(),
    };
    Ok(node.store.audit(entry).await?)
}
