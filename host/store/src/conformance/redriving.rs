//! What people do with deliveries.

use sandbell_domain::{DeadReason, Delivery, Verdict};

use super::rig::{
    accept_many, at, channel, count, delivered, delivery, failed, kind, lease_many, lease_one, pace, settle,
    state, status, tenant,
};
use crate::{Cancelled, Filter, Outbox, Redrive, Settled, State, StateKind};

async fn kill<O: Outbox>(outbox: &O, sent: &Delivery, code: &str, reason: DeadReason, second: i64) {
    outbox.accept(vec![sent.clone()], at(second)).await.unwrap();
    let lease = lease_one(outbox, at(second)).await;
    settle(outbox, &lease, failed(code), Verdict::Dead(reason), at(second)).await;
}

pub(crate) async fn a_dead_letter_keeps_its_attempts_and_its_last_error<O: Outbox>(
    open: impl AsyncFn() -> O,
) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent.clone()], at(0)).await.unwrap();
    let lease = lease_one(&outbox, at(0)).await;
    settle(&outbox, &lease, failed("http-503"), Verdict::RetryAt(at(5)), at(1)).await;
    let lease = lease_one(&outbox, at(6)).await;
    settle(&outbox, &lease, failed("http-410"), Verdict::Dead(DeadReason::Permanent), at(7)).await;
    let dead = status(&outbox, &sent).await;
    assert_eq!(dead.state, State::Dead { reason: DeadReason::Permanent, at: at(7) });
    assert_eq!(dead.last_failure.as_ref().unwrap().detail, "the receiver said http-410");
    assert!(lease_many(&outbox, 1, at(9_000_000)).await.is_empty());

    assert_eq!(outbox.redrive(sent.tenant, Redrive::One(sent.id), at(9_000_000)).await, Ok(1));
    assert_eq!(outbox.redrive(sent.tenant, Redrive::One(sent.id), at(9_000_000)).await, Ok(0));
    let driven = status(&outbox, &sent).await;
    assert_eq!(driven.state, State::Waiting { due_at: at(9_000_000) });
    assert_eq!((driven.attempts, driven.redrives), (0, 1));
    assert_eq!(driven.last_failure, dead.last_failure);
    // A new budget: numbers and age begin anew, and the old attempts are still there.
    let lease = lease_one(&outbox, at(9_000_001)).await;
    assert_eq!((lease.lease.attempt_number.get(), lease.since), (1, at(9_000_000)));
    settle(&outbox, &lease, delivered(), Verdict::Delivered, at(9_000_002)).await;
    let attempts = open().await.attempts(sent.tenant, sent.id).await.unwrap();
    let told: Vec<_> = attempts.iter().map(|one| (one.redrive, one.number.get(), one.verdict)).collect();
    assert_eq!(
        told,
        [
            (0, 1, Verdict::RetryAt(at(5))),
            (0, 2, Verdict::Dead(DeadReason::Permanent)),
            (1, 1, Verdict::Delivered)
        ]
    );
    assert_eq!(attempts[1].attempt, failed("http-410"));
    assert_eq!((attempts[1].leased_at, attempts[1].settled_at), (at(6), at(7)));
    assert_eq!(attempts[2].attempt, delivered());
}

pub(crate) async fn a_filter_redrives_what_it_means<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    kill(&outbox, &delivery("ours", "chat", "a"), "http-410", DeadReason::Permanent, 10).await;
    kill(&outbox, &delivery("ours", "chat", "b"), "http-503", DeadReason::Exhausted, 20).await;
    kill(&outbox, &delivery("ours", "mail", "c"), "http-503", DeadReason::Exhausted, 30).await;
    kill(&outbox, &delivery("theirs", "chat", "d"), "http-503", DeadReason::Exhausted, 40).await;
    let good = delivery("ours", "chat", "good");
    outbox.accept(vec![good.clone()], at(50)).await.unwrap();
    settle(&outbox, &lease_one(&outbox, at(50)).await, delivered(), Verdict::Delivered, at(50)).await;

    let redriven = async |filter: Filter| {
        let count = outbox.redrive(tenant("ours"), Redrive::Matching(filter), at(60)).await.unwrap();
        let mut names = Vec::new();
        for lease in lease_many(&outbox, 9, at(60)).await {
            names.push(super::rig::name(&lease).to_owned());
            settle(&outbox, &lease, failed("again"), Verdict::Dead(DeadReason::Exhausted), at(60)).await;
        }
        names.sort_unstable();
        assert_eq!(names.len() as u64, count);
        names
    };
    let reason = Filter { reason: Some(DeadReason::Permanent), ..Filter::default() };
    assert_eq!(redriven(reason.clone()).await, ["a"]);
    assert_eq!(redriven(reason).await, Vec::<String>::new());
    let code = Filter { failure_code: Some("http-503".to_owned()), ..Filter::default() };
    let since = Filter { settled_from: Some(at(25)), settled_until: Some(at(35)), ..Filter::default() };
    assert_eq!(redriven(since).await, ["c"]);
    assert_eq!(redriven(code).await, ["b"]);
    assert_eq!(redriven(Filter { channel: Some(channel("mail")), ..Filter::default() }).await, ["c"]);
    // Whatever else is asked for, only dead letters, and only the tenant's.
    let everything = Filter { state: Some(StateKind::Delivered), ..Filter::default() };
    assert_eq!(redriven(everything).await, ["a", "b", "c"]);
    assert_eq!(state(&outbox, &good).await, State::Delivered { at: at(50) });
    assert_eq!(kind(&outbox, &delivery("theirs", "chat", "d")).await, StateKind::Dead);
}

