//! The daemon that a verb talks to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use sandbell_domain::Name;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::exit::Exit;
use super::output::Output;
use super::problem::Problem;
use super::run::Context;
use crate::client::{Client, Place, Settings};

/// Where the daemon is and who asks; the same for every verb that needs one.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The daemon")]
pub(crate) struct Remote {
    /// `unix:PATH`, `http://HOST:PORT` or `https://HOST`; the socket of this machine's daemon if absent
    #[arg(long, global = true, value_name = "PLACE", env = "SANDBELL_SERVER", hide_env_values = true)]
    pub(super) server: Option<Place>,
    /// File with the token; the socket needs none
    #[arg(long, global = true, value_name = "FILE", env = "SANDBELL_TOKEN_FILE", hide_env_values = true)]
    #[arg(value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,
    /// PEM certificates that are trusted instead of the system's
    #[arg(long, global = true, value_name = "FILE", env = "SANDBELL_CA_FILE", hide_env_values = true)]
    #[arg(value_hint = ValueHint::FilePath)]
    ca_file: Option<PathBuf>,
    /// Whose things are meant, for those who may choose; `local` if absent
    #[arg(long, global = true, value_name = "NAME", env = "SANDBELL_TENANT", hide_env_values = true)]
    tenant: Option<Name>,
    /// How long the daemon may take to answer, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

impl Remote {
    pub(super) fn connect(&self, context: &Context) -> Result<Client, Problem> {
        let Self { server, token_file, ca_file, tenant, timeout } = self.clone();
        let place = server.unwrap_or_else(|| local_socket(&context.app.config.state_dir));
        let timeout = Duration::from_secs(timeout);
        let client = Client::new(Settings { place, token_file, ca_file, tenant, timeout })?;
        if client.shows_its_token() {
            Output::note(&format!(
                "warning: the token goes to {} without TLS; others can read it",
                client.place()
            ));
        }
        Ok(client)
    }
}

/// The socket of the daemon of this state directory, or of the installed one.
fn local_socket(state_dir: &Path) -> Place {
    let own = state_dir.join("run/api.sock");
    let installed = Path::new("/run/sandbell/api.sock");
    Place::Socket(if !own.exists() && installed.exists() { installed.to_owned() } else { own })
}

/// A part of the daemon's answer, in the form that a verb shows.
pub(super) fn parsed<T: DeserializeOwned>(json: &Json) -> Result<T, Problem> {
    T::deserialize(json).map_err(|error| {
        Problem::new(Exit::Failed, "answer", "the daemon's answer cannot be understood")
            .because(error.to_string())
            .hint("`sandbell status` shows the daemon's version; use the program of that version")
    })
}
