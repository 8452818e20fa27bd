//! `sandbell channel …`: what is configured, and how it fares.

mod args; // what can be typed
mod code; // channels as files
mod form; // what the daemon says of a channel
mod policy; // how deliveries are tried

mod apply;
mod change;
mod export;
mod list;
mod show;
mod switch;
mod trial;

use super::run::{Context, Done};

pub(super) use args::{Channel, severity};
pub(super) use form::{ChannelForm, SecretForm};
pub(super) use trial::address;

use args::Verb;

pub(super) fn run(context: &Context, args: Channel) -> Done {
    let client = args.remote.connect(context)?;
    match args.verb {
        Verb::List => list::run(context, &client),
        Verb::Show { name } => show::run(context, &client, &name),
        Verb::Create(args) => change::create(context, &client, args),
        Verb::Set(args) => change::set(context, &client, &args),
        Verb::Unset { name, options } => change::unset(context, &client, &name, &options),
        Verb::Test(args) => trial::test(context, &client, &args),
        Verb::Preview(args) => trial::preview(context, &client, &args),
        Verb::Enable { name } => switch::enable(context, &client, &name),
        Verb::Disable { name, reason } => switch::disable(context, &client, &name, reason),
        Verb::Delete { name, yes } => switch::delete(context, &client, &name, yes),
        Verb::Export { names, dir } => export::run(context, &client, &names, dir.as_deref()),
        Verb::Apply(args) => apply::apply(context, &client, &args),
        Verb::Diff(args) => apply::diff(context, &client, &args),
    }
}
