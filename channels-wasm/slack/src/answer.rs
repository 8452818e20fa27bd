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
