//! `/plugins`: what is installed on the host. Everybody may look; operators install and remove.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use sandbell_domain::{Name, escape};
use sandbell_sandbox::Inspected;
use sandbell_store::{AuditEntry, Catalog as _};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::auth::{Caller, Operator, Reader};
use super::extract::{self, Params, Segment};
use super::form::PluginForm;
use super::limits::{COMPONENT_BYTES_MAX, COMPONENT_READ};
use super::page::{All, Nothing};
use super::problem::{Problem, ProblemResponse};
use crate::install::{InfoV1, Installed, PluginName, State as Directory, StateError};

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list, install)).routes(routes!(show, remove))
}

/// What the component is to be called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InstallParams {
    /// The plugin's name on this host. Another component of this name runs on until this one is approved.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9_-]{0,62}$")]
    name: Name,
}

/// List the plugins
#[utoipa::path(
    get, path = "/plugins", tag = "plugins", security(("token" = ["read"])),
    responses((status = 200, body = All<PluginForm>), (status = "default", response = ProblemResponse)),
)]
async fn list(
    State(node): State<Shared>,
    _: Reader,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<All<PluginForm>>, Problem> {
    let listed = on_disk(&node, Directory::list).await?;
    let mut items = Vec::with_capacity(listed.len());
    for plugin in listed {
        match plugin {
            Ok(installed) => items.push((&installed).into()),
            // The operator learns of it from `plugin list` and `/readyz`; a tenant could do nothing about it.
            Err((name, error)) => tracing::warn!("the plugin `{name}` cannot be read: {error}"),
        }
    }
    Ok(Json(All { items }))
}

/// Install a component; it may do nothing until it is approved
#[utoipa::path(
    post, path = "/plugins", tag = "plugins", security(("token" = ["operate"])), params(InstallParams),
    request_body(content((Vec<u8> = "application/wasm"), (Vec<u8> = "application/octet-stream")),
        description = "The component, at most 16 MiB."),
    responses((status = 201, body = PluginForm), (status = "default", response = ProblemResponse)),
)]
async fn install(
    State(node): State<Shared>,
    Operator(caller): Operator,
    Params(InstallParams { name }): Params<InstallParams>,
    request: Request,
) -> Result<(StatusCode, Json<PluginForm>), Problem> {
    check_component(request.headers())?;
    let bytes = extract::read(request, COMPONENT_BYTES_MAX, COMPONENT_READ).await?;
    let info = inspect(&node, &bytes).await?;
    let name = plugin_name(&name)?;
    let (digest, by, now) = (info.digest, caller.actor(), node.clock.now());
    let source = format!("the API ({})", by.0);
    let installed = {
        let name = name.clone();
        on_disk(&node, move |state| {
            state.install(&name, &bytes, &info, &source, now)?;
            state.get(&name)
        })
        .await?
    };
    audit(&node, &caller, "plugin.install", &name, digest.to_string()).await?;
    Ok((StatusCode::CREATED, Json((&installed).into())))
}

/// Show a plugin: the options of its channels, what it wants, whether it may run
#[utoipa::path(
    get, path = "/plugins/{name}", tag = "plugins", security(("token" = ["read"])),
    params(("name" = String, Path, description = "The plugin's name on this host")),
    responses((status = 200, body = PluginForm), (status = "default", response = ProblemResponse)),
)]
async fn show(
    State(node): State<Shared>,
    _: Reader,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<PluginForm>, Problem> {
    Ok(Json((&find(&node, &name).await?).into()))
}

/// Remove a plugin that no channel uses
#[utoipa::path(
    delete, path = "/plugins/{name}", tag = "plugins", security(("token" = ["operate"])),
    params(("name" = String, Path, description = "The plugin's name on this host")),
    responses((status = 204), (status = "default", response = ProblemResponse)),
)]
async fn remove(
    State(node): State<Shared>,
    Operator(caller): Operator,
    Segment(name): Segment<Name>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<StatusCode, Problem> {
    let Installed { name, .. } = find(&node, &name).await?;
    let channels = node.store.uses_of_plugin(name.to_string()).await?;
    if channels > 0 {
        return Err(Problem::conflict("in-use", format!("{channels} channels use plugin `{name}`"))
            .hint("delete them first, or let them use another plugin"));
    }
    {
        let name = name.clone();
        on_disk(&node, move |state| state.remove(&name)).await?;
    }
    audit(&node, &caller, "plugin.remove", &name, String::new()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_component(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !matches!(media_type, "application/wasm" | "application/octet-stream") {
        let detail = format!("`{}` is no component", escape::line(media_type));
        return Err(
            extract::unsupported(detail).hint("send the component with `Content-Type: application/wasm`")
        );
    }
    extract::check_plain(headers)
}

/// Compiles it in a process of its own and asks it who it is, with no power granted.
async fn inspect(node: &Shared, bytes: &Bytes) -> Result<InfoV1, Problem> {
    use sandbell_sandbox::InspectError as E;
    let inspected = node.runner.sandbox().inspect(bytes).await.map_err(|error| {
        if matches!(error, E::Compiler { .. } | E::HostBug { .. }) {
            return Problem::internal(&error);
        }
        Problem::invalid("no-plugin", error.to_string())
    })?;
    let Inspected { digest, size_bytes, world, imports, exports, info } = inspected;
    Ok(InfoV1 { version: 1, digest, size_bytes: size_bytes as u64, world, imports, exports, info })
}

/// Both follow the same grammar.
pub(super) fn plugin_name(name: &Name) -> Result<PluginName, Problem> {
    name.as_str().parse().map_err(|error: crate::install::BadName| Problem::not_found(error.to_string()))
}

pub(super) async fn find(node: &Shared, name: &Name) -> Result<Installed, Problem> {
    let name = plugin_name(name)?;
    on_disk(node, move |state| state.get(&name)).await
}

/// Reads or writes the state directory, which blocks.
pub(super) async fn on_disk<T: Send + 'static, E: Into<Problem> + Send + 'static>(
    node: &Shared,
    work: impl FnOnce(&Directory) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem> {
    let state = node.state.clone();
    let done = spawn_blocking(move || work(&state)).await;
    done.map_err(|error| Problem::internal(&error))?.map_err(Into::into)
}

/// Plugins and approvals are the host's, so is the entry.
pub(super) async fn audit(
    node: &Shared,
    caller: &Caller,
    action: &str,
    name: &PluginName,
    detail: String,
) -> Result<(), Problem> {
    let (at, by) = (node.clock.now(), caller.actor());
    let (action, object) = (action.to_owned(), name.to_string());
    Ok(node.store.audit(AuditEntry { tenant: None, at, by, action, object, detail }).await?)
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        if matches!(error, StateError::NotInstalled(_)) {
            return Self::not_found(error.to_string());
        }
        if matches!(error, StateError::Locked { .. }) {
            let detail = "another program is writing to the host's state directory";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "state-locked", detail)
                .retry_after(Duration::from_secs(5));
        }
        Self::internal(&error)
    }
}
