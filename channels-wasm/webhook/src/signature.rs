//! Signatures after the Standard Webhooks specification: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
//!
//! The key is the secret as it was typed, because the host makes the signature and the channel never sees the secret. A
//! receiver that wants a key in base64 gets `whsec_` and the base64 of it.

use std::time::SystemTime;

use sandbell_sdk::http::Request;
use sandbell_sdk::prelude::*;

/// Adds the three headers for this body. The ID is the delivery's: a receiver that knows it has had the message.
pub(crate) fn sign(request: Request, secret: &Secret, id: &str, unix_seconds: u64, body: &str) -> Request {
    let signed = format!("{id}.{unix_seconds}.{body}");
    request
        .header("webhook-id", id)
        .header("webhook-timestamp", unix_seconds.to_string())
        .header("webhook-signature", Template::from("v1,").with(secret.hmac_sha256_base64(signed)))
}

/// When the attempt began: a receiver refuses what is older than a few minutes, so the event's own time is of no use.
#[expect(
    clippy::disallowed_methods,
    reason = "the host shows a channel the time of its attempt and nothing else"
)]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
}
