//! What tries come to, channel by channel: gathered while a transaction runs and written once at its end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Fault;

/// Hours that are kept: a day, and the one that is running.
pub(super) const HOURS_KEPT: i64 = 24;

#[derive(Default)]
pub(super) struct Tallies {
    channels: HashMap<i64, Tally>,
}

struct Tally {
    failures_in_row: u32,
    last_delivered_at: Option<i64>,
    hours: HashMap<i64, Hour>,
}

/// What was added to an hour.
#[derive(Clone, Copy, Default)]
struct Hour {
    delivered: i64,
    failed: i64,
}

/// The hour of a moment, counted from 1970.
pub(super) fn hour(now: Timestamp) -> i64 {
    now.as_second().div_euclid(3_600)
}

impl Tallies {
    /// Counts a try; returns how many failed in a row, this one included.
    pub(super) fn count(
        &mut self,
        connection: &Connection,
        channel: i64,
        is_delivered: bool,
        now: Timestamp,
    ) -> Result<u32, Fault> {
        let tally = self.of(connection, channel)?;
        let in_hour = tally.hours.entry(hour(now)).or_default();
        if is_delivered {
            in_hour.delivered += 1;
            tally.failures_in_row = 0;
            tally.last_delivered_at = Some(now.as_microsecond());
        } else {
            in_hour.failed += 1;
            tally.failures_in_row = tally.failures_in_row.saturating_add(1);
        }
        Ok(tally.failures_in_row)
    }

    pub(super) fn failures_in_row(&mut self, connection: &Connection, channel: i64) -> Result<u32, Fault> {
        Ok(self.of(connection, channel)?.failures_in_row)
    }

    pub(super) fn forget_failures(&mut self, connection: &Connection, channel: i64) -> Result<(), Fault> {
        self.of(connection, channel)?.failures_in_row = 0;
        Ok(())
    }

    fn of(&mut self, connection: &Connection, channel: i64) -> Result<&mut Tally, Fault> {
        match self.channels.entry(channel) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let kept: Option<(u32, Option<i64>)> = connection
                    .prepare_cached(
                        "SELECT failures_in_row, last_delivered_at FROM outbox_channel WHERE seq = ?1",
                    )?
                    .query_row([channel], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let (failures_in_row, last_delivered_at) = kept.unwrap_or_default();
                Ok(entry.insert(Tally { failures_in_row, last_delivered_at, hours: HashMap::new() }))
            }
        }
    }

    pub(super) fn write(&mut self, connection: &Connection) -> Result<(), Fault> {
        for (channel, Tally { failures_in_row, last_delivered_at, hours }) in self.channels.drain() {
            connection
                .prepare_cached(
                    "UPDATE outbox_channel SET failures_in_row = ?2, last_delivered_at = ?3 WHERE seq = ?1
                     AND (failures_in_row, last_delivered_at) IS NOT (?2, ?3)",
                )?
                .execute(params![channel, failures_in_row, last_delivered_at])?;
            for (hour, added) in hours {
                write_hour(connection, channel, hour, added)?;
            }
        }
        Ok(())
    }
}

/// The first try of an hour forgets the hours that nobody asks for any more.
fn write_hour(connection: &Connection, channel: i64, hour: i64, added: Hour) -> Result<(), Fault> {
    let Hour { delivered, failed } = added;
    let known = connection
        .prepare_cached(
            "UPDATE outbox_hour SET delivered = delivered + ?3, failed = failed + ?4
             WHERE channel = ?1 AND hour = ?2",
        )?
        .execute([channel, hour, delivered, failed])?;
    if known == 0 {
        connection
            .prepare_cached("DELETE FROM outbox_hour WHERE channel = ?1 AND hour < ?2")?
            .execute([channel, hour - HOURS_KEPT])?;
        connection
            .prepare_cached(
                "INSERT INTO outbox_hour (channel, hour, delivered, failed) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute([channel, hour, delivered, failed])?;
    }
    Ok(())
}
