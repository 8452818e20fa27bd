//! `sandbell secret …`: set, replaced, removed; never read.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use sandbell_domain::Name;
use serde_json::json;

use super::channel::ChannelForm;
use super::data::{RotateKey, rotate_key};
use super::exit::Exit;
use super::output::{confirm, table};
use super::relative::when;
use super::remote::Remote;
use super::run::{Context, Done};
use super::secret_text::{from_file, from_person};
use crate::client::{Client, Request};

/// Set and remove the secrets of channels; no verb prints one
#[derive(Args, Debug)]
pub(crate) struct Secret {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Set a secret, asked for without being shown; without a terminal it is read from stdin
    Set {
        /// The channel
        channel: Name,
        /// The option of its plugin
        option: String,
        /// Read it from a file, as it is there but for one final newline
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Remove a secret
    Remove {
        /// The channel
        channel: Name,
        /// The option of its plugin
        option: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    RotateKey(RotateKey),
    /// List which secrets of a channel are set, and since when
    List {
        /// The channel
        channel: Name,
    },
}

pub(super) fn run(context: &Context, args: &Secret) -> Done {
    let client = match &args.verb {
        Verb::RotateKey(args) => return rotate_key(context, args),
        Verb::Set { .. } | Verb::Remove { .. } | Verb::List { .. } => args.remote.connect(context)?,
    };
    match &args.verb {
        Verb::Set { channel, option, file } => {
            let text = match file {
                Some(file) => from_file(file)?,
                None => from_person(&format!("{option} of {channel}"))?,
            };
            let path = ["channels", channel.as_str(), "secrets", option];
            client.call(&Request::put(&path).body(json!({ "value": text })))?;
            let text =
                format!("{option} of {channel} is set\nhint: `sandbell channel test {channel}` tries it\n");
            context.output.result(|| text, || json!({ "channel": channel, "option": option, "set": true }));
            Ok(Exit::Ok)
        }
        Verb::Remove { channel, option, yes } => {
            if !yes {
                confirm(&format!("Remove {option} of {channel}?"), "`--yes` removes without asking")?;
            }
            client.call(&Request::delete(&["channels", channel.as_str(), "secrets", option]))?;
            context.output.result(
                || format!("{option} of {channel} is removed\n"),
                || json!({ "channel": channel, "option": option, "set": false }),
            );
            Ok(Exit::Ok)
        }
        Verb::List { channel } => list(context, &client, channel),
        Verb::RotateKey(args) => rotate_key(context, args),
    }
}

fn list(context: &Context, client: &Client, channel: &Name) -> Done {
    let (form, mut json) = ChannelForm::get(client, channel)?;
    let now = context.app.clock.now();
    let text = || {
        if form.secrets.is_empty() {
            return format!("{channel} has no secrets.\n");
        }
        let row = |(option, secret): (&String, &super::channel::SecretForm)| {
            [option.clone(), when(Some(secret.set_at), now)]
        };
        table(["SECRET", "SET"], form.secrets.iter().map(row))
    };
    context.output.result(text, || json["secrets"].take());
    Ok(Exit::Ok)
}
