//! Guests that attack, each ended by a limit of its own with a word of its own.

use std::sync::Arc;
use std::time::Duration;

use sandbell_domain::{Limits, LogLevel, Mode};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::guest::Guest;
use crate::rig::{lease, limits, open, outcome, sandbox, try_once, try_with};

const LOOP: &str = "(loop $l (br $l)) (unreachable)";
const LOG: &str = "sandbell:channel/log@0.1.0";
const CLOCK: &str = "wasi:clocks/monotonic-clock@0.2.6";
const POLL: &str = "wasi:io/poll@0.2.6";

/// Writes a `send-error` whose message is `length` bytes at 0 and returns where it is.
fn error_of(length: u32) -> String {
    format!(
        "(i32.store8 (i32.const 100000) (i32.const 1))
         (i32.store (i32.const 100044) (i32.const {length}))
         (i32.const 100000)"
    )
}

fn sleeping() -> Guest {
    Guest::sending("(call $block (call $subscribe-duration (i64.const -1))) (i32.const 0)")
        .import(CLOCK, "subscribe-duration", "(param i64) (result i32)")
        .import(POLL, "[method]pollable.block", "(param i32)")
}

#[tokio::test]
async fn a_loop_without_an_end_runs_out_of_cpu_wherever_it_is() {
    let attempt = try_once(&Guest::sending(LOOP)).await;
    insta::assert_snapshot!(outcome(&attempt), @"timed-out [cpu] the plugin used up its 100 ms of CPU in `send-notification`; look for a loop without an end");
    assert!(attempt.usage.cpu >= Duration::from_millis(100), "{:?}", attempt.usage);

    let set_config = Guest { set_config: LOOP.to_owned(), ..Guest::default() };
    insta::assert_snapshot!(outcome(&try_once(&set_config).await), @"timed-out [cpu] the plugin used up its 100 ms of CPU in `set-config`; look for a loop without an end");

    let start = Guest { fields: "(func $s (loop $l (br $l))) (start $s)".to_owned(), ..Guest::default() };
    insta::assert_snapshot!(outcome(&try_once(&start).await), @"timed-out [cpu] the plugin used up its 100 ms of CPU while it started; look for a loop without an end");

    let after = r#"(func (export "cabi_post_sandbell:channel/plugin@0.1.0#send-notification") (param i32) (loop $l (br $l)))"#;
    let after = Guest { fields: after.to_owned(), ..Guest::default() };
    insta::assert_snapshot!(outcome(&try_once(&after).await), @"timed-out [cpu] the plugin used up its 100 ms of CPU in `send-notification`; look for a loop without an end");
}

#[tokio::test]
async fn sleeping_runs_out_of_time() {
    let limits = Limits { attempt: Duration::from_millis(300), ..limits() };
    let attempt = try_with(&sleeping(), limits).await;
    insta::assert_snapshot!(outcome(&attempt), @"timed-out [timeout] the plugin did not finish within 300 ms (in `send-notification`)");
    assert!(attempt.usage.cpu < Duration::from_millis(100), "{:?}", attempt.usage);
}

#[tokio::test]
async fn a_recursion_without_an_end_runs_out_of_stack() {
    let recursion = Guest {
        fields: "(func $r (call $r) (call $r))".to_owned(),
        ..Guest::sending("(call $r) (i32.const 0)")
    };
    let attempt = try_once(&recursion).await;
    insta::assert_snapshot!(outcome(&attempt), @"trapped [stack] the plugin called itself too deep in `send-notification`; look for a recursion without an end");
    assert_eq!(attempt.log.len(), 1);
}

