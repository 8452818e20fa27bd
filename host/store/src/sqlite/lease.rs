//! Leasing: whose turn it is, and what it gives.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;
use sandbell_domain::{ChannelId, Contact, Delivery, DeliveryId, Lease, NotificationId, TenantId};

use super::channel::{self, Turn};
use super::desk::{Desk, moment, uuid};
use super::fault::Fault;
use super::form::NotificationV1;
use crate::{Claim, LeaseRequest, Leased, Leases, Tries};

/// One lease in so many looks for a later try first.
const LATER_FIRST: i64 = 8;
/// Channels that are looked at because their time has come, in one call: after a long sleep it may be all of them.
const LOOKS_MAX: i64 = 256;

/// What each tenant may still get.
struct Rooms {
    left: HashMap<i64, usize>,
    tenant_max: usize,
    /// Those that get nothing more.
    full: Vec<i64>,
}

impl Rooms {
    fn new(desk: &Desk<'_>, request: &LeaseRequest) -> Result<Self, Fault> {
        let mut left = HashMap::new();
        for (tenant, room) in &request.rooms {
            if let Some(tenant) = desk.known_tenant(*tenant)? {
                left.insert(tenant, *room);
            }
        }
        let full = left.iter().filter(|(_, room)| **room == 0).map(|(tenant, _)| *tenant).collect();
        Ok(Self { left, tenant_max: request.tenant_max.get(), full })
    }

    fn take(&mut self, tenant: i64) {
        let left = self.left.entry(tenant).or_insert(self.tenant_max);
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.full.push(tenant);
        }
    }
}

pub(super) fn lease(desk: &mut Desk<'_>, request: &LeaseRequest) -> Result<Leases, Fault> {
    let now = request.now;
    desk.tick(now)?;
    desk.look_at_touched()?;
    wake(desk, now)?;
    let mut rooms = Rooms::new(desk, request)?;
    let mut leases = Vec::new();
    while leases.len() < request.count_max.get() {
        let Some((tenant, taken)) = take(desk, request, &rooms.full)? else { break };
        rooms.take(tenant);
        leases.push(taken);
    }
    desk.look_at_touched()?;
    let next_at: Option<i64> = desk
        .statement("SELECT min(wake_at) FROM outbox_channel WHERE wake_at IS NOT NULL")?
        .query_row((), |row| row.get(0))?;
    Ok(Leases { leases, next_at: next_at.map(moment).transpose()? })
}

