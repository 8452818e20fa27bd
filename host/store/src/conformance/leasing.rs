//! Leasing: one holder, within the channel's pace.

use std::time::Duration;

use sandbell_domain::Verdict;

use super::rig::{
    HOLD, accept_many, at, channel, count, delivered, delivery, failed, kind, later, lease_many, lease_one,
    names, pace, request, settle, status, tenant,
};
use crate::{Outbox, StateKind};

pub(crate) async fn a_delivery_has_one_holder<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    one.set_pace(tenant("ours"), channel("chat"), pace(100, false), at(0)).await.unwrap();
    accept_many(&one, "ours", "chat", 40, at(0)).await;
    let taking = (0..20).map(|number| lease_many(if number % 2 == 0 { &one } else { &two }, 3, at(1)));
    let leases: Vec<_> = super::rig::all(taking).await.into_iter().flatten().collect();
    let mut deliveries: Vec<_> = leases.iter().map(|lease| lease.lease.delivery.id).collect();
    let mut claims: Vec<_> = leases.iter().map(|lease| lease.claim).collect();
    assert_eq!(leases.len(), 40);
    deliveries.sort_unstable();
    deliveries.dedup();
    claims.sort_unstable();
    claims.dedup();
    assert_eq!((deliveries.len(), claims.len()), (40, 40));
}

pub(crate) async fn a_dead_process_loses_its_lease<O: Outbox>(open: impl AsyncFn() -> O) {
    let one = delivery("ours", "chat", "disk");
    let lost = {
        let outbox = open().await;
        outbox.accept(vec![one.clone()], at(0)).await.unwrap();
        lease_one(&outbox, at(1)).await
    };
    let outbox = open().await;
    assert_eq!(kind(&outbox, &one).await, StateKind::Leased);
    let ends = later(at(1), i64::try_from(HOLD.as_secs()).unwrap());
    assert_eq!(lost.expires_at, ends);
    assert!(lease_many(&outbox, 1, later(ends, -1)).await.is_empty());
    let taken = lease_one(&outbox, ends).await;
    assert!(taken.claim > lost.claim);
    assert_eq!(taken.lease.delivery, one);
    // The lost try may have reached the world: it counts, and it shows.
    assert_eq!((taken.lease.attempt_number.get(), taken.lapses), (2, 1));
    assert_eq!(taken.since, at(0));
}

pub(crate) async fn a_channel_gives_no_more_than_its_pace<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    accept_many(&one, "ours", "chat", 40, at(0)).await;
    accept_many(&one, "ours", "mail", 3, at(0)).await;
    // Sixteen unless someone says otherwise, whoever asks.
    let mut chat = lease_many(&one, 10, at(1)).await;
    chat.extend(lease_many(&two, 40, at(1)).await);
    assert_eq!(chat.len(), 16 + 3);
    two.set_pace(tenant("ours"), channel("chat"), pace(18, false), at(2)).await.unwrap();
    assert_eq!(lease_many(&one, 40, at(2)).await.len(), 2);
    // Lowering takes nothing back, and gives nothing before enough were settled.
    one.set_pace(tenant("ours"), channel("chat"), pace(16, false), at(3)).await.unwrap();
    let held: Vec<_> = chat.iter().filter(|one| one.lease.delivery.channel == channel("chat")).collect();
    for lease in &held[..2] {
        settle(&two, lease, delivered(), Verdict::Delivered, at(3)).await;
    }
    assert!(lease_many(&one, 40, at(3)).await.is_empty());
    settle(&two, held[2], failed("http-503"), Verdict::RetryAt(at(90)), at(4)).await;
    assert_eq!(lease_many(&one, 40, at(4)).await.len(), 1);
}

