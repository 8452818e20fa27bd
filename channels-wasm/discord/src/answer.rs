//! What Discord says back: the message that it made, or a number and words.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of the answer's own words.
const REASON: Limit = Limit::Chars(200);
/// What Diun waits where Discord asks to wait and does not say how long.
const WAIT: Duration = Duration::from_secs(5);
/// More than a day is a mistake of the other side.
const WAIT_MAX: Duration = Duration::from_hours(24);

/// Discord's numbers for a webhook that is gone or was never there.
const UNKNOWN: [i64; 4] = [10_003, 10_015, 10_016, 50_027];

/// Every status of 200 to 299 is success: 200 with the message, 204 where an imitation of Discord ignores `wait`.
pub(crate) fn check(response: &Response) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let Some(error) = response.failure() else {
        let id = answer["id"].as_str();
        return Ok(id.map_or_else(Receipt::new, |id| Receipt::new().id(id)));
    };
    let message = message(response, &answer);
    let number = answer["code"].as_i64();
    if response.status() == 429 {
        return Err(SendError::later(code::RATE_LIMITED, message).after(wait(response, &answer)));
    }
    if error.retry == Retry::Never && number.is_some_and(|number| UNKNOWN.contains(&number)) {
        return Err(SendError::auth(message));
    }
    Err(SendError { message, ..error })
}

/// In Diun's words, with Discord's behind them.
fn message(response: &Response, answer: &Value) -> String {
    let status = response.status();
    let reason = match (answer["message"].as_str(), answer["code"].as_i64()) {
        (Some(words), Some(number)) if number != 0 => format!("{words} ({number})"),
        (Some(words), _) => words.to_owned(),
        (None, _) => response.text().into_owned(),
    };
    let details = answer.get("errors").map(|errors| format!(" {errors}")).unwrap_or_default();
    let reason = one_line(&format!("{reason}{details}"), REASON);
    if reason.is_empty() {
        format!("unexpected HTTP status {status}")
    } else {
        format!("unexpected HTTP status {status}: {reason}")
    }
}

/// `Retry-After`, else the body's `retry_after`, else `X-RateLimit-Reset-After`, each with fractions of a second.
fn wait(response: &Response, answer: &Value) -> Duration {
    let header = |name: &str| response.header(name).and_then(seconds);
    let body = || answer.get("retry_after").and_then(|value| seconds(&value.to_string()));
    header("retry-after")
        .or_else(|| response.retry_after())
        .or_else(body)
        .or_else(|| header("x-ratelimit-reset-after"))
        .filter(|wait| *wait <= WAIT_MAX)
        .unwrap_or(WAIT)
}

/// Reads `0.35` to the millisecond, upwards.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(fraction) || !is_digits(whole) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let millis: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let rest = u64::from(fraction.trim_end_matches('0').len() > 3);
    Some(Duration::from_secs(whole) + Duration::from_millis(millis + rest))
}

#[cfg(test)]
mod tests {
    use sandbell_sdk::testing::FakeHost;

    use crate::Discord;

    use super::*;

    fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
        let host = FakeHost::new().strict();
        host.reply(status, headers, body);
        let config = json!({ "webhook_url": "https://discord.com/api/webhooks/1/x" });
        host.send::<Discord>(&config, &Notification::example())
    }

    #[test]
    fn success_has_the_messages_id_if_discord_gives_it() {
        assert_eq!(outcome(200, &[], r#"{"id":"42","type":0}"#).unwrap(), Receipt::new().id("42"));
        for body in ["", "{}", "<html>"] {
            assert_eq!(outcome(204, &[], body).unwrap(), Receipt::new());
        }
    }

    #[test]
    fn a_refusal_has_discords_words() {
        for (status, body, code, message) in [
            (
                404,
                r#"{"message":"Unknown Webhook","code":10015}"#,
                code::AUTH,
                "unexpected HTTP status 404: Unknown Webhook (10015)",
            ),
            (
                401,
                r#"{"message":"Invalid Webhook Token","code":50027}"#,
                code::AUTH,
                "unexpected HTTP status 401: Invalid Webhook Token (50027)",
            ),
            (
                400,
                r#"{"message":"Invalid Form Body","code":50035,"errors":{"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH"}]}}}"#,
                code::REJECTED,
                r#"unexpected HTTP status 400: Invalid Form Body (50035) {"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH"}]}}"#,
            ),
            (400, r#"{"message":"no","code":0}"#, code::REJECTED, "unexpected HTTP status 400: no"),
            (403, "", code::AUTH, "unexpected HTTP status 403"),
            (404, "<html>\nnot here", code::REJECTED, "unexpected HTTP status 404: <html> not here"),
        ] {
            assert_eq!(outcome(status, &[], body).unwrap_err(), SendError::never(code, message));
        }
    }

    #[test]
    fn a_busy_discord_says_when_to_come_back() {
        for (headers, body, millis) in [
            (vec![("Retry-After", "2")], r#"{"retry_after":9.5}"#, 2000),
            (vec![("Retry-After", "0.35")], "", 350),
            (vec![("Retry-After", "0.3501")], "", 351),
            (
                vec![
                    ("Retry-After", "Wed, 21 Oct 2026 07:30:00 GMT"),
                    ("Date", "Wed, 21 Oct 2026 07:29:00 GMT"),
                ],
                "",
                60_000,
            ),
            (vec![("X-RateLimit-Reset-After", "7.5")], r#"{"retry_after":0.25}"#, 250),
            (vec![("X-RateLimit-Reset-After", "7.5")], "<html>", 7500),
            (vec![("Retry-After", "-1")], "", 5000),
            (vec![("Retry-After", "NaN")], "", 5000),
            (vec![("Retry-After", "1e300")], "", 5000),
            (vec![], "", 5000),
        ] {
            let error = outcome(429, &headers, body).unwrap_err();
            assert_eq!((error.retry, error.code.as_str()), (Retry::Later, code::RATE_LIMITED));
            assert_eq!(error.after, Some(Duration::from_millis(millis)), "{headers:?} {body}");
        }
        let error = outcome(502, &[], "").unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.after), (Retry::Later, code::UNREACHABLE, None));
    }
}
