//! What each hostile guest gets, in the words that the operator reads.

use insta::assert_snapshot;
use sandbell_peers::{Dialect, Receiver, Reply, example_request};
use serde_json::{Value as Json, json};

use crate::host::{Host, guest, text};

/// What became of an attack: `kind code: detail`, or the receipt's detail.
fn attacked(name: &str, config: &Json, message: &str) -> (String, Json) {
    let host = Host::with(&guest(name), &["--network", "127.0.0.1"]);
    let mut notification = example_request(Dialect::JsonRpc, "email", "alice@example.com");
    notification["event"]["message"] = json!(message);
    notification["object"]["url"] = json!("https://evil.example/loot");
    let run = host.send(name, config, &notification, &["--json"]);
    assert!(!run.stdout.chars().any(|char| char.is_control() && char != '\n'), "{}", run.stdout);
    let report = run.json();
    let outcome = &report["outcome"];
    let word = |name: &str| outcome[name].as_str().unwrap_or_default().to_owned();
    let said = if outcome["delivered"] == true {
        outcome["receipt"]["detail"].as_str().unwrap_or_default().replace("\\n", "\n")
    } else {
        format!("{} {}: {}", word("kind"), word("code"), word("detail"))
    };
    (said, report)
}

fn ended(name: &str) -> String {
    attacked(name, &json!({}), "").0
}

#[test]
fn a_loop_ends_with_its_cpu_time() {
    assert_snapshot!(ended("loop-in-send"), @"");
}

#[test]
fn a_loop_in_get_info_is_refused_before_anything_is_installed() {
    let host = Host::new();
    let run = host.run(&["plugin", "install", text(&guest("loop-in-get-info"))]).expect(1);
    assert_snapshot!(run.stderr.replace(text(&guest("loop-in-get-info")), "FILE"), @"");
    assert_eq!(host.run(&["plugin", "list", "--json"]).expect(0).json().to_string(), "");
}

#[test]
fn memory_ends_at_its_limit() {
    let (said, report) = attacked("memory-growth", &json!({}), "");
    assert_snapshot!(said, @"");
    let peak = report["usage"]["memory_peak_bytes"].as_u64().unwrap();
    assert!((32 << 20..=64 << 20).contains(&peak), "{peak}");
}

#[test]
fn recursion_ends_at_the_stack() {
    assert_snapshot!(ended("recursion"), @"");
}

#[test]
fn a_panic_is_an_outcome_and_paints_nothing() {
    let (said, report) = attacked("panics", &json!({}), "");
    assert_snapshot!(said, @"");
    assert_snapshot!(report["log"][0]["message"].as_str().unwrap(), @"");
}

#[test]
fn an_exit_is_no_delivery() {
    assert_snapshot!(ended("exits"), @"");
}

#[test]
fn calls_to_the_host_are_counted() {
    assert_snapshot!(ended("host-call-flood"), @"");
}

#[test]
fn a_sleep_ends_with_the_attempt() {
    assert_snapshot!(ended("sleeper"), @"");
}

#[test]
fn a_log_is_cut_and_every_line_is_one_line() {
    let (said, report) = attacked("log-flood", &json!({}), "");
    assert_eq!(said, "flooded");
    let log = report["log"].as_array().unwrap();
    assert!(log.len() <= 201, "{} lines", log.len());
    let bytes: usize = log.iter().map(|line| line["message"].as_str().unwrap().len()).sum();
    assert!(bytes <= 66 * 1024, "{bytes} bytes");
    assert!(log[0]["message"].as_str().unwrap().starts_with(r"\u{1b}[2J0\nxxx"), "{}", log[0]);
    assert_snapshot!(log.last().unwrap()["message"].as_str().unwrap(), @"");
}

#[test]
fn a_giant_error_is_cut() {
    let said = ended("giant-error");
    assert!(said.len() < 5000, "{} bytes", said.len());
    assert_snapshot!(&said[..60], @"");
    assert_snapshot!(&said[said.len() - 24..], @"");
}

#[test]
fn there_is_nothing_to_find() {
    assert_snapshot!(ended("looks-around"), @"");
}

#[test]
fn nothing_is_remembered_from_one_delivery_to_the_next() {
    let host = Host::with(&guest("keeps-state"), &[]);
    let mut daemon = host.daemon("keeps-state", Dialect::JsonRpc);
    daemon.call("SetConfig", Some(&json!({}))).unwrap().unwrap();
    for _ in 0..3 {
        let request = example_request(Dialect::JsonRpc, "email", "alice@example.com");
        daemon.call("SendNotification", Some(&request)).unwrap().unwrap();
    }
    let run = host.send(
        "keeps-state",
        &json!({}),
        &example_request(Dialect::JsonRpc, "email", "a@example.com"),
        &["--json"],
    );
    assert_eq!(run.json()["outcome"]["receipt"]["detail"], "deliveries before this one: 0");
}