#[tokio::test]
async fn memory_and_tables_are_limited() {
    // Grows until it gets no more, as an allocator does, and gives up.
    let growing = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    let attempt = try_once(&Guest::sending(growing)).await;
    insta::assert_snapshot!(outcome(&attempt), @"trapped [memory] the plugin asked for 65 MiB of memory in `send-notification`; it may have 64 MiB, more can be approved");
    assert!(attempt.usage.memory_peak_bytes <= 64 << 20);

    let born_large = Guest { memory: r#"(memory (export "memory") 1025)"#.to_owned(), ..Guest::default() };
    insta::assert_snapshot!(outcome(&try_once(&born_large).await), @"trapped [memory] the plugin asked for 65 MiB of memory while it started; it may have 64 MiB, more can be approved");

    let table = Guest {
        fields: "(table $t 0 funcref)".to_owned(),
        ..Guest::sending(
            "(if (i32.ne (table.grow $t (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable)) (i32.const 0)",
        )
    };
    assert!(outcome(&try_once(&table).await).starts_with("delivered"));
    let born_wide =
        Guest { fields: "(table 15000 funcref) (table 15000 funcref)".to_owned(), ..Guest::default() };
    insta::assert_snapshot!(outcome(&try_once(&born_wide).await), @"trapped [memory] the plugin asked for 30000 table elements while it started, too many");
}

#[tokio::test]
async fn a_trap_is_named_and_its_frames_go_to_the_log() {
    let trap = |body: &str| Guest {
        fields: format!(r#"(func $"\1b[31mFAKE\0a2026 ERROR" {body})"#),
        ..Guest::sending(r#"(call $"\1b[31mFAKE\0a2026 ERROR") (i32.const 0)"#)
    };
    let attempt = try_once(&trap("unreachable")).await;
    insta::assert_snapshot!(outcome(&attempt), @"trapped [trap] the plugin broke down in `send-notification`: it panicked or reached code that it takes for unreachable");
    let line = &attempt.log[0];
    assert_eq!(line.level, LogLevel::Error);
    assert!(line.message.contains(r"\u{1b}[31mFAKE\n2026 ERROR at 0x"), "{}", line.message);
    for (body, words) in [
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "it divided by zero"),
        (
            "(drop (i32.load (i32.const -1)))",
            "it read or wrote outside of its memory, or called itself too deep",
        ),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", "it converted a number that does not fit"),
    ] {
        let outcome = outcome(&try_once(&trap(body)).await);
        assert_eq!(outcome, format!("trapped [trap] the plugin broke down in `send-notification`: {words}"));
    }
}

#[tokio::test]
async fn exit_is_an_outcome() {
    let exit = Guest::sending("(call $exit (i32.const 0)) (i32.const 0)").import(
        "wasi:cli/exit@0.2.6",
        "exit",
        "(param i32)",
    );
    insta::assert_snapshot!(outcome(&try_once(&exit).await), @"trapped [exit] the plugin called `exit` with code 0 in `send-notification` instead of answering");
}

#[tokio::test]
async fn a_flood_of_calls_is_ended() {
    let flood = Guest::sending("(loop $l (drop (call $enabled (i32.const 0))) (br $l)) (unreachable)")
        .import(LOG, "enabled", "(param i32) (result i32)");
    let attempt = try_with(&flood, Limits { cpu: Duration::from_secs(5), ..limits() }).await;
    insta::assert_snapshot!(outcome(&attempt), @"trapped [host-calls] the plugin called the host more than 10000 times in `send-notification`");
    assert_eq!(attempt.usage.host_calls, 10_001);

    // WASI is counted as well; the next tick ends it.
    let clock = Guest::sending("(loop $l (drop (call $now)) (br $l)) (unreachable)").import(
        CLOCK,
        "now",
        "(result i64)",
    );
    let attempt = try_with(&clock, Limits { cpu: Duration::from_secs(5), ..limits() }).await;
    insta::assert_snapshot!(outcome(&attempt), @"trapped [host-calls] the plugin called the host more than 10000 times in `send-notification`");
}

#[tokio::test]
async fn a_log_without_an_end_is_cut() {
    let flood = Guest::sending(
        "(local $i i32)
         (loop $l
            (call $write (i32.const 2) (i32.const 1024) (i32.const 5) (i32.const 8) (i32.const 0))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 9000))))
         (i32.const 0)",
    )
    .import(LOG, "write", "(param i32 i32 i32 i32 i32)");
    let attempt = try_with(&flood, Limits { cpu: Duration::from_secs(5), ..limits() }).await;
    assert!(outcome(&attempt).starts_with("delivered"), "{}", outcome(&attempt));
    assert_eq!((attempt.log.len(), attempt.log[0].message.as_str()), (201, "Guest"));
    assert_eq!(
        attempt.log[200].message,
        "8800 more lines were dropped: at most 200 lines and 65536 bytes are kept"
    );
}

