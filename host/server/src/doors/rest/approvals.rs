//! `/plugins/{name}/approval`: what an operator allows a plugin. It names files and networks of the host, so only
//! operators see it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use sandbell_domain::target::allowed;
use sandbell_domain::{Approval, Name, PluginInfo, Want};
use url::Url;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::Operator;
use super::extract::{Body, Params, Segment};
use super::form::{ApprovalForm, ApprovalInput, BadField, Pointer};
use super::page::Nothing;
use super::plugins::{audit, find, on_disk};
use super::problem::{Problem, ProblemResponse};
use crate::install::{ApproveError, Installed, TlsError, tls_material};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show_approval, approve, disapprove))
}

/// Show what was allowed
#[utoipa::path(
    get, path = "/plugins/{name}/approval", tag = "plugins", security(("token" = ["operate"])),
    params(("name" = String, Path, description = "The plugin's name on this host")),
    responses((status = 200, body = ApprovalForm), (status = "default", response = ProblemResponse)),
)]
async fn show_approval(
    State(node): State<Shared>,
    _: Operator,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<ApprovalForm>, Problem> {
    let Installed { name, approval, .. } = find(&node, &name).await?;
    let unapproved = || Problem::not_found(format!("plugin `{name}` is not approved"));
    Ok(Json((&approval.ok_or_else(unapproved)?).into()))
}

/// Allow what the plugin wants, and what is named beside it
#[utoipa::path(
    put, path = "/plugins/{name}/approval", tag = "plugins", security(("token" = ["operate"])),
    params(("name" = String, Path, description = "The plugin's name on this host")), request_body = ApprovalInput,
    responses((status = 200, body = ApprovalForm), (status = "default", response = ProblemResponse)),
)]
async fn approve(
    State(node): State<Shared>,
    Operator(caller): Operator,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
    Body { form, .. }: Body<ApprovalInput>,
) -> Result<Json<ApprovalForm>, Problem> {
    form.check()?;
    let Installed { name, info, .. } = find(&node, &name).await?;
    let networks = form.parsed_networks()?;
    let allow = form.allow.iter().enumerate();
    let allow =
        allow.map(|(index, target)| parse_allow(target, &info.info, index)).collect::<Result<_, _>>()?;
    let proxy = form.proxy.as_deref().map(proxy).transpose()?;
    let approval = Approval {
        digest: form.digest,
        wants: info.info.wants,
        allow,
        networks,
        ca_file: form.ca_file,
        client_certificate_file: form.client_certificate_file,
        client_key_file: form.client_key_file,
        proxy,
        approved_at: node.clock.now(),
        approved_by: caller.actor().0,
    };
    let kept = {
        let (name, approval) = (name.clone(), approval.clone());
        on_disk(&node, move |state| {
            tls_material(&approval).map_err(Refused::Tls)?;
            state.approve(&name, approval).map_err(Refused::Approve)
        })
    };
    kept.await?;
    audit(&node, &caller, "plugin.approve", &name, approval.digest.to_string()).await?;
    Ok(Json((&approval).into()))
}

/// Take back what was allowed; the next attempt finds the plugin not approved
#[utoipa::path(
    delete, path = "/plugins/{name}/approval", tag = "plugins", security(("token" = ["operate"])),
    params(("name" = String, Path, description = "The plugin's name on this host")),
    responses((status = 204), (status = "default", response = ProblemResponse)),
)]
async fn disapprove(
    State(node): State<Shared>,
    Operator(caller): Operator,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<StatusCode, Problem> {
    let Installed { name, .. } = find(&node, &name).await?;
    let was_approved = {
        let name = name.clone();
        on_disk(&node, move |state| state.disapprove(&name)).await?
    };
    if !was_approved {
        return Err(Problem::not_found(format!("plugin `{name}` is not approved")));
    }
    audit(&node, &caller, "plugin.revoke", &name, String::new()).await?;
    Ok(StatusCode::NO_CONTENT)
}

enum Refused {
    Tls(TlsError),
    Approve(ApproveError),
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Tls(error) => Self::invalid("tls-file", error.to_string()),
            Refused::Approve(ApproveError::State(error)) => error.into(),
            Refused::Approve(error @ ApproveError::Changed(_)) => {
                Self::conflict("changed", error.to_string())
                    .hint("`digest` is not that of the component that is installed now")
            }
        }
    }
}

fn parse_allow(text: &str, info: &PluginInfo, index: usize) -> Result<Want, BadField> {
    allowed(text, info).map_err(|because| {
        let message = format!("{because}; write e.g. `http POST https://api.example.com/*`");
        BadField::new(Pointer::of("allow").then(index), message)
    })
}

fn proxy(text: &str) -> Result<Url, BadField> {
    let url = text.parse::<Url>().ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some()).ok_or_else(|| {
        // What was typed may hold a password.
        BadField::new(Pointer::of("proxy"), "is no proxy; write e.g. `http://proxy.example.com:3128`")
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn what_is_allowed_beyond_the_wants_is_checked() {
        let info = PluginInfo {
            name: String::new(),
            version: String::new(),
            author: String::new(),
            config_attrs: vec![],
            address_types: vec![],
            wants: vec![],
            extra: vec![],
        };
        let check = |text: &str| match parse_allow(text, &info, 0) {
            Ok(want) => format!("{} {}", want.capability.as_str(), want.target),
            Err(error) => error.to_string(),
        };
        assert_snapshot!(check("http POST https://*.example.com/*"), @"http POST https://*.example.com/*");
        assert_snapshot!(check("smtp mail.example.com:25"), @"smtp mail.example.com:25");
        assert_snapshot!(check("telex x"), @"allow.0: `telex` is no capability; write e.g. `http POST https://api.example.com/*`");
        assert_snapshot!(check("http POST {url}"), @"allow.0: `{url}` names no option of this plugin; write e.g. `http POST https://api.example.com/*`");
        assert!(proxy("http://proxy.example.com:3128").is_ok());
        assert!(proxy("ftp://proxy.example.com").is_err());
    }
}
