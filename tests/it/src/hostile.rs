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
    assert_snapshot!(ended("loop-in-send"), @"timed-out cpu: the plugin used up its 500 ms of CPU in `send-notification`; look for a loop without an end");
}

#[test]
fn a_loop_in_get_info_is_refused_before_anything_is_installed() {
    let host = Host::new();
    let run = host.run(&["plugin", "install", text(&guest("loop-in-get-info"))]).expect(1);
    assert_snapshot!(run.stderr.replace(text(&guest("loop-in-get-info")), "FILE"), @"
    error: `FILE` is no plugin
    because: `get-info` failed: the plugin used up its 100 ms of CPU in `get-info`; look for a loop without an end (cpu)
    ");
    assert_snapshot!(host.run(&["plugin", "list", "--json"]).expect(0).json(), @r#"{"items":[]}"#);
}

#[test]
fn memory_ends_at_its_limit() {
    let (said, report) = attacked("memory-growth", &json!({}), "");
    assert_snapshot!(said, @"trapped memory: the plugin asked for 65 MiB of memory in `send-notification`; it may have 64 MiB, more can be approved");
    let peak = report["usage"]["memory_peak_bytes"].as_u64().unwrap();
    assert!((32 << 20..=64 << 20).contains(&peak), "{peak}");
}

#[test]
fn recursion_ends_at_the_stack() {
    assert_snapshot!(ended("recursion"), @"trapped trap: the plugin broke down in `send-notification`: it read or wrote outside of its memory, or called itself too deep");
}

#[test]
fn a_panic_is_an_outcome_and_paints_nothing() {
    let (said, report) = attacked("panics", &json!({}), "");
    assert_snapshot!(said, @"trapped trap: the plugin broke down in `send-notification`: it panicked or reached code that it takes for unreachable");
    assert_snapshot!(report["log"][0]["message"].as_str().unwrap(), @"");
}

#[test]
fn an_exit_is_no_delivery() {
    assert_snapshot!(ended("exits"), @"trapped exit: the plugin called `exit` with code 0 in `send-notification` instead of answering");
}

#[test]
fn calls_to_the_host_are_counted() {
    assert_snapshot!(ended("host-call-flood"), @"trapped host-calls: the plugin called the host more than 10000 times in `send-notification`");
}

#[test]
fn a_sleep_ends_with_the_attempt() {
    assert_snapshot!(ended("sleeper"), @"timed-out timeout: the plugin did not finish within 30 s (in `send-notification`)");
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
    assert_snapshot!(log.last().unwrap()["message"].as_str().unwrap(), @"237 more lines were dropped: at most 200 lines and 65536 bytes are kept");
}

#[test]
fn a_giant_error_is_cut() {
    let said = ended("giant-error");
    assert!(said.len() < 5000, "{} bytes", said.len());
    assert_snapshot!(&said[..60], @r"permanent internal: \u{1b}[31m\nAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_snapshot!(&said[said.len() - 24..], @"AA…[595916 bytes more]");
}

#[test]
fn there_is_nothing_to_find() {
    assert_snapshot!(ended("looks-around"), @"/etc/passwd: nothing, /: nothing, a file of its own: nothing, tcp: nothing, udp: nothing, dns: nothing, environment: 0, arguments: 0, stdin: 0");
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
    assert_snapshot!(said.replace(&port.to_string(), "PORT"), @r"
    http://127.0.0.1:PORT/granted => 200 reached
    POST http://127.0.0.1:PORT/other => denied: `POST http://127.0.0.1:PORT/other` is not granted; the missing want is `http POST http://127.0.0.1:PORT/other`, granted is `POST http://127.0.0.1:PORT/granted`
    GET http://127.0.0.1:PORT/granted => denied: `GET http://127.0.0.1:PORT/granted` is not granted; the missing want is `http GET http://127.0.0.1:PORT/granted`, granted is `POST http://127.0.0.1:PORT/granted`
    POST http://127.0.0.1:PORT/granted/../other => denied: `POST http://127.0.0.1:PORT/granted/../other` is not granted; the missing want is `http POST http://127.0.0.1:PORT/granted/../other`, granted is `POST http://127.0.0.1:PORT/granted`
    POST http://127.0.0.1:PORT/granted%2f..%2fother => denied: `POST http://127.0.0.1:PORT/granted%2f..%2fother` is not granted; the missing want is `http POST http://127.0.0.1:PORT/granted%2f..%2fother`, granted is `POST http://127.0.0.1:PORT/granted`; `*` never stands for an encoded slash or backslash
    POST https://evil.example/ => denied: `POST https://evil.example/` is not granted; the missing want is `http POST https://evil.example/`, granted is `POST http://127.0.0.1:PORT/granted`
    POST http://169.254.169.254/latest/meta-data/ => denied: `POST http://169.254.169.254/latest/meta-data/` is not granted; the missing want is `http POST http://169.254.169.254/latest/meta-data/`, granted is `POST http://127.0.0.1:PORT/granted`
    POST http://[::1]:PORT/granted => denied: `POST http://[::1]:PORT/granted` is not granted; the missing want is `http POST http://[::1]:PORT/granted`, granted is `POST http://127.0.0.1:PORT/granted`
    POST http://[::ffff:127.0.0.1]:PORT/granted => denied: `POST http://[::ffff:127.0.0.1]:PORT/granted` is not granted; the missing want is `http POST http://[::ffff:127.0.0.1]:PORT/granted`, granted is `POST http://127.0.0.1:PORT/granted`
    POST http://user@127.0.0.1:PORT/granted => invalid-request: the URL holds a user name or a password; send an `authorization` header instead
    POST ftp://127.0.0.1/granted => invalid-request: the URL is neither `https://` nor `http://`
    POST file:///etc/passwd => invalid-request: the URL is not absolute; write `https://`, a host and a path
    POST http://127.0.0.1:PORT/gra\tnted => invalid-request: the URL holds a blank, a control character or a backslash; percent-encode it
    POST \\\\evil.example/ => invalid-request: the URL holds a blank, a control character or a backslash; percent-encode it
    ");
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
    assert_snapshot!(said.replace(&receiver.address().port().to_string(), "PORT"), @"http://127.0.0.1:PORT/granted => denied: `127.0.0.1` is a loopback address; if it is meant to be reached, allow it with `sandbell plugin approve goes-elsewhere --network 127.0.0.1:PORT`");
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
    assert_snapshot!(said.replace(&receiver.address().port().to_string(), "PORT"), @"
    echoed: 200 [redacted:token] [redacted:token]g== [redacted:token] [redacted:token]
    elsewhere: denied: `POST https://evil.example/loot` is not granted; the missing want is `http POST https://evil.example/loot`, granted is `POST http://127.0.0.1:PORT/granted`
    in the host: secret: a secret may open a URL or stand in its path or query, not in scheme, host or port
    unknown: secret: `password` names no secret that is set; write the name of an option of kind `secret`
    ");
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
    assert_snapshot!(said, @r#"
    "host" => invalid-request: the header `host` is the host's to set; leave it out
    "content-length" => invalid-request: the header `content-length` is the host's to set; leave it out
    "transfer-encoding" => invalid-request: the header `transfer-encoding` is the host's to set; leave it out
    "connection" => invalid-request: the header `connection` is the host's to set; leave it out
    "x-forwarded-for" => invalid-request: the header `x-forwarded-for` is the host's to set; leave it out
    "x-a" => invalid-request: the header `x-a` holds a control character; remove it
    "x-a\\r\
    x-injected" => invalid-request: `x-a\\r\
    x-injected` is no header name; write e.g. `x-auth-token`
    "x-nul" => invalid-request: the header `x-nul` holds a control character; remove it
    "CONNECT" => invalid-request: `CONNECT` is no method that a plugin can use; write one of GET, HEAD, POST, PUT, PATCH, DELETE in capitals
    "TRACE" => invalid-request: `TRACE` is no method that a plugin can use; write one of GET, HEAD, POST, PUT, PATCH, DELETE in capitals
    "POST / HTTP/1.1\\r\
    X-Injected: yes" => invalid-request: `POST / HTTP/1.1\\r\
    X-Injected: yes` is no method that a plugin can use; write one of GET, HEAD, POST, PUT, PATCH, DELETE in capitals
    "#);
    assert!(receiver.requests().is_empty());
}

#[test]
fn requests_and_bodies_are_counted() {
    let receiver = Receiver::start(|_| Reply::new(200, "ok")).unwrap();
    let granted = receiver.url("/granted");
    let (said, _) = attacked("request-flood", &json!({ "url": granted }), &granted);
    assert_snapshot!(said, @"
    a large body => too-large: the request has more than 1048576 bytes
    1 => 200 ok
    2 => 200 ok
    3 => 200 ok
    4 => 200 ok
    5 => 200 ok
    6 => 200 ok
    7 => 200 ok
    8 => 200 ok
    9 => 200 ok
    10 => 200 ok
    11 => denied: an attempt may send at most 10 requests, redirects included
    12 => denied: an attempt may send at most 10 requests, redirects included
    ");
    assert!(receiver.requests().len() <= 10);
}

#[test]
fn mail_is_not_smuggled() {
    // Nobody listens: everything is refused before it comes to that.
    let attacks = [
        "subject",
        "name",
        "address",
        "quoted address",
        "header name",
        "header value",
        "foreign header",
        "many recipients",
        "no recipient",
        "another server",
    ];
    let config = json!({ "host": "127.0.0.1", "port": 9 });
    let said = attacks.map(|attack| attacked("smuggles-mail", &config, &format!("127.0.0.1:9 {attack}")).0);
    assert_snapshot!(said.join("\n"), @r#"
    subject => invalid-mail: the subject holds a line feed or another control character; remove it
    name => invalid-mail: the recipient's name holds a line feed or another control character; remove it
    address => invalid-mail: `a@example.com>\\r\
    RCPT TO:<eve@example.com` is no mail address; write `name@example.com`, without quotes, routes or comments
    quoted address => invalid-mail: `"a>b"@example.com` is no mail address; write `name@example.com`, without quotes, routes or comments
    header name => invalid-mail: the header `X-A\\r\
    Bcc` is not a plugin's to set; write X-…, List-…, In-Reply-To, References or Auto-Submitted
    header value => invalid-mail: the value of a header holds a line feed or another control character; remove it
    foreign header => invalid-mail: the header `Received` is not a plugin's to set; write X-…, List-…, In-Reply-To, References or Auto-Submitted
    many recipients => invalid-mail: the mail has 60 recipients; at most 50 are allowed
    no recipient => invalid-mail: the mail has no recipient
    another server => denied: `mail.evil.example:25` is not granted; the missing want is `smtp mail.evil.example:25`, granted is `127.0.0.1:9`
    "#);
}

#[test]
fn a_component_that_could_do_more_than_it_asks_for_is_refused() {
    let run = Host::new().run(&["inspect", text(&guest("unwanted-import"))]).expect(1);
    assert_snapshot!(run.stderr.replace(text(&guest("unwanted-import")), "FILE"), @"
    error: `FILE` is no plugin
    because: the component imports `sandbell:channel/smtp@0.1.0` but wants no smtp; add a want of `smtp` to its info, or drop the import
    ");
}

#[test]
fn messages_go_where_they_are_granted_and_nowhere_else() {
    let port = sandbell_peers::free_port().unwrap();
    let (said, _) = attacked("publishes-elsewhere", &json!({ "port": port }), &port.to_string());
    assert_snapshot!(said.replace(&port.to_string(), "PORT").replace(&(port + 1).to_string(), "NEXT"), @"");
    let (said, _) = attacked("floods-topics", &json!({ "port": port }), &port.to_string());
    assert_snapshot!(said.replace(&port.to_string(), "PORT"), @"");
}

#[test]
fn a_token_is_used_and_never_seen() {
    let receiver = Receiver::start(|request| {
        let token = request.header("x-token").unwrap_or("none").to_owned();
        Reply::new(200, format!(r#"{{"access_token":"hunter2-token","echo":"{token}"}}"#))
    })
    .unwrap();
    let granted = receiver.url("/granted");
    let config = json!({ "url": granted, "key": "no key at all" });
    let (said, report) = attacked("steals-token", &config, &granted);
    assert_snapshot!(said.replace(&receiver.address().port().to_string(), "PORT"), @"");
    assert!(!report.to_string().contains("hunter2"), "{report}");
    assert_eq!(receiver.requests()[1].header("x-token"), Some("hunter2-token"));
}
