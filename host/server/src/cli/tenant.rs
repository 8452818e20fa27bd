//! `sandbell tenant …`: whose things there are.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use sandbell_domain::Name;
use serde::Deserialize;
use serde_json::json;

use super::exit::Exit;
use super::output::{confirm, table};
use super::relative::when;
use super::remote::{Remote, parsed};
use super::run::{Context, Done};
use crate::client::{Client, Request};

/// Make tenants, and suspend them
#[derive(Args, Debug)]
pub(crate) struct Tenant {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a tenant
    Create {
        /// What it shall be called
        name: Name,
    },
    /// List the tenants
    List,
    /// Refuse a tenant's tokens and let its deliveries wait; nothing of it is lost
    Suspend {
        /// The tenant
        name: Name,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// End a suspension; what waits is delivered
    Resume {
        /// The tenant
        name: Name,
    },
}

#[derive(Debug, Deserialize)]
struct TenantForm {
    name: Name,
    is_suspended: bool,
    created_at: Timestamp,
}

pub(super) fn run(context: &Context, args: &Tenant) -> Done {
    let client = args.remote.connect(context)?;
    match &args.verb {
        Verb::Create { name } => {
            let json = client.call(&Request::post(&["tenants"]).body(json!({ "name": name })))?;
            let text = format!(
                "{name} is there\nhint: `sandbell token create NAME --scope read --scope manage --scope send --tenant {name}` makes its first token\n"
            );
            context.output.result(|| text, || json);
            Ok(Exit::Ok)
        }
        Verb::List => list(context, &client),
        Verb::Suspend { name, yes } => {
            if !yes {
                confirm(
                    &format!("Suspend {name}? Its tokens are refused, and its deliveries wait."),
                    "`--yes` suspends without asking",
                )?;
            }
            suspend(context, &client, name, true)
        }
        Verb::Resume { name } => suspend(context, &client, name, false),
    }
}

fn list(context: &Context, client: &Client) -> Done {
    let items = client.all(&Request::get(&["tenants"]))?;
    let tenants = items.iter().map(parsed).collect::<Result<Vec<TenantForm>, _>>()?;
    let now = context.app.clock.now();
    let row = |tenant: &TenantForm| {
        let TenantForm { name, is_suspended, created_at } = tenant;
        let state = if *is_suspended { "suspended" } else { "active" };
        [name.to_string(), state.to_owned(), when(Some(*created_at), now)]
    };
    context.output.result(
        || table(["TENANT", "STATE", "CREATED"], tenants.iter().map(row)),
        || json!({ "items": items }),
    );
    Ok(Exit::Ok)
}

fn suspend(context: &Context, client: &Client, name: &Name, is_suspended: bool) -> Done {
    let body = json!({ "is_suspended": is_suspended });
    let json = client.call(&Request::patch(&["tenants", name.as_str()]).body(body))?;
    let what = if is_suspended { "is suspended" } else { "is active again" };
    context.output.result(|| format!("{name} {what}\n"), || json);
    Ok(Exit::Ok)
}
