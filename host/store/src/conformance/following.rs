//! Following what is tried.

use std::time::Duration;

use sandbell_domain::Verdict;

use super::rig::{accept_many, at, count, delivered, failed, lease_many, lease_one, pace, settle, tenant};
use crate::conformance::rig::channel;
use crate::{Cursor, Outbox, Retention, Tried};

async fn begin<O: Outbox>(outbox: &O) -> Cursor {
    let start = outbox.follow(tenant("ours"), None, count(9)).await.unwrap();
    assert!(start.tries.is_empty() && !start.has_more, "{start:?}");
    start.next
}

/// Everything after `from`, `step` at a time, and where it ended.
async fn follow<O: Outbox>(outbox: &O, from: Cursor, step: usize) -> (Vec<Tried>, Cursor) {
    let (mut all, mut next) = (Vec::new(), from);
    loop {
        let page = outbox.follow(tenant("ours"), Some(next), count(step)).await.unwrap();
        assert!(page.tries.len() <= step);
        all.extend(page.tries);
        next = page.next;
        if !page.has_more {
            return (all, next);
        }
    }
}

pub(crate) async fn every_try_is_seen_once_and_in_order<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    accept_many(&one, "ours", "before", 1, at(0)).await;
    let lease = lease_one(&one, at(0)).await;
    settle(&one, &lease, delivered(), Verdict::Delivered, at(0)).await;
    let start = begin(&one).await;
    one.set_pace(tenant("ours"), channel("chat"), pace(9, false), at(0)).await.unwrap();
    accept_many(&one, "ours", "chat", 5, at(1)).await;
    accept_many(&one, "theirs", "chat", 5, at(1)).await;
    let mut want = Vec::new();
    for (number, lease) in lease_many(&two, 10, at(2)).await.into_iter().enumerate() {
        let handle = if number % 3 == 0 { &one } else { &two };
        settle(handle, &lease, failed("http-503"), Verdict::RetryAt(at(9)), at(3)).await;
        if lease.lease.delivery.tenant == tenant("ours") {
            want.push(lease.lease.delivery.id);
        }
    }
    for step in [1, 2, 5, 100] {
        let (tries, next) = follow(&one, start, step).await;
        assert_eq!(tries.iter().map(|tried| tried.delivery).collect::<Vec<_>>(), want, "{step}");
        assert!(tries.iter().all(|tried| tried.record.verdict == Verdict::RetryAt(at(9))));
        // From any of them on, and from the end on.
        let (rest, _) = follow(&two, tries[1].cursor, step).await;
        assert_eq!(rest, tries[2..]);
        assert!(follow(&two, next, step).await.0.is_empty());
    }
}

pub(crate) async fn who_follows_is_not_confused_by_forgetting<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let start = begin(&outbox).await;
    let mut at_end = start;
    for round in 0..3_i64 {
        let now = at(round * 1_000);
        let one = super::rig::delivery("ours", "chat", &round.to_string());
        outbox.accept(vec![one.clone()], now).await.unwrap();
        let lease = lease_one(&outbox, now).await;
        settle(&outbox, &lease, delivered(), Verdict::Delivered, now).await;
        let (tries, next) = follow(&outbox, at_end, 9).await;
        assert_eq!(tries.iter().map(|tried| tried.delivery).collect::<Vec<_>>(), [one.id]);
        at_end = next;
        // Everything is forgotten, and its number is not given again.
        let nothing = Retention { delivered: Duration::ZERO, dead: Duration::ZERO, ..Retention::default() };
        assert_eq!(outbox.prune(nothing, at(round * 1_000 + 500)).await.unwrap().deliveries, 1);
    }
    assert!(follow(&outbox, start, 9).await.0.is_empty());
    // A cursor of another store is as good as the end.
    let far = outbox.follow(tenant("ours"), Some(Cursor::new(i64::MAX)), count(9)).await.unwrap();
    assert_eq!((far.next, far.has_more), (at_end, false));
}
