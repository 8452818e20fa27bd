//! What durability costs: `cargo bench -p sandbell-store [-- --history 1000000]` prints medians of rounds in turn.
//!
//! Beside the outbox stands what anybody would write by hand: the same rows in the same tables and indexes, the same
//! group commit for the same number of callers, the same level of synchronisation, and nothing else.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use sandbell_domain::{
    Attempt, ChannelId, Contact, Delivery, Event, Notification, NotificationId, Object, Outcome, Receipt,
    Source, TenantId, Usage, Verdict,
};
use sandbell_store::{LeaseRequest, Outbox, Pace, Settings, SqliteStore, Tries};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

const CALLERS: usize = 64;
const EACH: usize = 200;
const ROUNDS: usize = 7;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let history = history();
    let folder = tempfile::tempdir().expect("a folder for the files");
    let (mut ours, mut raw, mut loops) = (Vec::new(), Vec::new(), Vec::new());
    let mut waits = Vec::new();
    for round in 0..ROUNDS {
        let path = |what: &str| folder.path().join(format!("{what}-{round}.db"));
        let (rate, mut took) = outbox_rate(&path("ours")).await;
        ours.push(rate);
        waits.append(&mut took);
        raw.push(raw_rate(&path("raw")).await);
        loops.push(loop_rate(&path("loop")));
    }
    let (ours, raw, loops) = (median(&mut ours), median(&mut raw), median(&mut loops));
    waits.sort_unstable();
    say(&format!(
        "accepted durably, {CALLERS} callers, medians of {ROUNDS} rounds of {} rows",
        CALLERS * EACH
    ));
    say(&format!(
        "  outbox                               {ours:>9.0}/s  p50 {:?}, p99 {:?}",
        part(&waits, 50),
        part(&waits, 99)
    ));
    say(&format!("  raw, the same callers and commits    {raw:>9.0}/s  outbox/raw {:.2}", ours / raw));
    say(&format!(
        "  raw, a loop of {CALLERS} a transaction     {loops:>9.0}/s  outbox/raw {:.2}",
        ours / loops
    ));

    let small = folder.path().join("small.db");
    let large = folder.path().join("large.db");
    let (one, two) = (settled_file(&small, 1_000).await, settled_file(&large, history).await);
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        few.push(cycle_rate(&one, round).await);
        many.push(cycle_rate(&two, round).await);
    }
    let (few, many) = (median(&mut few), median(&mut many));
    say(&format!("accepted, leased and settled, {CALLERS} at once"));
    say(&format!("  with     1,000 settled in the file   {few:>9.0}/s"));
    say(&format!("  with {history:>9} settled in the file   {many:>9.0}/s  cost {:.2}", few / many));
}

fn history() -> u32 {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--history").skip(1);
    arguments.next().and_then(|count| count.parse().ok()).unwrap_or(100_000)
}

#[expect(clippy::print_stdout, reason = "this is a program")]
fn say(line: &str) {
    println!("{line}");
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn part(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

#[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a moment in 2027")
}

/// In the order of time, as a door gives them (UUID version 7); a delivery's id is derived, and in no order.
fn ordered_id(round: usize, number: usize) -> NotificationId {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 40);
    let (time, own) = (NEXT.fetch_add(1, Ordering::Relaxed), (round as u64) << 32 | number as u64);
    NotificationId::from_uuid(uuid::Uuid::from_u64_pair(time, own))
}

