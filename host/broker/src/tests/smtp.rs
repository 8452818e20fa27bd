//! Mail: what is said to a server, and what a server can do to us.

use std::time::Duration;

use sandbell_domain::{Exchange, Mode};
use tokio::sync::mpsc;

use super::peer::{Case, listen, smtp_session};
use crate::value::{Accepted, Encryption, Login, Mail, Mailbox, Relay, Server, SmtpError};

fn mailbox(address: &str) -> Mailbox {
    Mailbox { name: None, address: address.to_owned() }
}

pub(super) fn mail() -> Mail {
    Mail {
        sender: Some(Mailbox { name: Some("Icinga".to_owned()), address: "icinga@example.com".to_owned() }),
        to: vec![mailbox("a@example.com"), mailbox("b@example.com")],
        subject: "[#1] db is crit".to_owned(),
        text: "down\n".to_owned(),
        ..Mail::default()
    }
}

fn plain(port: u16) -> Relay {
    Relay::Server(Server { host: "127.0.0.1".to_owned(), port, encryption: Encryption::None, login: None })
}

/// Starts a server with a script, sends a mail, and says what was heard and how it ended.
async fn session(
    script: &'static [(&'static str, &'static str)],
    login: Option<Login>,
) -> (Vec<String>, String) {
    let (sender, mut heard) = mpsc::channel(64);
    let port = listen(move |mut stream| {
        let sender = sender.clone();
        async move { smtp_session(&mut stream, script, &sender).await }
    })
    .await;
    let case = Case::smtp(&[&format!("127.0.0.1:{port}")]);
    let Relay::Server(server) = plain(port) else { unreachable!() };
    let outcome = case.brokers().smtp(Relay::Server(Server { login, ..server }), mail()).await;
    let mut lines = Vec::new();
    while let Ok(line) = heard.try_recv() {
        lines.push(line);
    }
    (lines, said(outcome))
}

pub(super) fn said(outcome: Result<Accepted, SmtpError>) -> String {
    match outcome {
        Ok(accepted) => format!("{} refused {:?}", accepted.reply, accepted.refused),
        Err(error) => format!("{} {:?}: {}", error.code, error.reply_code, error.message),
    }
}

