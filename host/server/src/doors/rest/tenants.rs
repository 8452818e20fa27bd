//! `/tenants`: whose things there are on this host. Only operators see them.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use sandbell_domain::{Name, Tenant};
use sandbell_store::{Catalog as _, Created};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::Operator;
use super::extract::{Body, Params, Segment};
use super::form::{TenantForm, TenantInput, TenantPatch};
use super::page::{All, Nothing};
use super::problem::{Problem, ProblemResponse};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change))
}

/// List the tenants
#[utoipa::path(
    get, path = "/tenants", tag = "tenants", security(("token" = ["operate"])),
    responses((status = 200, body = All<TenantForm>), (status = "default", response = ProblemResponse)),
)]
async fn list(
    State(node): State<Shared>,
    _: Operator,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<All<TenantForm>>, Problem> {
    let tenants = node.store.tenants().await?;
    Ok(Json(All { items: tenants.iter().map(Into::into).collect() }))
}

/// Make a tenant
#[utoipa::path(
    post, path = "/tenants", tag = "tenants", security(("token" = ["operate"])), request_body = TenantInput,
    responses((status = 201, body = TenantForm), (status = "default", response = ProblemResponse)),
)]
async fn create(
    State(node): State<Shared>,
    Operator(caller): Operator,
    Params(Nothing {}): Params<Nothing>,
    Body { form: TenantInput { name }, .. }: Body<TenantInput>,
) -> Result<(StatusCode, Json<TenantForm>), Problem> {
    let tenant = Tenant::new(name, node.clock.now());
    let created = node.store.create_tenant(tenant.clone(), caller.actor()).await?;
    node.roster.forget_tenants();
    match created {
        Created::Done => Ok((StatusCode::CREATED, Json((&tenant).into()))),
        Created::Before => {
            Err(Problem::conflict("exists", format!("there is a tenant `{}` already", tenant.name)))
        }
    }
}

/// Show a tenant
#[utoipa::path(
    get, path = "/tenants/{name}", tag = "tenants", security(("token" = ["operate"])),
    params(("name" = String, Path, description = "The tenant's name")),
    responses((status = 200, body = TenantForm), (status = "default", response = ProblemResponse)),
)]
async fn show(
    State(node): State<Shared>,
    _: Operator,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<TenantForm>, Problem> {
    Ok(Json((&find(&node, name).await?).into()))
}

/// Suspend a tenant, or let it go on
#[utoipa::path(
    patch, path = "/tenants/{name}", tag = "tenants", security(("token" = ["operate"])),
    params(("name" = String, Path, description = "The tenant's name")), request_body = TenantPatch,
    responses((status = 200, body = TenantForm), (status = "default", response = ProblemResponse)),
)]
async fn change(
    State(node): State<Shared>,
    Operator(caller): Operator,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
    Body { form: TenantPatch { is_suspended }, .. }: Body<TenantPatch>,
) -> Result<Json<TenantForm>, Problem> {
    let tenant = find(&node, name).await?;
    node.store.suspend_tenant(tenant.id, is_suspended, caller.actor(), node.clock.now()).await?;
    node.roster.forget_tenants();
    Ok(Json((&Tenant { is_suspended, ..tenant }).into()))
}

async fn find(node: &Shared, name: Name) -> Result<Tenant, Problem> {
    let unknown = || Problem::not_found(format!("there is no tenant `{name}`"));
    node.store.tenant(name.clone()).await?.ok_or_else(unknown)
}
