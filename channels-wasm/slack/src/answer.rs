//! What Slack says back: `ok`, or one word that says why not.

use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;

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
}
