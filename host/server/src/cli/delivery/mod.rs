//! `sandbell delivery …`: what became of what was accepted.

mod args; // what can be typed
mod form; // what the daemon says of a delivery

mod change;
mod list;
mod show;
mod tail;

use super::run::{Context, Done};

pub(super) use args::Delivery;
pub(super) use form::{DeliveryForm, FailureForm};

use args::Verb;

pub(super) fn run(context: &Context, args: Delivery) -> Done {
    let client = args.remote.connect(context)?;
    match args.verb {
        Verb::List(args) => list::run(context, &client, &args),
        Verb::Show { id, verbose } => show::run(context, &client, id, verbose),
        Verb::Tail { channel } => tail::run(context, &client, channel.as_ref()),
        Verb::Redrive(args) => change::redrive(context, &client, &args),
        Verb::Cancel { ids, yes } => change::cancel(context, &client, &ids, yes),
    }
}
