//! Following what is tried, across processes and restarts.

use std::num::NonZeroUsize;

use rusqlite::{Connection, params};
use sandbell_domain::{ChannelId, DeliveryId, NotificationId, TenantId};

use super::desk::uuid;
use super::fault::Fault;
use super::read::attempt;
use crate::{Cursor, Followed, Tried};

/// Tries of one step, of whichever tenant: a tenant with few does not make a step long.
const LOOKED_AT_MAX: i64 = 10_000;

pub(super) fn follow(
    connection: &Connection,
    tenant: TenantId,
    after: Option<Cursor>,
    count_max: NonZeroUsize,
) -> Result<Followed, Fault> {
    // What has a number up to this one is there: there is one writer, and it numbers what it commits.
    let last: i64 =
        connection.prepare_cached("SELECT attempts FROM clock")?.query_row((), |row| row.get(0))?;
    // A later cursor is of another file, e.g. of one that a backup has replaced.
    let after = after.map_or(last, Cursor::get).clamp(0, last);
    let until = last.min(after + LOOKED_AT_MAX);
    let limit = i64::try_from(count_max.get()).unwrap_or(i64::MAX);
    // In the order of attempts, whatever the planner thinks of tenants.
    let mut statement = connection.prepare_cached(
        "SELECT a.redrive, a.number, a.leased_at, a.settled_at, a.record, a.seq, d.id, c.id, n.id
         FROM attempt a CROSS JOIN delivery d ON d.seq = a.delivery
         CROSS JOIN outbox_channel c ON c.seq = d.channel CROSS JOIN notification n ON n.seq = d.notification
         WHERE a.seq > ?1 AND a.seq <= ?2 AND d.tenant = (SELECT seq FROM outbox_tenant WHERE id = ?3)
         ORDER BY a.seq LIMIT ?4",
    )?;
    let mut rows = statement.query(params![after, until, tenant.as_bytes(), limit])?;
    let mut tries = Vec::new();
    while let Some(row) = rows.next()? {
        tries.push(Tried {
            cursor: Cursor::new(row.get(5)?),
            delivery: DeliveryId::from_uuid(uuid(row.get(6)?)),
            channel: ChannelId::from_uuid(uuid(row.get(7)?)),
            notification: NotificationId::from_uuid(uuid(row.get(8)?)),
            record: attempt(row)?,
        });
    }
    let is_full = tries.len() == count_max.get();
    let next = tries.last().filter(|_| is_full).map_or(Cursor::new(until), |last| last.cursor);
    Ok(Followed { tries, next, has_more: next.get() < last })
}
