//! The end of a lease: what was tried and what becomes of it, or that nothing was tried.

use jiff::Timestamp;
use rusqlite::params;
use sandbell_domain::{Attempt, DeadReason, DeliveryId, Outcome, Verdict};

use super::desk::Desk;
use super::fault::Fault;
use super::form::{AttemptV1, FailureV1, VerdictV1};
use crate::{Claim, Leased, Settled};

/// A settlement as its rows; made by the caller, so that the writer only writes.
pub(super) struct Prepared {
    delivery: DeliveryId,
    claim: Claim,
    attempt: String,
    /// Absent if the try delivered.
    failure: Option<(String, String)>,
    verdict: Verdict,
    /// What the record says if someone cancelled the delivery meanwhile.
    attempt_if_cancelled: Option<String>,
}

pub(super) fn prepare(lease: &Leased, attempt: Attempt, verdict: Verdict) -> Prepared {
    let failure = match &attempt.outcome {
        Outcome::Delivered { .. } => None,
        Outcome::Failed(failure) => {
            let form = serde_json::to_string(&FailureV1::from(failure.clone()));
            Some((form.expect("texts and numbers always serialise"), failure.code.clone()))
        }
    };
    let write = |attempt, verdict| {
        serde_json::to_string(&AttemptV1::new(attempt, verdict)).expect("texts and numbers always serialise")
    };
    let (kept, attempt_if_cancelled) = match verdict {
        Verdict::Delivered => (VerdictV1::Delivered, None),
        Verdict::Dead(reason) => (VerdictV1::Dead(reason), None),
        Verdict::RetryAt(at) => {
            let cancelled = write(attempt.clone(), VerdictV1::Dead(DeadReason::Cancelled));
            (VerdictV1::RetryAt(at.as_microsecond()), Some(cancelled))
        }
    };
    let delivery = lease.lease.delivery.id;
    Prepared {
        delivery,
        claim: lease.claim,
        attempt: write(attempt, kept),
        failure,
        verdict,
        attempt_if_cancelled,
    }
}

/// The delivery that a lease still holds.
struct Held {
    seq: i64,
    channel: i64,
    redrives: i64,
    tries: i64,
    leased_at: i64,
    is_cancelled: bool,
}

pub(super) fn settle(desk: &mut Desk<'_>, prepared: &Prepared, now: Timestamp) -> Result<Settled, Fault> {
    desk.tick(now)?;
    let Some(held) = held(desk, prepared.delivery, prepared.claim)? else {
        return not_held(desk, prepared.delivery, prepared.claim);
    };
    let cancelled = prepared.attempt_if_cancelled.as_ref().filter(|_| held.is_cancelled);
    let verdict = if cancelled.is_some() { Verdict::Dead(DeadReason::Cancelled) } else { prepared.verdict };
    let micros = now.as_microsecond();
    let number = desk.next_attempt();
    desk.run(
        "INSERT INTO attempt (seq, delivery, claim, redrive, number, leased_at, settled_at, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            number,
            held.seq,
            prepared.claim.get(),
            held.redrives,
            held.tries,
            held.leased_at,
            micros,
            cancelled.unwrap_or(&prepared.attempt),
        ],
    )?;
    if let Some((failure, code)) = &prepared.failure {
        desk.run(
            "UPDATE delivery SET failure = ?2, failure_code = ?3 WHERE seq = ?1",
            params![held.seq, failure, code],
        )?;
    }
    match verdict {
        Verdict::Delivered => close(desk, &held, 2, None, micros)?,
        Verdict::Dead(reason) => close(desk, &held, 3, Some(reason), micros)?,
        Verdict::RetryAt(at) => wait(desk, &held, at, false)?,
    }
    if !matches!(verdict, Verdict::RetryAt(_)) {
        desk.settled(prepared.delivery);
    }
    desk.touch(held.channel, now);
    let failures_in_row = desk.count_try(held.channel, prepared.failure.is_none(), now)?;
    Ok(Settled::Done { failures_in_row })
}

pub(super) fn postpone(
    desk: &mut Desk<'_>,
    delivery: DeliveryId,
    claim: Claim,
    until: Timestamp,
    now: Timestamp,
) -> Result<Settled, Fault> {
    desk.tick(now)?;
    let Some(held) = held(desk, delivery, claim)? else { return not_held(desk, delivery, claim) };
    if held.is_cancelled {
        close(desk, &held, 3, Some(DeadReason::Cancelled), now.as_microsecond())?;
        desk.settled(delivery);
    } else {
        wait(desk, &held, until, true)?;
    }
    desk.touch(held.channel, now);
    Ok(Settled::Done { failures_in_row: desk.failures_in_row(held.channel)? })
}

fn held(desk: &Desk<'_>, delivery: DeliveryId, claim: Claim) -> Result<Option<Held>, Fault> {
    desk.first(
        "SELECT seq, channel, redrives, tries, leased_at, is_cancelled FROM delivery
         WHERE id = ?1 AND claim = ?2 AND state < 2",
        params![delivery.as_bytes(), claim.get()],
        |row| {
            Ok(Held {
                seq: row.get(0)?,
                channel: row.get(1)?,
                redrives: row.get(2)?,
                tries: row.get(3)?,
                leased_at: row.get(4)?,
                is_cancelled: row.get(5)?,
            })
        },
    )
}

fn not_held(desk: &Desk<'_>, delivery: DeliveryId, claim: Claim) -> Result<Settled, Fault> {
    let before = desk.first(
        "SELECT 1 FROM attempt a JOIN delivery d ON d.seq = a.delivery WHERE d.id = ?1 AND a.claim = ?2",
        params![delivery.as_bytes(), claim.get()],
        |_| Ok(()),
    )?;
    Ok(if before.is_some() { Settled::Before } else { Settled::LeaseLost })
}

fn close(
    desk: &Desk<'_>,
    held: &Held,
    state: i64,
    reason: Option<DeadReason>,
    micros: i64,
) -> Result<(), Fault> {
    desk.run(
        "UPDATE delivery SET state = ?2, dead_reason = ?3, settled_at = ?4, claim = NULL, lease_until = NULL
         WHERE seq = ?1",
        params![held.seq, state, reason.map(DeadReason::as_str), micros],
    )?;
    Ok(())
}

/// A later try waits for its time. `untried` gives the try back.
fn wait(desk: &Desk<'_>, held: &Held, until: Timestamp, untried: bool) -> Result<(), Fault> {
    desk.run(
        "UPDATE delivery SET state = 0, later = 1, due_at = ?2, tries = tries - ?3, claim = NULL,
         lease_until = NULL WHERE seq = ?1",
        params![held.seq, until.as_microsecond(), untried],
    )?;
    Ok(())
}
