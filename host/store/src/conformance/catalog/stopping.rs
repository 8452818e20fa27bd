//! What the outbox gives follows the catalog, from the same transaction on.

use std::num::NonZeroU32;
use std::time::Duration;

use sandbell_domain::{ChannelPolicy, Verdict};

use super::rig::{ada, draft, make_channel, make_tenant, save};
use crate::conformance::rig::{
    accept_many, at, delivered, delivery, failed, lease_many, names, request, settle,
};
use crate::{Catalog, ChannelDraft, Enabled, Expect, Outbox, Settled};

fn off() -> Enabled {
    Enabled::No { reason: "stop".to_owned() }
}

async fn accept_one<S: Outbox>(store: &S, owner: &str, through: &str, name: &str) {
    assert_eq!(store.accept(vec![delivery(owner, through, name)], at(0)).await.unwrap().new, 1);
}

pub(crate) async fn a_disabled_channel_gives_nothing_and_loses_nothing<S: Catalog + Outbox>(
    open: impl AsyncFn() -> S,
) {
    let (one, two) = (open().await, open().await);
    let ops = make_channel(&one, "acme", "ops").await;
    accept_many(&one, "acme", "ops", 3, at(1)).await;
    // One failed, and is a later try; one is out while the channel is disabled; one is fresh.
    let first = lease_many(&one, 1, at(1)).await.remove(0);
    settle(&one, &first, failed("http-503"), Verdict::RetryAt(at(10)), at(2)).await;
    let out = lease_many(&one, 1, at(2)).await.remove(0);
    assert_eq!(two.enable_channel(ops.tenant, ops.id, off(), ada(), at(3)).await, Ok(true));
    accept_one(&two, "acme", "ops", "while it is disabled").await;
    accept_one(&two, "acme", "other", "of another channel").await;
    assert_eq!(names(&lease_many(&one, 9, at(20)).await), ["of another channel"]);
    assert!(lease_many(&two, 9, at(21)).await.is_empty());
    // The holder still may say how it ended.
    settle(&one, &out, delivered(), Verdict::Delivered, at(22)).await;
    assert!(lease_many(&one, 9, at(23)).await.is_empty());
    assert_eq!(two.enable_channel(ops.tenant, ops.id, Enabled::Yes, ada(), at(24)).await, Ok(true));
    let got = lease_many(&one, 9, at(25)).await;
    assert_eq!(got.len(), 3, "{:?}", names(&got));
}

pub(crate) async fn a_lease_of_a_disabled_channel_that_runs_out_waits<S: Catalog + Outbox>(
    open: impl AsyncFn() -> S,
) {
    let store = open().await;
    let ops = make_channel(&store, "acme", "ops").await;
    accept_many(&store, "acme", "ops", 1, at(1)).await;
    let lost = lease_many(&store, 1, at(1)).await.remove(0);
    store.enable_channel(ops.tenant, ops.id, off(), ada(), at(2)).await.unwrap();
    let leases = store.lease(request(9, at(2))).await.unwrap();
    assert_eq!(leases.next_at, Some(lost.expires_at));
    let leases = store.lease(request(9, at(500))).await.unwrap();
    assert!(leases.leases.is_empty() && leases.next_at.is_none(), "{leases:?}");
    store.enable_channel(ops.tenant, ops.id, Enabled::Yes, ada(), at(501)).await.unwrap();
    assert_eq!(lease_many(&store, 9, at(502)).await[0].lapses, 1);
}

pub(crate) async fn a_suspended_tenant_gives_nothing_and_loses_nothing<S: Catalog + Outbox>(
    open: impl AsyncFn() -> S,
) {
    let (one, two) = (open().await, open().await);
    let acme = make_tenant(&one, "acme").await;
    save(&one, draft(acme, "ops"), Expect::Nothing, at(0)).await;
    accept_many(&one, "acme", "ops", 2, at(1)).await;
    accept_many(&one, "theirs", "chat", 1, at(1)).await;
    assert_eq!(two.suspend_tenant(acme, true, ada(), at(2)).await, Ok(true));
    // Through channels old and new, configured or only named.
    accept_one(&two, "acme", "carried", "through a new channel").await;
    save(&two, draft(acme, "new"), Expect::Nothing, at(3)).await;
    accept_one(&one, "acme", "new", "through a new configured channel").await;
    assert_eq!(names(&lease_many(&one, 9, at(4)).await), ["chat 0"]);
    assert!(lease_many(&two, 9, at(5)).await.is_empty());
    assert_eq!(one.suspend_tenant(acme, false, ada(), at(6)).await, Ok(true));
    assert_eq!(lease_many(&two, 9, at(7)).await.len(), 4);
}

pub(crate) async fn both_must_be_willing<S: Catalog + Outbox>(open: impl AsyncFn() -> S) {
    let store = open().await;
    let ops = make_channel(&store, "acme", "ops").await;
    accept_many(&store, "acme", "ops", 1, at(1)).await;
    store.enable_channel(ops.tenant, ops.id, off(), ada(), at(2)).await.unwrap();
    store.suspend_tenant(ops.tenant, true, ada(), at(2)).await.unwrap();
    store.enable_channel(ops.tenant, ops.id, Enabled::Yes, ada(), at(3)).await.unwrap();
    assert!(lease_many(&store, 9, at(4)).await.is_empty());
    store.suspend_tenant(ops.tenant, false, ada(), at(5)).await.unwrap();
    assert_eq!(lease_many(&store, 9, at(6)).await.len(), 1);
}

