//! What a large host costs: `cargo bench -p sandbell-store --bench catalog` fills a store and prints how long its reads take.
//!
//! 10,000 channels of 1,000 tenants, each with a secret, and a backlog with dead letters to count.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;
use sandbell_domain::{
    ChannelId, ChannelPolicy, Contact, Delivery, Event, Notification, NotificationId, Object, Source, Tenant,
    TenantId,
};
use sandbell_store::{
    Actor, Catalog, ChannelDraft, Depth, Enabled, Expect, Outbox, Saved, SealedSecret, Settings, SqliteStore,
};
use tokio::task::JoinSet;

const TENANTS: u32 = 1_000;
const CHANNELS_EACH: u32 = 10;
const BACKLOG: u32 = 100_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join("sandbell.db");
    let store = SqliteStore::open(Settings::new(&path)).expect("the file opens");
    let took = fill(&store).await;
    say(&format!("{TENANTS} tenants with {CHANNELS_EACH} channels each"));
    say(&format!("  saved, 64 at once                    {took:>12.1?}"));
    backlog(&store, &path).await;
    drop(store);
    let started = Instant::now();
    let store = SqliteStore::open(Settings::new(&path)).expect("the file opens");
    say(&format!("  opened                               {:>12.1?}", started.elapsed()));
    measure("tenants()", async || store.tenants().await.expect("an answer").len()).await;
    measure("channels() of each tenant", async || {
        let mut count = 0;
        for number in 0..TENANTS {
            count += store.channels(tenant(number)).await.expect("an answer").len();
        }
        count
    })
    .await;
    measure("channels() of one tenant", async || store.channels(tenant(500)).await.expect("an answer").len())
        .await;
    measure("channel_states() of one tenant", async || {
        store.channel_states(tenant(500), now()).await.expect("an answer").len()
    })
    .await;
    measure("uses_of_plugin()", async || store.uses_of_plugin("slack".to_owned()).await.expect("an answer"))
        .await;
    measure("sealed(), all of them", async || all_sealed(&store).await).await;
    say(&format!("{BACKLOG} waiting in one channel, and as many dead letters"));
    measure("totals()", async || store.totals().await.expect("an answer").waiting).await;
    measure("channel_state() of that channel", async || {
        store.channel_state(tenant(0), channel(0), now()).await.expect("an answer").map(|state| state.dead)
    })
    .await;
    let size = store.size().await.expect("an answer");
    say(&format!("a file of {} MiB", size.file_bytes / 1024 / 1024));
    let to = folder.path().join("copy.db");
    measure("backup()", async || store.backup(to.clone()).await.expect("a copy")).await;
    measure("check(Quick)", async || store.check(Depth::Quick).await.expect("an answer").len()).await;
    measure("check(Whole)", async || store.check(Depth::Whole).await.expect("an answer").len()).await;
}

#[expect(clippy::print_stdout, reason = "this is a program")]
fn say(line: &str) {
    println!("{line}");
}

async fn measure<T: std::fmt::Debug>(what: &str, work: impl AsyncFnOnce() -> T) {
    let started = Instant::now();
    let answer = work().await;
    say(&format!("  {what:<36} {:>12.1?}  ({answer:?})", started.elapsed()));
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a moment in 2027")
}

fn tenant(number: u32) -> TenantId {
    TenantId::of(&[format!("tenant{number}").as_bytes()])
}

fn channel(number: u32) -> ChannelId {
    ChannelId::of(&[&number.to_be_bytes()])
}

fn by() -> Actor {
    Actor("uid 0".to_owned())
}

async fn fill(store: &SqliteStore) -> Duration {
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..64 {
        let store = store.clone();
        callers.spawn(async move {
            for number in (caller..TENANTS).step_by(64) {
                let name = format!("tenant{number}").parse().expect("a name");
                store.create_tenant(Tenant::new(name, now()), by()).await.expect("it is made");
                for index in 0..CHANNELS_EACH {
                    let saved = store.save_channel(draft(number, index), Expect::Nothing, by(), now());
                    assert!(matches!(saved.await, Ok(Saved::Done(_))));
                }
            }
        });
    }
    callers.join_all().await;
    started.elapsed()
}

fn draft(owner: u32, index: u32) -> ChannelDraft {
    let text = |bytes: usize| "x".repeat(bytes);
    ChannelDraft {
        id: channel(owner * CHANNELS_EACH + index),
        tenant: tenant(owner),
        name: format!("channel{index}").parse().expect("a name"),
        plugin: "slack".to_owned(),
        settings: serde_json::Map::from_iter([
            ("url".to_owned(), format!("https://hooks.example.com/{}", text(60)).into()),
            ("template".to_owned(), text(400).into()),
        ]),
        secrets: vec![SealedSecret { option: "token".to_owned(), sealed: text(160), set_at: now() }],
        policy: ChannelPolicy::default(),
        enabled: Enabled::Yes,
    }
}

/// One accepted as any other, and its row as often as is needed.
async fn backlog(store: &SqliteStore, path: &Path) {
    let notification = Notification {
        id: NotificationId::of(&[b"first"]),
        tenant: tenant(0),
        contact: Contact::default(),
        object: Object::default(),
        incident: None,
        event: Event {
            time: "2027-01-15T08:00:00Z".to_owned(),
            kind: "state".to_owned(),
            severity: None,
            title: None,
            username: String::new(),
            message: "x".repeat(600),
        },
        links: Vec::new(),
        extra: Vec::new(),
        source: Source { system: "bench".to_owned(), payload: String::new() },
    };
    let first = Delivery::new(channel(0), Arc::new(notification));
    store.accept(vec![first], now()).await.expect("it is accepted");
    let connection = Connection::open(path).expect("the file opens");
    let copies = |count: u32, columns: &str| {
        format!(
            "INSERT INTO notification (seq, id, tenant, accepted_at, body)
                 SELECT (SELECT max(seq) FROM notification) + i, randomblob(16), n.tenant, n.accepted_at, n.body
                 FROM numbers, (SELECT * FROM notification ORDER BY seq LIMIT 1) n WHERE i <= {count};
             INSERT INTO delivery (seq, id, tenant, channel, notification, contact, due_at, since, state, later,
                 settled_at, dead_reason)
                 SELECT m.seq + i, randomblob(16), d.tenant, d.channel, m.seq + i, d.contact, d.due_at, d.since,
                 {columns} FROM numbers, (SELECT max(seq) AS seq FROM delivery) m,
                 (SELECT * FROM delivery ORDER BY seq LIMIT 1) d WHERE i <= {count};"
        )
    };
    let numbers = format!(
        "CREATE TEMP TABLE numbers AS WITH RECURSIVE n(i) AS
             (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {BACKLOG}) SELECT i FROM n;"
    );
    let (fresh, later, dead) = ("0, 0, NULL, NULL", "0, 1, NULL, NULL", "3, 1, 1, 'exhausted'");
    let sql = [
        numbers,
        "BEGIN;".to_owned(),
        copies(BACKLOG / 2, fresh),
        copies(BACKLOG / 2, later),
        copies(BACKLOG, dead),
        "COMMIT;".to_owned(),
    ];
    connection.execute_batch(&sql.concat()).expect("a backlog");
}

async fn all_sealed(store: &SqliteStore) -> usize {
    let page = NonZeroUsize::MIN.saturating_add(499);
    let (mut count, mut after) = (0, 0);
    loop {
        let places = store.sealed(after, page).await.expect("an answer");
        let Some(last) = places.last() else { return count };
        after = last.place;
        count += places.len();
    }
}
