//! Who calls, for which tenant, and what they may do.
//!
//! A token is looked up by its hash, so that comparing takes as long whatever was guessed. Its text is kept nowhere.

use std::time::Duration;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use sandbell_domain::{Name, Scope, Tenant, Token};
use sandbell_store::{Actor, Catalog as _};
use sha2::{Digest as _, Sha256};

use super::Shared;
use super::problem::Problem;
use crate::dice;
use crate::listen::Peer;

/// Names the tenant that an operator means.
pub(super) const TENANT_HEADER: &str = "sandbell-tenant";

const TOKEN_PREFIX: &str = "sbt_";

/// Bytes of a token that nobody can guess.
const TOKEN_BYTES: usize = 32;

/// Somebody who may be here, and whose tenant's things it is about.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    who: Who,
    /// The tenant that is meant: a token's own, or the one that an operator named.
    tenant: Tenant,
}

#[derive(Clone, Debug)]
enum Who {
    /// Root, or the user whom the host runs as, through the socket.
    Uid(u32),
    Token(Box<Token>),
}

/// A caller who has a scope. It is asked for before anything else of the request is looked at.
macro_rules! asks_for {
    ($($(#[$doc:meta])* $name:ident: $scope:expr;)*) => {
        $(
            $(#[$doc])*
            pub(super) struct $name(pub(super) Caller);

            impl FromRequestParts<Shared> for $name {
                type Rejection = Problem;

                async fn from_request_parts(parts: &mut Parts, node: &Shared) -> Result<Self, Problem> {
                    let caller = Caller::of(parts, node).await?;
                    caller.may($scope)?;
                    Ok(Self(caller))
                }
            }
        )*
    };
}

asks_for! {
    /// Somebody who hands in notifications.
    Sender: Scope::Send;
    /// Somebody who looks.
    Reader: Scope::Read;
    /// Somebody who changes a tenant's things.
    Manager: Scope::Manage;
}

/// Somebody who speaks for the host.
pub(super) struct Operator(pub(super) Caller);

impl FromRequestParts<Shared> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, node: &Shared) -> Result<Self, Problem> {
        let caller = Caller::of(parts, node).await?;
        caller.may(Scope::Operate)?;
        caller.check_operator()?;
        Ok(Self(caller))
    }
}

impl Caller {
    async fn of(parts: &Parts, node: &Shared) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>().copied();
        let who = who(&parts.headers, peer, node).await?;
        let named = named_tenant(&parts.headers)?;
        let tenant = tenant(&who, named, node).await?;
        Ok(Self { who, tenant })
    }

    /// Whose things are meant.
    pub(super) const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Refuses who does not speak for the host.
    pub(super) fn check_operator(&self) -> Result<(), Problem> {
        if self.is_operator() {
            return Ok(());
        }
        Err(Problem::forbidden("not-operator", "this concerns the host, and the token is of one tenant")
            .hint("use a token of the host, or the host's own socket as its user"))
    }

    fn is_operator(&self) -> bool {
        match &self.who {
            Who::Uid(_) => true,
            Who::Token(token) => token.tenant.is_none(),
        }
    }

    /// Whether everything that these scopes allow is allowed here, too.
    pub(super) fn holds(&self, scopes: &[Scope]) -> bool {
        scopes.iter().all(|scope| self.may(*scope).is_ok())
    }

    /// Why a caller who came long ago may not stay.
    pub(super) async fn check_again(&self, node: &Shared) -> Result<(), Problem> {
        let hash = match &self.who {
            Who::Uid(_) => return Ok(()),
            Who::Token(token) => token.hash,
        };
        token_of(hash, node).await?.map(drop)
    }

    /// As the audit log shows it.
    pub(super) fn actor(&self) -> Actor {
        Actor(match &self.who {
            Who::Uid(uid) => format!("uid {uid}"),
            Who::Token(token) => format!("token {} ({})", token.name, token.id),
        })
    }

    fn may(&self, scope: Scope) -> Result<(), Problem> {
        match &self.who {
            Who::Uid(_) => Ok(()),
            Who::Token(token) if token.scopes.contains(&scope) => Ok(()),
            Who::Token(token) => {
                let detail = format!("token `{}` has not the scope `{}`", token.name, scope.as_str());
                Err(Problem::forbidden("scope", detail).hint("use a token that has it"))
            }
        }
    }
}