#[tokio::test]
async fn a_mail_is_said_as_icinga_says_it() {
    let (heard, outcome) = session(
        &[
            ("", "220 mx ready\r\n"),
            ("EHLO", "250-mx\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"),
            ("MAIL", "250 ok\r\n"),
            ("RCPT", "250 ok\r\n"),
            ("RCPT", "550 5.1.1 no such user\r\n"),
            ("DATA", "354 go\r\n"),
            (".", "250 2.0.0 queued as 42\r\n"),
            ("QUIT", "221 bye\r\n"),
        ],
        None,
    )
    .await;
    assert_eq!(
        outcome,
        "250 2.0.0 queued as 42 refused [RefusedRecipient { address: \"b@example.com\", reply: \"550 5.1.1 no such user\" }]"
    );
    let mut heard = heard.into_iter();
    for line in [
        "EHLO localhost",
        "MAIL FROM:<icinga@example.com>",
        "RCPT TO:<a@example.com>",
        "RCPT TO:<b@example.com>",
        "DATA",
    ] {
        assert_eq!(heard.next().as_deref(), Some(line));
    }
    let message = heard.next().unwrap().replace("\r\n", "\n");
    insta::assert_snapshot!(message, @r"
    Date: Thu, 01 Jan 1970 00:00:00 +0000
    Message-ID: <dlv_0a00a9d35cee5cd7938e3d81d853481c@example.com>
    From: Icinga <icinga@example.com>
    To: a@example.com, b@example.com
    Subject: [#1] db is crit
    Auto-Submitted: auto-generated
    MIME-Version: 1.0
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: quoted-printable

    down
    .
    ");
    assert_eq!(heard.next().as_deref(), Some("QUIT"));
}

const HELLO: (&str, &str) = ("EHLO", "250-mx\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n");
const READY: (&str, &str) = ("", "220 mx\r\n");
const OK: &str = "250 ok\r\n";

/// How a session with this script ends.
async fn ends(script: &'static [(&'static str, &'static str)]) -> String {
    session(script, None).await.1
}

#[tokio::test]
async fn a_refusal_keeps_its_code() {
    let check = async |script, want: &str| assert_eq!(ends(script).await, want);
    check(&[("", "554 go away\r\n")], "rejected Some(554): the server refused the connection: 554 go away")
        .await;
    check(&[("", "421 busy\r\n")], "rate-limited Some(421): the server refused the connection: 421 busy")
        .await;
    check(
        &[READY, HELLO, ("MAIL", "553 who?\r\n")],
        "rejected Some(553): the server refused the sender: 553 who?",
    )
    .await;
    check(
        &[READY, HELLO, ("MAIL", OK), ("RCPT", "550 no\r\n"), ("RCPT", "450 4.2.1 greylisted\r\n")],
        "rejected Some(450): the server refused every recipient: b@example.com: 450 4.2.1 greylisted",
    )
    .await;
    check(
        &[READY, HELLO, ("MAIL", OK), ("RCPT", OK), ("RCPT", OK), ("DATA", "451 4.7.0 slow down\r\n")],
        "rate-limited Some(451): the server refused the message: 451 4.7.0 slow down",
    )
    .await;
    check(
        &[
            READY,
            HELLO,
            ("MAIL", OK),
            ("RCPT", OK),
            ("RCPT", OK),
            ("DATA", "354 go\r\n"),
            (".", "552-too\r\n552 \x1b[31mbig\r\n"),
        ],
        "rejected Some(552): the server refused the message: 552 too \\u{1b}[31mbig",
    )
    .await;
}

#[tokio::test]
async fn a_lost_connection_tells_whether_the_mail_may_have_arrived() {
    let check = async |script, want: &str| assert_eq!(ends(script).await, want);
    check(&[READY], "protocol None: the server closed the connection").await;
    check(
        &[READY, HELLO, ("MAIL", OK), ("RCPT", OK), ("RCPT", OK), ("DATA", "354 go\r\n"), (".", "")],
        "protocol None: the server closed the connection; the whole message had left by then, so it may have been delivered",
    )
    .await;
    check(&[("", "HTTP/1.1 400 Bad Request\r\n")], "protocol None: what the server said is no SMTP").await;
    check(&[READY, ("EHLO", "354 surprise\r\n")], "protocol None: what the server said is no SMTP").await;
}

#[tokio::test]
async fn an_old_server_is_greeted_in_its_way() {
    let (heard, outcome) = session(
        &[
            READY,
            ("EHLO", "502 what?\r\n"),
            ("HELO", OK),
            ("MAIL", OK),
            ("RCPT", OK),
            ("RCPT", OK),
            ("DATA", "354 go\r\n"),
            (".", OK),
        ],
        None,
    )
    .await;
    assert_eq!(outcome, "250 ok refused []");
    assert_eq!(heard[1], "HELO localhost");
}

fn login(mechanism: Option<&str>) -> Login {
    let mechanism = mechanism.map(str::to_owned);
    Login { user: "icinga".to_owned(), password: "bot".to_owned(), mechanism }
}

#[tokio::test]
async fn a_login_takes_the_best_that_is_offered() {
    let check = async |script, mechanism, want: &[&str], outcome: &str| {
        let (heard, said) = session(script, Some(login(mechanism))).await;
        let heard: Vec<_> = heard.iter().map(String::as_str).skip(1).take(want.len()).collect();
        assert_eq!((heard.as_slice(), said.as_str()), (want, outcome));
    };
    let refused = "auth Some(535): the server refused the login: 535 5.7.8 no";
    // printf '\0icinga\0123:abc-XYZ' | base64
    let plain = "AUTH PLAIN AGljaW5nYQAxMjM6YWJjLVhZWg==";
    check(&[READY, HELLO, ("AUTH", "535 5.7.8 no\r\n")], None, &[plain], refused).await;
    check(
        &[READY, HELLO, ("AUTH", "454 4.3.0 later\r\n")],
        None,
        &[plain],
        "rejected Some(454): the server refused the login: 454 4.3.0 later",
    )
    .await;
    check(
        &[
            READY,
            ("EHLO", "250-mx\r\n250 auth=login\r\n"),
            ("AUTH", "334 VXNlcm5hbWU6\r\n"),
            ("", ""),
            ("a", "334 UGFzc3dvcmQ6\r\n"),
            ("M", "535 5.7.8 no\r\n"),
        ],
        None,
        &["AUTH LOGIN", "aWNpbmdh", "MTIzOmFiYy1YWVo="],
        refused,
    )
    .await;
    check(
        &[READY, HELLO, ("AUTH", "334 eyJzdGF0dXMiOiI0MDAifQ==\r\n"), ("", ""), (" ", "535 5.7.8 no\r\n")],
        Some("xoauth2"),
        &["AUTH XOAUTH2 dXNlcj1pY2luZ2EBYXV0aD1CZWFyZXIgMTIzOmFiYy1YWVoBAQ=="],
        refused,
    )
    .await;
    check(
        &[READY, ("EHLO", "250-mx\r\n250 AUTH CRAM-MD5\r\n")],
        None,
        &[],
        "auth None: the server offers none of the login mechanisms that can be used: CRAM-MD5",
    )
    .await;
    check(
        &[READY, ("EHLO", "250 mx\r\n")],
        Some("plain"),
        &[],
        "auth None: the server offers none of the login mechanisms that can be used: it offers no login at all; does it want encryption first?",
    )
    .await;
    check(
        &[],
        Some("cram-md5"),
        &[],
        "auth None: `cram-md5` is no login mechanism; write plain, login or xoauth2",
    )
    .await;
}

#[tokio::test]
async fn time_and_size_end_what_a_server_does_not() {
    let endless = listen(|mut stream| async move {
        use tokio::io::AsyncWriteExt as _;
        while stream.write_all(&b"220-on and on\r\n".repeat(1000)).await.is_ok() {}
    })
    .await;
    let case = Case::smtp(&[&format!("127.0.0.1:{endless}")]);
    let error = said(case.brokers().smtp(plain(endless), mail()).await);
    assert!(error.starts_with("protocol None: the server's reply has no end"), "{error}");

    let (sender, _heard) = mpsc::channel(64);
    let slow = listen(move |mut stream| {
        let sender = sender.clone();
        async move {
            let script = [
                READY,
                HELLO,
                ("MAIL", OK),
                ("RCPT", OK),
                ("RCPT", OK),
                ("DATA", "354 go\r\n"),
                (".", "HANG"),
            ];
            smtp_session(&mut stream, &script, &sender).await;
        }
    })
    .await;
    let case = Case { time: Duration::from_millis(500), ..Case::smtp(&[&format!("127.0.0.1:{slow}")]) };
    assert_eq!(
        said(case.brokers().smtp(plain(slow), mail()).await),
        "timeout None: the attempt's time was up; the whole message had left by then, so it may have been delivered"
    );
}

#[tokio::test]
async fn a_server_that_never_says_goodbye_costs_no_delivery() {
    let script = &[
        READY,
        HELLO,
        ("MAIL", OK),
        ("RCPT", OK),
        ("RCPT", OK),
        ("DATA", "354 go\r\n"),
        (".", OK),
        ("QUIT", "HANG"),
    ];
    assert_eq!(ends(script).await, "250 ok refused []");
}

#[tokio::test]
async fn a_dry_run_builds_the_mail_and_says_nothing() {
    let case = Case { mode: Mode::DryRun, ..Case::smtp(&["mail.example.com:587"]) };
    let server = Server {
        host: "mail.example.com".to_owned(),
        port: 587,
        encryption: Encryption::Starttls,
        login: Some(login(None)),
    };
    let brokers = case.brokers();
    let accepted = brokers.smtp(Relay::Server(server.clone()), mail()).await.unwrap();
    assert_eq!(accepted.message_id, "<dlv_0a00a9d35cee5cd7938e3d81d853481c@example.com>");
    let record = brokers.take_record();
    let Exchange::Smtp(exchange) = &record.exchanges[0] else { panic!("no mail") };
    assert_eq!(exchange.server, "mail.example.com:587 (STARTTLS)");
    assert_eq!(exchange.login.as_deref(), Some("icinga with <secret:bot>"));
    assert_eq!((exchange.from.as_str(), exchange.to.len(), record.sent_bytes), ("icinga@example.com", 2, 0));
    assert!(exchange.message.ends_with(b"\r\n\r\ndown\r\n"));
    let second = brokers.smtp(Relay::Server(server), mail()).await.unwrap_err();
    assert_eq!((second.code, second.message.as_str()), ("denied", "an attempt may send at most 1 mails"));
}
