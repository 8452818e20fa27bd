//! What people do with deliveries: trying dead letters again, and making some.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};
use sandbell_domain::{DeliveryId, TenantId};

use super::desk::Desk;
use super::fault::Fault;
use super::filter;
use crate::{Cancelled, Filter, StateKind};

/// Dead letters of one transaction.
const STEP_MAX: i64 = 500;

/// One step through the dead letters that a filter means, oldest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) count: u64,
    /// Where the next step begins; absent after the last.
    pub(super) next: Option<i64>,
}

pub(super) fn one(
    desk: &mut Desk<'_>,
    tenant: TenantId,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<u64, Fault> {
    desk.tick(now)?;
    let Some(tenant) = desk.known_tenant(tenant)? else { return Ok(0) };
    let found = desk.first(
        "SELECT seq, channel FROM delivery WHERE id = ?1 AND tenant = ?2 AND state = 3",
        params![delivery.as_bytes(), tenant],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((seq, channel)) = found else { return Ok(0) };
    again(desk, seq, channel, now)?;
    Ok(1)
}

/// Those whose number is greater than `after`, so that one that dies again at once is not driven in a circle.
pub(super) fn matching(
    desk: &mut Desk<'_>,
    tenant: TenantId,
    filter: &Filter,
    after: i64,
    now: Timestamp,
) -> Result<Step, Fault> {
    desk.tick(now)?;
    let Some(tenant) = desk.known_tenant(tenant)? else { return Ok(Step { count: 0, next: None }) };
    let dead = Filter { state: Some(StateKind::Dead), ..filter.clone() };
    let (terms, mut values) = filter::terms(&dead);
    values.extend([Value::from(tenant), Value::from(after), Value::from(STEP_MAX)]);
    let sql = format!(
        "SELECT d.seq, d.channel FROM delivery d WHERE {terms} d.tenant = ? AND d.seq > ? ORDER BY d.seq LIMIT ?"
    );
    let found: Vec<(i64, i64)> = desk
        .statement(&sql)?
        .query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for &(seq, channel) in &found {
        again(desk, seq, channel, now)?;
    }
    let count = found.len() as u64;
    let next = found.last().map(|last| last.0).filter(|_| i64::try_from(count) == Ok(STEP_MAX));
    Ok(Step { count, next })
}

/// As a later try: thousands that are redriven do not delay what is fresh.
fn again(desk: &mut Desk<'_>, seq: i64, channel: i64, now: Timestamp) -> Result<(), Fault> {
    desk.run(
        "UPDATE delivery SET state = 0, later = 1, due_at = ?2, since = ?2, redrives = redrives + 1, tries = 0,
         lapses = 0, is_cancelled = 0, claim = NULL, settled_at = NULL, dead_reason = NULL,
         place = (SELECT CASE WHEN is_ordered THEN delivery.seq END FROM outbox_channel c WHERE c.seq = delivery.channel)
         WHERE seq = ?1",
        [seq, now.as_microsecond()],
    )?;
    desk.touch(channel, now);
    Ok(())
}

pub(super) fn cancel(
    desk: &mut Desk<'_>,
    tenant: TenantId,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<Cancelled, Fault> {
    desk.tick(now)?;
    let Some(tenant) = desk.known_tenant(tenant)? else { return Ok(Cancelled::Unknown) };
    let found: Option<(i64, i64, i64)> = desk.first(
        "SELECT seq, channel, state FROM delivery WHERE id = ?1 AND tenant = ?2",
        params![delivery.as_bytes(), tenant],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let Some((seq, channel, state)) = found else { return Ok(Cancelled::Unknown) };
    match state {
        0 => {
            desk.run(
                "UPDATE delivery SET state = 3, dead_reason = 'cancelled', settled_at = ?2, claim = NULL
                 WHERE seq = ?1",
                [seq, now.as_microsecond()],
            )?;
            desk.settled(delivery);
            desk.touch(channel, now);
            Ok(Cancelled::Done)
        }
        1 => {
            desk.run("UPDATE delivery SET is_cancelled = 1 WHERE seq = ?1", [seq])?;
            Ok(Cancelled::AfterThisTry)
        }
        _ => Ok(Cancelled::SettledBefore),
    }
}
