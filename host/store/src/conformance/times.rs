//! Clocks that jump, in both directions.

use sandbell_domain::Verdict;

use super::rig::{
    accept_many, at, channel, delivered, delivery, failed, lease_many, lease_one, settle, tenant,
};
use crate::{Outbox, Settled};

const DAY: i64 = 24 * 60 * 60;

pub(crate) async fn a_clock_that_jumps_ahead_lets_leases_run_out<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "chat", 2, at(0)).await;
    let leases = lease_many(&outbox, 2, at(0)).await;
    settle(&outbox, &leases[0], failed("http-503"), Verdict::RetryAt(at(5)), at(1)).await;
    let taken = lease_many(&outbox, 9, at(DAY)).await;
    assert_eq!(taken.len(), 2);
    assert_eq!(
        outbox.settle(&leases[1], delivered(), Verdict::Delivered, at(DAY)).await,
        Ok(Settled::LeaseLost)
    );
    for lease in &taken {
        settle(&outbox, lease, delivered(), Verdict::Delivered, at(DAY + 1)).await;
    }
    assert!(lease_many(&outbox, 9, at(9 * DAY)).await.is_empty());
}

pub(crate) async fn a_clock_that_jumps_back_keeps_the_length_of_waits<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    accept_many(&outbox, "ours", "retried", 1, at(DAY)).await;
    let lease = lease_one(&outbox, at(DAY)).await;
    settle(&outbox, &lease, failed("http-503"), Verdict::RetryAt(at(DAY + 120)), at(DAY)).await;
    accept_many(&outbox, "ours", "leased", 1, at(DAY)).await;
    let lost = lease_one(&outbox, at(DAY)).await;
    accept_many(&outbox, "ours", "held", 1, at(DAY)).await;
    outbox.hold(tenant("ours"), channel("held"), at(DAY + 120), at(DAY)).await.unwrap();

    // It is a day earlier. Ten seconds more or less are nothing that an operator would see.
    assert!(lease_many(&outbox, 9, at(1)).await.is_empty());
    assert!(lease_many(&outbox, 9, at(49)).await.is_empty());
    let leases = lease_many(&outbox, 9, at(72)).await;
    assert_eq!(super::rig::names(&leases), ["leased 0"]);
    assert_eq!(outbox.settle(&lost, delivered(), Verdict::Delivered, at(73)).await, Ok(Settled::LeaseLost));
    settle(&outbox, &leases[0], delivered(), Verdict::Delivered, at(73)).await;
    assert!(lease_many(&outbox, 9, at(109)).await.is_empty());
    assert_eq!(lease_many(&outbox, 9, at(132)).await.len(), 2);
}

pub(crate) async fn a_first_try_never_waits_for_a_clock<O: Outbox>(open: impl AsyncFn() -> O) {
    let outbox = open().await;
    let sent = delivery("ours", "chat", "disk");
    outbox.accept(vec![sent], at(400 * DAY)).await.unwrap();
    assert_eq!(lease_many(&outbox, 1, at(0)).await.len(), 1);
    // A correction of some seconds is no jump.
    accept_many(&outbox, "ours", "mail", 1, at(30)).await;
    assert_eq!(lease_many(&outbox, 1, at(1)).await.len(), 1);
}
