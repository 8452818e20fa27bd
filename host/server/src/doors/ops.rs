//! The door for those who operate this host: is it alive, can it work, what has it counted. Nobody is asked who they are.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sandbell_store::Catalog as _;
use tokio::task::spawn_blocking;

use crate::install::{Installed, Standing};
use crate::node::Node;

/// What `OpenMetrics` text is called.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What Prometheus reads if it asks for nothing better.
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `/livez`, `/readyz`, `/metrics`.
pub(crate) fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(node)
}

/// Whether the process is worth keeping: restarting it would help if not.
async fn livez(State(node): State<Arc<Node>>) -> Response {
    if node.pulse.is_alive() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the dispatcher does not turn any more\n").into_response()
    }
}

/// One part of the host, and what is wrong with it, or what there is to know.
struct Check {
    part: &'static str,
    found: Result<String, String>,
}

/// Whether it can take and deliver notifications; `?verbose` says what of it cannot, and so does every refusal.
async fn readyz(State(node): State<Arc<Node>>, RawQuery(query): RawQuery) -> Response {
    let checks = [
        Check { part: "database", found: database(&node).await },
        Check { part: "dispatcher", found: dispatcher(&node) },
        Check { part: "plugins", found: plugins(&node).await },
    ];
    let is_ready = checks.iter().all(|check| check.found.is_ok());
    let is_verbose =
        query.is_some_and(|query| query.split('&').any(|key| key == "verbose" || key == "verbose="));
    let mut text = String::new();
    if is_verbose || !is_ready {
        for Check { part, found } in &checks {
            let _ = match found {
                Ok(known) => writeln!(text, "ok     {part}: {known}"),
                Err(wrong) => writeln!(text, "failed {part}: {wrong}"),
            };
        }
    }
    text.push_str(if is_ready { "ready\n" } else { "not ready\n" });
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text).into_response()
}

async fn database(node: &Node) -> Result<String, String> {
    if let Some(error) = node.pulse.last_failure() {
        return Err(error);
    }
    node.store
        .key_check()
        .await
        .map(|_| "readable and writable".to_owned())
        .map_err(|error| error.to_string())
}

fn dispatcher(node: &Node) -> Result<String, String> {
    if node.stop.is_cancelled() {
        return Err("stopping".to_owned());
    }
    if node.pulse.is_alive() { Ok("turning".to_owned()) } else { Err("does not turn".to_owned()) }
}

async fn plugins(node: &Node) -> Result<String, String> {
    let state = node.state.clone();
    let listed = spawn_blocking(move || state.list()).await.map_err(|error| error.to_string())?;
    let listed = listed.map_err(|error| error.to_string())?;
    if let Some((name, error)) = listed.iter().find_map(|plugin| plugin.as_ref().err()) {
        return Err(format!("`{name}` cannot be read: {error}"));
    }
    let is_approved = |plugin: &Installed| plugin.standing() != Standing::NotApproved;
    let approved = listed.iter().flatten().filter(|plugin| is_approved(plugin)).count();
    Ok(format!("{} installed, {approved} approved", listed.len()))
}

async fn metrics(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match node.metrics.text() {
        Ok(text) if accept.contains("application/openmetrics-text") => {
            ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()
        }
        Ok(text) => ([(header::CONTENT_TYPE, CLASSIC)], classic(&text)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// `OpenMetrics` in the older words: there a counter is called what its samples are called, and nothing has a unit.
fn classic(text: &str) -> String {
    let counters: HashSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut classic = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        let (mark, kind, name, rest) = (words.next(), words.next(), words.next(), words.next());
        match (mark, kind, name) {
            (Some("#"), Some(kind), Some(name)) if counters.contains(name) => {
                let _ = write!(classic, "# {kind} {name}_total {}", rest.unwrap_or_default());
            }
            _ => classic.push_str(line),
        }
        classic.push('\n');
    }
    classic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_readers_get_older_words() {
        let text = "# HELP a_seconds Of it.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1\n\
                    # HELP b Other.\n# TYPE b gauge\nb 2\n# EOF\n";
        insta::assert_snapshot!(classic(text), @r"
        # HELP a_seconds_total Of it.
        # TYPE a_seconds_total counter
        a_seconds_total 1
        # HELP b Other.
        # TYPE b gauge
        b 2
        ");
    }
}
