//! How channels and the whole store stand.

use sandbell_domain::{DeadReason, Verdict};

use super::rig::{
    accept_many, at, channel, delivered, delivery, failed, later, lease_many, lease_one, pace, settle, tenant,
};
use crate::{ChannelState, Leased, Outbox, Redrive, Settled, Totals};

const HOUR: i64 = 3_600;

/// Settles with a failure that is tried again at once; returns the failures in a row.
async fn fail<O: Outbox>(outbox: &O, lease: &Leased, now: jiff::Timestamp) -> u32 {
    failures(outbox.settle(lease, failed("http-503"), Verdict::RetryAt(now), now).await.unwrap())
}

fn failures(settled: Settled) -> u32 {
    match settled {
        Settled::Done { failures_in_row } => failures_in_row,
        Settled::Before | Settled::LeaseLost => panic!("{settled:?}"),
    }
}

async fn stands<O: Outbox>(outbox: &O, through: &str, now: jiff::Timestamp) -> ChannelState {
    outbox.channel_state(tenant("ours"), channel(through), now).await.unwrap().unwrap()
}

pub(crate) async fn failures_in_a_row_end_with_a_delivery<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    accept_many(&one, "ours", "chat", 2, at(0)).await;
    for (count, handle) in (1..).zip([&one, &two, &one]) {
        let lease = lease_many(handle, 1, at(i64::from(count))).await.remove(0);
        assert_eq!(fail(handle, &lease, at(i64::from(count))).await, count);
        assert_eq!(stands(&two, "chat", at(9)).await.failures_in_row, count);
    }
    // Of whichever delivery; another channel has its own.
    accept_many(&one, "ours", "mail", 1, at(4)).await;
    let mut leases = lease_many(&one, 9, at(5)).await;
    assert_eq!(leases.len(), 3);
    leases.sort_by_key(|lease| lease.lease.delivery.channel != channel("mail"));
    assert_eq!(fail(&one, &leases[0], at(6)).await, 1);
    let done = one.settle(&leases[1], delivered(), Verdict::Delivered, at(7)).await.unwrap();
    assert_eq!(failures(done), 0);
    let gone = one.settle(&leases[2], failed("gone"), Verdict::Dead(DeadReason::Permanent), at(8)).await;
    assert_eq!(failures(gone.unwrap()), 1);
    let state = stands(&two, "chat", at(9)).await;
    assert_eq!((state.failures_in_row, state.last_delivered_at), (1, Some(at(7))));
    assert_eq!(stands(&two, "mail", at(9)).await.last_delivered_at, None);
}

pub(crate) async fn only_tries_that_failed_count<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 1, at(0)).await;
    let first = lease_one(&outbox, at(1)).await;
    assert_eq!(fail(&outbox, &first, at(1)).await, 1);
    // A try that is said twice, one that was given back, and a lease that was lost.
    let again = outbox.settle(&first, failed("http-503"), Verdict::RetryAt(at(1)), at(1)).await.unwrap();
    assert_eq!(again, Settled::Before);
    let second = lease_one(&outbox, at(2)).await;
    assert_eq!(failures(outbox.postpone(&second, at(3), at(2)).await.unwrap()), 1);
    let lost = lease_one(&outbox, at(3)).await;
    let taken = lease_one(&outbox, at(1_000)).await;
    assert_eq!(
        outbox.settle(&lost, failed("late"), Verdict::RetryAt(at(9)), at(1_000)).await,
        Ok(Settled::LeaseLost)
    );
    assert_eq!(fail(&outbox, &taken, at(1_001)).await, 2);
    let state = stands(&outbox, "chat", at(1_001)).await;
    assert_eq!((state.failed_in_day, state.delivered_in_day), (2, 0));
}

