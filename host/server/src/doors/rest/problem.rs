//! What went wrong, as RFC 9457 writes it; the only place where errors become HTTP.
//!
//! Invariant: what an inner part failed at is logged here and not told: the caller cannot mend it.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use sandbell_domain::{RouteError, escape};
use sandbell_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::form::{BadField, Pointer};

/// The media type of every error.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What is told of foreign text at most, in bytes.
const DETAIL_BYTES_MAX: usize = 4_096;

/// An answer that is no success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Box<ProblemBody>,
    retry_after: Option<Duration>,
}

/// An error: what is wrong, and what to do instead.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemBody {
    /// `urn:sandbell:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    title: Cow<'static, str>,
    status: u16,
    /// Stable, for programs.
    #[schema(value_type = String, example = "not-found")]
    code: &'static str,
    /// What is wrong, for people.
    detail: String,
    /// What to do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<String>,
    /// The field that is wrong, as RFC 6901 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/policy/retry/wait_max")]
    pointer: Option<String>,
    /// Where the body cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    column: Option<usize>,
}

/// The schema of every error, for the document.
#[derive(utoipa::ToResponse)]
#[response(description = "What is wrong, and what to do instead.", content_type = "application/problem+json")]
#[expect(dead_code, reason = "it describes, and is never made")]
pub(super) struct ProblemResponse(#[to_schema] ProblemBody);

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let body = ProblemBody {
            kind: format!("urn:sandbell:problem:{code}"),
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            status: status.as_u16(),
            code,
            detail: escape::cut(&detail.into(), DETAIL_BYTES_MAX),
            hint: None,
            pointer: None,
            line: None,
            column: None,
        };
        Self { status, body: Box::new(body), retry_after: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body.hint = Some(hint.into());
        self
    }

    pub(crate) fn at(mut self, pointer: &Pointer) -> Self {
        if !pointer.as_str().is_empty() {
            self.body.pointer = Some(pointer.as_str().to_owned());
        }
        self
    }

    /// Counted from 1.
    pub(crate) fn position(mut self, line: usize, column: usize) -> Self {
        self.body.line = Some(line);
        self.body.column = Some(column);
        self
    }

    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// A thing that is not there, or is another tenant's.
    /// What is wrong, for people.
    pub(crate) fn detail(&self) -> &str {
        &self.body.detail
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub(crate) fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// Understood, but not allowed.
    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// A fault of the host: logged whole, told in one sentence.
    pub(crate) fn internal(error: &(dyn std::error::Error + Send + Sync)) -> Self {
        tracing::error!("A request failed: {}", escape::line(&error.to_string()));
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the host failed; its log says at what")
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// What a test looks at.
    #[cfg(test)]
    pub(super) fn summary(&self) -> String {
        let ProblemBody { status, code, detail, pointer, line, column, .. } = &*self.body;
        let place = line.zip(*column).map(|(line, column)| format!(" ({line}:{column})")).unwrap_or_default();
        format!("{status} {code} {}{place}: {detail}", pointer.as_deref().unwrap_or("-"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, body, retry_after } = self;
        let json = serde_json::to_vec(&body).expect("texts and numbers always serialise");
        let mut response = (status, json).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"sandbell\""));
        }
        if let Some(wait) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

impl From<BadField> for Problem {
    fn from(error: BadField) -> Self {
        Self::invalid("invalid-field", error.to_string()).at(&error.pointer)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        use StoreError as E;
        let unavailable = |code, detail, wait| {
            tracing::error!("The store refused: {error}");
            Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(Duration::from_secs(wait))
        };
        match &error {
            E::OtherContent(_) => Self::conflict("other-content", error.to_string()),
            E::UnknownTenant(_) => Self::not_found("the tenant is gone"),
            E::Locked(_) => {
                unavailable("store-locked", "the host's database is locked by another program", 5)
            }
            E::ReadOnly(_) => unavailable("store-read-only", "the host's database cannot be written", 60),
            E::Full(_) => unavailable("store-full", "the host has no space left; nothing was kept", 60),
            E::DiskFailed { .. } => {
                unavailable("store-failed", "the host's disk failed; nothing was kept", 60)
            }
            E::Closed => unavailable("stopping", "the host is stopping", 5),
            E::Damaged { .. }
            | E::CannotOpen { .. }
            | E::Newer { .. }
            | E::OtherSchema { .. }
            | E::NoBackup { .. }
            | E::Unexpected { .. } => Self::internal(&error),
        }
    }
}

/// `pointer` is where the notification stands.
pub(super) fn of_route(error: &RouteError, pointer: &Pointer) -> Problem {
    let problem = |code, field: &str, detail: String, hint: &str| {
        Problem::invalid(code, detail).at(&pointer.then(field)).hint(hint)
    };
    match error {
        RouteError::NoChannel(_) => problem(
            "no-channel",
            "channels",
            "a channel that was named was deleted a moment ago".to_owned(),
            "`GET /api/v1/channels` lists the channels",
        ),
        RouteError::NobodyNamed => problem(
            "no-channel",
            "channels",
            "no channel was named".to_owned(),
            "name at least one, or leave `channels` out to go by the contacts' addresses",
        ),
        RouteError::NoAddress(kinds) => problem(
            "no-address",
            "contacts",
            format!("no enabled channel takes an address of this kind; the contact has {kinds}"),
            "name the channels in `channels`, or give the contact an address that a channel takes",
        ),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn body(problem: &Problem) -> String {
        serde_json::to_string(&problem.body).unwrap()
    }

    #[test]
    fn a_problem_says_what_where_and_what_next() {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "broken-json", "expected `:`")
            .hint("close the string")
            .at(&Pointer::of("event").then("time"))
            .position(3, 14);
        assert_snapshot!(body(&problem), @r#"{"type":"urn:sandbell:problem:broken-json","title":"Bad Request","status":400,"code":"broken-json","detail":"expected `:`","hint":"close the string","pointer":"/event/time","line":3,"column":14}"#);
        assert_snapshot!(body(&Problem::not_found("there is no channel `x`")), @r#"{"type":"urn:sandbell:problem:not-found","title":"Not Found","status":404,"code":"not-found","detail":"there is no channel `x`"}"#);
    }

    #[test]
    fn the_hosts_own_paths_are_not_told() {
        let path = std::path::PathBuf::from("/var/lib/sandbell/sandbell.db");
        let check = |error: StoreError, status: u16, code: &str| {
            let problem = Problem::from(error);
            assert_eq!((problem.body.status, problem.body.code), (status, code));
            assert!(!body(&problem).contains("/var/lib"), "{}", body(&problem));
        };
        check(StoreError::Full(path.clone()), 503, "store-full");
        check(StoreError::Locked(path.clone()), 503, "store-locked");
        check(StoreError::ReadOnly(path.clone()), 503, "store-read-only");
        check(StoreError::Damaged { path: path.clone(), found: "x".to_owned() }, 500, "internal");
        check(StoreError::DiskFailed { path, found: "x".to_owned() }, 503, "store-failed");
        check(StoreError::Closed, 503, "stopping");
    }

    #[test]
    fn who_may_come_again_is_told_when() {
        let response = Problem::new(StatusCode::TOO_MANY_REQUESTS, "slow-down", "")
            .retry_after(Duration::from_millis(1))
            .into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert_eq!(response.headers()[CONTENT_TYPE], MEDIA_TYPE);
        let response = Problem::new(StatusCode::UNAUTHORIZED, "no-token", "").into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer realm=\"sandbell\"");
    }
}
