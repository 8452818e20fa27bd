//! Accepting: notifications and their deliveries, all of a call or none.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::params;
use sandbell_domain::{Delivery, NotificationId};

use super::desk::{Desk, Place};
use super::fault::Fault;
use super::form::NotificationV1;
use crate::{Accepted, StoreError};

/// A delivery as its rows; made by the caller, so that the writer only writes.
pub(super) struct Prepared {
    delivery: Delivery,
    body: String,
    contact: String,
}

pub(super) fn prepare(delivery: Delivery) -> Prepared {
    let body = serde_json::to_string(&NotificationV1::of(&delivery.notification));
    let contact = serde_json::to_string(&delivery.notification.contact);
    Prepared {
        body: body.expect("texts and numbers always serialise"),
        contact: contact.expect("texts always serialise"),
        delivery,
    }
}

pub(super) fn accept(
    desk: &mut Desk<'_>,
    prepared: &[Prepared],
    now: Timestamp,
) -> Result<Result<Accepted, StoreError>, Fault> {
    desk.tick(now)?;
    let mut kept: HashMap<NotificationId, i64> = HashMap::new();
    let mut accepted = Accepted { new: 0 };
    for one in prepared {
        let place = desk.channel(one.delivery.tenant, one.delivery.channel)?;
        let id = one.delivery.notification.id;
        let notification = match kept.get(&id) {
            Some(&seq) => seq,
            None => match notification(desk, place.tenant, one, now)? {
                Ok(seq) => seq,
                // The rows of tenant and channel may be new, and harm nobody.
                Err(refusal) if kept.is_empty() => return Ok(Err(refusal)),
                Err(refusal) => return Err(Fault::Refused(refusal)),
            },
        };
        kept.insert(id, notification);
        accepted.new += delivery(desk, place, notification, one, now)?;
    }
    Ok(Ok(accepted))
}

/// The notification's number, unless it was accepted with other content.
fn notification(
    desk: &Desk<'_>,
    tenant: i64,
    prepared: &Prepared,
    now: Timestamp,
) -> Result<Result<i64, StoreError>, Fault> {
    let id = prepared.delivery.notification.id;
    let new = desk.run(
        "INSERT INTO notification (id, tenant, accepted_at, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO NOTHING",
        params![id.as_bytes(), tenant, now.as_microsecond(), prepared.body],
    )?;
    if new == 1 {
        return Ok(Ok(desk.last_seq()));
    }
    let known: Option<i64> = desk.first(
        "SELECT seq FROM notification WHERE id = ?1 AND tenant = ?2 AND body = ?3",
        params![id.as_bytes(), tenant, prepared.body],
        |row| row.get(0),
    )?;
    Ok(known.ok_or(StoreError::OtherContent(id)))
}

/// Returns how many are new: one or none.
fn delivery(
    desk: &mut Desk<'_>,
    place: Place,
    notification: i64,
    prepared: &Prepared,
    now: Timestamp,
) -> Result<usize, Fault> {
    let Place { tenant, channel, is_ordered, has_first } = place;
    let new = desk.run(
        "INSERT INTO delivery (id, tenant, channel, notification, contact, due_at, since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (id) DO NOTHING",
        params![
            prepared.delivery.id.as_bytes(),
            tenant,
            channel,
            notification,
            prepared.contact,
            now.as_microsecond(),
        ],
    )?;
    if new == 1 {
        if is_ordered {
            desk.run("UPDATE delivery SET place = seq WHERE seq = ?1", [desk.last_seq()])?;
        }
        if has_first {
            desk.news.is_ready = true;
        } else {
            desk.touch(channel, now);
        }
    }
    Ok(new)
}