pub(crate) async fn enabling_and_resuming_wake_who_waits_for_work<S: Catalog + Outbox>(
    open: impl AsyncFn() -> S,
) {
    let store = open().await;
    let ops = make_channel(&store, "acme", "ops").await;
    store.enable_channel(ops.tenant, ops.id, off(), ada(), at(0)).await.unwrap();
    accept_many(&store, "acme", "ops", 1, at(1)).await;
    let woken = async |limit| tokio::time::timeout(limit, store.ready()).await.is_ok();
    assert!(!woken(Duration::from_millis(50)).await);
    store.enable_channel(ops.tenant, ops.id, Enabled::Yes, ada(), at(2)).await.unwrap();
    assert!(woken(Duration::from_secs(30)).await);
    store.suspend_tenant(ops.tenant, true, ada(), at(3)).await.unwrap();
    assert!(!woken(Duration::from_millis(50)).await);
    store.suspend_tenant(ops.tenant, false, ada(), at(4)).await.unwrap();
    assert!(woken(Duration::from_secs(30)).await);
}

pub(crate) async fn pace_and_order_follow_the_policy<S: Catalog + Outbox>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let acme = make_tenant(&one, "acme").await;
    let with = |leases_max, is_ordered| ChannelDraft {
        policy: ChannelPolicy {
            attempts_at_once_max: NonZeroU32::new(leases_max).unwrap(),
            is_ordered,
            ..ChannelPolicy::default()
        },
        ..draft(acme, "ops")
    };
    save(&one, with(2, false), Expect::Nothing, at(0)).await;
    accept_many(&one, "acme", "ops", 6, at(1)).await;
    let mut out = lease_many(&two, 9, at(2)).await;
    assert_eq!(names(&out), ["ops 0", "ops 1"]);
    save(&one, with(3, false), Expect::Revision(1), at(3)).await;
    out.extend(lease_many(&two, 9, at(4)).await);
    assert_eq!(names(&out), ["ops 0", "ops 1", "ops 2"]);
    save(&one, with(3, true), Expect::Revision(2), at(5)).await;
    assert!(lease_many(&two, 9, at(6)).await.is_empty());
    for lease in out {
        settle(&two, &lease, delivered(), Verdict::Delivered, at(7)).await;
    }
    assert_eq!(names(&lease_many(&two, 9, at(8)).await), ["ops 3"]);
}

pub(crate) async fn a_save_can_enable_and_disable<S: Catalog + Outbox>(open: impl AsyncFn() -> S) {
    let store = open().await;
    let ops = make_channel(&store, "acme", "ops").await;
    accept_many(&store, "acme", "ops", 1, at(1)).await;
    let stopped = ChannelDraft { enabled: off(), ..draft(ops.tenant, "ops") };
    save(&store, stopped, Expect::Revision(1), at(2)).await;
    assert!(lease_many(&store, 9, at(3)).await.is_empty());
    save(&store, draft(ops.tenant, "ops"), Expect::Revision(2), at(4)).await;
    assert_eq!(lease_many(&store, 9, at(5)).await.len(), 1);
}

pub(crate) async fn enabling_forgets_the_failures_in_a_row<S: Catalog + Outbox>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let ops = make_channel(&one, "acme", "ops").await;
    accept_many(&one, "acme", "ops", 1, at(0)).await;
    let fail = async |now| {
        let lease = lease_many(&two, 1, now).await.remove(0);
        two.settle(&lease, failed("http-503"), Verdict::RetryAt(now), now).await.unwrap()
    };
    let failed = |failures_in_row| Settled::Done { failures_in_row };
    assert_eq!(fail(at(1)).await, failed(1));
    assert_eq!(fail(at(2)).await, failed(2));
    one.enable_channel(ops.tenant, ops.id, off(), ada(), at(3)).await.unwrap();
    let state = one.channel_state(ops.tenant, ops.id, at(3)).await.unwrap().unwrap();
    assert_eq!(state.failures_in_row, 2);
    one.enable_channel(ops.tenant, ops.id, Enabled::Yes, ada(), at(4)).await.unwrap();
    assert_eq!(fail(at(5)).await, failed(1));
    // A save that leaves it enabled forgets nothing; one that enables it does.
    save(&one, draft(ops.tenant, "ops"), Expect::Revision(1), at(6)).await;
    assert_eq!(fail(at(7)).await, failed(2));
    let stopped = ChannelDraft { enabled: off(), ..draft(ops.tenant, "ops") };
    save(&one, stopped, Expect::Revision(2), at(8)).await;
    save(&one, draft(ops.tenant, "ops"), Expect::Revision(3), at(9)).await;
    assert_eq!(fail(at(10)).await, failed(1));
}