/// The text of a new token and what is kept of it.
pub(super) fn new_token() -> (String, [u8; 32]) {
    let text = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(dice::bytes::<TOKEN_BYTES>()));
    let hash = hash(&text);
    (text, hash)
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

async fn who(headers: &HeaderMap, peer: Option<Peer>, node: &Shared) -> Result<Who, Problem> {
    // A token that was handed in counts, also on the socket: whoever sends one means it.
    let Some(text) = bearer(headers)? else {
        return match peer {
            Some(peer @ Peer::Unix { uid }) if peer.is_own() => Ok(Who::Uid(uid)),
            Some(Peer::Unix { uid }) => {
                Err(unauthorized("no-token", format!("user {uid} may not do this without a token")))
            }
            Some(Peer::Tcp(_)) | None => Err(unauthorized("no-token", "there is no token".to_owned())),
        };
    };
    match token(&text, node).await? {
        Ok(token) => Ok(Who::Token(Box::new(token))),
        Err(refusal) => Err(refused(peer, refusal, node)),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) if values.next().is_none() => Ok(Some(token.trim().to_owned())),
        Some(_) | None => {
            Err(unauthorized("no-token", "the `Authorization` header holds no single token".to_owned()))
        }
    }
}

fn unauthorized(code: &'static str, detail: String) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
        .hint("send `Authorization: Bearer sbt_…`; `sandbell token create` makes one")
}

/// The token of this text, or why it opens nothing.
async fn token(text: &str, node: &Shared) -> Result<Result<Token, Problem>, Problem> {
    let is_form = text
        .strip_prefix(TOKEN_PREFIX)
        .and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok())
        .is_some_and(|bytes| bytes.len() == TOKEN_BYTES);
    if !is_form {
        return Ok(Err(unknown()));
    }
    token_of(hash(text), node).await
}

async fn token_of(hash: [u8; 32], node: &Shared) -> Result<Result<Token, Problem>, Problem> {
    let token = match node.known.find(&hash) {
        Ok(token) => token,
        Err(before) => {
            let Some((token, _)) = node.store.token_of_hash(hash).await? else { return Ok(Err(unknown())) };
            node.known.keep(&token, before);
            token
        }
    };
    let tenant = match token.tenant {
        Some(tenant) => node.roster.tenant_of_id(tenant).await?,
        None => None,
    };
    Ok(check(token, tenant.as_ref(), node.clock.now()))
}

fn unknown() -> Problem {
    unauthorized("unknown-token", "the token is not known here".to_owned())
}

fn check(token: Token, tenant: Option<&Tenant>, now: Timestamp) -> Result<Token, Problem> {
    if token.revoked_at.is_some() {
        return Err(unauthorized("revoked-token", format!("token `{}` was revoked", token.name)));
    }
    if token.expires_at.is_some_and(|end| end <= now) {
        return Err(unauthorized("expired-token", format!("token `{}` has expired", token.name)));
    }
    if tenant.is_some_and(|tenant| tenant.is_suspended) {
        return Err(Problem::forbidden("suspended", "the tenant is suspended")
            .hint("ask the operator of the host; nothing of it is lost"));
    }
    Ok(token)
}

/// Guessing is slowed down, by address; a good token is never slow.
fn refused(peer: Option<Peer>, refusal: Problem, node: &Shared) -> Problem {
    let Some(Peer::Tcp(address)) = peer else { return refusal };
    if refusal.status() != StatusCode::UNAUTHORIZED {
        return refusal;
    }
    if node.refusals.len() > ADDRESSES_MAX {
        node.refusals.retain_recent();
    }
    if node.refusals.check_key(&address.ip()).is_ok() {
        return refusal;
    }
    let detail = "too many tokens from this address opened nothing";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-refusals", detail)
        .retry_after(Duration::from_mins(1))
        .hint("correct the token and wait a minute")
}

/// Addresses that are remembered; those that have been quiet for a minute go first.
const ADDRESSES_MAX: usize = 10_000;

fn named_tenant(headers: &HeaderMap) -> Result<Option<Name>, Problem> {
    let Some(value) = headers.get(TENANT_HEADER) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    text.parse().map(Some).map_err(|error: sandbell_domain::tenant::BadName| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid-header", format!("`Sandbell-Tenant`: {error}"))
    })
}

