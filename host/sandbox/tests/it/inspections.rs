//! What `inspect` says of good files and of bad ones.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sandbell_sandbox::{Inspected, Sandbox, Settings};

use crate::guest::{Guest, Info, command, of_version};
use crate::rig::{sandbox, sandbox_with, settings};

async fn inspected(sandbox: &Sandbox, bytes: &[u8]) -> String {
    match sandbox.inspect(bytes).await {
        Ok(Inspected { digest: _, size_bytes: _, world, imports, exports, info }) => {
            format!(
                "{world} imports {imports:?} exports {exports:?}: {} wants {}",
                info.name,
                info.wants.len()
            )
        }
        Err(error) => error.to_string(),
    }
}

const SEND: &str = "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)";

/// Imports http; what it wants is up to the test.
fn with_http(wants: Vec<(&'static str, &'static str)>) -> Guest {
    let info = Info { name: "Guest".to_owned(), wants };
    Guest { info, ..Guest::default() }.import("sandbell:channel/http@0.1.0", "send", SEND).calling("send", 14)
}

#[tokio::test]
async fn a_plugin_is_described() {
    let sandbox = sandbox();
    insta::assert_snapshot!(inspected(&sandbox, &Guest::default().build()).await, @r#"sandbell:channel@0.1.0 imports ["sandbell:channel/types@0.1.0"] exports ["sandbell:channel/plugin@0.1.0"]: Guest wants 0"#);
    let http = with_http(vec![("http", "POST https://a.example/x")]);
    insta::assert_snapshot!(inspected(&sandbox, &http.build()).await, @r#"sandbell:channel@0.1.0 imports ["sandbell:channel/types@0.1.0", "sandbell:channel/http@0.1.0"] exports ["sandbell:channel/plugin@0.1.0"]: Guest wants 1"#);
}

#[tokio::test]
async fn what_is_no_channel_is_refused() {
    let sandbox = sandbox();
    insta::assert_snapshot!(inspected(&sandbox, b"").await, @"the file is empty; write the path of a component, e.g. `slack.wasm`");
    insta::assert_snapshot!(inspected(&sandbox, b"hello\n").await, @"the file is a text file, not a WebAssembly component; write the path of a component, e.g. `slack.wasm`");
    insta::assert_snapshot!(inspected(&sandbox, &Guest::default().module()).await, @"this is a core module; build it as a component, e.g. `cargo build --target wasm32-wasip2`");
    insta::assert_snapshot!(inspected(&sandbox, &command()).await, @"the component does not export `sandbell:channel/plugin@0.1.0`; export it, e.g. with `sandbell_sdk::export!`");

    let whole = Guest::default().build();
    insta::assert_snapshot!(inspected(&sandbox, &whole[..whole.len() / 2]).await, @"the file ends too early or is damaged at byte 2830: unexpected end-of-file; fetch or build it anew");
    let mut garbage = whole.clone();
    garbage.extend_from_slice(b"garbage");
    insta::assert_snapshot!(inspected(&sandbox, &garbage).await, @"the file ends too early or is damaged at byte 5726: unexpected end-of-file; fetch or build it anew");
}

#[tokio::test]
async fn another_contract_is_refused_with_the_difference() {
    let sandbox = sandbox();
    insta::assert_snapshot!(inspected(&sandbox, &of_version("0.2.0")).await, @"the component was built for `sandbell:channel@0.2.0`; this host serves `sandbell:channel@0.1.0`: build it anew with that contract, or update the host");

    let other_export =
        Guest::default().build_against("get-info: func() -> info;", "get-info: func() -> string;");
    insta::assert_snapshot!(inspected(&sandbox, &other_export).await, @"the export `get-info` has another type than the contract's: expected `record` found `string`; build it anew against `sandbell:channel@0.1.0`");
    let other_import = with_http(vec![]).build_against("        status: u16,", "        status: u32,");
    insta::assert_snapshot!(inspected(&sandbox, &other_import).await, @"the import `sandbell:channel/http@0.1.0` has another type than this host offers: instance export `send` has the wrong type: type mismatch with results: type mismatch for field status: expected `u16` found `u32`; build the component anew");
}

#[tokio::test]
async fn an_import_that_is_not_offered_is_named_with_the_way_out() {
    let sandbox = sandbox();
    let unknown = Guest::default().import("wasi:keyvalue/store@0.2.0", "open", "").calling("open", 0);
    insta::assert_snapshot!(inspected(&sandbox, &unknown.build()).await, @"the component imports `wasi:keyvalue/store@0.2.0`, which this host does not have; a channel gets none of it: use `sandbell:channel/http` or `smtp`, and log through `sandbell:channel/log`");
    let nats = Guest::default()
        .import("sandbell:channel/nats@0.1.0", "publish", "(param i32 i32)")
        .calling("publish", 2);
    insta::assert_snapshot!(inspected(&sandbox, &nats.build()).await, @"the component imports `sandbell:channel/nats@0.1.0`, which this host does not have; update the host, or build the component for an older contract");
    insta::assert_snapshot!(inspected(&sandbox, &with_http(vec![]).build()).await, @"the component imports `sandbell:channel/http@0.1.0` but wants no http; add a want of `http` to its info, or drop the import");
    insta::assert_snapshot!(inspected(&sandbox, &with_http(vec![("smtp", "a.example:25")]).build()).await, @"the component imports `sandbell:channel/http@0.1.0` but wants no http; add a want of `http` to its info, or drop the import");
}

#[tokio::test]
async fn a_bad_info_is_refused() {
    let sandbox = sandbox();
    let named =
        |name: &str| Guest { info: Info { name: name.to_owned(), wants: vec![] }, ..Guest::default() };
    insta::assert_snapshot!(inspected(&sandbox, &named(" ").build()).await, @"the info has no name; the plugin's author must fill it in");
    insta::assert_snapshot!(inspected(&sandbox, &named("\x1b[2Jx").build()).await, @r"the info's name `\u{1b}[2Jx` holds control characters; the plugin's author must remove them");
    let wanting = |target| Guest {
        info: Info { name: "Guest".to_owned(), wants: vec![("http", target)] },
        ..Guest::default()
    };
    insta::assert_snapshot!(inspected(&sandbox, &wanting("POST {url}").build()).await, @"the want `POST {url}` cannot be granted: `{url}` names no option of this plugin");
    insta::assert_snapshot!(inspected(&sandbox, &wanting("everything").build()).await, @"the want `everything` cannot be granted: `everything` is no absolute http or https URL; write e.g. `https://api.example.com/hook`");
    insta::assert_snapshot!(inspected(&sandbox, &named(&"x".repeat(70_000)).build()).await, @"`get-info` failed: the plugin handed over more data in one call than it may in `get-info` (result-too-large)");
}

#[tokio::test]
async fn a_get_info_that_misbehaves_is_ended() {
    let sandbox = sandbox();
    let doing = |get_info: &str| Guest { get_info: get_info.to_owned(), ..Guest::default() };
    let spinning = inspected(&sandbox, &doing("(loop $l (br $l)) (unreachable)").build()).await;
    // On a machine that is busy enough, the second is over before the CPU is used up.
    let ends = [
        "`get-info` failed: the plugin used up its 100 ms of CPU in `get-info`; look for a loop without an end (cpu)",
        "`get-info` failed: the plugin did not finish within 1 s (in `get-info`) (timeout)",
    ];
    assert!(ends.contains(&spinning.as_str()), "{spinning}");
    insta::assert_snapshot!(inspected(&sandbox, &doing("unreachable").build()).await, @"`get-info` failed: the plugin broke down in `get-info`: it panicked or reached code that it takes for unreachable (trap)");
    let sleeping = doing("(call $block (call $subscribe-duration (i64.const -1))) (global.get $info)")
        .import("wasi:clocks/monotonic-clock@0.2.6", "subscribe-duration", "(param i64) (result i32)")
        .import("wasi:io/poll@0.2.6", "[method]pollable.block", "(param i32)");
    insta::assert_snapshot!(inspected(&sandbox, &sleeping.build()).await, @"`get-info` failed: the plugin did not finish within 1 s (in `get-info`) (timeout)");
}

/// A compiler that starts with a limit of its own, lower than those that it sets itself.
fn limited_compiler(dir: &Path, limit: &str) -> PathBuf {
    let path = dir.join("compiler");
    let program = settings().compiler;
    std::fs::write(&path, format!("#!/bin/sh\nulimit {limit}\nexec {} \"$@\"\n", program.display())).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test]
async fn a_component_that_keeps_the_compiler_busy_is_ended() {
    // Every local may change in every loop: some 30 KB that compile for seconds (`reference/security.md` §3.6).
    let nested = (0..300).fold(String::new(), |inner, local| {
        format!(
            "(loop $l{local} (local.set {local} (i32.add (local.get {local}) (i32.const 1))) {inner}
                (br_if $l{local} (local.get {local})))"
        )
    });
    let function = format!("(func (local {}) {nested})", "i32 ".repeat(1000));
    let bomb = Guest { fields: function.repeat(20), ..Guest::default() }.build();
    let dir = tempfile::tempdir().unwrap();
    let with = |limit: &str| Settings { compiler: limited_compiler(dir.path(), limit), ..settings() };
    insta::assert_snapshot!(inspected(&sandbox_with(with("-t 1")), &bomb).await, @"compiling takes more than 30 s; make the component smaller, or look for a function that is huge");
    insta::assert_snapshot!(inspected(&sandbox_with(with("-v 120000")), &bomb).await, @"compiling takes more than 4096 MiB of memory; make the component smaller");
}
