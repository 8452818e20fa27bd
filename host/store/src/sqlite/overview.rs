//! How channels and the whole store stand, counted from indexes alone.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sandbell_domain::{ChannelId, TenantId};

use super::desk::{moment, uuid};
use super::fault::Fault;
use super::tally::{HOURS_KEPT, hour};
use crate::{ChannelState, Totals};

const CHANNEL: &str = "SELECT c.seq, c.id, c.held_until, c.failures_in_row, c.last_delivered_at
    FROM outbox_channel c JOIN outbox_tenant t ON t.seq = c.tenant";

/// A row of [`CHANNEL`].
struct Columns {
    seq: i64,
    id: [u8; 16],
    held_until: i64,
    failures_in_row: u32,
    last_delivered_at: Option<i64>,
}

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok(Columns {
        seq: row.get(0)?,
        id: row.get(1)?,
        held_until: row.get(2)?,
        failures_in_row: row.get(3)?,
        last_delivered_at: row.get(4)?,
    })
}

pub(super) fn channel(
    connection: &Connection,
    tenant: TenantId,
    channel: ChannelId,
    now: Timestamp,
) -> Result<Option<ChannelState>, Fault> {
    connection
        .prepare_cached(&format!("{CHANNEL} WHERE t.id = ?1 AND c.id = ?2"))?
        .query_row(params![tenant.as_bytes(), channel.as_bytes()], columns)
        .optional()?
        .map(|columns| state(connection, &columns, now))
        .transpose()
}

pub(super) fn channels(
    connection: &Connection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<ChannelState>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{CHANNEL} WHERE t.id = ?1 ORDER BY c.seq"))?;
    let rows = statement.query_map([tenant.as_bytes()], columns)?;
    rows.map(|row| state(connection, &row?, now)).collect()
}

fn state(connection: &Connection, columns: &Columns, now: Timestamp) -> Result<ChannelState, Fault> {
    let Columns { seq, id, held_until, failures_in_row, last_delivered_at } = columns;
    let group = |sql: &str| -> Result<(u64, Option<i64>), Fault> {
        Ok(connection.prepare_cached(sql)?.query_row([seq], counted)?)
    };
    // A first try is due from its acceptance on, so that its index knows how old it is.
    let fresh = group(
        "SELECT count(*), min(due_at) FROM delivery INDEXED BY delivery_waiting
         WHERE channel = ?1 AND state = 0 AND later = 0",
    )?;
    let retried = group(
        "SELECT count(*), min(since) FROM delivery INDEXED BY delivery_retried
         WHERE channel = ?1 AND state = 0 AND later = 1",
    )?;
    let leased = group(
        "SELECT count(*), NULL FROM delivery INDEXED BY delivery_leased WHERE channel = ?1 AND state = 1",
    )?;
    let dead = group(
        "SELECT count(*), NULL FROM delivery INDEXED BY delivery_dead_channel WHERE channel = ?1 AND state = 3",
    )?;
    let (delivered_in_day, failed_in_day): (i64, i64) = connection
        .prepare_cached(
            "SELECT ifnull(sum(delivered), 0), ifnull(sum(failed), 0) FROM outbox_hour
             WHERE channel = ?1 AND hour > ?2",
        )?
        .query_row([*seq, hour(now) - HOURS_KEPT], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let oldest = [fresh.1, retried.1].into_iter().flatten().min();
    Ok(ChannelState {
        channel: ChannelId::from_uuid(uuid(*id)),
        waiting: fresh.0 + retried.0,
        leased: leased.0,
        dead: dead.0,
        oldest_since: oldest.map(moment).transpose()?,
        held_until: Some(moment(*held_until)?).filter(|until| *until > now),
        failures_in_row: *failures_in_row,
        last_delivered_at: last_delivered_at.map(moment).transpose()?,
        delivered_in_day: delivered_in_day.unsigned_abs(),
        failed_in_day: failed_in_day.unsigned_abs(),
    })
}

pub(super) fn totals(connection: &Connection) -> Result<Totals, Fault> {
    let group = |sql: &str| -> Result<(u64, Option<i64>), Fault> {
        Ok(connection.prepare_cached(sql)?.query_row((), counted)?)
    };
    let (waiting, fresh, due): (i64, Option<i64>, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*), min(CASE later WHEN 0 THEN due_at END), min(due_at)
             FROM delivery INDEXED BY delivery_waiting WHERE state = 0",
        )?
        .query_row((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let retried = group(
        "SELECT 0, min(since) FROM delivery INDEXED BY delivery_retried WHERE state = 0 AND later = 1",
    )?;
    let leased = group("SELECT count(*), NULL FROM delivery INDEXED BY delivery_leased WHERE state = 1")?;
    let dead = group("SELECT count(*), NULL FROM delivery INDEXED BY delivery_dead_channel WHERE state = 3")?;
    let oldest = [fresh, retried.1].into_iter().flatten().min();
    Ok(Totals {
        waiting: waiting.unsigned_abs(),
        leased: leased.0,
        dead: dead.0,
        oldest_since: oldest.map(moment).transpose()?,
        oldest_due_at: due.map(moment).transpose()?,
    })
}

fn counted(row: &Row<'_>) -> rusqlite::Result<(u64, Option<i64>)> {
    Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
}
