//! `sandbell token …`: who may call the API.

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use sandbell_domain::{Name, Scope, TokenId};
use serde::Deserialize;
use serde_json::json;

use super::exit::Exit;
use super::output::{Output, confirm, table};
use super::relative::when;
use super::remote::{Remote, parsed};
use super::run::{Context, Done};
use crate::client::{Client, Request};

/// Make tokens for programs, and revoke them
#[derive(Args, Debug)]
pub(crate) struct Token {
    #[command(flatten)]
    remote: Remote,
    /// The host's tokens, which may act for every tenant, instead of a tenant's
    #[arg(long, global = true)]
    host: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token; it is printed once and kept nowhere
    Create {
        /// What it shall be called, e.g. after the program that uses it
        name: Name,
        /// What it may do: send, read, manage, operate
        #[arg(long, required = true)]
        scope: Vec<Scope>,
        /// After how many days it ends; never if absent
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// List the tokens, without their texts
    List,
    /// End a token at once
    Revoke {
        id: TokenId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Deserialize)]
struct TokenForm {
    id: TokenId,
    name: Name,
    scopes: Vec<Scope>,
    created_at: Timestamp,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    revoked_at: Option<Timestamp>,
}

pub(super) fn run(context: &Context, args: &Token) -> Done {
    let client = args.remote.connect(context)?;
    let of_host = |request: Request| request.query("host", args.host.then_some("true"));
    match &args.verb {
        Verb::Create { name, scope, days } => {
            let mut body = json!({ "name": name, "scopes": scope });
            if let Some(days) = days {
                let hours = 24 * i64::from(*days);
                body["expires_at"] = json!(context.app.clock.now() + SignedDuration::from_hours(hours));
            }
            create(context, &client, &of_host(Request::post(&["tokens"]).body(body)))
        }
        Verb::List => list(context, &client, &of_host(Request::get(&["tokens"]))),
        Verb::Revoke { id, yes } => {
            if !yes {
                confirm(
                    &format!("Revoke {id}? Whoever uses it is refused at once."),
                    "`--yes` revokes without asking",
                )?;
            }
            client.call(&of_host(Request::delete(&["tokens", &id.to_string()])))?;
            context.output.result(|| format!("{id} is revoked\n"), || json!({ "id": id, "revoked": true }));
            Ok(Exit::Ok)
        }
    }
}

/// The token alone is printed, so that `> token` makes a file for `--token-file`.
fn create(context: &Context, client: &Client, request: &Request) -> Done {
    let json = client.call(request)?;
    let text = json["token"].as_str().unwrap_or_default().to_owned();
    if !context.output.is_json {
        Output::note("This is the token. It is not shown again:");
    }
    context.output.result(|| text, || json);
    Ok(Exit::Ok)
}

fn list(context: &Context, client: &Client, request: &Request) -> Done {
    let items = client.all(request)?;
    let tokens = items.iter().map(parsed).collect::<Result<Vec<TokenForm>, _>>()?;
    let now = context.app.clock.now();
    context.output.result(|| text(&tokens, now), || json!({ "items": items }));
    Ok(Exit::Ok)
}

fn text(tokens: &[TokenForm], now: Timestamp) -> String {
    if tokens.is_empty() {
        return "There is no token.\nhint: `sandbell token create NAME --scope send` makes one\n".to_owned();
    }
    let row = |token: &TokenForm| {
        let TokenForm { id, name, scopes, created_at, expires_at, revoked_at } = token;
        let state = match (revoked_at, expires_at) {
            (Some(at), _) => format!("revoked {}", when(Some(*at), now)),
            (None, Some(at)) if *at <= now => format!("expired {}", when(Some(*at), now)),
            (None, Some(at)) => format!("ends {}", when(Some(*at), now)),
            (None, None) => "valid".to_owned(),
        };
        let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        [name.to_string(), scopes.join(", "), state, when(Some(*created_at), now), id.to_string()]
    };
    table(["NAME", "MAY", "STATE", "CREATED", "TOKEN"], tokens.iter().map(row))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::Value as Json;

    use super::*;

    #[test]
    fn a_list_tells_which_tokens_still_work() {
        let token = |n: u8, more: Json| {
            let mut json = json!({
                "id": format!("tok_{n:032x}"), "name": format!("t{n}"), "scopes": ["send", "read"],
                "created_at": "2026-11-24T12:00:00Z",
            });
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            parsed::<TokenForm>(&json).unwrap()
        };
        let tokens = [
            token(1, json!({})),
            token(2, json!({ "expires_at": "2026-11-26T18:00:00Z" })),
            token(3, json!({ "expires_at": "2026-11-24T17:00:00Z" })),
            token(4, json!({ "revoked_at": "2026-11-24T17:59:00Z", "expires_at": "2026-11-24T17:00:00Z" })),
        ];
        assert_snapshot!(text(&tokens, "2026-11-24T18:00:00Z".parse().unwrap()), @"
        NAME  MAY         STATE               CREATED  TOKEN
        t1    send, read  valid               6 h ago  tok_00000000000000000000000000000001
        t2    send, read  ends in 2 d         6 h ago  tok_00000000000000000000000000000002
        t3    send, read  expired 60 min ago  6 h ago  tok_00000000000000000000000000000003
        t4    send, read  revoked 60 s ago    6 h ago  tok_00000000000000000000000000000004
        ");
    }
}
