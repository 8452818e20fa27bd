//! Accepting: once, whole, and as it was.

use std::sync::Arc;

use sandbell_domain::{Contact, Delivery, Verdict};

use super::rig::{at, channel, delivered, delivery, lease_many, lease_one, notification, settle, status};
use crate::{Outbox, StateKind, StoreError};

pub(crate) async fn accepting_twice_makes_nothing_new<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let one = delivery("ours", "chat", "disk");
    assert_eq!(outbox.accept(vec![one.clone()], at(0)).await.unwrap().new, 1);
    assert_eq!(outbox.accept(vec![one.clone()], at(1)).await.unwrap().new, 0);
    assert_eq!(outbox.accept(vec![one.clone(), one.clone()], at(2)).await.unwrap().new, 0);
    settle(&outbox, &lease_one(&outbox, at(3)).await, delivered(), Verdict::Delivered, at(3)).await;
    // Settled is known, too: what was delivered is not delivered again.
    assert_eq!(open().await.accept(vec![one.clone()], at(4)).await.unwrap().new, 0);
    assert!(lease_many(&outbox, 1, at(5)).await.is_empty());
    assert_eq!(status(&outbox, &one).await.accepted_at, at(0));
    // Another contact of a known notification is something new.
    let mut other = notification("ours", "disk");
    other.contact = Contact { full_name: "Grace".to_owned(), addresses: Vec::new() };
    let other = Delivery::new(channel("chat"), Arc::new(other));
    assert_eq!(outbox.accept(vec![one, other], at(6)).await.unwrap().new, 1);
    assert_eq!(lease_one(&outbox, at(6)).await.lease.delivery.notification.contact.full_name, "Grace");
}

pub(crate) async fn an_id_means_one_content<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let one = delivery("ours", "chat", "disk");
    outbox.accept(vec![one.clone()], at(0)).await.unwrap();
    let mut other = notification("ours", "disk");
    other.event.message = "all is well".to_owned();
    let changed = outbox.accept(vec![Delivery::new(channel("mail"), Arc::new(other))], at(1)).await;
    assert_eq!(changed, Err(StoreError::OtherContent(one.notification.id)));
    let mut stolen = notification("theirs", "disk");
    stolen.id = one.notification.id;
    let stolen = outbox.accept(vec![Delivery::new(channel("chat"), Arc::new(stolen))], at(1)).await;
    assert_eq!(stolen, Err(StoreError::OtherContent(one.notification.id)));
    assert_eq!(lease_many(&outbox, 9, at(2)).await.len(), 1);
}

pub(crate) async fn a_refused_call_keeps_nothing<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let known = delivery("ours", "chat", "known");
    outbox.accept(vec![known.clone()], at(0)).await.unwrap();
    let mut other = notification("ours", "known");
    other.event.message = "all is well".to_owned();
    let other = Delivery::new(channel("chat"), Arc::new(other));
    let fresh = delivery("ours", "chat", "fresh");
    // Beside callers who did nothing wrong, in whatever transaction they meet.
    let neighbours: Vec<_> = (0..8).map(|number| delivery("ours", "mail", &number.to_string())).collect();
    let accepted = neighbours.iter().map(|one| outbox.accept(vec![one.clone()], at(1)));
    let (refused, accepted) =
        tokio::join!(outbox.accept(vec![fresh.clone(), other], at(1)), super::rig::all(accepted));
    assert_eq!(refused, Err(StoreError::OtherContent(known.notification.id)));
    assert_eq!(outbox.status(fresh.tenant, fresh.id).await.unwrap(), None);
    assert!(accepted.into_iter().all(|one| one.unwrap().new == 1));
    for one in &neighbours {
        assert_eq!(status(&outbox, one).await.state.kind(), StateKind::Waiting);
    }
}

pub(crate) async fn what_was_accepted_comes_back_as_it_was<O: Outbox>(open: impl AsyncFn() -> O) {
    let one = delivery("ours", "chat", "disk");
    open().await.accept(vec![one.clone()], at(0)).await.unwrap();
    // The handle that accepted is gone, as after a crash.
    let leased = lease_one(&open().await, at(1)).await;
    assert_eq!(leased.lease.delivery, one);
    assert_eq!(leased.lease.attempt_number.get(), 1);
    assert_eq!((leased.since, leased.lapses), (at(0), 0));
}

pub(crate) async fn many_callers_at_once_lose_nothing<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    let accepting = (0..200).map(|number| {
        let handle = if number % 2 == 0 { &one } else { &two };
        // Each comes twice, so every second call must find it known.
        handle.accept(vec![delivery("ours", "chat", &(number / 4).to_string())], at(0))
    });
    let accepted = super::rig::all(accepting).await;
    assert_eq!(accepted.into_iter().map(|one| one.unwrap().new).sum::<usize>(), 50);
    one.set_pace(super::rig::tenant("ours"), channel("chat"), super::rig::pace(1000, false), at(0))
        .await
        .unwrap();
    assert_eq!(lease_many(&two, 1000, at(1)).await.len(), 50);
}
