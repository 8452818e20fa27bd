//! Channels as they are read: the current revision, or the earlier ones.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use sandbell_domain::{ChannelId, Name, TenantId};

use super::form::{PolicyV1, name};
use crate::sqlite::desk::{moment, uuid};
use crate::sqlite::fault::Fault;
use crate::{Actor, ChannelRecord, Enabled, SealedSecret};

const RECORD: &str =
    "SELECT c.seq, o.id, t.id, c.name, r.plugin, r.settings, r.policy, r.disabled_reason, r.revision,
    c.created_at, r.updated_at, r.updated_by
    FROM channel c JOIN outbox_channel o ON o.seq = c.seq JOIN outbox_tenant t ON t.seq = c.tenant
    JOIN channel_revision r ON r.channel = c.seq";
const SECRETS: &str =
    "SELECT option, sealed, set_at FROM secret WHERE channel = ?1 AND revision = ?2 ORDER BY option";

pub(super) fn of_name(
    connection: &Connection,
    tenant: TenantId,
    name: &Name,
) -> Result<Option<ChannelRecord>, Fault> {
    let values = [id(*tenant.as_bytes()), Value::Text(name.as_str().to_owned())];
    one(connection, "AND r.revision = c.revision WHERE t.id = ?1 AND c.name = ?2", values)
}

pub(super) fn of_id(
    connection: &Connection,
    tenant: TenantId,
    channel: ChannelId,
) -> Result<Option<ChannelRecord>, Fault> {
    let values = [id(*tenant.as_bytes()), id(*channel.as_bytes())];
    one(connection, "AND r.revision = c.revision WHERE t.id = ?1 AND o.id = ?2", values)
}

pub(super) fn all(connection: &Connection, tenant: TenantId) -> Result<Vec<ChannelRecord>, Fault> {
    let which = "AND r.revision = c.revision WHERE t.id = ?1 ORDER BY c.name";
    many(connection, which, [id(*tenant.as_bytes())])
}

pub(super) fn earlier(
    connection: &Connection,
    tenant: TenantId,
    channel: ChannelId,
) -> Result<Vec<ChannelRecord>, Fault> {
    let which = "AND r.revision < c.revision WHERE t.id = ?1 AND o.id = ?2 ORDER BY r.revision DESC";
    many(connection, which, [id(*tenant.as_bytes()), id(*channel.as_bytes())])
}

/// Over all tenants, and only the revisions that count.
pub(super) fn uses_of_plugin(connection: &Connection, plugin: &str) -> Result<u64, Fault> {
    let count: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM channel c JOIN channel_revision r ON r.channel = c.seq AND r.revision = c.revision
             WHERE r.plugin = ?1",
        )?
        .query_row([plugin], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

fn id(bytes: [u8; 16]) -> Value {
    Value::Blob(bytes.to_vec())
}

fn one<const N: usize>(
    connection: &Connection,
    which: &str,
    values: [Value; N],
) -> Result<Option<ChannelRecord>, Fault> {
    Ok(many(connection, which, values)?.pop())
}

fn many<const N: usize>(
    connection: &Connection,
    which: &str,
    values: [Value; N],
) -> Result<Vec<ChannelRecord>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{RECORD} {which}"))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(read(connection, row)?);
    }
    Ok(records)
}

fn read(connection: &Connection, row: &Row<'_>) -> Result<ChannelRecord, Fault> {
    let policy: PolicyV1 = serde_json::from_str(&row.get::<_, String>(6)?)?;
    let disabled_reason: Option<String> = row.get(7)?;
    let revision = row.get(8)?;
    Ok(ChannelRecord {
        id: ChannelId::from_uuid(uuid(row.get(1)?)),
        tenant: TenantId::from_uuid(uuid(row.get(2)?)),
        name: name(&row.get::<_, String>(3)?)?,
        plugin: row.get(4)?,
        settings: serde_json::from_str(&row.get::<_, String>(5)?)?,
        secrets: secrets(connection, row.get(0)?, revision)?,
        policy: policy.into(),
        enabled: disabled_reason.map_or(Enabled::Yes, |reason| Enabled::No { reason }),
        revision,
        created_at: moment(row.get(9)?)?,
        updated_at: moment(row.get(10)?)?,
        updated_by: Actor(row.get(11)?),
    })
}

fn secrets(connection: &Connection, channel: i64, revision: u32) -> Result<Vec<SealedSecret>, Fault> {
    let mut statement = connection.prepare_cached(SECRETS)?;
    let rows = statement
        .query_map((channel, revision), |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?)))?;
    rows.map(|row| {
        let (option, sealed, set_at) = row?;
        Ok(SealedSecret { option, sealed, set_at: moment(set_at)? })
    })
    .collect()
}
