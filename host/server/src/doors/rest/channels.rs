//! `/channels`: a tenant's channels. Each save is a revision, checked by the plugin before it is kept.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use sandbell_domain::{Name, Tenant, TenantId};
use sandbell_store::catalog::Deleted;
use sandbell_store::{Catalog as _, ChannelRecord, Enabled, Expect};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::{Caller, Manager, Reader};
use super::edits::{edit, refused};
use super::extract::{Body, MaybeBody, Params, Segment};
use super::form::{self, ChannelForm, ChannelInput, DisableForm, Pointer};
use super::page::{All, Nothing};
use super::problem::{Problem, ProblemResponse};
use super::standing::standing;
use crate::channels::{self, Edit};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, replace, delete))
        .routes(routes!(enable))
        .routes(routes!(disable))
        .routes(routes!(revisions))
}

/// What a caller believes to replace.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes; `expected` reads")]
struct Preconditions {
    /// The revision that is meant, in quotes, as `ETag` told it.
    #[param(rename = "If-Match", schema_with = form::entity_tag)]
    if_match: Option<String>,
    /// `*`: there must be no such channel yet.
    #[param(rename = "If-None-Match", schema_with = form::any_tag)]
    if_none_match: Option<String>,
}

/// List the channels, by name
#[utoipa::path(
    get, path = "/channels", tag = "channels", security(("token" = ["read"])),
    responses((status = 200, body = All<ChannelForm>), (status = "default", response = ProblemResponse)),
)]
async fn list(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<All<ChannelForm>>, Problem> {
    let tenant = caller.tenant();
    let channels = node.store.channels(tenant.id).await?;
    Ok(Json(All { items: channels.iter().map(|channel| ChannelForm::new(channel, None)).collect() }))
}

/// Make a channel
#[utoipa::path(
    post, path = "/channels", tag = "channels", security(("token" = ["manage"])), request_body = ChannelInput,
    responses((status = 201, body = ChannelForm), (status = "default", response = ProblemResponse)),
)]
async fn create(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Params(Nothing {}): Params<Nothing>,
    Body { form, .. }: Body<ChannelInput>,
) -> Result<Response, Problem> {
    let tenant = caller.tenant();
    save(&node, &caller, tenant, edit(form, &Pointer::default())?, Expect::Nothing).await
}

/// Show a channel and how its deliveries stand
#[utoipa::path(
    get, path = "/channels/{name}", tag = "channels", security(("token" = ["read"])),
    params(("name" = String, Path, description = "The channel's name")),
    responses((status = 200, body = ChannelForm), (status = "default", response = ProblemResponse)),
)]
async fn show(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Response, Problem> {
    let tenant = caller.tenant();
    let channel = find(&node, tenant.id, &name).await?;
    let state = standing(&node, &channel).await?;
    Ok(tagged(StatusCode::OK, &channel, ChannelForm::new(&channel, Some(state))))
}

/// Make a channel, or replace it; the revision before is kept
///
/// With `If-Match`, only the revision that it names is replaced; with `If-None-Match: *`, nothing is.
#[utoipa::path(
    put, path = "/channels/{name}", tag = "channels", security(("token" = ["manage"])), request_body = ChannelInput,
    params(
        ("name" = String, Path, description = "The channel's name"),
        Preconditions,
    ),
    responses(
        (status = 200, body = ChannelForm), (status = 201, body = ChannelForm),
        (status = "default", response = ProblemResponse),
    ),
)]
async fn replace(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
    headers: HeaderMap,
    Body { form, .. }: Body<ChannelInput>,
) -> Result<Response, Problem> {
    let tenant = caller.tenant();
    if form.name != name {
        let detail = format!("name: is `{}`, and the path says `{name}`; write the same in both", form.name);
        return Err(Problem::invalid("invalid-field", detail).at(&Pointer::of("name")));
    }
    let edit = edit(form, &Pointer::default())?;
    let expect = if let Some(expect) = expected(&headers)? {
        expect
    } else {
        let current = node.store.channel(tenant.id, name).await?;
        current.map_or(Expect::Nothing, |current| Expect::Revision(current.revision))
    };
    save(&node, &caller, tenant, edit, expect).await
}

/// Delete a channel; refused while a delivery of it waits or is tried
#[utoipa::path(
    delete, path = "/channels/{name}", tag = "channels", security(("token" = ["manage"])),
    params(("name" = String, Path, description = "The channel's name")),
    responses((status = 204), (status = "default", response = ProblemResponse)),
)]
async fn delete(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<StatusCode, Problem> {
    let tenant = caller.tenant().id;
    let channel = find(&node, tenant, &name).await?;
    let deleted = node.store.delete_channel(tenant, channel.id, caller.actor(), node.clock.now()).await;
    node.roster.forget(tenant);
    node.circuits.forget(channel.id);
    match deleted? {
        Deleted::Done => Ok(StatusCode::NO_CONTENT),
        Deleted::Unknown => Err(unknown(&name)),
        Deleted::InUse { deliveries } => {
            let detail = match deliveries {
                1 => format!("1 delivery of channel `{name}` is not settled"),
                _ => format!("{deliveries} deliveries of channel `{name}` are not settled"),
            };
            Err(Problem::conflict("in-use", detail).hint("cancel them, or wait until they are"))
        }
    }
}

/// Let a channel deliver again
#[utoipa::path(
    post, path = "/channels/{name}/enable", tag = "channels", security(("token" = ["manage"])),
    params(("name" = String, Path, description = "The channel's name")),
    responses((status = 200, body = ChannelForm), (status = "default", response = ProblemResponse)),
)]
async fn enable(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Response, Problem> {
    let tenant = caller.tenant().id;
    switch(&node, &caller, tenant, &name, Enabled::Yes).await
}

/// Let the deliveries of a channel wait
#[utoipa::path(
    post, path = "/channels/{name}/disable", tag = "channels", security(("token" = ["manage"])),
    params(("name" = String, Path, description = "The channel's name")), request_body = Option<DisableForm>,
    responses((status = 200, body = ChannelForm), (status = "default", response = ProblemResponse)),
)]
async fn disable(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
    MaybeBody(form): MaybeBody<DisableForm>,
) -> Result<Response, Problem> {
    let tenant = caller.tenant().id;
    let reason = form.checked()?;
    switch(&node, &caller, tenant, &name, Enabled::No { reason }).await
}

