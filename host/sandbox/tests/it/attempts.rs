//! Attempts that go well, how many run at once, and what an attempt leaves behind: nothing.

use std::sync::Arc;
use std::time::Duration;

use sandbell_domain::grant::TlsMaterial;
use sandbell_domain::{
    Exchange, Failure, FailureKind, Grants, HttpGrant, HttpRule, Limits, LogLevel, Mode, Outcome,
};
use sandbell_sandbox::{ConfigRefusal, Settings};

use crate::guest::Guest;
use crate::rig::{lease, limits, open, open_granted, outcome, sandbox, sandbox_with, settings, try_once};

const POLL: &str = "wasi:io/poll@0.2.6";
const CLOCK: &str = "wasi:clocks/monotonic-clock@0.2.6";

/// Sleeps this long, then delivers.
fn sleeping(millis: u64) -> Guest {
    Guest::sending(&format!(
        "(call $block (call $subscribe-duration (i64.const {}))) (i32.const 0)",
        millis * 1_000_000
    ))
    .import(CLOCK, "subscribe-duration", "(param i64) (result i32)")
    .import(POLL, "[method]pollable.block", "(param i32)")
}

#[tokio::test]
async fn a_small_plugin_delivers() {
    let attempt = try_once(&Guest::default()).await;
    assert_eq!(outcome(&attempt), "delivered Receipt { provider_id: None, detail: None, links: [] }");
    assert_eq!(attempt.usage.memory_peak_bytes, 4 << 16);
    assert!(attempt.usage.cpu > Duration::ZERO && attempt.usage.wall > Duration::ZERO);
    assert!(attempt.log.is_empty() && attempt.exchanges.is_empty());
}

#[tokio::test]
async fn a_refused_configuration_is_the_plugins_own_word() {
    // `err(config-error { name: some("Guest"), message: "Guest1.0.0" })`
    let refusing = Guest {
        set_config: "(i32.store8 (i32.const 100000) (i32.const 1)) (i32.store8 (i32.const 100004) (i32.const 1))
            (i32.store (i32.const 100008) (i32.const 1024)) (i32.store (i32.const 100012) (i32.const 5))
            (i32.store (i32.const 100016) (i32.const 1024)) (i32.store (i32.const 100020) (i32.const 10)) (i32.const 100000)"
            .to_owned(),
        ..Guest::default()
    };
    let sandbox = sandbox();
    let plugin = sandbox.load(&refusing.build()).await.unwrap();
    let channel = open(&sandbox, &plugin, limits());
    let refusal = sandbox.check_config(&channel).await.unwrap_err();
    assert!(matches!(refusal, ConfigRefusal::Refused(_)));
    insta::assert_snapshot!(refusal, @"option `Guest`: Guest1.0.0");
    let attempt = sandbox.attempt(&channel, &lease(), Mode::Send).await;
    insta::assert_snapshot!(outcome(&attempt), @"misconfigured [config] option `Guest`: Guest1.0.0");

    let good = sandbox.load(&Guest::default().build()).await.unwrap();
    assert_eq!(sandbox.check_config(&open(&sandbox, &good, limits())).await, Ok(()));
    let trapping = sandbox
        .load(&Guest { set_config: "unreachable".to_owned(), ..Guest::default() }.build())
        .await
        .unwrap();
    let refusal = sandbox.check_config(&open(&sandbox, &trapping, limits())).await.unwrap_err();
    insta::assert_snapshot!(refusal, @"the plugin broke down in `set-config`: it panicked or reached code that it takes for unreachable");
}

#[tokio::test]
async fn nothing_is_granted_before_sending() {
    // `set-config` calls http; the answer must be an error value, not a trap.
    let guest = Guest {
        set_config: "(call $send (i32.const 8) (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8) (i32.const 0)
                (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 100000))
            (if (i32.ne (i32.load8_u (i32.const 100000)) (i32.const 1)) (then unreachable))
            ;; The code has six letters and begins with `d`.
            (if (i32.ne (i32.load (i32.const 100012)) (i32.const 6)) (then unreachable))
            (if (i32.ne (i32.load8_u (i32.load (i32.const 100008))) (i32.const 100)) (then unreachable))
            (i32.const 0)"
            .to_owned(),
        ..Guest::default()
    }
    .import("sandbell:channel/http@0.1.0", "send", &format!("(param {})", "i32 ".repeat(14)));
    assert!(
        outcome(&try_once(&guest).await).starts_with("delivered"),
        "{}",
        outcome(&try_once(&guest).await)
    );
}