pub(crate) async fn a_channel_says_what_it_has<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    assert_eq!(one.channel_state(tenant("ours"), channel("chat"), at(0)).await, Ok(None));
    one.set_pace(tenant("ours"), channel("chat"), pace(3, false), at(0)).await.unwrap();
    for moment in [10, 20, 30, 40, 50] {
        let one_more = delivery("ours", "chat", &moment.to_string());
        one.accept(vec![one_more], at(moment)).await.unwrap();
    }
    let leases = lease_many(&one, 9, at(60)).await;
    settle(&one, &leases[0], failed("x"), Verdict::RetryAt(at(900)), at(61)).await;
    settle(&one, &leases[1], failed("x"), Verdict::Dead(DeadReason::Permanent), at(62)).await;
    one.hold(tenant("ours"), channel("chat"), at(100), at(63)).await.unwrap();
    let state = stands(&two, "chat", at(64)).await;
    assert_eq!(
        state,
        ChannelState {
            channel: channel("chat"),
            waiting: 3,
            leased: 1,
            dead: 1,
            oldest_since: Some(at(10)),
            held_until: Some(at(100)),
            failures_in_row: 2,
            last_delivered_at: None,
            delivered_in_day: 0,
            failed_in_day: 2,
        }
    );
    assert_eq!(stands(&two, "chat", at(100)).await.held_until, None);
    // A redrive is a new beginning.
    let dead = leases[1].lease.delivery.id;
    assert_eq!(one.redrive(tenant("ours"), Redrive::One(dead), at(70)).await, Ok(1));
    let state = stands(&two, "chat", at(71)).await;
    assert_eq!((state.waiting, state.dead, state.oldest_since), (4, 0, Some(at(10))));
}

pub(crate) async fn a_tenant_sees_the_state_of_its_own<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 2, at(0)).await;
    accept_many(&outbox, "ours", "mail", 1, at(0)).await;
    accept_many(&outbox, "theirs", "chat", 4, at(0)).await;
    let states = outbox.channel_states(tenant("ours"), at(1)).await.unwrap();
    let waiting: Vec<_> = states.iter().map(|state| (state.channel, state.waiting)).collect();
    assert_eq!(waiting, [(channel("chat"), 2), (channel("mail"), 1)]);
    assert_eq!(outbox.channel_states(tenant("nobody"), at(1)).await, Ok(Vec::new()));
    assert_eq!(outbox.channel_state(tenant("theirs"), channel("mail"), at(1)).await, Ok(None));
}

pub(crate) async fn tries_are_counted_for_a_day<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    // 1,800,000,000 is a full hour.
    for hour in 0..30 {
        let now = at(hour * HOUR + 60);
        let one = delivery("ours", "chat", &hour.to_string());
        outbox.accept(vec![one], now).await.unwrap();
        let lease = lease_one(&outbox, now).await;
        fail(&outbox, &lease, now).await;
        let lease = lease_one(&outbox, now).await;
        settle(&outbox, &lease, delivered(), Verdict::Delivered, now).await;
    }
    let day = async |now| {
        let state = stands(&outbox, "chat", now).await;
        (state.delivered_in_day, state.failed_in_day)
    };
    let last = at(29 * HOUR + 60);
    assert_eq!(day(last).await, (24, 24));
    assert_eq!(day(later(last, 10 * HOUR)).await, (14, 14));
    assert_eq!(day(later(last, 24 * HOUR)).await, (0, 0));
    assert_eq!(stands(&outbox, "chat", later(last, 99 * HOUR)).await.last_delivered_at, Some(last));
}

pub(crate) async fn totals_are_over_all_tenants<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let nothing = Totals { waiting: 0, leased: 0, dead: 0, oldest_since: None, oldest_due_at: None };
    assert_eq!(outbox.totals().await, Ok(nothing));
    accept_many(&outbox, "ours", "chat", 3, at(5)).await;
    accept_many(&outbox, "theirs", "mail", 3, at(8)).await;
    let leases = lease_many(&outbox, 4, at(9)).await;
    settle(&outbox, &leases[0], delivered(), Verdict::Delivered, at(10)).await;
    settle(&outbox, &leases[1], failed("x"), Verdict::Dead(DeadReason::Permanent), at(10)).await;
    settle(&outbox, &leases[2], failed("x"), Verdict::RetryAt(at(90)), at(10)).await;
    let totals = outbox.totals().await.unwrap();
    assert_eq!((totals.waiting, totals.leased, totals.dead), (3, 1, 1));
    assert_eq!((totals.oldest_since, totals.oldest_due_at), (Some(at(5)), Some(at(5))));
    // When only what failed waits, its age is still that of its acceptance.
    for lease in lease_many(&outbox, 9, at(11)).await {
        settle(&outbox, &lease, delivered(), Verdict::Delivered, at(12)).await;
    }
    let totals = outbox.totals().await.unwrap();
    let since = leases[2].since;
    assert_eq!((totals.waiting, totals.oldest_since, totals.oldest_due_at), (1, Some(since), Some(at(90))));
}