async fn tenant(who: &Who, named: Option<Name>, node: &Shared) -> Result<Tenant, Problem> {
    let own = match who {
        Who::Uid(_) => None,
        Who::Token(token) => token.tenant,
    };
    if let Some(own) = own {
        let tenant = node.roster.tenant_of_id(own).await?;
        let tenant =
            tenant.ok_or_else(|| unauthorized("unknown-token", "the token's tenant is gone".to_owned()))?;
        // Whether the other one exists is not told.
        return match named {
            Some(name) if name != tenant.name => Err(Problem::forbidden(
                "other-tenant",
                "the token is of another tenant than `Sandbell-Tenant` names",
            )
            .hint("leave the header out, or use a token of that tenant")),
            Some(_) | None => Ok(tenant),
        };
    }
    let name = match named {
        Some(name) => name,
        None => Tenant::LOCAL.parse().expect("the name of the tenant that every host has is a name"),
    };
    let tenant = node.roster.tenant(&name).await?;
    tenant.ok_or_else(|| {
        Problem::not_found(format!("there is no tenant `{name}`"))
            .hint("`sandbell tenant list` shows them; `Sandbell-Tenant` names one")
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_domain::{TenantId, TokenId};

    use super::*;

    fn kept(scopes: &[Scope]) -> Token {
        Token {
            id: TokenId::of(&[b"t"]),
            tenant: Some(TenantId::local()),
            name: "ci".parse().unwrap(),
            scopes: scopes.to_vec(),
            hash: [0; 32],
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "uid 0".to_owned(),
            expires_at: None,
            revoked_at: None,
        }
    }

    fn local() -> Tenant {
        Tenant::new(Tenant::LOCAL.parse().unwrap(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_token_is_43_letters_that_nobody_guesses() {
        let (one, hash_of_one) = new_token();
        let (two, hash_of_two) = new_token();
        assert_eq!(one.len(), TOKEN_PREFIX.len() + 43);
        assert_ne!(one, two);
        assert_ne!(hash_of_one, hash_of_two);
        assert_eq!(hash(&one), hash_of_one);
    }

    #[test]
    fn a_token_ends() {
        let now = Timestamp::from_second(100).unwrap();
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let checked = |token: Token, tenant: &Tenant| match check(token, Some(tenant), now) {
            Ok(_) => "taken".to_owned(),
            Err(problem) => problem.summary(),
        };
        assert_snapshot!(checked(kept(&[]), &local()), @"taken");
        assert_snapshot!(checked(Token { expires_at: at(101), ..kept(&[]) }, &local()), @"taken");
        assert_snapshot!(checked(Token { expires_at: at(100), ..kept(&[]) }, &local()), @"401 expired-token -: token `ci` has expired");
        assert_snapshot!(checked(Token { revoked_at: at(1), ..kept(&[]) }, &local()), @"401 revoked-token -: token `ci` was revoked");
        assert_snapshot!(checked(kept(&[]), &Tenant { is_suspended: true, ..local() }), @"403 suspended -: the tenant is suspended");
    }

    #[test]
    fn each_scope_is_asked_for_by_itself() {
        let caller = |token| Caller { who: Who::Token(Box::new(token)), tenant: local() };
        for scope in Scope::ALL {
            let only = caller(kept(&[scope]));
            let others = Scope::ALL.into_iter().filter(|other| *other != scope);
            let without = caller(kept(&others.collect::<Vec<_>>()));
            assert!(only.may(scope).is_ok() && only.holds(&[scope]));
            assert!(without.may(scope).is_err() && !without.holds(&Scope::ALL));
            // However much a token of a tenant may do, it does not speak for the host.
            assert!(only.check_operator().is_err());
            assert!(caller(Token { tenant: None, ..kept(&[scope]) }).check_operator().is_ok());
        }
        let own = Caller { who: Who::Uid(0), tenant: local() };
        assert!(own.holds(&Scope::ALL) && own.check_operator().is_ok());
        assert_eq!(own.actor().0, "uid 0");
        assert_eq!(caller(kept(&[])).actor().0, format!("token ci ({})", TokenId::of(&[b"t"])));
    }

    #[test]
    fn a_token_is_read_from_its_header() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer sbt_x"]), Ok(Some("sbt_x".to_owned())));
        assert_eq!(read(&["bearer  sbt_x "]), Ok(Some("sbt_x".to_owned())));
        assert_eq!(read(&["Basic YTpi"]), Err(401));
        assert_eq!(read(&["sbt_x"]), Err(401));
        assert_eq!(read(&["Bearer a", "Bearer b"]), Err(401));
    }
}
