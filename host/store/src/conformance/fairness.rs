//! Whose turn it is, when more waits than can be done.

use std::collections::HashMap;

use jiff::Timestamp;
use sandbell_domain::{TenantId, Verdict};

use super::rig::{accept_many, at, channel, count, failed, lease_many, names, pace, request, settle, tenant};
use crate::{LeaseRequest, Outbox, Tries};

fn by_tenant(leases: &[crate::Leased]) -> HashMap<TenantId, usize> {
    let mut counts = HashMap::new();
    for lease in leases {
        *counts.entry(lease.lease.delivery.tenant).or_default() += 1;
    }
    counts
}

pub(crate) async fn tenants_take_turns<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    for (owner, waiting) in [("loud", 60), ("quiet", 3), ("calm", 6)] {
        one.set_pace(tenant(owner), channel(owner), pace(100, false), at(0)).await.unwrap();
        accept_many(&one, owner, owner, waiting, at(0)).await;
    }
    // However it is asked for: six in one call, then one by one through two handles.
    let mut leases = lease_many(&one, 6, at(1)).await;
    for _ in 0..3 {
        leases.extend(lease_many(&two, 1, at(1)).await);
    }
    let counts = by_tenant(&leases);
    assert_eq!((counts[&tenant("loud")], counts[&tenant("quiet")], counts[&tenant("calm")]), (3, 3, 3));
    // Who comes new is served next, whatever the others have waiting.
    accept_many(&one, "new", "new", 1, at(2)).await;
    assert_eq!(names(&lease_many(&one, 1, at(2)).await), ["new 0"]);
}

pub(crate) async fn channels_of_a_tenant_take_turns<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 9, at(0)).await;
    accept_many(&outbox, "ours", "mail", 2, at(0)).await;
    let mut got = Vec::new();
    for _ in 0..5 {
        got.extend(names(&lease_many(&outbox, 1, at(1)).await).into_iter().map(str::to_owned));
    }
    assert_eq!(got, ["chat 0", "mail 0", "chat 1", "mail 1", "chat 2"]);
}

pub(crate) async fn a_tenant_gets_no_more_than_its_permits<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "full", "full", 4, at(0)).await;
    accept_many(&outbox, "near", "near", 4, at(0)).await;
    accept_many(&outbox, "ours", "chat", 4, at(0)).await;
    let rooms = vec![(tenant("full"), 0), (tenant("near"), 1), (tenant("unknown"), 9)];
    let with = LeaseRequest { rooms, tenant_max: count(2), ..request(9, at(1)) };
    let leases = outbox.lease(with).await.unwrap().leases;
    assert_eq!(names(&leases), ["near 0", "chat 0", "chat 1"]);
    assert_eq!(lease_many(&outbox, 99, at(1)).await.len(), 9);
}

/// Lets `count` deliveries of the channel fail once, to be tried again at `due_at`.
async fn fail_many<O: Outbox>(outbox: &O, count: usize, due_at: Timestamp, now: Timestamp) {
    for lease in lease_many(outbox, count, now).await {
        settle(outbox, &lease, failed("http-503"), Verdict::RetryAt(due_at), now).await;
    }
}

pub(crate) async fn first_tries_come_before_later_ones<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "dead", 4, at(0)).await;
    fail_many(&outbox, 4, at(5), at(1)).await;
    accept_many(&outbox, "ours", "dead fresh", 2, at(6)).await;
    accept_many(&outbox, "theirs", "chat", 1, at(6)).await;
    // Of two leases one in eight at most looks elsewhere first.
    let leases = lease_many(&outbox, 4, at(7)).await;
    let first = leases.iter().filter(|lease| lease.lease.attempt_number.get() == 1).count();
    assert_eq!(first, 3, "{:?}", names(&leases));
}

pub(crate) async fn later_tries_do_not_starve<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 1, at(0)).await;
    fail_many(&outbox, 1, at(5), at(1)).await;
    outbox.set_pace(tenant("ours"), channel("chat"), pace(100, false), at(2)).await.unwrap();
    accept_many(&outbox, "ours", "mail", 30, at(6)).await;
    outbox.set_pace(tenant("ours"), channel("mail"), pace(100, false), at(6)).await.unwrap();
    let leases = lease_many(&outbox, 8, at(7)).await;
    assert!(names(&leases).contains(&"chat 0"), "{:?}", names(&leases));
}

pub(crate) async fn reserved_permits_take_first_tries_only<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 3, at(0)).await;
    fail_many(&outbox, 2, at(5), at(1)).await;
    let first = LeaseRequest { tries: Tries::First, ..request(9, at(6)) };
    assert_eq!(names(&outbox.lease(first.clone()).await.unwrap().leases), ["chat 2"]);
    assert!(outbox.lease(first).await.unwrap().leases.is_empty());
    assert_eq!(lease_many(&outbox, 9, at(6)).await.len(), 2);
}