#[test]
fn what_was_not_granted_is_not_reached() {
    let receiver = Receiver::start(|_| Reply::new(200, "reached")).unwrap();
    let granted = receiver.url("/granted");
    let port = receiver.address().port();
    let targets = format!(
        "{granted}\n\
         POST http://127.0.0.1:{port}/other\n\
         GET http://127.0.0.1:{port}/granted\n\
         POST http://127.0.0.1:{port}/granted/../other\n\
         POST http://127.0.0.1:{port}/granted%2f..%2fother\n\
         POST https://evil.example/\n\
         POST http://169.254.169.254/latest/meta-data/\n\
         POST http://[::1]:{port}/granted\n\
         POST http://[::ffff:127.0.0.1]:{port}/granted\n\
         POST http://user@127.0.0.1:{port}/granted\n\
         POST ftp://127.0.0.1/granted\n\
         POST file:///etc/passwd\n\
         POST http://127.0.0.1:{port}/gra\tnted\n\
         POST \\\\evil.example/"
    );
    let (said, _) = attacked("goes-elsewhere", &json!({ "url": granted, "elsewhere": "" }), &targets);
    assert_snapshot!(said.replace(&port.to_string(), "PORT"), @"");
    let reached: Vec<_> = receiver.requests().iter().map(|request| request.target.clone()).collect();
    assert_eq!(reached, ["/granted"]);
}

#[test]
fn a_private_address_needs_the_operator() {
    let receiver = Receiver::start(|_| Reply::new(200, "reached")).unwrap();
    let host = Host::with(&guest("goes-elsewhere"), &[]);
    let mut notification = example_request(Dialect::JsonRpc, "email", "alice@example.com");
    notification["event"]["message"] = json!(receiver.url("/granted"));
    let run =
        host.send("goes-elsewhere", &json!({ "url": receiver.url("/granted") }), &notification, &["--json"]);
    let said = run.json()["outcome"]["receipt"]["detail"].as_str().unwrap().to_owned();
    assert_snapshot!(said.replace(&receiver.address().port().to_string(), "PORT"), @"");
    assert!(receiver.requests().is_empty());
}

#[test]
fn a_secret_stays_with_the_host() {
    let secret = "hunter2/+hunter2";
    // The receiver gives back what it got, plain, as base64, percent-encoded and in hexadecimal.
    let receiver = Receiver::start(move |request| {
        let token = request.header("x-token").unwrap_or_default();
        let forms =
            format!("{token} aHVudGVyMi8raHVudGVyMg== hunter2%2F%2Bhunter2 68756e746572322f2b68756e74657232");
        Reply::new(200, forms).header("x-echo", token)
    })
    .unwrap();
    let granted = receiver.url("/granted");
    let (said, report) = attacked("steals-secret", &json!({ "url": granted, "token": secret }), &granted);
    assert_snapshot!(said.replace(&receiver.address().port().to_string(), "PORT"), @"");
    let everything = report.to_string();
    for form in [secret, "aHVudGVyMi8raHVudGVyMg", "hunter2%2F%2Bhunter2", "68756e746572322f2b68756e74657232"]
    {
        assert!(!everything.contains(form), "{form} in {everything}");
    }
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("x-token"), Some(secret));
}

#[test]
fn headers_and_methods_are_not_smuggled() {
    let receiver = Receiver::start(|_| Reply::new(200, "reached")).unwrap();
    let granted = receiver.url("/granted");
    let (said, _) = attacked("smuggles-headers", &json!({ "url": granted }), &granted);
    assert_snapshot!(said, @"");
    assert!(receiver.requests().is_empty());
}

#[test]
fn requests_and_bodies_are_counted() {
    let receiver = Receiver::start(|_| Reply::new(200, "ok")).unwrap();
    let granted = receiver.url("/granted");
    let (said, _) = attacked("request-flood", &json!({ "url": granted }), &granted);
    assert_snapshot!(said, @"");
    assert!(receiver.requests().len() <= 10);
}

#[test]
fn mail_is_not_smuggled() {
    // Nobody listens: everything is refused before it comes to that.
    let (said, _) = attacked("smuggles-mail", &json!({ "host": "127.0.0.1", "port": 9 }), "127.0.0.1:9");
    assert_snapshot!(said, @"");
}

#[test]
fn a_component_that_could_do_more_than_it_asks_for_is_refused() {
    let run = Host::new().run(&["inspect", text(&guest("unwanted-import"))]).expect(1);
    assert_snapshot!(run.stderr.replace(text(&guest("unwanted-import")), "FILE"), @"");
}
