//! Mail over TLS: implicit, by STARTTLS, and what an attacker in between tries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::peer::{Case, listen, smtp_session};
use super::smtp::{mail, said};
use super::tls::Authority;
use crate::value::{Encryption, Login, Relay, Server};

const REST: [(&str, &str); 7] = [
    ("EHLO", "250-mx\r\n250 AUTH PLAIN\r\n"),
    ("AUTH", "235 welcome\r\n"),
    ("MAIL", "250 ok\r\n"),
    ("RCPT", "250 ok\r\n"),
    ("RCPT", "250 ok\r\n"),
    ("DATA", "354 go\r\n"),
    (".", "250 taken\r\n"),
];

/// A server whose plain part says `before`; then TLS, then the rest. Returns what it heard and how it ended.
async fn session(
    encryption: Encryption,
    before: &'static [(&'static str, &'static str)],
) -> (Vec<String>, String) {
    let authority = Authority::new("first");
    let acceptor = authority.acceptor(None);
    let (sender, mut heard) = mpsc::channel(64);
    let port = listen(move |mut stream| {
        let (sender, acceptor) = (sender.clone(), acceptor.clone());
        async move {
            smtp_session(&mut stream, before, &sender).await;
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let _ = sender.send("(encrypted)".to_owned()).await;
            if before.is_empty() {
                stream.write_all(b"220 mx\r\n").await.unwrap();
            }
            smtp_session(&mut stream, &REST, &sender).await;
        }
    })
    .await;
    let case = Case {
        tls: authority.trust(),
        names: vec![("localhost", vec!["127.0.0.1".parse().unwrap()])],
        ..Case::smtp(&[&format!("localhost:{port}")])
    };
    let login = Some(Login { user: "icinga".to_owned(), password: "bot".to_owned(), mechanism: None });
    let server = Server { host: "localhost".to_owned(), port, encryption, login };
    let outcome = said(case.brokers().smtp(Relay::Server(server), mail()).await);
    let mut lines = Vec::new();
    while let Ok(line) = heard.try_recv() {
        lines.push(line);
    }
    (lines, outcome)
}

fn position(heard: &[String], start: &str) -> usize {
    heard.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {heard:?}"))
}

#[tokio::test]
async fn nothing_but_the_greeting_is_said_before_encryption() {
    let (heard, outcome) = session(Encryption::Tls, &[]).await;
    assert_eq!((heard[0].as_str(), outcome.as_str()), ("(encrypted)", "250 taken refused []"));

    let before = &[("", "220 mx\r\n"), ("EHLO", "250-mx\r\n250 starttls\r\n"), ("STARTTLS", "220 go\r\n")];
    let (heard, outcome) = session(Encryption::Starttls, before).await;
    assert_eq!(outcome, "250 taken refused []");
    assert_eq!(heard[..3], ["EHLO localhost", "STARTTLS", "(encrypted)"]);
    assert!(position(&heard, "AUTH") > 2 && position(&heard, "MAIL") > 2, "{heard:?}");
}

#[tokio::test]
async fn encryption_that_was_asked_for_is_never_done_without() {
    let (heard, outcome) =
        session(Encryption::Starttls, &[("", "220 mx\r\n"), ("EHLO", "250-mx\r\n250 AUTH PLAIN\r\n")]).await;
    assert_eq!(outcome, "tls None: the server offers no STARTTLS, and the mail is not sent without it");
    assert_eq!(heard, ["EHLO localhost"]);
    let before =
        &[("", "220 mx\r\n"), ("EHLO", "250-mx\r\n250 STARTTLS\r\n"), ("STARTTLS", "454 not now\r\n")];
    let (heard, outcome) = session(Encryption::Starttls, before).await;
    assert_eq!(outcome, "rejected Some(454): the server refused STARTTLS: 454 not now");
    assert_eq!(heard, ["EHLO localhost", "STARTTLS"]);
}

#[tokio::test]
async fn plain_text_after_starttls_is_an_attack() {
    let before = &[
        ("", "220 mx\r\n"),
        ("EHLO", "250-mx\r\n250 STARTTLS\r\n"),
        ("STARTTLS", "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n"),
    ];
    let (heard, outcome) = session(Encryption::Starttls, before).await;
    assert_eq!(
        outcome,
        "tls None: the server sent plain text after its reply to STARTTLS, as an attacker in between would"
    );
    assert_eq!(heard, ["EHLO localhost", "STARTTLS"]);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_ends_the_session() {
    let authority = Authority::new("first");
    let acceptor = authority.acceptor(None);
    let was_encrypted = Arc::new(AtomicBool::new(false));
    let seen = was_encrypted.clone();
    let port = listen(move |stream| {
        let (seen, acceptor) = (seen.clone(), acceptor.clone());
        async move { seen.store(acceptor.accept(stream).await.is_ok(), Ordering::SeqCst) }
    })
    .await;
    let case = Case {
        tls: Authority::new("second").trust(),
        names: vec![("localhost", vec!["127.0.0.1".parse().unwrap()])],
        ..Case::smtp(&[&format!("localhost:{port}")])
    };
    let server = Server { host: "localhost".to_owned(), port, encryption: Encryption::Tls, login: None };
    let outcome = said(case.brokers().smtp(Relay::Server(server), mail()).await);
    assert_eq!(outcome, "tls None: no encrypted connection: invalid peer certificate: UnknownIssuer");
    assert!(!was_encrypted.load(Ordering::SeqCst));
}
