//! Tokens, under the hash of their text.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use sandbell_domain::{Scope, Tenant, TenantId, Token, TokenId};

use super::audit::{self, Deed};
use super::form::name;
use super::tenant;
use crate::sqlite::desk::{Desk, moment, uuid};
use crate::sqlite::fault::Fault;
use crate::{Actor, Created, StoreError};

pub(super) fn create(
    desk: &Desk<'_>,
    token: &Token,
    by: &Actor,
) -> Result<Result<Created, StoreError>, Fault> {
    let Token { id, tenant, name, scopes, hash, created_at, created_by, expires_at, revoked_at } = token;
    let number = match tenant {
        None => None,
        Some(tenant) => match tenant::number(desk, *tenant)? {
            None => return Ok(Err(StoreError::UnknownTenant(*tenant))),
            known => known,
        },
    };
    let new = desk.run(
        "INSERT INTO token (id, tenant, name, scopes, hash, created_at, created_by, expires_at, revoked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        params![
            id.as_bytes(),
            number,
            name.as_str(),
            serde_json::to_string(scopes)?,
            hash,
            created_at.as_microsecond(),
            created_by,
            expires_at.map(Timestamp::as_microsecond),
            revoked_at.map(Timestamp::as_microsecond),
        ],
    )?;
    if new == 0 {
        return Ok(Ok(Created::Before));
    }
    let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let detail = format!("{id}: {}", scopes.join(", "));
    let deed = Deed { tenant: number, action: "token.create", object: name.as_str(), detail: &detail };
    audit::record(desk, &deed, by, *created_at)?;
    Ok(Ok(Created::Done))
}

pub(super) fn revoke(
    desk: &Desk<'_>,
    tenant: Option<TenantId>,
    token: TokenId,
    by: &Actor,
    now: Timestamp,
) -> Result<bool, Fault> {
    let found: Option<(i64, Option<i64>, String, bool)> = desk.first(
        "SELECT k.seq, k.tenant, k.name, k.revoked_at IS NOT NULL
         FROM token k LEFT JOIN outbox_tenant o ON o.seq = k.tenant WHERE k.id = ?1 AND o.id IS ?2",
        params![token.as_bytes(), tenant.as_ref().map(TenantId::as_bytes)],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    let Some((seq, tenant, name, is_revoked)) = found else { return Ok(false) };
    if !is_revoked {
        desk.run("UPDATE token SET revoked_at = ?2 WHERE seq = ?1", [seq, now.as_microsecond()])?;
        let detail = token.to_string();
        let deed = Deed { tenant, action: "token.revoke", object: &name, detail: &detail };
        audit::record(desk, &deed, by, now)?;
    }
    Ok(true)
}

const TOKEN: &str =
    "SELECT k.id, k.name, k.scopes, k.hash, k.created_at, k.created_by, k.expires_at, k.revoked_at,
    o.id, t.name, t.created_at, o.is_suspended
    FROM token k LEFT JOIN outbox_tenant o ON o.seq = k.tenant LEFT JOIN tenant t ON t.seq = k.tenant";

pub(super) fn of_hash(
    connection: &Connection,
    hash: [u8; 32],
) -> Result<Option<(Token, Option<Tenant>)>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{TOKEN} WHERE k.hash = ?1"))?;
    let mut rows = statement.query([hash])?;
    rows.next()?.map(read).transpose()
}

pub(super) fn all(connection: &Connection, tenant: Option<TenantId>) -> Result<Vec<Token>, Fault> {
    let mut statement =
        connection.prepare_cached(&format!("{TOKEN} WHERE o.id IS ?1 ORDER BY k.seq DESC"))?;
    let mut rows = statement.query([tenant.as_ref().map(TenantId::as_bytes)])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        tokens.push(read(row)?.0);
    }
    Ok(tokens)
}

fn read(row: &Row<'_>) -> Result<(Token, Option<Tenant>), Fault> {
    let is_of_tenant = row.get::<_, Option<[u8; 16]>>(8)?.is_some();
    let tenant = is_of_tenant.then(|| tenant::read(row, 8)).transpose()?;
    let scopes: Vec<Scope> = serde_json::from_str(&row.get::<_, String>(2)?)?;
    let token = Token {
        id: TokenId::from_uuid(uuid(row.get(0)?)),
        tenant: tenant.as_ref().map(|tenant| tenant.id),
        name: name(&row.get::<_, String>(1)?)?,
        scopes,
        hash: row.get(3)?,
        created_at: moment(row.get(4)?)?,
        created_by: row.get(5)?,
        expires_at: row.get::<_, Option<i64>>(6)?.map(moment).transpose()?,
        revoked_at: row.get::<_, Option<i64>>(7)?.map(moment).transpose()?,
    };
    Ok((token, tenant))
}
