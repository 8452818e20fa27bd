//! Retention: what is settled goes in its time, what is due never.

use std::sync::Arc;
use std::time::Duration;

use sandbell_domain::{Contact, DeadReason, Delivery, Verdict};

use super::rig::{
    accept_many, at, channel, count, delivered, delivery, failed, kind, lease_many, lease_one, notification,
    pace, settle, tenant,
};
use crate::{Filter, Outbox, Pruned, Redrive, Retention, StateKind};

const DAY: i64 = 24 * 60 * 60;

fn retention(step_max: usize) -> Retention {
    Retention { step_max: count(step_max), ..Retention::default() }
}

pub(crate) async fn old_deliveries_go_and_the_others_stay<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    outbox.set_pace(tenant("ours"), channel("chat"), pace(100, false), at(0)).await.unwrap();
    accept_many(&outbox, "ours", "chat", 30, at(0)).await;
    let leases = lease_many(&outbox, 30, at(0)).await;
    for (number, lease) in leases.iter().enumerate() {
        let (attempt, verdict) = match number % 2 {
            0 => (delivered(), Verdict::Delivered),
            _ => (failed("http-503"), Verdict::Dead(DeadReason::Exhausted)),
        };
        settle(&outbox, lease, attempt, verdict, at(0)).await;
    }
    let shown = async |state| {
        let filter = Filter { state: Some(state), ..Filter::default() };
        outbox.list(tenant("ours"), filter, None, count(100)).await.unwrap().deliveries.len()
    };
    // Not a moment too early.
    let none = outbox.prune(retention(10), at(7 * DAY)).await.unwrap();
    assert_eq!(none, Pruned { deliveries: 0, has_more: false });
    let step = outbox.prune(retention(10), at(7 * DAY + 1)).await.unwrap();
    assert_eq!(step, Pruned { deliveries: 10, has_more: true });
    let step = outbox.prune(retention(10), at(7 * DAY + 1)).await.unwrap();
    assert_eq!(
        (step.deliveries, shown(StateKind::Delivered).await, shown(StateKind::Dead).await),
        (5, 0, 15)
    );
    // Dead letters stay longer, and can be redriven until they go.
    let one = &leases[1].lease.delivery;
    assert_eq!(outbox.redrive(one.tenant, Redrive::One(one.id), at(89 * DAY)).await, Ok(1));
    assert_eq!(outbox.prune(retention(100), at(90 * DAY + 1)).await.unwrap().deliveries, 14);
    assert_eq!(kind(&outbox, one).await, StateKind::Waiting);
    let gone = &leases[3].lease.delivery;
    assert_eq!(outbox.status(gone.tenant, gone.id).await, Ok(None));
    assert!(outbox.attempts(gone.tenant, gone.id).await.unwrap().is_empty());
}

pub(crate) async fn what_is_due_is_never_forgotten<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 3, at(0)).await;
    let leases = lease_many(&outbox, 2, at(0)).await;
    settle(&outbox, &leases[0], failed("http-503"), Verdict::RetryAt(at(5)), at(0)).await;
    // One retried, one leased, one never tried; even if nothing is to be kept.
    let nothing = Retention { delivered: Duration::ZERO, dead: Duration::ZERO, step_max: count(100) };
    let pruned = outbox.prune(nothing, at(4000 * DAY)).await.unwrap();
    assert_eq!(pruned, Pruned { deliveries: 0, has_more: false });
    assert_eq!(lease_many(&outbox, 9, at(4000 * DAY)).await.len(), 3);
}

pub(crate) async fn a_notification_stays_as_long_as_one_of_its_deliveries<O: Outbox>(
    open: impl AsyncFn() -> O,
) {
    let outbox = open().await;
    let one = delivery("ours", "chat", "disk");
    let mut other = notification("ours", "disk");
    other.contact = Contact { full_name: "Grace".to_owned(), addresses: Vec::new() };
    let other = Delivery::new(channel("mail"), Arc::new(other));
    outbox.accept(vec![one.clone()], at(0)).await.unwrap();
    settle(&outbox, &lease_one(&outbox, at(0)).await, delivered(), Verdict::Delivered, at(0)).await;
    outbox.accept(vec![other.clone()], at(1)).await.unwrap();
    assert_eq!(outbox.prune(retention(9), at(8 * DAY)).await.unwrap().deliveries, 1);
    let lease = lease_one(&outbox, at(8 * DAY)).await;
    assert_eq!(lease.lease.delivery, other);
    settle(&outbox, &lease, delivered(), Verdict::Delivered, at(8 * DAY)).await;
    assert_eq!(outbox.prune(retention(9), at(16 * DAY)).await.unwrap().deliveries, 1);
    // Forgotten is forgotten: the same is something new.
    assert_eq!(outbox.accept(vec![one, other], at(16 * DAY)).await.unwrap().new, 2);
}
