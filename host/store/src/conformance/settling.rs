//! Settling: once, by its holder, and told to who waits.

use std::time::Duration;

use sandbell_domain::{DeadReason, Verdict};

use super::rig::{
    accept_many, at, channel, delivered, delivery, failed, kind, lease_many, lease_one, settle, state,
    status, tenant,
};
use crate::{Outbox, Settled, State, StateKind};

/// Longer than any engine needs, so that only a missed telling runs into it.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn settling_twice_does_it_once<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    let sent = delivery("ours", "chat", "disk");
    one.accept(vec![sent.clone()], at(0)).await.unwrap();
    let lease = lease_one(&one, at(1)).await;
    settle(&one, &lease, failed("http-503"), Verdict::RetryAt(at(9)), at(2)).await;
    // The answer was lost, so it is said again; and again when the delivery is settled for good.
    let again = two.settle(&lease, failed("http-503"), Verdict::RetryAt(at(99)), at(3)).await.unwrap();
    assert_eq!(again, Settled::Before);
    assert_eq!(state(&one, &sent).await, State::Waiting { due_at: at(9) });
    let lease = lease_one(&one, at(9)).await;
    settle(&one, &lease, delivered(), Verdict::Delivered, at(10)).await;
    for handle in [&one, &two] {
        let again = handle.settle(&lease, failed("late"), Verdict::Dead(DeadReason::Permanent), at(11)).await;
        assert_eq!(again, Ok(Settled::Before));
    }
    assert_eq!(state(&two, &sent).await, State::Delivered { at: at(10) });
    assert_eq!(one.attempts(sent.tenant, sent.id).await.unwrap().len(), 2);
}

pub(crate) async fn a_lost_lease_changes_nothing<O: Outbox>(open: impl AsyncFn() -> O) {
    let (slow, quick) = (open().await, open().await);
    let sent = delivery("ours", "chat", "disk");
    slow.accept(vec![sent.clone()], at(0)).await.unwrap();
    let lost = lease_one(&slow, at(0)).await;
    let taken = lease_one(&quick, at(100)).await;
    let before = status(&slow, &sent).await;
    let late = slow.settle(&lost, delivered(), Verdict::Delivered, at(101)).await;
    assert_eq!(late, Ok(Settled::LeaseLost));
    assert_eq!(slow.postpone(&lost, at(500), at(101)).await, Ok(Settled::LeaseLost));
    assert_eq!(status(&slow, &sent).await, before);
    assert!(slow.attempts(sent.tenant, sent.id).await.unwrap().is_empty());
    settle(&quick, &taken, failed("http-404"), Verdict::Dead(DeadReason::Permanent), at(102)).await;
    assert_eq!(slow.settle(&lost, delivered(), Verdict::Delivered, at(103)).await, Ok(Settled::LeaseLost));
    assert_eq!(kind(&slow, &sent).await, StateKind::Dead);
}

pub(crate) async fn a_lease_that_ran_out_still_counts_until_another_has_it<O: Outbox>(
    open: impl AsyncFn() -> O,
) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent.clone()], at(0)).await.unwrap();
    let lease = lease_one(&outbox, at(0)).await;
    // Held, so that the look that takes the lease back gives it to nobody.
    outbox.hold(tenant("ours"), channel("chat"), at(900), at(1)).await.unwrap();
    assert!(lease_many(&outbox, 1, at(100)).await.is_empty());
    assert_eq!(kind(&outbox, &sent).await, StateKind::Waiting);
    settle(&outbox, &lease, delivered(), Verdict::Delivered, at(101)).await;
    assert_eq!(state(&outbox, &sent).await, State::Delivered { at: at(101) });
    assert!(lease_many(&outbox, 1, at(900)).await.is_empty());
}

pub(crate) async fn a_retry_waits_for_its_time<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent.clone()], at(0)).await.unwrap();
    let mut due = 0;
    for number in 1..=4 {
        let lease = lease_one(&outbox, at(due)).await;
        assert_eq!(lease.lease.attempt_number.get(), number);
        assert_eq!((lease.since, lease.lapses), (at(0), 0));
        assert_eq!(lease.lease.delivery.id, sent.id);
        let next = due + 5 * i64::from(number);
        settle(&outbox, &lease, failed("http-503"), Verdict::RetryAt(at(next)), at(due + 1)).await;
        assert!(lease_many(&outbox, 1, at(next - 1)).await.is_empty());
        due = next;
    }
    let stands = status(&outbox, &sent).await;
    assert_eq!((stands.attempts, stands.state), (4, State::Waiting { due_at: at(due) }));
    assert_eq!(stands.last_failure.unwrap().code, "http-503");
}

pub(crate) async fn waiting_for_a_limit_uses_up_no_attempt<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent.clone()], at(0)).await.unwrap();
    for turn in 0..30 {
        let lease = lease_one(&outbox, at(turn * 10)).await;
        assert_eq!(lease.lease.attempt_number.get(), 1);
        let until = at(turn * 10 + 10);
        assert_eq!(
            outbox.postpone(&lease, until, at(turn * 10)).await,
            Ok(Settled::Done { failures_in_row: 0 })
        );
        assert_eq!(outbox.postpone(&lease, until, at(turn * 10)).await, Ok(Settled::LeaseLost));
        assert!(lease_many(&outbox, 1, at(turn * 10 + 9)).await.is_empty());
    }
    let stands = status(&outbox, &sent).await;
    assert_eq!((stands.attempts, stands.state), (0, State::Waiting { due_at: at(300) }));
    assert!(outbox.attempts(sent.tenant, sent.id).await.unwrap().is_empty());
}

pub(crate) async fn waiting_ends_with_the_settlement<O: Outbox>(open: impl AsyncFn() -> O) {
    let (one, two) = (open().await, open().await);
    accept_many(&one, "ours", "chat", 2, at(0)).await;
    let leases = lease_many(&one, 2, at(0)).await;
    // One is settled beside who waits, one by another process.
    for (lease, settler) in leases.iter().zip([&one, &two]) {
        let sent = &lease.lease.delivery;
        let (stands, ()) = tokio::join!(
            one.wait(sent.tenant, sent.id, PATIENCE),
            settle(settler, lease, delivered(), Verdict::Delivered, at(1)),
        );
        assert_eq!(stands.unwrap().unwrap().state, State::Delivered { at: at(1) });
        // What is settled already is told at once.
        let stands = two.wait(sent.tenant, sent.id, PATIENCE).await.unwrap().unwrap();
        assert!(stands.state.is_settled());
    }
}

pub(crate) async fn waiting_ends_with_its_limit<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent.clone()], at(0)).await.unwrap();
    let stands = outbox.wait(sent.tenant, sent.id, Duration::from_millis(20)).await.unwrap().unwrap();
    assert_eq!(stands.state, State::Waiting { due_at: at(0) });
    let unknown = delivery("ours", "chat", "nothing");
    assert_eq!(outbox.wait(unknown.tenant, unknown.id, PATIENCE).await, Ok(None));
    assert_eq!(outbox.wait(tenant("theirs"), sent.id, PATIENCE).await, Ok(None));
}
