//! Requests, mails and logs as the fake host sees them.

use insta::assert_snapshot;
use sandbell_sdk::mail::{Encryption, Server};
use sandbell_sdk::prelude::*;
use sandbell_sdk::testing::{FakeHost, describe};

#[derive(ChannelConfig)]
struct Config {
    #[expect(dead_code, reason = "only the wants read it")]
    url: String,
    token: Secret,
    password: Option<Secret>,
}

/// Sends whatever a test puts here.
struct Probe(Config);

type Act = fn(&Config) -> Result<Receipt, SendError>;

thread_local! {
    static ACT: std::cell::Cell<Option<Act>> = const { std::cell::Cell::new(None) };
}

impl Channel for Probe {
    type Config = Config;

    fn info() -> Info {
        Info::new("Probe")
            .version("1.0.0")
            .author("Jane Doe")
            .address_type("probe")
            .wants_http("GET,POST {url}/*", "Tries things.")
            .wants_http("POST https://*.example.org/x", "Tries more.")
            .wants_smtp("mail.example.com:587", "Sends mail.")
            .extra("licence", "Apache-2.0")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        Ok(Self(config))
    }

    fn send(&self, _: &Notification) -> Result<Receipt, SendError> {
        ACT.get().expect("set by `run`")(&self.0)
    }
}

fn run(host: &FakeHost, act: Act) -> Result<Receipt, SendError> {
    ACT.set(Some(act));
    let config = json!({ "url": "https://api.example.com/", "token": "t0ken", "password": "pa ss" });
    host.send::<Probe>(&config, &Notification::example())
}

/// The request that `act` sends.
fn sent(act: Act) -> String {
    let host = FakeHost::new();
    run(&host, act).expect("it is covered by the wants");
    host.request().to_string()
}

#[test]
fn secrets_stand_in_every_place_of_a_request() {
    assert_snapshot!(
        sent(|config| {
            http::post("https://api.example.com/v1").bearer(&config.token).query("a", "b").json(&json!({ "x": 1 })).send()?;
            Ok(Receipt::new())
        }),
        @r#"
    POST https://api.example.com/v1?a=b
    Authorization: Bearer <secret:token>
    Content-Type: application/json

    {"x":1}
    "#
    );
    assert_snapshot!(
        sent(|config| {
            let url = Template::from("https://api.example.com/bot").with(&config.token).with("/send");
            http::request("post", url).basic("jdoe", &config.token).form([("to", Template::from("a b")), ("key", Template::from(&config.token))]).send()?;
            Ok(Receipt::new())
        }),
        @r"
    POST https://api.example.com/bot<secret:token>/send
    Authorization: Basic <base64:jdoe:<secret:token>>
    Content-Type: application/x-www-form-urlencoded

    to=a%20b&key=<secret:token>
    "
    );
    assert_snapshot!(
        sent(|config| {
            let auth = http::object().secret("password", &config.token);
            let body = http::object().value("text", "a \"b\"").object("auth", auth).value("n", &5);
            let signature = config.token.hmac_sha256_hex("body");
            http::get("https://api.example.com/?q").query("s", signature).header("content-type", "x/y").json_object(body).send()?;
            Ok(Receipt::new())
        }),
        @r#"
    GET https://api.example.com/?q&s=<hmac-sha256-hex:<secret:token>:body>
    content-type: x/y

    {"text":"a \"b\"","auth":{"password":"<secret:token>"},"n":5}
    "#
    );
}

fn get(url: &str) -> Result<Receipt, SendError> {
    http::get(url).send()?;
    Ok(Receipt::new())
}

#[test]
fn what_no_want_covers_is_denied_and_final() {
    let denied = |act: Act| {
        let host = FakeHost::new();
        let error = run(&host, act).unwrap_err();
        assert!(host.requests().is_empty() && host.mails().is_empty(), "nothing may leave");
        assert_eq!(error.retry, Retry::Never);
        format!("{}: {error}", error.code)
    };
    assert_snapshot!(denied(|_| get("https://api.example.com.evil.example/x")), @"denied: no want of the channel covers `GET https://api.example.com.evil.example/x`");
    assert_snapshot!(denied(|_| get("https://a.example.org/x")), @"denied: no want of the channel covers `GET https://a.example.org/x`");
    assert_snapshot!(denied(|config| { http::get(&config.token).send()?; Ok(Receipt::new()) }), @"denied: no want of the channel covers `GET <secret:token>`");
    assert_snapshot!(denied(|config| { http::get(Template::from("https://").with(&config.token)).send()?; Ok(Receipt::new()) }), @"config: a secret cannot be part of a URL's scheme or host, only the whole of it");
    assert_snapshot!(denied(|_| { http::get("https://api.example.com/x").header("X\n", "y").send()?; Ok(Receipt::new()) }), @r"config: the header `X\n` cannot be sent");
    assert_snapshot!(denied(|_| { mail::to("a@example.com").server(&Server::new("mail.example.com", 25)).send()?; Ok(Receipt::new()) }), @"denied: no want of the channel covers `mail.example.com:25`");
    assert_snapshot!(denied(|_| { mail::to("a@example.com\r\nX: y").send()?; Ok(Receipt::new()) }), @r"rejected: a line break cannot stand in `a@example.com\r\nX: y`");
    assert_snapshot!(denied(|_| { mail::to("a@example.com").header("Sender", "x").send()?; Ok(Receipt::new()) }), @"rejected: the header `Sender` is not the channel's to set");
    let form = |config: &Config| {
        http::post("https://api.example.com/x").form([("s", config.token.hmac_sha256_base64("x"))]).send()?;
        Ok(Receipt::new())
    };
    assert_snapshot!(denied(form), @"config: a form cannot hold base64 made from a secret");
}