/// Sends `GET https://a.example/x` and traps unless the answer is `ok` (0) or `err` (1), as told.
fn requesting(answer: u32) -> Guest {
    let send = format!(
        "(i32.store (i32.const 110004) (i32.const 120003)) (i32.store (i32.const 110008) (i32.const 19))
         (call $send (i32.const 120000) (i32.const 3) (i32.const 110000) (i32.const 1) (i32.const 8) (i32.const 0)
            (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 100000))
         (if (i32.ne (i32.load8_u (i32.const 100000)) (i32.const {answer})) (then unreachable)) (i32.const 0)"
    );
    let fields = r#"(data (i32.const 120000) "GEThttps://a.example/x")"#.to_owned();
    Guest { fields, ..Guest::sending(&send) }.import(
        "sandbell:channel/http@0.1.0",
        "send",
        &format!("(param {})", "i32 ".repeat(14)),
    )
}

#[tokio::test]
async fn a_call_without_a_grant_is_answered_and_one_with_a_grant_is_recorded() {
    let refused = try_once(&requesting(1)).await;
    assert!(outcome(&refused).starts_with("delivered"), "{}", outcome(&refused));

    let sandbox = sandbox();
    let plugin = sandbox.load(&requesting(0).build()).await.unwrap();
    let rules = vec![HttpRule::parse("GET https://a.example/x").unwrap()];
    let grant = HttpGrant { rules, networks: Vec::new(), tls: TlsMaterial::default(), proxy: None };
    let grants = Grants { http: Some(grant), ..Grants::default() };
    let channel = open_granted(&sandbox, &plugin, limits(), grants);
    let attempt = sandbox.attempt(&channel, &lease(), Mode::DryRun).await;
    assert!(outcome(&attempt).starts_with("delivered"), "{}", outcome(&attempt));
    let [Exchange::Http(exchange)] = &attempt.exchanges[..] else { panic!("{:?}", attempt.exchanges) };
    assert_eq!((exchange.method.as_str(), exchange.url.as_str()), ("GET", "https://a.example/x"));
}

#[tokio::test]
async fn wasi_is_there_and_empty() {
    let stderr = Guest::sending(
        "(call $blocking-write-and-flush (call $get-stderr) (i32.const 1024) (i32.const 5) (i32.const 100000)) (i32.const 0)",
    )
    .import("wasi:cli/stderr@0.2.6", "get-stderr", "(result i32)")
    .import("wasi:io/streams@0.2.6", "[method]output-stream.blocking-write-and-flush", "(param i32 i32 i32 i32)");
    let attempt = try_once(&stderr).await;
    assert!(outcome(&attempt).starts_with("delivered"));
    let line = &attempt.log[0];
    assert_eq!(
        (line.level, line.message.as_str(), line.fields[0].1.as_str()),
        (LogLevel::Warn, "Guest", "stderr")
    );

    // The list's length is at 4.
    let environment = Guest::sending(
        "(call $get-environment (i32.const 100000))
         (if (i32.load (i32.const 100004)) (then unreachable)) (i32.const 0)",
    )
    .import("wasi:cli/environment@0.2.6", "get-environment", "(param i32)");
    assert!(outcome(&try_once(&environment).await).starts_with("delivered"));

    // `err(access-denied)`
    let socket = Guest::sending(
        "(call $create-tcp-socket (i32.const 0) (i32.const 100000))
         (if (i32.ne (i32.load8_u (i32.const 100000)) (i32.const 1)) (then unreachable))
         (if (i32.ne (i32.load8_u (i32.const 100004)) (i32.const 1)) (then unreachable)) (i32.const 0)",
    )
    .import("wasi:sockets/tcp-create-socket@0.2.6", "create-tcp-socket", "(param i32 i32)");
    assert!(outcome(&try_once(&socket).await).starts_with("delivered"));

    let http = Guest::sending("(drop (call $fields)) (i32.const 0)").import(
        "wasi:http/types@0.2.6",
        "[constructor]fields",
        "(result i32)",
    );
    insta::assert_snapshot!(outcome(&try_once(&http).await), @"denied [denied] the plugin called `wasi:http`, which is never granted; it must use `sandbell:channel/http`");
}

