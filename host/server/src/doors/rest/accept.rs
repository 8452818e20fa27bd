//! What a caller is ready to read: a success in another form would be no use to it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use sandbell_domain::escape;

use super::problem::Problem;

/// Refuses before anything is done. Errors are told in their own form, whatever the caller reads.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let offered = offered(request.uri().path());
    if is_taken(request.headers(), offered) {
        return next.run(request).await;
    }
    let path = escape::line(request.uri().path());
    Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "not-acceptable",
        format!("`{path}` answers with {offered} only"),
    )
    .hint("leave `Accept` out, or name it there")
    .into_response()
}

fn is_taken(headers: &HeaderMap, offered: &str) -> bool {
    let mut ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    ranges.peek().is_none() || ranges.any(|ranges| takes(ranges, offered))
}

/// The media type of a success at this path.
fn offered(path: &str) -> &'static str {
    match path.rsplit('/').next() {
        Some("tail") => "text/event-stream",
        Some("docs") => "text/html",
        Some("page.js") => "text/javascript",
        Some("page.css") => "text/css",
        Some(_) | None => "application/json",
    }
}

/// Whether one of the media ranges covers the media type (RFC 9110 §12.5.1).
fn takes(ranges: &str, media_type: &str) -> bool {
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    ranges.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let is_refused = parts.any(|part| matches!(part, "q=0" | "q=0." | "q=0.0" | "q=0.00" | "q=0.000"));
        let covers = essence.eq_ignore_ascii_case(media_type)
            || essence == "*/*"
            || essence.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(kind));
        covers && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_covers_what_it_names() {
        let check = |ranges: &str, want| assert_eq!(takes(ranges, "application/json"), want, "{ranges}");
        check("*/*", true);
        check("application/*", true);
        check("Application/JSON; q=0.5", true);
        check("text/html, application/json;q=0.1", true);
        check("text/html", false);
        check("text/*", false);
        check("application/json;q=0", false);
        check("application/problem+json", false);
        check("", false);
        assert_eq!(offered("/api/v1/deliveries/tail"), "text/event-stream");
        assert_eq!(offered("/api/v1/docs"), "text/html");
        assert_eq!(offered("/api/v1/channels"), "application/json");
    }
}
