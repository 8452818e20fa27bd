//! `/tokens`: the rights to call this API. A token's text is told once, when it is made.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use sandbell_domain::{Scope, TenantId, Token, TokenId};
use sandbell_store::{Catalog as _, Created};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::{Caller, Manager, new_token};
use super::extract::{Body, Params, Segment};
use super::form::{Pointer, TokenForm, TokenInput, TokenMade};
use super::page::All;
use super::problem::{Problem, ProblemResponse};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// Whose things are meant.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// The host's own instead of the tenant's; for operators.
    #[serde(default)]
    #[param(nullable = false, default = false)]
    pub(super) host: bool,
}

impl Whose {
    /// The tenant, or nobody for the host.
    pub(super) fn of(self, caller: &Caller) -> Result<Option<TenantId>, Problem> {
        if self.host {
            caller.check_operator()?;
            return Ok(None);
        }
        Ok(Some(caller.tenant().id))
    }
}

/// List the tokens, newest first, revoked ones included
#[utoipa::path(
    get, path = "/tokens", tag = "tokens", security(("token" = ["manage"])), params(Whose),
    responses((status = 200, body = All<TokenForm>), (status = "default", response = ProblemResponse)),
)]
async fn list(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Params(whose): Params<Whose>,
) -> Result<Json<All<TokenForm>>, Problem> {
    let tokens = node.store.tokens(whose.of(&caller)?).await?;
    Ok(Json(All { items: tokens.iter().map(Into::into).collect() }))
}

/// Make a token; its text is told now and never again
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", security(("token" = ["manage"])), params(Whose), request_body = TokenInput,
    responses((status = 201, body = TokenMade), (status = "default", response = ProblemResponse)),
)]
async fn create(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Params(whose): Params<Whose>,
    Body { form, .. }: Body<TokenInput>,
) -> Result<(StatusCode, Json<TokenMade>), Problem> {
    let tenant = whose.of(&caller)?;
    let scopes = form.checked_scopes()?;
    let now = node.clock.now();
    check_scopes(&caller, tenant, &scopes)?;
    if form.expires_at.is_some_and(|end| end <= now) {
        let detail = "expires_at: is past; name a moment to come";
        return Err(Problem::invalid("invalid-field", detail).at(&Pointer::of("expires_at")));
    }
    let (text, hash) = new_token();
    let token = Token {
        id: TokenId::of(&[&hash]),
        tenant,
        name: form.name,
        scopes,
        hash,
        created_at: now,
        created_by: caller.actor().0,
        expires_at: form.expires_at,
        revoked_at: None,
    };
    match node.store.create_token(token.clone(), caller.actor()).await? {
        Created::Done => Ok((StatusCode::CREATED, Json(TokenMade { about: (&token).into(), token: text }))),
        Created::Before => {
            Err(Problem::conflict("exists", format!("there is a token `{}` already", token.name))
                .hint("revoke it first, or take another name"))
        }
    }
}

/// Nobody gives more than they have, and the host is not a tenant's to operate.
fn check_scopes(caller: &Caller, tenant: Option<TenantId>, scopes: &[Scope]) -> Result<(), Problem> {
    if !caller.holds(scopes) {
        return Err(Problem::forbidden("scope", "a token cannot give scopes that it has not itself")
            .at(&Pointer::of("scopes")));
    }
    if tenant.is_some() && scopes.contains(&Scope::Operate) {
        let detail = "scopes: `operate` is for tokens of the host";
        return Err(Problem::invalid("invalid-field", detail)
            .at(&Pointer::of("scopes"))
            .hint("leave it out, or make a token of the host with `?host=true`"));
    }
    Ok(())
}

/// Revoke a token; it is refused from the next request on
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "tokens", security(("token" = ["manage"])),
    params(("id" = String, Path, description = "The token's id"), Whose),
    responses((status = 204), (status = "default", response = ProblemResponse)),
)]
async fn revoke(
    State(node): State<Shared>,
    Manager(caller): Manager,
    Segment(id): Segment<TokenId>,
    Params(whose): Params<Whose>,
) -> Result<StatusCode, Problem> {
    let tenant = whose.of(&caller)?;
    let revoked = node.store.revoke_token(tenant, id, caller.actor(), node.clock.now()).await;
    node.known.forget();
    if revoked? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found(format!("there is no token {id}")))
}