pub(crate) async fn an_ordered_channel_gives_one_after_the_other<O: Outbox>(open: impl AsyncFn() -> O) {
    let (outbox, other) = (open().await, open().await);
    outbox.set_pace(tenant("ours"), channel("chat"), pace(16, true), at(0)).await.unwrap();
    accept_many(&outbox, "ours", "chat", 3, at(0)).await;
    let head = lease_one(&outbox, at(1)).await;
    assert!(lease_many(&other, 9, at(1)).await.is_empty());
    // A retry holds up those behind it.
    settle(&outbox, &head, failed("http-503"), Verdict::RetryAt(at(30)), at(2)).await;
    assert!(lease_many(&other, 9, at(3)).await.is_empty());
    let mut order = Vec::new();
    for second in 30..33 {
        let head = lease_one(&other, at(second)).await;
        order.extend(names(std::slice::from_ref(&head)).into_iter().map(str::to_owned));
        settle(&other, &head, delivered(), Verdict::Delivered, at(second)).await;
    }
    assert_eq!(order, ["chat 0", "chat 1", "chat 2"]);
}

pub(crate) async fn order_can_be_switched_on_and_off<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 3, at(0)).await;
    outbox.set_pace(tenant("ours"), channel("chat"), pace(16, true), at(1)).await.unwrap();
    assert_eq!(names(&lease_many(&outbox, 9, at(1)).await), ["chat 0"]);
    outbox.set_pace(tenant("ours"), channel("chat"), pace(16, false), at(2)).await.unwrap();
    assert_eq!(names(&lease_many(&outbox, 1, at(2)).await), ["chat 1"]);
    outbox.set_pace(tenant("ours"), channel("chat"), pace(16, true), at(3)).await.unwrap();
    assert!(lease_many(&outbox, 9, at(3)).await.is_empty());
}

pub(crate) async fn a_held_channel_gives_nothing_and_loses_nothing<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 2, at(0)).await;
    outbox.hold(tenant("ours"), channel("chat"), at(60), at(1)).await.unwrap();
    let none = outbox.lease(request(9, at(59))).await.unwrap();
    assert!(none.leases.is_empty());
    assert_eq!(none.next_at, Some(at(60)));
    let leases = lease_many(&outbox, 1, at(60)).await;
    assert_eq!(leases[0].lease.attempt_number.get(), 1);
    // The latest call counts, and a moment that is past ends it.
    outbox.hold(tenant("ours"), channel("chat"), at(900), at(61)).await.unwrap();
    assert!(lease_many(&outbox, 1, at(62)).await.is_empty());
    outbox.hold(tenant("ours"), channel("chat"), at(63), at(63)).await.unwrap();
    assert_eq!(lease_many(&outbox, 9, at(63)).await.len(), 1);
}

pub(crate) async fn next_at_says_when_to_come_back<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    assert_eq!(outbox.lease(request(1, at(0))).await.unwrap().next_at, None);
    accept_many(&outbox, "ours", "chat", 2, at(0)).await;
    let leases = lease_many(&outbox, 2, at(1)).await;
    settle(&outbox, &leases[0], failed("http-503"), Verdict::RetryAt(at(10)), at(2)).await;
    let nothing = outbox.lease(request(1, at(3))).await.unwrap();
    assert_eq!((nothing.leases.len(), nothing.next_at), (0, Some(at(10))));
    assert_eq!(lease_many(&outbox, 1, at(10)).await.len(), 1);
    // Then only what the two leases run out at is left to wait for.
    let next_at = outbox.lease(request(1, at(11))).await.unwrap().next_at;
    assert_eq!(next_at, Some(leases[1].expires_at));
}

pub(crate) async fn ready_tells_of_what_was_accepted<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let one = delivery("ours", "chat", "disk");
    let told = async {
        tokio::time::timeout(Duration::from_secs(20), outbox.ready()).await.expect("it tells");
        outbox.lease(request(count(1).get(), at(1))).await.unwrap().leases.len()
    };
    let (leased, accepted) = tokio::join!(told, outbox.accept(vec![one.clone()], at(0)));
    assert_eq!((leased, accepted.unwrap().new), (1, 1));
    assert_eq!(status(&outbox, &one).await.attempts, 1);
}