/// About the size of what Icinga sends: 1 KiB.
fn delivery(round: usize, number: usize) -> Delivery {
    let notification = Notification {
        id: ordered_id(round, number),
        tenant: TenantId::of(&[&(number % 8).to_be_bytes()]),
        contact: Contact { full_name: "Ada Lovelace".to_owned(), addresses: Vec::new() },
        object: Object {
            name: "db1.example.com!disk /var".to_owned(),
            url: "https://icinga.example.com/icingadb/service?name=disk".to_owned(),
            tags: vec![("host".to_owned(), "db1".to_owned()), ("service".to_owned(), "disk".to_owned())],
        },
        incident: None,
        event: Event {
            time: "2027-01-15T08:00:00Z".to_owned(),
            kind: "state".to_owned(),
            severity: None,
            title: None,
            username: "icinga".to_owned(),
            message: "DISK CRITICAL - free space: /var 1234 MB (3% inode=91%)".to_owned(),
        },
        links: Vec::new(),
        extra: Vec::new(),
        source: Source { system: "icinga".to_owned(), payload: "x".repeat(400) },
    };
    Delivery::new(ChannelId::of(&[&(number % 32).to_be_bytes()]), Arc::new(notification))
}

async fn outbox_rate(path: &Path) -> (f64, Vec<Duration>) {
    let outbox = SqliteStore::open(Settings::new(path)).expect("the file opens");
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let outbox = outbox.clone();
        callers.spawn(async move {
            let mut took = Vec::with_capacity(EACH);
            for number in 0..EACH {
                let one = delivery(0, caller * EACH + number);
                let started = Instant::now();
                outbox.accept(vec![one], now()).await.expect("it is accepted");
                took.push(started.elapsed());
            }
            took
        });
    }
    let took = callers.join_all().await.into_iter().flatten().collect();
    (rate(CALLERS * EACH, started.elapsed()), took)
}

/// A file with our schema, set up as ours, in the hands of anybody.
fn raw_file(path: &Path) -> Connection {
    drop(SqliteStore::open(Settings::new(path)).expect("the file opens"));
    let connection = Connection::open(path).expect("the file opens");
    connection.busy_timeout(Duration::from_secs(5)).expect("a timeout");
    for (name, value) in [("journal_mode", "WAL"), ("synchronous", "FULL")] {
        connection.pragma_update(None, name, value).expect("a pragma");
    }
    connection.pragma_update(None, "cache_size", -64 * 1024).expect("a pragma");
    connection.pragma_update(None, "wal_autocheckpoint", 4000).expect("a pragma");
    connection
}

struct Row {
    delivery: Delivery,
    body: String,
    number: usize,
}

fn row(number: usize) -> Row {
    let delivery = delivery(0, number);
    let body = serde_json::json!({
        "object": delivery.notification.object, "incident": delivery.notification.incident,
        "event": delivery.notification.event, "links": delivery.notification.links,
        "extra": delivery.notification.extra, "source": delivery.notification.source,
    });
    Row { delivery, body: body.to_string(), number }
}

