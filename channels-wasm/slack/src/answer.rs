//! What Slack says back: a webhook `ok`, or one word that says why not; the Web API the same in JSON.

use sandbell_chat_text::{Limit, one_line};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// Of Slack's own words.
const REASON: Limit = Limit::Chars(200);

/// Slack's words for incoming webhooks and what they mean.
const WORDS: [(&str, &str, &str); 16] = [
    ("action_prohibited", code::AUTH, "an administrator of the workspace has forbidden it"),
    ("invalid_token", code::AUTH, "the webhook URL is not valid, or no longer"),
    ("no_active_hooks", code::AUTH, "the webhook is disabled"),
    ("no_service", code::AUTH, "the webhook is disabled, removed, or not valid"),
    ("no_service_id", code::AUTH, "the webhook URL is incomplete"),
    ("no_team", code::AUTH, "the workspace of the webhook URL does not exist"),
    ("team_disabled", code::AUTH, "the workspace is disabled"),
    ("posting_to_general_channel_denied", code::AUTH, "the webhook may not post to #general"),
    ("channel_is_archived", code::ADDRESS, "the channel is archived"),
    ("channel_not_found", code::ADDRESS, "there is no such channel"),
    ("user_not_found", code::ADDRESS, "there is no such user"),
    ("invalid_attachments", code::REJECTED, "Slack does not accept the attachment"),
    ("invalid_blocks", code::REJECTED, "Slack does not accept the layout"),
    ("invalid_payload", code::REJECTED, "Slack cannot read the message"),
    ("no_text", code::REJECTED, "the message is empty"),
    ("too_many_attachments", code::REJECTED, "the message has too many attachments"),
];

/// Slack's word decides where it is known, the status where it is not. A busy Slack is asked again later, whatever it
/// says.
pub(crate) fn check(response: Response) -> Result<Receipt, SendError> {
    let is_busy = matches!(response.status(), 408 | 425 | 429 | 500..=599);
    let known = WORDS.iter().find(|(known, _, _)| *known == response.text().trim()).filter(|_| !is_busy);
    if let Some((word, code, meaning)) = known {
        return Err(SendError::never(code, format!("Slack answered `{word}`: {meaning}")));
    }
    response.check()?;
    Ok(Receipt::new())
}

/// The Web API's words beside those of webhooks.
const API_WORDS: [(&str, &str); 14] = [
    ("account_inactive", code::AUTH),
    ("ekm_access_denied", code::AUTH),
    ("invalid_auth", code::AUTH),
    ("missing_scope", code::AUTH),
    ("no_permission", code::AUTH),
    ("not_authed", code::AUTH),
    ("token_expired", code::AUTH),
    ("token_revoked", code::AUTH),
    ("channel_not_found", code::ADDRESS),
    ("is_archived", code::ADDRESS),
    ("not_in_channel", code::ADDRESS),
    ("restricted_action", code::ADDRESS),
    ("messages_tab_disabled", code::ADDRESS),
    ("user_not_found", code::ADDRESS),
];
/// They ask for another try.
const BUSY_WORDS: [&str; 5] =
    ["fatal_error", "internal_error", "ratelimited", "request_timeout", "service_unavailable"];

/// `ok` decides, which comes with a status of 200 where Slack refuses; the receipt holds the message's time, its name.
pub(crate) fn posted(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let failure = response.failure();
    match (answer["ok"].as_bool(), failure) {
        (Some(true), None) => {
            let receipt = Receipt::new();
            Ok(match answer["ts"].as_str() {
                Some(ts) => receipt.id(ts),
                None => receipt,
            })
        }
        (None, None) if is_dry_run => Ok(Receipt::new()),
        (None, None) => {
            let message = format!("{}: no answer of Slack's Web API", response.summary());
            Err(SendError::never(code::PROTOCOL, message))
        }
        (None, Some(error)) => Err(error),
        (Some(_), failure) => {
            let word = one_line(answer["error"].as_str().unwrap_or("no reason given"), REASON);
            let message = format!("Slack answered `{word}`");
            let is_busy = BUSY_WORDS.contains(&word.as_str());
            if let Some(error) = failure.filter(|error| error.retry == Retry::Later) {
                return Err(SendError { message, ..error });
            }
            if is_busy {
                let code = if word == "ratelimited" { code::RATE_LIMITED } else { code::UNREACHABLE };
                return Err(SendError { after: response.retry_after(), ..SendError::later(code, message) });
            }
            let known = API_WORDS.iter().find(|(known, _)| *known == word);
            Err(SendError::never(known.map_or(code::REJECTED, |(_, code)| code), message))
        }
    }
}

