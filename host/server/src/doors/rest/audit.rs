//! `/audit`: who did what. Nothing changes an entry.

use axum::Json;
use axum::extract::State;
use sandbell_store::{AuditPage, Catalog as _, Cursor};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::Reader;
use super::extract::Params;
use super::form::AuditForm;
use super::page::{Limit, Page, count_max, cursor, cursor_from_text, cursor_text};
use super::problem::{Problem, ProblemResponse};
use super::tokens::Whose;

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditParams {
    /// The host's own log instead of the tenant's; for operators.
    #[serde(default)]
    #[param(nullable = false, default = false)]
    host: bool,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<usize>, nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<Limit>,
    /// Where to go on: the `next` of the page before.
    #[serde(default, deserialize_with = "cursor_from_text")]
    #[param(schema_with = cursor)]
    cursor: Option<Cursor>,
}

/// Show who did what, newest first
#[utoipa::path(
    get, path = "/audit", tag = "host", security(("token" = ["read"])), params(AuditParams),
    responses((status = 200, body = Page<AuditForm>), (status = "default", response = ProblemResponse)),
)]
async fn list(
    State(node): State<Shared>,
    Reader(caller): Reader,
    Params(AuditParams { host, limit, cursor }): Params<AuditParams>,
) -> Result<Json<Page<AuditForm>>, Problem> {
    let tenant = Whose { host }.of(&caller)?;
    let AuditPage { entries, next } = node.store.audit_log(tenant, cursor, count_max(limit)).await?;
    Ok(Json(Page { items: entries.into_iter().map(Into::into).collect(), next: next.map(cursor_text) }))
}
