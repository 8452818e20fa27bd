//! Tenants, tokens, the audit log, and how the host stands.

use jiff::Timestamp;
use sandbell_domain::{Name, Scope, Tenant, TenantId, Token, TokenId};
use sandbell_store::{Actor, AuditEntry};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bad::{BadField, Pointer};
use super::text;

/// A tenant that is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantInput {
    #[schema(schema_with = text::name)]
    pub(crate) name: Name,
}

/// What changes about a tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantPatch {
    /// A suspended tenant's tokens are refused and its deliveries wait; nothing of it is lost.
    pub(crate) is_suspended: bool,
}

/// Whose things these are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(crate) struct TenantForm {
    #[schema(schema_with = text::tenant_id)]
    id: TenantId,
    #[schema(schema_with = text::name)]
    name: Name,
    #[schema(schema_with = text::time)]
    created_at: Timestamp,
    is_suspended: bool,
}

impl From<&Tenant> for TenantForm {
    fn from(tenant: &Tenant) -> Self {
        let Tenant { id, name, created_at, is_suspended } = tenant.clone();
        Self { id, name, created_at, is_suspended }
    }
}

/// A token that is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenInput {
    #[schema(schema_with = text::name)]
    pub(crate) name: Name,
    /// What it may do; each is asked for by itself.
    #[schema(schema_with = text::scopes)]
    pub(crate) scopes: Vec<Scope>,
    /// Absent: it is good until it is revoked.
    #[serde(default)]
    #[schema(schema_with = text::time_or_null)]
    pub(crate) expires_at: Option<Timestamp>,
}

impl TokenInput {
    /// The scopes, each once and in their order.
    pub(crate) fn checked_scopes(&self) -> Result<Vec<Scope>, BadField> {
        let mut scopes = self.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.len() < self.scopes.len() {
            return Err(BadField::new(Pointer::of("scopes"), "names a scope twice; name each once"));
        }
        if scopes.is_empty() {
            return Err(BadField::new(
                Pointer::of("scopes"),
                "is empty; name at least one of send, read, manage and operate",
            ));
        }
        Ok(scopes)
    }
}

/// The right to call this API, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenForm {
    #[schema(schema_with = text::token_id)]
    id: TokenId,
    #[schema(schema_with = text::name)]
    name: Name,
    #[schema(schema_with = text::scopes)]
    scopes: Vec<Scope>,
    #[schema(schema_with = text::time)]
    created_at: Timestamp,
    created_by: String,
    #[schema(schema_with = text::time_or_null)]
    expires_at: Option<Timestamp>,
    #[schema(schema_with = text::time_or_null)]
    revoked_at: Option<Timestamp>,
}

impl From<&Token> for TokenForm {
    fn from(token: &Token) -> Self {
        let Token { id, tenant: _, name, scopes, hash: _, created_at, created_by, expires_at, revoked_at } =
            token.clone();
        Self { id, name, scopes, created_at, created_by, expires_at, revoked_at }
    }
}

/// A new token, with its text: it is shown once and kept nowhere.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenMade {
    #[serde(flatten)]
    pub(crate) about: TokenForm,
    /// To be sent as `Authorization: Bearer …`.
    #[schema(pattern = "^sbt_[A-Za-z0-9_-]{43}$")]
    pub(crate) token: String,
}

/// One thing that somebody did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Audit)]
pub(crate) struct AuditForm {
    #[schema(schema_with = text::time)]
    at: Timestamp,
    /// Who did it, e.g. `token ops (tok_…)` or `uid 0`.
    by: String,
    /// A stable word, e.g. `channel.save`.
    action: String,
    /// What it was done to.
    object: String,
    detail: String,
}

impl From<AuditEntry> for AuditForm {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { tenant: _, at, by: Actor(by), action, object, detail } = entry;
        Self { at, by, action, object, detail }
    }
}

/// How this host and this tenant stand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Status)]
pub(crate) struct StatusForm {
    pub(crate) version: String,
    #[schema(schema_with = text::time)]
    pub(crate) started_at: Timestamp,
    /// Who is asking, as the audit log would write it.
    pub(crate) caller: String,
    pub(crate) tenant: TenantForm,
    pub(crate) channels: u64,
    pub(crate) channels_disabled: u64,
    pub(crate) waiting: u64,
    pub(crate) leased: u64,
    pub(crate) dead: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_named_once_each() {
        let scopes = |scopes: serde_json::Value| {
            let json = serde_json::json!({ "name": "ci", "scopes": scopes });
            match serde_json::from_value::<TokenInput>(json) {
                Ok(input) => input.checked_scopes().map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            }
        };
        assert_eq!(scopes(["manage", "send"].into()), Ok(vec![Scope::Send, Scope::Manage]));
        assert_eq!(
            scopes(["send", "send"].into()),
            Err("scopes: names a scope twice; name each once".to_owned())
        );
        assert_eq!(
            scopes(serde_json::json!([])),
            Err("scopes: is empty; name at least one of send, read, manage and operate".to_owned())
        );
        assert_eq!(
            scopes(["admin"].into()),
            Err("unknown variant `admin`, expected one of `send`, `read`, `manage`, `operate`".to_owned())
        );
    }
}