#[cfg(test)]
mod tests {
    use sandbell_sdk::testing::FakeHost;

    use crate::Slack;

    use super::*;

    fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
        let host = FakeHost::new().strict();
        host.reply(status, headers, body);
        host.send::<Slack>(
            &json!({ "webhook_url": "https://hooks.slack.com/services/T/B/x" }),
            &Notification::example(),
        )
    }

    #[test]
    fn ok_is_ok() {
        for body in ["ok", "ok\n", ""] {
            assert_eq!(outcome(200, &[], body).unwrap(), Receipt::new());
        }
    }

    #[test]
    fn a_word_of_slack_is_final_and_explained() {
        for (status, body, code, message) in [
            (
                400,
                "invalid_payload",
                code::REJECTED,
                "Slack answered `invalid_payload`: Slack cannot read the message",
            ),
            (
                403,
                "action_prohibited",
                code::AUTH,
                "Slack answered `action_prohibited`: an administrator of the workspace has forbidden it",
            ),
            (
                404,
                "no_service\n",
                code::AUTH,
                "Slack answered `no_service`: the webhook is disabled, removed, or not valid",
            ),
            (
                404,
                "channel_not_found",
                code::ADDRESS,
                "Slack answered `channel_not_found`: there is no such channel",
            ),
            (
                410,
                "channel_is_archived",
                code::ADDRESS,
                "Slack answered `channel_is_archived`: the channel is archived",
            ),
            (
                200,
                "invalid_token",
                code::AUTH,
                "Slack answered `invalid_token`: the webhook URL is not valid, or no longer",
            ),
            (404, "<html>not here</html>", code::REJECTED, "HTTP 404 Not Found: <html>not here</html>"),
        ] {
            let error = outcome(status, &[], body).unwrap_err();
            assert_eq!(error, SendError::never(code, message));
        }
    }

    #[test]
    fn a_busy_slack_is_asked_again() {
        let wait = Duration::from_secs(30);
        let error = outcome(429, &[("Retry-After", "30")], "rate_limited").unwrap_err();
        assert_eq!(
            (error.retry, error.code.as_str(), error.after),
            (Retry::Later, code::RATE_LIMITED, Some(wait))
        );
        let error = outcome(500, &[], "rollup_error").unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.after), (Retry::Later, code::UNREACHABLE, None));
        let error = outcome(503, &[("Retry-After", "30")], "no_team").unwrap_err();
        assert_eq!((error.retry, error.after), (Retry::Later, Some(wait)));
    }

    #[test]
    fn a_bot_is_told_in_json() {
        let posted = |status: u16, headers: &[(&str, &str)], body: &str| {
            let host = FakeHost::new().strict();
            host.reply(status, headers, body);
            let config = json!({ "token": "xoxb-s3cret", "channel": "#ops" });
            let result = host.send::<Slack>(&config, &Notification::example());
            assert_eq!(host.request().header("authorization"), Some("Bearer <secret:token>"));
            result
        };
        assert_eq!(
            posted(200, &[], r#"{"ok":true,"ts":"1503435956.000247"}"#).unwrap(),
            Receipt::new().id("1503435956.000247")
        );
        for (body, code) in [
            (r#"{"ok":false,"error":"invalid_auth"}"#, code::AUTH),
            (r#"{"ok":false,"error":"not_in_channel"}"#, code::ADDRESS),
            (r#"{"ok":false,"error":"msg_too_long"}"#, code::REJECTED),
        ] {
            let error = posted(200, &[], body).unwrap_err();
            assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code), "{error}");
        }
        let error = posted(200, &[], "<html>").unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            (code::PROTOCOL, "HTTP 200 OK: <html>: no answer of Slack's Web API")
        );
        let wait = Some(Duration::from_secs(30));
        let error =
            posted(429, &[("Retry-After", "30")], r#"{"ok":false,"error":"ratelimited"}"#).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.after, error.message.as_str()),
            (code::RATE_LIMITED, wait, "Slack answered `ratelimited`")
        );
        let error = posted(200, &[], r#"{"ok":false,"error":"internal_error"}"#).unwrap_err();
        assert_eq!((error.retry, error.code.as_str()), (Retry::Later, code::UNREACHABLE));
    }
}
