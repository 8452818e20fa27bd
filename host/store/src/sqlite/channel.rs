//! What one channel has to give, and when to look at it again.
//!
//! `first` and `later` of a channel say that it has such a try to give now; they are set here and nowhere else, so
//! that whoever leases finds it without looking at deliveries that are not due.

use jiff::Timestamp;
use rusqlite::params;
use sandbell_domain::{ChannelId, DeliveryId, TenantId};

use super::desk::{Desk, Place, uuid};
use super::fault::Fault;
use crate::Pace;

/// Which tries; a first one is due from its acceptance on, whatever the clock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    First,
    Later,
}

struct Channel {
    tenant: i64,
    /// Zero while it is disabled or its tenant suspended.
    leases_max: i64,
    is_ordered: bool,
    held_until: i64,
    first: bool,
    later: bool,
    wake_at: Option<i64>,
}

/// What is out, and when the first of it runs out.
struct LeasedNow {
    count: i64,
    lapse: Option<i64>,
}

/// What can be given, and the next moment that changes it.
#[derive(Default)]
struct Findings {
    first: bool,
    later: bool,
    wake_at: Option<i64>,
}

impl Findings {
    fn wake(&mut self, at: Option<i64>) {
        self.wake_at = [self.wake_at, at].into_iter().flatten().min();
    }
}

/// Takes back what ran out and writes down what there is to give.
pub(super) fn look_at(desk: &mut Desk<'_>, seq: i64, now: Timestamp) -> Result<(), Fault> {
    let micros = now.as_microsecond();
    let Some(channel) = read(desk, seq)? else { return Ok(()) };
    let mut leased = leased(desk, seq)?;
    if leased.lapse.is_some_and(|lapse| lapse <= micros) {
        take_back(desk, seq, now)?;
        leased = self::leased(desk, seq)?;
    }
    let found = find(desk, seq, &channel, &leased, micros)?;
    // A moment that is too early only costs a look; so a later one is not written each time.
    let wake_at = match (channel.wake_at, found.wake_at) {
        (Some(stored), Some(found)) if stored > micros && stored <= found => Some(stored),
        (Some(_) | None, found) => found,
    };
    if (channel.first, channel.later, channel.wake_at) != (found.first, found.later, wake_at) {
        desk.run(
            "UPDATE outbox_channel SET first = ?2, later = ?3, wake_at = ?4 WHERE seq = ?1",
            params![seq, found.first, found.later, wake_at],
        )?;
    }
    if found.first {
        desk.run("UPDATE outbox_tenant SET first = 1 WHERE seq = ?1 AND first = 0", [channel.tenant])?;
    }
    if found.later {
        desk.run("UPDATE outbox_tenant SET later = 1 WHERE seq = ?1 AND later = 0", [channel.tenant])?;
    }
    desk.news.is_ready |= found.first || found.later;
    Ok(())
}

fn read(desk: &Desk<'_>, seq: i64) -> Result<Option<Channel>, Fault> {
    desk.first(
        "SELECT c.tenant, CASE WHEN c.is_disabled OR t.is_suspended THEN 0 ELSE c.leases_max END, c.is_ordered,
         c.held_until, c.first, c.later, c.wake_at
         FROM outbox_channel c JOIN outbox_tenant t ON t.seq = c.tenant WHERE c.seq = ?1",
        [seq],
        |row| {
            Ok(Channel {
                tenant: row.get(0)?,
                leases_max: row.get(1)?,
                is_ordered: row.get(2)?,
                held_until: row.get(3)?,
                first: row.get(4)?,
                later: row.get(5)?,
                wake_at: row.get(6)?,
            })
        },
    )
}

fn leased(desk: &Desk<'_>, seq: i64) -> Result<LeasedNow, Fault> {
    Ok(desk
        .statement("SELECT count(*), min(lease_until) FROM delivery WHERE channel = ?1 AND state = 1")?
        .query_row([seq], |row| Ok(LeasedNow { count: row.get(0)?, lapse: row.get(1)? }))?)
}

fn find(
    desk: &Desk<'_>,
    seq: i64,
    channel: &Channel,
    leased: &LeasedNow,
    now: i64,
) -> Result<Findings, Fault> {
    let mut found = Findings::default();
    found.wake(leased.lapse);
    if leased.count >= channel.leases_max || (channel.is_ordered && leased.count > 0) {
        return Ok(found);
    }
    let (first, due) = if channel.is_ordered { ordered_head(desk, seq)? } else { heads(desk, seq)? };
    if channel.held_until > now {
        found.wake((first || due.is_some()).then_some(channel.held_until));
        return Ok(found);
    }
    found.first = first;
    found.later = due.is_some_and(|due| due <= now);
    found.wake(due.filter(|due| *due > now));
    Ok(found)
}

/// Whether a first try waits, and when the next later one is due.
fn heads(desk: &Desk<'_>, seq: i64) -> Result<(bool, Option<i64>), Fault> {
    let first = desk.first(
        "SELECT 1 FROM delivery WHERE channel = ?1 AND state = 0 AND later = 0 LIMIT 1",
        [seq],
        |_| Ok(()),
    )?;
    let due = desk.first(
        "SELECT due_at FROM delivery WHERE channel = ?1 AND state = 0 AND later = 1 ORDER BY due_at LIMIT 1",
        [seq],
        |row| row.get(0),
    )?;
    Ok((first.is_some(), due))
}

