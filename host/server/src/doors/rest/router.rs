//! The routes in their layers, and the document that is made of them.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::Response;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode, Uri};
use sandbell_domain::escape;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::door::{Door, Shared};
use super::form::BatchForm;
use super::problem::{Problem, ProblemResponse};
use super::tail::TriedEvent;
use super::{
    accept, approvals, audit, channels, deliveries, docs, notifications, plugins, secrets, status, tail,
    tenants, tokens, trials,
};
use crate::node::Node;

/// Where all of it is.
const BASE: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sandbell",
        description = "Hosts notification channels that are WebAssembly components.\n\nCall it with a token, or through the \
            host's socket as its own user. An operator names the tenant with the header `Sandbell-Tenant`; it is `local` if \
            there is none. Errors are `application/problem+json` with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(BatchForm, TriedEvent), responses(ProblemResponse)),
    tags(
        (name = "notifications", description = "Something happened, and somebody is to know."),
        (name = "deliveries", description = "One notification, one contact, one channel, and what became of it."),
        (name = "channels", description = "A tenant's configured uses of plugins."),
        (name = "plugins", description = "What is installed on the host, and what it may do."),
        (name = "tokens", description = "The rights to call this API."),
        (name = "tenants", description = "Whose things these are; for operators of the host."),
        (name = "host", description = "How the host stands, and who did what."),
    ),
    modifiers(&Token),
)]
struct Api;

/// How callers say who they are.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "`sbt_…`, as `POST /tokens` told it once. Each operation names the scope that the token must have.",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}

/// The door, to be served on any listener that puts a [`Peer`](crate::listen::Peer) into the requests' extensions.
pub(crate) fn router(node: Arc<Node>) -> Router {
    let (routes, document) = routes().split_for_parts();
    let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    routes
        .merge(docs::router(BASE, &text(&document)))
        .method_not_allowed_fallback(no_such_method)
        .fallback(no_such_path)
        .layer(from_fn(accept::check))
        .layer(header(CACHE_CONTROL, "no-store"))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(Door::new(node))
}

/// The `OpenAPI` document, as it is kept in `docs/openapi.json`.
pub(crate) fn document() -> String {
    text(&routes().into_openapi())
}

fn routes() -> OpenApiRouter<Shared> {
    let nouns = OpenApiRouter::new()
        .merge(notifications::router())
        .merge(deliveries::router())
        .merge(tail::router())
        .merge(channels::router())
        .merge(secrets::router())
        .merge(trials::router())
        .merge(plugins::router())
        .merge(approvals::router())
        .merge(tokens::router())
        .merge(tenants::router())
        .merge(status::router())
        .merge(audit::router());
    let mut routes = OpenApiRouter::with_openapi(Api::openapi()).nest(BASE, nouns);
    name_operations(routes.get_openapi_mut());
    routes
}

/// `channels.list`: what is done, after whose it is.
fn name_operations(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            let tag = operation.tags.iter().flatten().next().cloned();
            operation.operation_id =
                tag.zip(operation.operation_id.take()).map(|(tag, id)| format!("{tag}.{id}"));
        }
    }
}

fn text(document: &Document) -> String {
    let mut text = document.to_pretty_json().expect("a document of texts always serialises");
    text.push('\n');
    text
}

async fn no_such_path(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at `{}`", escape::line(uri.path())))
        .hint("`/api/v1/docs` shows what there is")
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` takes no {method}", escape::line(uri.path()));
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail)
        .hint("the header `Allow` says what it takes")
}

/// A fault of ours ends one request.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
    axum::response::IntoResponse::into_response(Problem::internal(&std::io::Error::other(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value as Json;

    use super::*;

    fn operations() -> Vec<(String, Json)> {
        let document: Json = serde_json::from_str(&document()).unwrap();
        let paths = document["paths"].as_object().unwrap().clone();
        let operations = paths.into_iter().flat_map(|(path, item)| {
            let item = item.as_object().unwrap().clone();
            item.into_iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
        });
        operations.collect()
    }

    #[test]
    fn the_document_is_the_one_that_is_kept() {
        let kept = include_str!("../../../../../docs/openapi.json");
        assert!(
            document() == kept,
            "run `cargo xtask codegen`, and look at what changed in docs/openapi.json"
        );
    }

    #[test]
    fn every_operation_says_what_it_is_who_may_and_how_it_fails() {
        let mut ids = BTreeSet::new();
        for (name, operation) in operations() {
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
            let [scope] = operation["security"][0]["token"].as_array().unwrap().as_slice() else {
                panic!("{name} names no scope");
            };
            scope.as_str().unwrap().parse::<sandbell_domain::Scope>().unwrap();
            assert_eq!(
                operation["responses"]["default"]["$ref"], "#/components/responses/ProblemResponse",
                "{name}"
            );
            assert!(ids.insert(operation["operationId"].to_string()), "{name}");
        }
        assert!(ids.len() > 30, "{}", ids.len());
    }
}
