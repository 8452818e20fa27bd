//! A channel's form becomes what is saved, and why it was not saved becomes an answer.

use http::StatusCode;
use sandbell_store::Expect;

use super::form::{ChannelInput, Pointer, SecretInput};
use super::plugins::plugin_name;
use super::problem::Problem;
use crate::channels::{ChannelError, Edit, SecretEdit};
use crate::runner::OpenError;

/// `at` is where the form stands in the body.
pub(super) fn edit(form: ChannelInput, at: &Pointer) -> Result<Edit, Problem> {
    form.check(at)?;
    let ChannelInput { name, plugin, settings, secrets, policy, enabled } = form;
    let plugin = plugin_name(&plugin)?;
    let settings = settings.0.into_iter().map(|(option, value)| (option, value.0)).collect();
    let secrets = secrets.0.into_iter().map(|(option, secret)| (option, secret.into())).collect();
    Ok(Edit { name, plugin, settings, secrets, policy: policy.into(), enabled })
}

impl From<SecretInput> for SecretEdit {
    fn from(input: SecretInput) -> Self {
        match input {
            SecretInput::Set(secret) => Self::Set(secret),
            SecretInput::Remove => Self::Remove,
        }
    }
}

/// `expect` is what the caller believed to replace.
pub(super) fn refused(error: ChannelError, expect: Expect, at: &Pointer) -> Problem {
    use ChannelError as E;
    let text = error.to_string();
    match error {
        E::NoPlugin(_) => Problem::invalid("no-plugin", text)
            .at(&at.then("plugin"))
            .hint("`GET /api/v1/plugins` lists what is installed"),
        E::NotApproved(name) => Problem::invalid("not-approved", text)
            .at(&at.then("plugin"))
            .hint(format!("an operator looks at what it wants and runs `sandbell plugin approve {name}`")),
        E::Option { option, is_secret, message: _ } => {
            let place = at.then(if is_secret { "secrets" } else { "settings" }).then(option);
            Problem::invalid("config", text).at(&place)
        }
        E::Refused(_) => Problem::invalid("config", text).at(&at.then("settings")),
        E::Open(OpenError::Host(_)) => Problem::internal(&error_of(text)),
        E::Open(_) => Problem::invalid("cannot-open", text),
        E::Changed(current) => changed(current, expect),
        E::TooMany => Problem::conflict("too-many", text),
        E::Vault(error) => Problem::internal(&error),
        E::Seal(error) => Problem::internal(&error),
        E::State(error) => error.into(),
        E::Store(error) => error.into(),
    }
}

fn changed(current: Option<u32>, expect: Expect) -> Problem {
    match (expect, current) {
        (Expect::Nothing, _) => Problem::conflict("exists", "there is a channel of this name already")
            .hint("`PUT /api/v1/channels/{name}` replaces it"),
        (Expect::Revision(meant), Some(current)) => Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "revision",
            format!("the channel has revision {current} and not {meant}: somebody else saved it"),
        )
        .hint("read it again, and make the change to what is there now"),
        (Expect::Revision(_), None) => {
            Problem::new(StatusCode::PRECONDITION_FAILED, "revision", "there is no such channel")
        }
    }
}

fn error_of(text: String) -> std::io::Error {
    std::io::Error::other(text)
}