/// List the earlier revisions of a channel, newest first; at most 10 are kept
#[utoipa::path(
    get, path = "/channels/{name}/revisions", tag = "channels", security(("token" = ["read"])),
    params(("name" = String, Path, description = "The channel's name")),
    responses((status = 200, body = All<ChannelForm>), (status = "default", response = ProblemResponse)),
)]
async fn revisions(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<All<ChannelForm>>, Problem> {
    let tenant = caller.tenant().id;
    let channel = find(&node, tenant, &name).await?;
    let revisions = node.store.revisions(tenant, channel.id).await?;
    Ok(Json(All { items: revisions.iter().map(|revision| ChannelForm::new(revision, None)).collect() }))
}

pub(super) async fn find(node: &Shared, tenant: TenantId, name: &Name) -> Result<ChannelRecord, Problem> {
    node.store.channel(tenant, name.clone()).await?.ok_or_else(|| unknown(name))
}

pub(super) fn unknown(name: &Name) -> Problem {
    Problem::not_found(format!("there is no channel `{name}`"))
}

async fn save(
    node: &Shared,
    caller: &Caller,
    tenant: &Tenant,
    edit: Edit,
    expect: Expect,
) -> Result<Response, Problem> {
    let saved = channels::save(node, tenant.id, edit, expect, caller.actor()).await;
    let saved = saved.map_err(|error| refused(error, expect, &Pointer::default()))?;
    let status = if saved.revision == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(tagged(status, &saved, ChannelForm::new(&saved, None)))
}

async fn switch(
    node: &Shared,
    caller: &Caller,
    tenant: TenantId,
    name: &Name,
    enabled: Enabled,
) -> Result<Response, Problem> {
    let channel = find(node, tenant, name).await?;
    let done = node.store.enable_channel(tenant, channel.id, enabled, caller.actor(), node.clock.now()).await;
    node.roster.forget(tenant);
    node.circuits.forget(channel.id);
    if !done? {
        return Err(unknown(name));
    }
    let channel = find(node, tenant, name).await?;
    Ok(tagged(StatusCode::OK, &channel, ChannelForm::new(&channel, None)))
}

fn tagged(status: StatusCode, channel: &ChannelRecord, form: ChannelForm) -> Response {
    let mut response = (status, Json(form)).into_response();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", channel.revision)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// What the caller believes to replace, if it says so.
fn expected(headers: &HeaderMap) -> Result<Option<Expect>, Problem> {
    let bad = |name: &str, want: &str| {
        let detail = format!("`{name}` is not understood; write {want}");
        Problem::new(StatusCode::BAD_REQUEST, "invalid-header", detail)
    };
    let revision = |value: &HeaderValue| -> Option<u32> {
        let text = value.to_str().ok()?;
        // People forget the quotes, and mean the same.
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        if quoted.bytes().all(|byte| byte.is_ascii_digit()) { quoted.parse().ok() } else { None }
    };
    let meant = headers
        .get(IF_MATCH)
        .map(|value| revision(value).ok_or_else(|| bad("If-Match", "the revision in quotes, e.g. `\"3\"`")));
    let is_new = headers
        .get(IF_NONE_MATCH)
        .map(|value| if value == "*" { Ok(()) } else { Err(bad("If-None-Match", "`*`, or leave it out")) });
    match (meant.transpose()?, is_new.transpose()?) {
        (None, None) => Ok(None),
        (None, Some(())) => Ok(Some(Expect::Nothing)),
        (Some(revision), None) => Ok(Some(Expect::Revision(revision))),
        (Some(_), Some(())) => {
            let detail = "no channel has a revision and is not there; write `If-Match` or `If-None-Match`";
            Err(Problem::new(StatusCode::PRECONDITION_FAILED, "revision", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_read_strictly() {
        let read = |name: http::HeaderName, value: &str| {
            let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
            expected(&headers).map_err(|problem| problem.status().as_u16())
        };
        assert!(matches!(expected(&HeaderMap::new()), Ok(None)));
        assert_eq!(read(IF_MATCH, "\"3\""), Ok(Some(Expect::Revision(3))));
        assert_eq!(read(IF_NONE_MATCH, "*"), Ok(Some(Expect::Nothing)));
        assert_eq!(read(IF_MATCH, "3"), Ok(Some(Expect::Revision(3))));
        for bad in ["W/\"3\"", "*", "\"x\"", "", "\"3", "+3"] {
            assert_eq!(read(IF_MATCH, bad), Err(400), "{bad}");
        }
        assert_eq!(read(IF_NONE_MATCH, "\"3\""), Err(400));
    }
}
