//! Signals, reloads, what systemd is told, and what those who operate can ask.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sandbell_peers::{At, Authority, Client, Receiver, Reply, Signal};
use serde_json::json;

use super::site::{HANGS, Moody, QUICK, Site};
use crate::host::program;

#[test]
fn stopping_waits_for_what_is_in_flight() {
    let receiver = Receiver::start(|_| {
        std::thread::sleep(Duration::from_millis(700));
        Reply::new(200, "ok")
    })
    .unwrap();
    let mut site = Site::new("[dispatch]\nattempt = \"10s\"\n");
    site.channel("ops", &receiver.url("/hook"), &json!({}));
    let id = site.notify("ops", "one");
    sandbell_peers::wait_for("the request", || (receiver.count() == 1).then_some(())).unwrap();
    let socket = site.serving().socket.clone();
    site.stop();
    assert!(!socket.exists(), "who finds no socket knows that nobody serves");
    site.start();
    let delivery = site.delivery(&id);
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(1)));
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_second_signal_ends_at_once_and_loses_nothing() {
    let moody = Moody::new(HANGS);
    let mut site = Site::new("[dispatch]\nattempt = \"60s\"\n");
    site.channel("ops", &moody.url(), &json!({}));
    let id = site.notify("ops", "one");
    moody.wait(1);
    let begun = Instant::now();
    site.serving().signal(Signal::TERM).unwrap();
    site.serving().wait_for_log("stopping").unwrap();
    site.serving().signal(Signal::TERM).unwrap();
    assert!(site.serving_mut().ended().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    moody.set(200);
    site.start();
    // It was given back: nobody waits for a lease of two minutes.
    site.wait(&id, "delivered");
}

#[test]
fn a_reload_takes_all_of_a_configuration_or_nothing() {
    let site = Site::new(QUICK);
    let file = site.host.state().with_extension("toml");
    let reload = |text: &str, said: &str| {
        std::fs::write(&file, text).unwrap();
        site.serving().signal(Signal::HUP).unwrap();
        site.serving().wait_for_log(said).unwrap()
    };
    let refused = reload("[log]\nfiltre = \"debug\"\n", "is not taken");
    assert!(refused.contains("did you mean `filter`?"), "{refused}");
    let metrics = || site.serving().ops("/metrics").unwrap().1;
    assert!(metrics().contains("sandbell_config_last_reload_successful 0"));
    reload("[log]\nfilter = \"debug\"\n[dispatch]\nattempt = \"9s\"\n", "the new configuration is taken");
    assert!(metrics().contains("sandbell_config_last_reload_successful 1"));
    site.serving().wait_for_log("takes effect with a restart").unwrap();
    assert!(
        site.serving().log().iter().any(|line| line.contains("\"DEBUG\""))
            || site.serving().ops("/livez").is_ok()
    );
}

#[test]
fn those_who_operate_can_ask_without_a_name() {
    let site = Site::new(QUICK);
    assert_eq!(site.serving().ops("/livez").unwrap(), (200, "ok\n".to_owned()));
    assert_eq!(site.serving().ops("/readyz").unwrap(), (200, "ready\n".to_owned()));
    let (status, text) = site.serving().ops("/readyz?verbose").unwrap();
    assert_eq!(status, 200);
    insta::assert_snapshot!(text, @r"
    ok     database: readable and writable
    ok     dispatcher: turning
    ok     plugins: 1 installed, 1 approved
    ready
    ");
    assert_eq!(site.serving().ops("/secrets").unwrap().0, 404);
}

#[test]
fn the_metrics_are_ones_that_prometheus_takes() {
    let moody = Moody::new(404);
    let site = Site::new(QUICK);
    site.channel("ops", &moody.url(), &json!({}));
    let id = site.notify("ops", "one");
    site.wait(&id, "dead");
    let (status, text) = site.serving().ops("/metrics").unwrap();
    assert_eq!(status, 200);
    let accept = [("accept", "application/openmetrics-text;version=1.0.0")];
    let open = Client::new(At::Tcp(site.serving().ops)).call("GET", "/metrics", &accept, &[]).unwrap();
    assert!(open.text().ends_with("# EOF\n"), "{}", open.text());
    let labels = "plugin=\"slack\",channel=\"local/ops\",outcome=\"permanent\"";
    assert!(text.contains(&format!("sandbell_deliveries_total{{{labels}}} 1")), "{text}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn systemd_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let next = || {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let wait_for = |wanted: &str| while !next().lines().any(|line| line == wanted) {};
    let mut site = Site::new(QUICK);
    site.stop();
    let mut command = Command::new(program());
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000");
    site.start_by(command);
    wait_for("READY=1");
    wait_for("WATCHDOG=1");
    site.serving().signal(Signal::HUP).unwrap();
    wait_for("RELOADING=1");
    wait_for("READY=1");
    site.serving().signal(Signal::TERM).unwrap();
    wait_for("STOPPING=1");
    assert!(site.serving_mut().ended().unwrap().success());
}

#[test]
fn the_api_speaks_tls_with_a_certificate_and_takes_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::create(dir.path()).unwrap();
    let (certificate, key) = (authority.certificate_file(), authority.key_file());
    let site = Site::new(&format!(
        "[listen]\ntls_certificate_file = \"{}\"\ntls_key_file = \"{}\"\n",
        certificate.display(),
        key.display()
    ));
    let verified = || -> bool {
        let mut client = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", "-servername", "localhost", "-CAfile"])
            .arg(authority.authority_file())
            .args(["-connect", &site.serving().api.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let request = b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let _ = client.stdin.as_mut().unwrap().write_all(request);
        let mut answer = String::new();
        let _ = client.stdout.take().unwrap().read_to_string(&mut answer);
        let _ = client.kill();
        let _ = client.wait();
        answer.starts_with("HTTP/1.1 ")
    };
    assert!(verified());
    // Another authority's certificate under the same name.
    std::fs::rename(dir.path().join("ca.pem"), dir.path().join("first.pem")).unwrap();
    Authority::create(dir.path()).unwrap();
    std::fs::rename(dir.path().join("ca.pem"), dir.path().join("second.pem")).unwrap();
    std::fs::copy(dir.path().join("second.pem"), dir.path().join("ca.pem")).unwrap();
    assert!(!verified(), "the old certificate is still served");
    site.serving().signal(Signal::HUP).unwrap();
    site.serving().wait_for_log("the new configuration is taken").unwrap();
    assert!(verified());
}