/// The same, when only the oldest counts.
fn ordered_head(desk: &Desk<'_>, seq: i64) -> Result<(bool, Option<i64>), Fault> {
    let head: Option<(bool, i64)> = desk.first(
        "SELECT later, due_at FROM delivery
         WHERE channel = ?1 AND place IS NOT NULL AND state < 2 ORDER BY place LIMIT 1",
        [seq],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(match head {
        Some((true, due_at)) => (false, Some(due_at)),
        Some((false, _)) => (true, None),
        None => (false, None),
    })
}

/// The delivery that the channel gives next, if it may give one now.
pub(super) fn next(desk: &Desk<'_>, seq: i64, turn: Turn, now: Timestamp) -> Result<Option<i64>, Fault> {
    let now = now.as_microsecond();
    let Some(channel) = read(desk, seq)? else { return Ok(None) };
    let found = find(desk, seq, &channel, &leased(desk, seq)?, now)?;
    let (may, later) = match turn {
        Turn::First => (found.first, false),
        Turn::Later => (found.later, true),
    };
    if !may {
        return Ok(None);
    }
    let sql = match (channel.is_ordered, later) {
        (true, _) => {
            "SELECT seq FROM delivery
             WHERE channel = ?1 AND place IS NOT NULL AND state < 2 ORDER BY place LIMIT 1"
        }
        (false, false) => {
            "SELECT seq FROM delivery
             WHERE channel = ?1 AND state = 0 AND later = 0 ORDER BY due_at, seq LIMIT 1"
        }
        (false, true) => {
            "SELECT seq FROM delivery
             WHERE channel = ?1 AND state = 0 AND later = 1 ORDER BY due_at, seq LIMIT 1"
        }
    };
    desk.first(sql, [seq], |row| row.get(0))
}

/// Leases that ran out: the delivery waits again, or is dead if someone cancelled it meanwhile.
///
/// The claim stays: its holder may still settle until another has the delivery.
fn take_back(desk: &mut Desk<'_>, seq: i64, now: Timestamp) -> Result<(), Fault> {
    let micros = now.as_microsecond();
    let lapsed: Vec<(i64, [u8; 16], bool)> = desk
        .statement(
            "SELECT seq, id, is_cancelled FROM delivery WHERE channel = ?1 AND state = 1 AND lease_until <= ?2",
        )?
        .query_map([seq, micros], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (delivery, id, is_cancelled) in lapsed {
        if is_cancelled {
            desk.run(
                "UPDATE delivery SET state = 3, dead_reason = 'cancelled', settled_at = ?2, lapses = lapses + 1,
                 claim = NULL, lease_until = NULL WHERE seq = ?1",
                [delivery, micros],
            )?;
            desk.settled(DeliveryId::from_uuid(uuid(id)));
        } else {
            desk.run(
                "UPDATE delivery SET state = 0, later = 1, due_at = ?2, lapses = lapses + 1, lease_until = NULL
                 WHERE seq = ?1",
                [delivery, micros],
            )?;
        }
    }
    Ok(())
}

/// As if every lease had run out.
pub(super) fn take_back_all(desk: &mut Desk<'_>, now: Timestamp) -> Result<usize, Fault> {
    desk.tick(now)?;
    let channels: Vec<i64> = desk
        .statement("SELECT DISTINCT channel FROM delivery WHERE state = 1")?
        .query_map((), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let count = desk.run("UPDATE delivery SET lease_until = 0 WHERE state = 1", ())?;
    for channel in channels {
        desk.touch(channel, now);
    }
    Ok(count)
}

/// Sets the pace; what waits is put in its place if the order begins to matter.
pub(super) fn set_pace(
    desk: &mut Desk<'_>,
    tenant: TenantId,
    channel: ChannelId,
    pace: Pace,
    now: Timestamp,
) -> Result<(), Fault> {
    desk.tick(now)?;
    let Pace { leases_max, is_ordered } = pace;
    let Place { channel: seq, is_ordered: was_ordered, .. } = desk.channel(tenant, channel)?;
    desk.run(
        "UPDATE outbox_channel SET leases_max = ?2, is_ordered = ?3 WHERE seq = ?1",
        params![seq, leases_max.get(), is_ordered],
    )?;
    if is_ordered && !was_ordered {
        desk.run("UPDATE delivery SET place = seq WHERE channel = ?1 AND state = 0", [seq])?;
        desk.run("UPDATE delivery SET place = seq WHERE channel = ?1 AND state = 1", [seq])?;
    }
    desk.touch(seq, now);
    Ok(())
}

pub(super) fn hold(
    desk: &mut Desk<'_>,
    tenant: TenantId,
    channel: ChannelId,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    desk.tick(now)?;
    let seq = desk.channel(tenant, channel)?.channel;
    desk.run("UPDATE outbox_channel SET held_until = ?2 WHERE seq = ?1", [seq, until.as_microsecond()])?;
    desk.touch(seq, now);
    Ok(())
}
