//! `/channels/{name}/secrets/{option}`: one secret at a time. Nothing here tells a secret.

use axum::extract::State;
use http::StatusCode;
use sandbell_domain::Name;
use sandbell_store::Expect;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::{Caller, Manager};
use super::channels::find;
use super::edits::refused;
use super::extract::{Body, Params, Segment};
use super::form::{Pointer, SecretForm};
use super::page::Nothing;
use super::problem::{Problem, ProblemResponse};
use crate::channels::{self, SecretEdit};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(set_secret, remove_secret))
}

/// Set or replace a secret of a channel
#[utoipa::path(
    put, path = "/channels/{name}/secrets/{option}", tag = "channels", security(("token" = ["manage"])),
    params(
        ("name" = String, Path, description = "The channel's name"),
        ("option" = String, Path, description = "The plugin's option"),
    ),
    request_body = SecretForm,
    responses((status = 204), (status = "default", response = ProblemResponse)),
)]
async fn set_secret(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment((name, option)): Segment<(Name, String)>,
    Params(Nothing {}): Params<Nothing>,
    Body { form, .. }: Body<SecretForm>,
) -> Result<StatusCode, Problem> {
    change(&node, &caller, &name, option, SecretEdit::Set(form.checked()?)).await
}

/// Remove a secret of a channel
#[utoipa::path(
    delete, path = "/channels/{name}/secrets/{option}", tag = "channels", security(("token" = ["manage"])),
    params(
        ("name" = String, Path, description = "The channel's name"),
        ("option" = String, Path, description = "The plugin's option"),
    ),
    responses((status = 204), (status = "default", response = ProblemResponse)),
)]
async fn remove_secret(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment((name, option)): Segment<(Name, String)>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<StatusCode, Problem> {
    change(&node, &caller, &name, option, SecretEdit::Remove).await
}

/// A new revision of the channel, checked by its plugin like any other.
async fn change(
    node: &Shared,
    caller: &Caller,
    name: &Name,
    option: String,
    secret: SecretEdit,
) -> Result<StatusCode, Problem> {
    let tenant = caller.tenant().id;
    let channel = find(node, tenant, name).await?;
    let is_set = channel.secrets.iter().any(|secret| secret.option == option);
    if matches!(secret, SecretEdit::Remove) && !is_set {
        return Err(Problem::not_found(format!("channel `{name}` has no secret of this name")));
    }
    let expect = Expect::Revision(channel.revision);
    let refused = |error| refused(error, expect, &Pointer::default());
    let mut edit = channels::edit_of(&channel).map_err(refused)?;
    edit.secrets.push((option, secret));
    channels::save(node, tenant, edit, expect, caller.actor()).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