#[tokio::test]
async fn a_slot_is_clean_before_it_is_used_again() {
    // Looks for what an earlier instance left, in memory beyond its own data and in what it grows to, then leaves marks.
    let marking = |pages: u32| {
        Guest::sending(&format!(
            "(local $at i32)
             (drop (memory.grow (i32.const {pages})))
             (local.set $at (i32.const 200000))
             (loop $l
                (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $l (i32.lt_u (local.get $at) (i32.shl (memory.size) (i32.const 16)))))
             (memory.fill (i32.const 200000) (i32.const 0xaa) (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 200000)))
             (i32.const 0)"
        ))
    };
    let sandbox = sandbox_with(Settings { attempts_max: 1, ..settings() });
    // Within what stays resident, and far beyond it.
    let mut channels = Vec::new();
    for pages in [4, 256] {
        let plugin = sandbox.load(&marking(pages).build()).await.unwrap();
        channels.push(open(&sandbox, &plugin, Limits { cpu: Duration::from_secs(2), ..limits() }));
    }
    for round in 0..100 {
        let attempt = sandbox.attempt(&channels[round / 3 % 2], &lease(), Mode::Send).await;
        assert!(outcome(&attempt).starts_with("delivered"), "round {round}: {}", outcome(&attempt));
    }
}

#[tokio::test]
async fn a_full_host_is_busy_and_a_full_channel_waits() {
    let sandbox = Arc::new(sandbox_with(Settings { attempts_max: 1, ..settings() }));
    let plugin = sandbox.load(&sleeping(300).build()).await.unwrap();
    let one = Limits { attempts_at_once_max: 1, ..limits() };
    let (first, second) = (open(&sandbox, &plugin, one.clone()), open(&sandbox, &plugin, one));
    let lease = lease();
    let (slow, busy, waited) = tokio::join!(
        sandbox.attempt(&first, &lease, Mode::Send),
        sandbox.attempt(&second, &lease, Mode::Send),
        sandbox.attempt(&first, &lease, Mode::Send),
    );
    assert!(outcome(&slow).starts_with("delivered"));
    insta::assert_snapshot!(outcome(&busy), @"transient [busy] this host is running as many attempts as it may; try again later");
    assert!(matches!(
        busy.outcome,
        Outcome::Failed(Failure { kind: FailureKind::Transient, retry_after: Some(_), .. })
    ));
    assert!(outcome(&waited).starts_with("delivered"), "{}", outcome(&waited));
}

#[tokio::test]
async fn dropping_an_attempt_ends_it() {
    let sandbox = sandbox_with(Settings { attempts_max: 1, ..settings() });
    let patient =
        Limits { attempt: Duration::from_mins(1), cpu: Duration::from_mins(1), ..Limits::default() };
    let lease = lease();
    let spinning = Guest::sending("(loop $l (br $l)) (unreachable)");
    let quick = sandbox.load(&Guest::default().build()).await.unwrap();
    let quick = open(&sandbox, &quick, limits());
    for endless in [sleeping(60_000), spinning] {
        let plugin = sandbox.load(&endless.build()).await.unwrap();
        let channel = open(&sandbox, &plugin, patient.clone());
        for _ in 0..10 {
            let attempt = sandbox.attempt(&channel, &lease, Mode::Send);
            assert!(tokio::time::timeout(Duration::from_millis(20), attempt).await.is_err());
            // The slot is free again as soon as the guest has noticed.
            let freed = async {
                while outcome(&sandbox.attempt(&quick, &lease, Mode::Send).await).contains("[busy]") {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(2), freed).await.unwrap();
        }
    }
}