#[tokio::test]
async fn a_result_is_limited_and_checked() {
    let large =
        Guest { memory: r#"(memory (export "memory") 64)"#.to_owned(), ..Guest::sending(&error_of(2 << 20)) };
    insta::assert_snapshot!(outcome(&try_once(&large).await), @"trapped [result-too-large] the plugin handed over more data in one call than it may in `send-notification`");

    let long = outcome(&try_once(&Guest::sending(&error_of(10_000))).await);
    assert!(long.starts_with("permanent [internal]") && long.ends_with(" bytes more]"), "{long}");
    assert!(long.len() < 4_200, "{}", long.len());

    let outside = try_once(&Guest::sending(&error_of(u32::MAX))).await;
    insta::assert_snapshot!(outcome(&outside), @"trapped [trap] the plugin broke a rule in `send-notification`: string pointer/length out of bounds of memory");
    let no_variant = "(i32.store8 (i32.const 100000) (i32.const 7)) (i32.const 100000)";
    insta::assert_snapshot!(outcome(&try_once(&Guest::sending(no_variant)).await), @"trapped [trap] the plugin broke a rule in `send-notification`: invalid expected discriminant");
    let no_text = format!("(i32.store8 (i32.const 0) (i32.const 0xff)) {}", error_of(1));
    insta::assert_snapshot!(outcome(&try_once(&Guest::sending(&no_text)).await), @"trapped [trap] the plugin broke a rule in `send-notification`: invalid utf-8 sequence of 1 bytes from index 0");
}

#[tokio::test]
async fn handles_and_randomness_are_limited() {
    let pollables =
        Guest::sending("(loop $l (drop (call $subscribe-duration (i64.const 1))) (br $l)) (unreachable)")
            .import(CLOCK, "subscribe-duration", "(param i64) (result i32)");
    insta::assert_snapshot!(outcome(&try_once(&pollables).await), @"trapped [handles] the plugin holds too many handles, or one that is not its own, in `send-notification`");

    let foreign = Guest::sending("(call $block (i32.const 77)) (i32.const 0)").import(
        POLL,
        "[method]pollable.block",
        "(param i32)",
    );
    insta::assert_snapshot!(outcome(&try_once(&foreign).await), @"trapped [trap] the plugin broke a rule in `send-notification`: unknown handle index 77");

    let random =
        Guest::sending("(call $get-random-bytes (i64.const 0x40000000) (i32.const 100000)) (i32.const 0)")
            .import("wasi:random/random@0.2.6", "get-random-bytes", "(param i64 i32)");
    insta::assert_snapshot!(outcome(&try_once(&random).await), @"trapped [trap] the plugin broke a rule in `send-notification`: requested len 1073741824 exceeds limit 65536");
}

#[tokio::test]
async fn spinning_guests_delay_nobody_else() {
    let sandbox = Arc::new(sandbox());
    let plugin = sandbox.load(&Guest::sending(LOOP).build()).await.unwrap();
    let channel = open(&sandbox, &plugin, limits());
    let mut spinning = JoinSet::new();
    for _ in 0..4 {
        let (sandbox, channel) = (Arc::clone(&sandbox), channel.clone());
        spinning.spawn(async move { sandbox.attempt(&channel, &lease(), Mode::Send).await });
    }
    let mut worst = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        tokio::time::sleep(Duration::from_millis(2)).await;
        worst = worst.max(asked.elapsed());
    }
    for attempt in spinning.join_all().await {
        assert!(outcome(&attempt).starts_with("timed-out [cpu]"), "{}", outcome(&attempt));
    }
    assert!(worst < Duration::from_millis(400), "a timer of 2 ms took {worst:?}");
}