#[test]
fn answers_come_in_their_order_and_errors_keep_their_decision() {
    let host = FakeHost::new().strict();
    host.reply(204, &[], "");
    host.fail(http::Error::new("timeout", "no answer within 10 s"));
    host.reply(503, &[("Retry-After", "7")], "busy");
    let act: Act = |_| {
        let request = |path: &str| http::post(format!("https://api.example.com/{path}"));
        let [first, second, third] =
            <[_; 3]>::try_from(http::send_all([request("a"), request("b"), request("c")])).unwrap();
        assert_eq!(first?.status(), 204);
        assert_eq!(SendError::from(second.unwrap_err()), SendError::retry("no answer within 10 s"));
        third?.check()?;
        Ok(Receipt::new())
    };
    let error = run(&host, act).unwrap_err();
    assert_eq!(error, SendError::retry("HTTP 503 Service Unavailable: busy").after(Duration::from_secs(7)));
    let urls: Vec<_> = host.requests().into_iter().map(|request| request.url).collect();
    assert_eq!(urls, ["https://api.example.com/a", "https://api.example.com/b", "https://api.example.com/c"]);
}

#[test]
fn a_request_that_cannot_be_built_does_not_hold_up_the_others() {
    let host = FakeHost::new().strict();
    host.reply(201, &[], "");
    host.reply(202, &[], "");
    let act: Act = |config| {
        let good = || http::post("https://api.example.com/x");
        let bad = good().form([("s", config.token.hmac_sha1_base64("x"))]);
        let answers = http::send_all([good(), bad, good()]);
        let statuses: Vec<_> =
            answers.into_iter().map(|answer| answer.map(|answer| answer.status()).ok()).collect();
        assert_eq!(statuses, [Some(201), None, Some(202)]);
        Ok(Receipt::new())
    };
    run(&host, act).unwrap();
}

#[test]
#[should_panic(expected = "1 of the prepared answers were not asked for")]
fn a_strict_host_misses_what_was_not_asked_for() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], "");
    run(&host, |_| Ok(Receipt::new())).unwrap();
}

#[test]
fn a_dry_run_builds_everything_and_uses_no_answer() {
    let host = FakeHost::new();
    host.reply(500, &[], "");
    ACT.set(Some(|_| {
        http::post("https://api.example.com/x").send()?.check()?;
        Ok(Receipt::new())
    }));
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    host.send::<Probe>(&json!({ "url": "https://api.example.com", "token": "t" }), &notification).unwrap();
    assert_eq!(host.request().url, "https://api.example.com/x");
}

#[test]
fn a_mail_shows_everything_but_the_password() {
    let host = FakeHost::new();
    let act: Act = |config| {
        let server = Server::new("mail.example.com", 587)
            .encryption(Encryption::Starttls)
            .login("jdoe", config.password.as_ref().unwrap())
            .mechanism("login");
        let accepted = mail::to(("Jöhn\nDoe", "j@example.com"))
            .cc("c@example.com")
            .bcc("b@example.com")
            .from(("", "me@example.com"))
            .reply_to("r@example.com")
            .subject("two\r\nlines")
            .text("text")
            .html("<p>html</p>")
            .header("X-Incident", "5")
            .attach("a.txt", "text/plain", "abc")
            .server(&server)
            .send()?;
        Ok(Receipt::new()
            .id(accepted.message_id)
            .detail(accepted.reply)
            .link("Archive", "https://archive.example.com"))
    };
    let receipt = run(&host, act).unwrap();
    assert_eq!((receipt.detail.as_deref(), receipt.links.len()), (Some("250 OK"), 1));
    assert_snapshot!(host.mail(), @r"
    Via: mail.example.com:587 starttls, user jdoe, password <secret:password>, by login
    From: me@example.com
    Reply-To: r@example.com
    To: Jöhn Doe <j@example.com>
    Cc: c@example.com
    Bcc: b@example.com
    Subject: two  lines
    X-Incident: 5

    text

    <p>html</p>

    [a.txt: text/plain, 3 bytes]
    ");
}

#[test]
fn log_lines_keep_their_fields() {
    let host = FakeHost::new();
    run(&host, |_| {
        let status = 204;
        log::info!("posted");
        log::warn!(status = status, tries = 1 + 1; "the answer was {status}");
        Ok(Receipt::new())
    })
    .unwrap();
    let lines: Vec<_> = host
        .logs()
        .iter()
        .map(|line| format!("{:?} {} {:?}", line.level, line.message, line.fields))
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    Level::Info posted []
    Level::Warn the answer was 204 [("status", "204"), ("tries", "2")]
    "#);
}

#[test]
fn a_channel_describes_itself() {
    assert_snapshot!(describe::<Probe>(), @r"
    Probe by Jane Doe
    addresses: probe
    wants http GET,POST {url}/*: Tries things.
    wants http POST https://*.example.org/x: Tries more.
    wants smtp mail.example.com:587: Sends mail.
    licence: Apache-2.0
    ");
}
