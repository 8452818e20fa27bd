//! Forgetting what was settled long ago, a little at a time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::desk::Desk;
use super::fault::Fault;
use crate::{Pruned, Retention};

/// Free pages that stay in the file: 1 MiB.
const KEPT_PAGES: u32 = 256;
/// Pages that one step gives back: each may have to be moved first.
const PAGES_MAX: u32 = 512;

pub(super) fn prune(desk: &mut Desk<'_>, retention: Retention, now: Timestamp) -> Result<Pruned, Fault> {
    desk.tick(now)?;
    let Retention { delivered, dead, step_max } = retention;
    let limit = i64::try_from(step_max.get()).unwrap_or(i64::MAX - 1);
    let mut old = settled_before(desk, Old::Delivered, past(now, delivered), limit + 1)?;
    let room = limit + 1 - i64::try_from(old.len()).unwrap_or(limit);
    old.extend(settled_before(desk, Old::Dead, past(now, dead), room)?);
    let has_more = old.len() > step_max.get();
    old.truncate(step_max.get());
    for &(delivery, notification) in &old {
        desk.run("DELETE FROM attempt WHERE delivery = ?1", [delivery])?;
        desk.run("DELETE FROM delivery WHERE seq = ?1", [delivery])?;
        desk.run(
            "DELETE FROM notification WHERE seq = ?1
             AND NOT EXISTS (SELECT 1 FROM delivery WHERE notification = ?1)",
            [notification],
        )?;
    }
    let has_space = give_back(desk, KEPT_PAGES)?;
    Ok(Pruned { deliveries: old.len(), has_more: has_more || has_space })
}

/// Gives back what is free, a step of it; returns whether there is more.
pub(super) fn vacuum(desk: &Desk<'_>) -> Result<bool, Fault> {
    give_back(desk, 0)
}

/// Cuts free pages off the file; returns whether there are more. `kept` stay for what is accepted next.
fn give_back(desk: &Desk<'_>, kept: u32) -> Result<bool, Fault> {
    let free: u32 = desk.statement("PRAGMA freelist_count")?.query_row((), |row| row.get(0))?;
    let spare = free.saturating_sub(kept);
    if spare == 0 {
        return Ok(false);
    }
    let pages = spare.min(PAGES_MAX);
    let mut statement = desk.statement(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query(())?;
    while rows.next()?.is_some() {}
    Ok(spare > pages)
}

#[derive(Clone, Copy)]
enum Old {
    Delivered,
    Dead,
}

/// Deliveries and their notifications, those that were settled first in front.
fn settled_before(desk: &Desk<'_>, old: Old, moment: i64, limit: i64) -> Result<Vec<(i64, i64)>, Fault> {
    let sql = match old {
        Old::Delivered => {
            "SELECT seq, notification FROM delivery WHERE state = 2 AND settled_at < ?1 ORDER BY settled_at LIMIT ?2"
        }
        Old::Dead => {
            "SELECT seq, notification FROM delivery WHERE state = 3 AND settled_at < ?1 ORDER BY settled_at LIMIT ?2"
        }
    };
    let rows = desk
        .statement(sql)?
        .query_map([moment, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

fn past(now: Timestamp, age: Duration) -> i64 {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    now.saturating_sub(age).expect("a signed duration always saturates").as_microsecond()
}
