//! Looking at deliveries.

use sandbell_domain::Verdict;

use super::rig::{accept_many, at, channel, count, delivered, delivery, lease_many, pace, settle, tenant};
use crate::{Cursor, Filter, Outbox, StateKind};

pub(crate) async fn pages_are_complete_and_newest_first<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    outbox.set_pace(tenant("ours"), channel("chat"), pace(100, false), at(0)).await.unwrap();
    accept_many(&outbox, "ours", "chat", 25, at(0)).await;
    accept_many(&outbox, "theirs", "chat", 5, at(0)).await;
    let mut wanted: Vec<_> =
        (0..25).rev().map(|number| delivery("ours", "chat", &format!("chat {number}")).id).collect();
    let listed = async |filter: Filter, by: usize| {
        let (mut ids, mut after, mut pages) = (Vec::new(), None::<Cursor>, 0);
        loop {
            let page = outbox.list(tenant("ours"), filter.clone(), after, count(by)).await.unwrap();
            ids.extend(page.deliveries.iter().map(|status| status.delivery));
            pages += 1;
            match page.next {
                Some(next) => after = Some(Cursor::new(next.get())),
                None => return (ids, pages),
            }
        }
    };
    assert_eq!(listed(Filter::default(), 10).await, (wanted.clone(), 3));
    assert_eq!(listed(Filter::default(), 25).await, (wanted.clone(), 1));
    for lease in lease_many(&outbox, 30, at(1)).await {
        if lease.lease.delivery.id == wanted[3] {
            settle(&outbox, &lease, delivered(), Verdict::Delivered, at(2)).await;
        }
    }
    let state = |state| Filter { state: Some(state), ..Filter::default() };
    assert_eq!(listed(state(StateKind::Delivered), 10).await, (vec![wanted.remove(3)], 1));
    assert_eq!(listed(state(StateKind::Leased), 24).await, (wanted, 1));
    assert_eq!(listed(state(StateKind::Dead), 1).await, (Vec::new(), 1));
    let nowhere = Filter { channel: Some(channel("mail")), ..Filter::default() };
    assert_eq!(listed(nowhere, 1).await, (Vec::new(), 1));
}

pub(crate) async fn a_tenant_sees_its_own<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent.clone(), delivery("ours", "mail", "disk")], at(0)).await.unwrap();
    let (ours, theirs) = (tenant("ours"), tenant("theirs"));
    let notification = sent.notification.id;
    let stands = outbox.of_notification(ours, notification).await.unwrap();
    let channels: Vec<_> = stands.iter().map(|status| status.channel).collect();
    assert_eq!(channels, [channel("chat"), channel("mail")]);
    assert!(stands.iter().all(|status| status.notification == notification && status.tenant == ours));
    assert_eq!(outbox.of_notification(theirs, notification).await.unwrap(), []);
    assert_eq!(outbox.status(theirs, sent.id).await, Ok(None));
    assert_eq!(outbox.attempts(theirs, sent.id).await, Ok(Vec::new()));
    let page = outbox.list(theirs, Filter::default(), None, count(9)).await.unwrap();
    assert_eq!((page.deliveries.len(), page.next), (0, None));
}
