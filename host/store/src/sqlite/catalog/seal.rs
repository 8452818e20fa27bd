//! Sealed texts where they lie: nothing here can open one.

use std::num::NonZeroUsize;

use rusqlite::{Connection, OptionalExtension, params};
use sandbell_domain::{ChannelId, TenantId};

use crate::SealedPlace;
use crate::sqlite::desk::{Desk, uuid};
use crate::sqlite::fault::Fault;

pub(super) fn key_check(connection: &Connection) -> Result<Option<String>, Fault> {
    Ok(connection
        .prepare_cached("SELECT sealed FROM key_check")?
        .query_row((), |row| row.get(0))
        .optional()?)
}

pub(super) fn set_key_check(desk: &Desk<'_>, sealed: &str) -> Result<(), Fault> {
    desk.run("INSERT OR REPLACE INTO key_check (one, sealed) VALUES (1, ?1)", [sealed])?;
    Ok(())
}

pub(super) fn from_place(
    connection: &Connection,
    after: u64,
    count_max: NonZeroUsize,
) -> Result<Vec<SealedPlace>, Fault> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(count_max.get()).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT s.seq, t.id, c.id, s.option, s.sealed FROM secret s JOIN outbox_channel c ON c.seq = s.channel
         JOIN outbox_tenant t ON t.seq = c.tenant WHERE s.seq > ?1 ORDER BY s.seq LIMIT ?2",
    )?;
    let rows = statement.query_map([after, limit], |row| {
        Ok(SealedPlace {
            place: row.get::<_, i64>(0)?.unsigned_abs(),
            tenant: TenantId::from_uuid(uuid(row.get(1)?)),
            channel: ChannelId::from_uuid(uuid(row.get(2)?)),
            option: row.get(3)?,
            sealed: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn reseal(desk: &Desk<'_>, place: u64, from: &str, to: &str) -> Result<bool, Fault> {
    let place = i64::try_from(place).unwrap_or(i64::MAX);
    let changed =
        desk.run("UPDATE secret SET sealed = ?3 WHERE seq = ?1 AND sealed = ?2", params![place, from, to])?;
    Ok(changed > 0)
}