fn insert(connection: &Connection, row: &Row) -> rusqlite::Result<()> {
    let Row { delivery, body, number } = row;
    let number = u32::try_from(*number).expect("thousands");
    let (tenant, channel) = (number % 8, number % 32);
    let at = now().as_microsecond();
    connection
        .prepare_cached("INSERT INTO notification (id, tenant, accepted_at, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![delivery.notification.id.as_bytes(), tenant, at, body])?;
    let notification = connection.last_insert_rowid();
    let contact = r#"{"full_name":"Ada Lovelace","addresses":[]}"#;
    connection
        .prepare_cached(
            "INSERT INTO delivery (id, tenant, channel, notification, contact, due_at, since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        )?
        .execute(params![delivery.id.as_bytes(), tenant, channel, notification, contact, at])?;
    Ok(())
}

/// As many callers, a thread that writes what waits in one transaction, an answer after the commit.
async fn raw_rate(path: &Path) -> f64 {
    let connection = raw_file(path);
    let (rows, mut waiting) = mpsc::channel::<(Row, oneshot::Sender<()>)>(CALLERS);
    let writer = std::thread::spawn(move || {
        let mut batch = Vec::new();
        while waiting.blocking_recv_many(&mut batch, 512) > 0 {
            connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
            for (row, _) in &batch {
                insert(&connection, row).expect("a row");
            }
            connection.execute_batch("COMMIT").expect("a commit");
            for (_, reply) in batch.drain(..) {
                reply.send(()).expect("the caller waits");
            }
        }
    });
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let rows = rows.clone();
        callers.spawn(async move {
            for number in 0..EACH {
                let (reply, answer) = oneshot::channel();
                rows.send((row(caller * EACH + number), reply)).await.expect("the writer is there");
                answer.await.expect("it is written");
            }
        });
    }
    callers.join_all().await;
    let took = started.elapsed();
    drop(rows);
    writer.join().expect("the writer ends");
    rate(CALLERS * EACH, took)
}

/// Nobody waits for anybody: the most that the file can take in transactions of this size.
fn loop_rate(path: &Path) -> f64 {
    let connection = raw_file(path);
    let started = Instant::now();
    for transaction in 0..EACH {
        connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        for number in 0..CALLERS {
            insert(&connection, &row(transaction * CALLERS + number)).expect("a row");
        }
        connection.execute_batch("COMMIT").expect("a commit");
    }
    rate(CALLERS * EACH, started.elapsed())
}

/// An outbox with so many delivered deliveries, each with its notification and its attempt.
async fn settled_file(path: &Path, settled: u32) -> SqliteStore {
    let outbox = SqliteStore::open(Settings::new(path)).expect("the file opens");
    for number in 0..32 {
        let one = delivery(0, number);
        outbox.accept(vec![one.clone()], now()).await.expect("it is accepted");
        let pace = Pace { leases_max: NonZeroU32::MIN.saturating_add(999), is_ordered: false };
        outbox.set_pace(one.tenant, one.channel, pace, now()).await.expect("it has a pace");
    }
    let connection = Connection::open(path).expect("the file opens");
    connection
        .execute_batch(&format!(
            "BEGIN;
             CREATE TEMP TABLE numbers AS WITH RECURSIVE n(i) AS
                 (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {settled}) SELECT i FROM n;
             INSERT INTO notification (seq, id, tenant, accepted_at, body)
                 SELECT 100 + i, randomblob(16), 1 + i % 8, 1700000000000000 + i, hex(zeroblob(300)) FROM numbers;
             INSERT INTO delivery (seq, id, tenant, channel, notification, contact, state, due_at, since, tries,
                 settled_at) SELECT 100 + i, randomblob(16), 1 + i % 8, 1 + i % 32, 100 + i, '{{}}', 2,
                 1700000000000000 + i, 1700000000000000 + i, 1, 1700000000000000 + i FROM numbers;
             INSERT INTO attempt (delivery, claim, redrive, number, leased_at, settled_at, record)
                 SELECT 100 + i, -i, 0, 1, 1700000000000000 + i, 1700000000000000 + i, hex(zeroblob(150)) FROM numbers;
             UPDATE clock SET attempts = (SELECT max(seq) FROM attempt);
             DROP TABLE numbers;
             COMMIT;
             PRAGMA wal_checkpoint(TRUNCATE);"
        ))
        .expect("a history");
    outbox
}

/// Every caller accepts one, takes any one, and settles it.
async fn cycle_rate(outbox: &SqliteStore, round: usize) -> f64 {
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let outbox = outbox.clone();
        callers.spawn(async move {
            for number in 0..EACH / 4 {
                let one = delivery(round + 1, caller * EACH + number);
                outbox.accept(vec![one], now()).await.expect("it is accepted");
                let request = LeaseRequest {
                    now: now(),
                    hold: Duration::from_mins(1),
                    count_max: NonZeroUsize::MIN,
                    tries: Tries::Any,
                    tenant_max: NonZeroUsize::MAX,
                    rooms: Vec::new(),
                };
                for lease in outbox.lease(request).await.expect("it leases").leases {
                    let attempt = Attempt {
                        outcome: Outcome::Delivered { receipt: Receipt::default() },
                        exchanges: Vec::new(),
                        log: Vec::new(),
                        usage: Usage::default(),
                    };
                    outbox.settle(&lease, attempt, Verdict::Delivered, now()).await.expect("it is settled");
                }
            }
        });
    }
    callers.join_all().await;
    rate(CALLERS * EACH / 4, started.elapsed())
}
