//! The document, and a page that shows it: two small files of ours, nothing from elsewhere, no script in the page.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS};

use super::Shared;

const PAGE: &str = include_str!("docs/page.html");
const SCRIPT: &str = include_str!("docs/page.js");
const STYLE: &str = include_str!("docs/page.css");

/// The page may load its own script, its own style and the document, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// These are read without a token: what the API looks like is no secret.
pub(super) fn router(base: &str, document: &str) -> Router<Shared> {
    let file = |media_type: &'static str, text: String| {
        get(move || {
            let headers = [
                (CONTENT_TYPE, media_type),
                (CONTENT_SECURITY_POLICY, POLICY),
                (REFERRER_POLICY, "no-referrer"),
                (X_FRAME_OPTIONS, "DENY"),
            ];
            let response = (headers, text.clone()).into_response();
            async move { response }
        })
    };
    Router::new()
        .route(&format!("{base}/openapi.json"), file("application/json", document.to_owned()))
        .route(&format!("{base}/docs"), file("text/html; charset=utf-8", PAGE.to_owned()))
        .route(&format!("{base}/docs/page.js"), file("text/javascript; charset=utf-8", SCRIPT.to_owned()))
        .route(&format!("{base}/docs/page.css"), file("text/css; charset=utf-8", STYLE.to_owned()))
}
