//! Mail: what is said to a server, and what a server can do to us.

use tokio::sync::mpsc;

use super::peer::{Case, listen, smtp_session};
use crate::value::{Encryption, Login, Mail, Mailbox, Relay, Server};

fn mailbox(address: &str) -> Mailbox {
    Mailbox { name: None, address: address.to_owned() }
}

fn mail() -> Mail {
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
    let outcome = match outcome {
        Ok(accepted) => format!("{} refused {:?}", accepted.reply, accepted.refused),
        Err(error) => format!("{} {:?}: {}", error.code, error.reply_code, error.message),
    };
    (lines, outcome)
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