pub(crate) async fn many_are_redriven_in_steps<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let all: Vec<_> = (0..1_203).map(|number| delivery("ours", "chat", &number.to_string())).collect();
    assert_eq!(outbox.accept(all, at(0)).await.unwrap().new, 1_203);
    outbox.set_pace(tenant("ours"), channel("chat"), pace(2_000, false), at(0)).await.unwrap();
    let leases = lease_many(&outbox, 2_000, at(0)).await;
    let settling = leases
        .iter()
        .map(|lease| outbox.settle(lease, failed("http-503"), Verdict::Dead(DeadReason::Exhausted), at(1)));
    assert!(
        super::rig::all(settling)
            .await
            .into_iter()
            .all(|settled| matches!(settled, Ok(Settled::Done { .. })))
    );
    let count = outbox.redrive(tenant("ours"), Redrive::Matching(Filter::default()), at(2)).await;
    assert_eq!(count, Ok(1_203));
    assert_eq!(lease_many(&outbox, 2_000, at(2)).await.len(), 1_203);
}

pub(crate) async fn cancelling_makes_a_dead_letter<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent.clone()], at(0)).await.unwrap();
    assert_eq!(outbox.cancel(tenant("theirs"), sent.id, at(1)).await, Ok(Cancelled::Unknown));
    assert_eq!(outbox.cancel(sent.tenant, sent.id, at(1)).await, Ok(Cancelled::Done));
    assert_eq!(outbox.cancel(sent.tenant, sent.id, at(2)).await, Ok(Cancelled::SettledBefore));
    assert_eq!(state(&outbox, &sent).await, State::Dead { reason: DeadReason::Cancelled, at: at(1) });
    assert!(lease_many(&outbox, 1, at(3)).await.is_empty());
    // It is a dead letter like others: it can be redriven.
    assert_eq!(outbox.redrive(sent.tenant, Redrive::One(sent.id), at(4)).await, Ok(1));
    assert_eq!(lease_many(&outbox, 1, at(4)).await.len(), 1);
}

pub(crate) async fn a_running_try_ends_before_it_is_cancelled<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 3, at(0)).await;
    let leases = lease_many(&outbox, 3, at(0)).await;
    for lease in &leases {
        let sent = &lease.lease.delivery;
        assert_eq!(outbox.cancel(sent.tenant, sent.id, at(1)).await, Ok(Cancelled::AfterThisTry));
    }
    settle(&outbox, &leases[0], delivered(), Verdict::Delivered, at(2)).await;
    settle(&outbox, &leases[1], failed("http-503"), Verdict::RetryAt(at(9)), at(2)).await;
    assert_eq!(outbox.postpone(&leases[2], at(9), at(2)).await, Ok(Settled::Done { failures_in_row: 1 }));
    let cancelled = State::Dead { reason: DeadReason::Cancelled, at: at(2) };
    assert_eq!(state(&outbox, &leases[0].lease.delivery).await, State::Delivered { at: at(2) });
    assert_eq!(state(&outbox, &leases[1].lease.delivery).await, cancelled);
    assert_eq!(state(&outbox, &leases[2].lease.delivery).await, cancelled);
    let sent = &leases[1].lease.delivery;
    let attempts = outbox.attempts(sent.tenant, sent.id).await.unwrap();
    assert_eq!(attempts[0].verdict, Verdict::Dead(DeadReason::Cancelled));
    assert!(lease_many(&outbox, count(9).get(), at(99)).await.is_empty());
}

pub(crate) async fn a_cancelled_delivery_whose_holder_died_is_dead<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent.clone()], at(0)).await.unwrap();
    let lease = lease_one(&open().await, at(0)).await;
    assert_eq!(outbox.cancel(sent.tenant, sent.id, at(1)).await, Ok(Cancelled::AfterThisTry));
    assert!(lease_many(&outbox, 1, at(100)).await.is_empty());
    assert_eq!(state(&outbox, &sent).await, State::Dead { reason: DeadReason::Cancelled, at: at(100) });
    let late = outbox.settle(&lease, delivered(), Verdict::Delivered, at(101)).await;
    assert_eq!(late, Ok(Settled::LeaseLost));
}
