//! One transaction of the writer: the clock in it, the channels that it touched, and what their tries came to.
//!
//! A channel that was touched is looked at once, before anything is leased or the transaction ends, however many
//! deliveries of it came or went.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, params};
use sandbell_domain::{ChannelId, DeliveryId, TenantId};
use uuid::Uuid;

use super::channel;
use super::fault::Fault;
use super::tally::Tallies;
use super::writer::News;
use crate::Pace;

/// How much later than the stored clock a moment must be to be stored: one write in so many microseconds.
const STEP_MICROS: i64 = 10_000_000;
/// How far the clock may go back before waits are moved with it: more than any correction that keeps time.
const BACK_MICROS: i64 = 60_000_000;

pub(super) struct Desk<'a> {
    connection: &'a Connection,
    clock: Clock,
    stored: Clock,
    touched: HashMap<i64, Timestamp>,
    tallies: Tallies,
    pub(super) news: News,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Clock {
    at: i64,
    turn: i64,
    attempts: i64,
}

impl<'a> Desk<'a> {
    pub(super) fn open(connection: &'a Connection) -> Result<Self, Fault> {
        let clock = connection
            .prepare_cached("SELECT at, turn, attempts FROM clock")?
            .query_row((), |row| Ok(Clock { at: row.get(0)?, turn: row.get(1)?, attempts: row.get(2)? }))?;
        let (touched, tallies, news) = Default::default();
        Ok(Self { connection, clock, stored: clock, touched, tallies, news })
    }

    /// Ends everything that waits for the end; the commit is the caller's.
    pub(super) fn close(mut self) -> Result<News, Fault> {
        self.look_at_touched()?;
        self.tallies.write(self.connection)?;
        if self.clock != self.stored {
            let Clock { at, turn, attempts } = self.clock;
            self.run("UPDATE clock SET at = ?1, turn = ?2, attempts = ?3", [at, turn, attempts])?;
        }
        Ok(self.news)
    }

    /// Every command says first what time it is. A clock that went back takes the waits with it.
    pub(super) fn tick(&mut self, now: Timestamp) -> Result<(), Fault> {
        let now = now.as_microsecond();
        if now < self.clock.at - BACK_MICROS {
            self.move_back(self.clock.at - now)?;
            self.clock.at = now;
        } else if now > self.clock.at + STEP_MICROS {
            self.clock.at = now;
        }
        Ok(())
    }

    fn move_back(&self, micros: i64) -> Result<(), Fault> {
        self.run("UPDATE delivery SET due_at = due_at - ?1, since = since - ?1 WHERE state = 0", [micros])?;
        self.run(
            "UPDATE delivery SET lease_until = lease_until - ?1, leased_at = leased_at - ?1, since = since - ?1
             WHERE state = 1",
            [micros],
        )?;
        self.run("UPDATE outbox_channel SET held_until = held_until - ?1 WHERE held_until > 0", [micros])?;
        self.run("UPDATE outbox_channel SET wake_at = wake_at - ?1 WHERE wake_at IS NOT NULL", [micros])?;
        Ok(())
    }

    /// A number that was never given before and will never be again.
    pub(super) fn next_turn(&mut self) -> i64 {
        self.clock.turn += 1;
        self.clock.turn
    }

    /// The number of an attempt, which follows that of every other.
    pub(super) fn next_attempt(&mut self) -> i64 {
        self.clock.attempts += 1;
        self.clock.attempts
    }

    pub(super) fn touch(&mut self, channel: i64, now: Timestamp) {
        self.touched.insert(channel, now);
    }

    pub(super) fn look_at_touched(&mut self) -> Result<(), Fault> {
        for (channel, now) in std::mem::take(&mut self.touched) {
            channel::look_at(self, channel, now)?;
        }
        Ok(())
    }

    /// Counts a try of the channel; returns how many failed in a row.
    pub(super) fn count_try(
        &mut self,
        channel: i64,
        is_delivered: bool,
        now: Timestamp,
    ) -> Result<u32, Fault> {
        self.tallies.count(self.connection, channel, is_delivered, now)
    }

    pub(super) fn failures_in_row(&mut self, channel: i64) -> Result<u32, Fault> {
        self.tallies.failures_in_row(self.connection, channel)
    }

    pub(super) fn forget_failures(&mut self, channel: i64) -> Result<(), Fault> {
        self.tallies.forget_failures(self.connection, channel)
    }

    pub(super) fn settled(&mut self, delivery: DeliveryId) {
        self.news.settled.push(delivery);
    }

    /// For what a reader can do as well.
    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    pub(super) fn statement(&self, sql: &str) -> Result<CachedStatement<'a>, Fault> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Returns how many rows it changed.
    pub(super) fn run(&self, sql: &str, params: impl Params) -> Result<usize, Fault> {
        Ok(self.statement(sql)?.execute(params)?)
    }

    pub(super) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.statement(sql)?.query_row(params, read).optional()?)
    }

    pub(super) fn last_seq(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    /// The tenant's number, made if it has none.
    pub(super) fn tenant(&self, tenant: TenantId) -> Result<i64, Fault> {
        if let Some(seq) = self.known_tenant(tenant)? {
            return Ok(seq);
        }
        self.run("INSERT INTO outbox_tenant (id) VALUES (?1)", [tenant.as_bytes()])?;
        Ok(self.last_seq())
    }

    pub(super) fn known_tenant(&self, tenant: TenantId) -> Result<Option<i64>, Fault> {
        self.first("SELECT seq FROM outbox_tenant WHERE id = ?1", [tenant.as_bytes()], |row| row.get(0))
    }

    /// The channel as a delivery meets it; it is made with the usual pace if it is new.
    pub(super) fn channel(&self, tenant: TenantId, channel: ChannelId) -> Result<Place, Fault> {
        let known = self.first(
            "SELECT c.tenant, c.seq, c.is_ordered, c.first FROM outbox_tenant t
             JOIN outbox_channel c ON c.tenant = t.seq WHERE t.id = ?1 AND c.id = ?2",
            params![tenant.as_bytes(), channel.as_bytes()],
            |row| {
                Ok(Place {
                    tenant: row.get(0)?,
                    channel: row.get(1)?,
                    is_ordered: row.get(2)?,
                    has_first: row.get(3)?,
                })
            },
        )?;
        if let Some(known) = known {
            return Ok(known);
        }
        let tenant = self.tenant(tenant)?;
        let Pace { leases_max, is_ordered } = Pace::default();
        self.run(
            "INSERT INTO outbox_channel (tenant, id, leases_max, is_ordered) VALUES (?1, ?2, ?3, ?4)",
            params![tenant, channel.as_bytes(), leases_max.get(), is_ordered],
        )?;
        Ok(Place { tenant, channel: self.last_seq(), is_ordered, has_first: false })
    }
}

/// Where a delivery goes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) tenant: i64,
    pub(super) channel: i64,
    pub(super) is_ordered: bool,
    /// It has a first try to give already, so that another one changes nothing.
    pub(super) has_first: bool,
}

/// A column that holds a moment.
pub(super) fn moment(micros: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(micros).map_err(|_| Fault::Value("a moment outside the calendar"))
}

/// A column that holds an id.
pub(super) fn uuid(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}
