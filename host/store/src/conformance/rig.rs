//! What the promises are tried out with: notifications, tries, and a short way to say them.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sandbell_domain::delivery::{HttpAnswer, HttpExchange, PublishExchange};
use sandbell_domain::{
    Address, Attempt, Capability, ChannelId, Contact, Delivery, Event, Exchange, Failure, FailureKind,
    Incident, Link, LogLevel, LogLine, Notification, NotificationId, Object, Outcome, Receipt, Severity,
    Source, TenantId, Usage, Verdict,
};

use crate::{LeaseRequest, Leased, Outbox, Pace, Settled, State, StateKind, Status, Tries};

pub(super) const HOLD: Duration = Duration::from_mins(1);

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(super) fn later(moment: Timestamp, seconds: i64) -> Timestamp {
    moment + SignedDuration::from_secs(seconds)
}

pub(super) fn tenant(name: &str) -> TenantId {
    TenantId::of(&[name.as_bytes()])
}

pub(super) fn channel(name: &str) -> ChannelId {
    ChannelId::of(&[name.as_bytes()])
}

pub(super) fn notification(owner: &str, name: &str) -> Notification {
    Notification {
        id: NotificationId::of(&[owner.as_bytes(), name.as_bytes()]),
        tenant: tenant(owner),
        contact: Contact {
            full_name: "Ada".to_owned(),
            addresses: vec![Address { kind: "email".to_owned(), address: "ada@example.com".to_owned() }],
        },
        object: Object {
            name: "db1".to_owned(),
            url: String::new(),
            tags: vec![("host".to_owned(), "db1".to_owned())],
        },
        incident: Some(Incident {
            id: 7,
            url: "https://example.com/7".to_owned(),
            severity: Some(Severity::Crit),
        }),
        event: Event {
            time: "2027-01-15T08:00:00+01:00".to_owned(),
            kind: "state".to_owned(),
            severity: Some(Severity::Crit),
            title: Some(name.to_owned()),
            username: String::new(),
            message: "disk \u{1f4be} full".to_owned(),
        },
        links: vec![Link { label: "open".to_owned(), url: "https://example.com".to_owned() }],
        extra: vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        source: Source { system: "test".to_owned(), payload: "{}".to_owned() },
    }
}

/// One delivery of a notification of its own: tenant, channel, name.
pub(super) fn delivery(owner: &str, through: &str, name: &str) -> Delivery {
    Delivery::new(channel(through), Arc::new(notification(owner, name)))
}

pub(super) fn count(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

pub(super) fn pace(leases_max: u32, is_ordered: bool) -> Pace {
    Pace { leases_max: NonZeroU32::new(leases_max).unwrap(), is_ordered }
}

/// `count` deliveries, named `0`, `1` and so on, each accepted by a call of its own.
pub(super) async fn accept_many<O: Outbox>(
    outbox: &O,
    owner: &str,
    through: &str,
    count: usize,
    now: Timestamp,
) {
    for number in 0..count {
        let one = delivery(owner, through, &format!("{through} {number}"));
        assert_eq!(outbox.accept(vec![one], now).await.unwrap().new, 1);
    }
}

pub(super) fn request(count_max: usize, now: Timestamp) -> LeaseRequest {
    LeaseRequest {
        now,
        hold: HOLD,
        count_max: count(count_max),
        tries: Tries::Any,
        tenant_max: NonZeroUsize::MAX,
        rooms: Vec::new(),
    }
}

pub(super) async fn lease_many<O: Outbox>(outbox: &O, count_max: usize, now: Timestamp) -> Vec<Leased> {
    outbox.lease(request(count_max, now)).await.unwrap().leases
}

/// The one delivery that can be leased.
pub(super) async fn lease_one<O: Outbox>(outbox: &O, now: Timestamp) -> Leased {
    let mut leases = lease_many(outbox, 2, now).await;
    assert_eq!(leases.len(), 1, "{leases:?}");
    leases.remove(0)
}

/// The names that [`delivery`] gave.
pub(super) fn names(leases: &[Leased]) -> Vec<&str> {
    leases.iter().map(name).collect()
}

pub(super) fn name(lease: &Leased) -> &str {
    lease.lease.delivery.notification.event.title.as_deref().unwrap()
}

pub(super) fn delivered() -> Attempt {
    attempt(Outcome::Delivered {
        receipt: Receipt { provider_id: Some("m-1".to_owned()), detail: None, links: Vec::new() },
    })
}

pub(super) fn failed(code: &str) -> Attempt {
    attempt(Outcome::Failed(Failure {
        kind: FailureKind::Transient,
        code: code.to_owned(),
        detail: format!("the receiver said {code}"),
        retry_after: Some(Duration::from_millis(1500)),
    }))
}

fn attempt(outcome: Outcome) -> Attempt {
    Attempt {
        outcome,
        exchanges: vec![
            Exchange::Http(HttpExchange {
                method: "POST".to_owned(),
                url: "https://example.com/***".to_owned(),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: b"{\"text\":\"disk\"}".to_vec(),
                answer: Some(HttpAnswer { status: 503, headers: Vec::new(), body: vec![0xff, 0x00] }),
                error: None,
                duration: Duration::from_micros(1234),
            }),
            Exchange::Publish(PublishExchange {
                capability: Capability::Mqtt,
                broker: "mqtt://mq.example.com:1883".to_owned(),
                login: None,
                place: "topic:alerts/db".to_owned(),
                headers: vec![("source".to_owned(), "icinga".to_owned())],
                body: vec![0xff, 0x00],
                answer: Some("taken".to_owned()),
                error: None,
                duration: Duration::from_micros(5),
            }),
        ],
        log: vec![LogLine {
            level: LogLevel::Warn,
            message: "slow".to_owned(),
            fields: vec![("ms".to_owned(), "900".to_owned())],
        }],
        usage: Usage { host_calls: 3, sent_bytes: 15, ..Usage::default() },
    }
}

/// Settles, and must have been the one who does.
pub(super) async fn settle<O: Outbox>(
    outbox: &O,
    lease: &Leased,
    attempt: Attempt,
    verdict: Verdict,
    now: Timestamp,
) {
    let settled = outbox.settle(lease, attempt, verdict, now).await.unwrap();
    assert!(matches!(settled, Settled::Done { .. }), "{settled:?}");
}

pub(super) async fn status<O: Outbox>(outbox: &O, delivery: &Delivery) -> Status {
    outbox.status(delivery.tenant, delivery.id).await.unwrap().unwrap()
}

pub(super) async fn state<O: Outbox>(outbox: &O, delivery: &Delivery) -> State {
    status(outbox, delivery).await.state
}

pub(super) async fn kind<O: Outbox>(outbox: &O, delivery: &Delivery) -> StateKind {
    state(outbox, delivery).await.kind()
}

/// All of them at once, answers in their order.
pub(super) async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut answers: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in waiting.iter_mut().zip(&mut answers) {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *answer = Some(value),
                    Poll::Pending => {}
                }
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}