fn wake(desk: &mut Desk<'_>, now: Timestamp) -> Result<(), Fault> {
    let due: Vec<i64> = desk
        .statement("SELECT seq FROM outbox_channel WHERE wake_at <= ?1 ORDER BY wake_at LIMIT ?2")?
        .query_map([now.as_microsecond(), LOOKS_MAX], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    due.into_iter().try_for_each(|seq| channel::look_at(desk, seq, now))
}

fn take(desk: &mut Desk<'_>, request: &LeaseRequest, full: &[i64]) -> Result<Option<(i64, Leased)>, Fault> {
    let claim = desk.next_turn();
    let order: &[Turn] = match request.tries {
        Tries::First => &[Turn::First],
        Tries::Any if claim % LATER_FIRST == 0 => &[Turn::Later, Turn::First],
        Tries::Any => &[Turn::First, Turn::Later],
    };
    for turn in order {
        if let Some((tenant, channel, delivery)) = next(desk, *turn, request.now, full)? {
            return give(desk, claim, tenant, channel, delivery, request)
                .map(|leased| Some((tenant, leased)));
        }
    }
    Ok(None)
}

/// The tenant, channel and delivery whose turn it is. What only looked as if it had something is put right on the way.
fn next(
    desk: &mut Desk<'_>,
    turn: Turn,
    now: Timestamp,
    full: &[i64],
) -> Result<Option<(i64, i64, i64)>, Fault> {
    while let Some(tenant) = next_tenant(desk, turn, full)? {
        let sql = match turn {
            Turn::First => {
                "SELECT seq FROM outbox_channel WHERE tenant = ?1 AND first = 1 ORDER BY turn LIMIT 1"
            }
            Turn::Later => {
                "SELECT seq FROM outbox_channel WHERE tenant = ?1 AND later = 1 ORDER BY turn LIMIT 1"
            }
        };
        let Some(channel) = desk.first(sql, [tenant], |row| row.get(0))? else {
            let sql = match turn {
                Turn::First => "UPDATE outbox_tenant SET first = 0 WHERE seq = ?1",
                Turn::Later => "UPDATE outbox_tenant SET later = 0 WHERE seq = ?1",
            };
            desk.run(sql, [tenant])?;
            continue;
        };
        match channel::next(desk, channel, turn, now)? {
            Some(delivery) => return Ok(Some((tenant, channel, delivery))),
            None => channel::look_at(desk, channel, now)?,
        }
    }
    Ok(None)
}

fn next_tenant(desk: &Desk<'_>, turn: Turn, full: &[i64]) -> Result<Option<i64>, Fault> {
    let mut statement = desk.statement(match turn {
        Turn::First => "SELECT seq FROM outbox_tenant WHERE first = 1 ORDER BY turn",
        Turn::Later => "SELECT seq FROM outbox_tenant WHERE later = 1 ORDER BY turn",
    })?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        if !full.contains(&seq) {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}

fn give(
    desk: &mut Desk<'_>,
    claim: i64,
    tenant: i64,
    channel: i64,
    delivery: i64,
    request: &LeaseRequest,
) -> Result<Leased, Fault> {
    let now = request.now;
    let hold = SignedDuration::try_from(request.hold).unwrap_or(SignedDuration::MAX);
    let expires_at = now.saturating_add(hold).expect("a signed duration always saturates");
    desk.run(
        "UPDATE delivery SET state = 1, tries = tries + 1, claim = ?2, leased_at = ?3, lease_until = ?4
         WHERE seq = ?1",
        [delivery, claim, now.as_microsecond(), expires_at.as_microsecond()],
    )?;
    desk.run("UPDATE outbox_tenant SET turn = ?2 WHERE seq = ?1", [tenant, claim])?;
    desk.run("UPDATE outbox_channel SET turn = ?2 WHERE seq = ?1", [channel, claim])?;
    desk.touch(channel, now);
    read(desk, delivery, claim, expires_at)
}

/// The columns of a lease, as they lie in the file.
struct Row {
    delivery: [u8; 16],
    tenant: [u8; 16],
    channel: [u8; 16],
    notification: [u8; 16],
    contact: String,
    body: String,
    tries: u32,
    lapses: u32,
    since: i64,
}

fn read(desk: &Desk<'_>, delivery: i64, claim: i64, expires_at: Timestamp) -> Result<Leased, Fault> {
    let row = desk
        .statement(
            "SELECT d.id, t.id, c.id, n.id, d.contact, n.body, d.tries, d.lapses, d.since
             FROM delivery d JOIN notification n ON n.seq = d.notification
             JOIN outbox_tenant t ON t.seq = d.tenant JOIN outbox_channel c ON c.seq = d.channel
             WHERE d.seq = ?1",
        )?
        .query_row(params![delivery], |row| {
            Ok(Row {
                delivery: row.get(0)?,
                tenant: row.get(1)?,
                channel: row.get(2)?,
                notification: row.get(3)?,
                contact: row.get(4)?,
                body: row.get(5)?,
                tries: row.get(6)?,
                lapses: row.get(7)?,
                since: row.get(8)?,
            })
        })?;
    let tenant = TenantId::from_uuid(uuid(row.tenant));
    let contact: Contact = serde_json::from_str(&row.contact)?;
    let body: NotificationV1 = serde_json::from_str(&row.body)?;
    let id = NotificationId::from_uuid(uuid(row.notification));
    let delivery = Delivery {
        id: DeliveryId::from_uuid(uuid(row.delivery)),
        tenant,
        channel: ChannelId::from_uuid(uuid(row.channel)),
        notification: Arc::new(body.into_notification(id, tenant, contact)),
    };
    let attempt_number = NonZeroU32::new(row.tries).ok_or(Fault::Value("a lease without a try"))?;
    Ok(Leased {
        lease: Lease { delivery, attempt_number },
        claim: Claim::new(claim),
        expires_at,
        since: moment(row.since)?,
        lapses: row.lapses,
    })
}
