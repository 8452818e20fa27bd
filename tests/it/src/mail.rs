//! Mail through a real Postfix: every kind of encryption and login, and what it refuses.

use insta::assert_snapshot;
use sandbell_peers::{Dialect, Postfix, RECIPIENT, REFUSED, USER, example_request};
use serde_json::{Value as Json, json};

use crate::host::{Host, Run, channel, text};

/// A host whose email channel may reach this Postfix and trusts its authority.
fn host(postfix: &Postfix) -> Host {
    let authority = postfix.authority().authority_file();
    Host::with(&channel("email"), &["--network", "127.0.0.1", "--ca-file", text(&authority)])
}

fn config(port: u16, encryption: &str, login: bool) -> Json {
    let mut config = json!({
        "host": "localhost",
        "port": port.to_string(),
        "sender_name": "Icinga Überwachung",
        "sender_mail": "icinga@example.com",
        "encryption": encryption,
    });
    if login {
        config["user"] = json!(USER.0);
        config["password"] = json!(USER.1);
    }
    config
}

fn send(host: &Host, config: &Json, to: &[&str]) -> Run {
    let mut request = example_request(Dialect::JsonRpc, "email", "");
    request["contact"]["addresses"] =
        to.iter().map(|address| json!({ "type": "email", "address": address })).collect();
    host.send("email", config, &request, &["--json"])
}

#[test]
fn a_mail_arrives_by_every_encryption_and_login() {
    let postfix = Postfix::start().unwrap();
    let host = host(&postfix);
    let ways = [
        (postfix.plain_port, "none", false),
        (postfix.plain_port, "none", true),
        (postfix.smtp_port, "starttls", true),
        (postfix.smtps_port, "tls", true),
    ];
    for (index, (port, encryption, login)) in ways.into_iter().enumerate() {
        let report = send(&host, &config(port, encryption, login), &[RECIPIENT]).expect(0).json();
        assert_eq!(report["outcome"]["delivered"], true, "{encryption}: {report}");
        let mail = postfix.wait_for_mails(index + 1).unwrap().remove(index);
        let with = match (encryption, login) {
            ("none", false) => "with ESMTP id",
            ("none", true) => "with ESMTPA id",
            _ => "with ESMTPSA id",
        };
        assert!(mail.contains(with), "{encryption}: {mail}");
        assert!(!report.to_string().contains(USER.1), "{report}");
    }
    let mail = postfix.mails().unwrap().remove(0);
    let header = |name: &str| {
        let line = mail.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.to_owned()
    };
    assert_eq!(header("Subject: "), "Subject: [#1437] dummy-809!random fortune is crit");
    assert_eq!(header("From: "), "From: =?utf-8?b?SWNpbmdhIMOcYmVyd2FjaHVuZw==?= <icinga@example.com>");
    assert_eq!(header("To: "), "To: \"Icinga Admin\" <alice@example.com>");
    assert!(header("Message-ID: ").len() > 20, "{mail}");
    assert!(header("Date: ").len() > 20, "{mail}");
}

#[test]
fn a_refused_recipient_does_not_stop_the_other() {
    let postfix = Postfix::start().unwrap();
    let host = host(&postfix);
    let report =
        send(&host, &config(postfix.plain_port, "none", false), &[RECIPIENT, REFUSED]).expect(0).json();
    let detail = report["outcome"]["receipt"]["detail"].as_str().unwrap();
    let (reply, refused) = detail.split_once("; ").unwrap();
    assert!(reply.starts_with("250 2.0.0 Ok: queued as "), "{reply}");
    assert_snapshot!(refused, @"1 refused: 550 5.7.1 <nobody@example.com>: Recipient address rejected: no such user");
    postfix.wait_for_mails(1).unwrap();
    let report = send(&host, &config(postfix.plain_port, "none", false), &[REFUSED]).expect(6).json();
    assert_snapshot!(report["outcome"]["detail"].as_str().unwrap(), @"the server refused every recipient: nobody@example.com: 550 5.7.1 <nobody@example.com>: Recipient address rejected: no such user");
}

#[test]
fn what_the_server_does_not_offer_or_accept_is_said() {
    let postfix = Postfix::start().unwrap();
    let host = host(&postfix);
    let said = |config: &Json| {
        let run = send(&host, config, &[RECIPIENT]);
        let report = run.json();
        let outcome = &report["outcome"];
        let line = format!("{} {} {}: {}", run.code, outcome["kind"], outcome["code"], outcome["detail"]);
        line.replace(&postfix.plain_port.to_string(), "PLAIN")
            .replace(&postfix.smtps_port.to_string(), "SMTPS")
    };
    // No STARTTLS on the plain port: there is no falling back.
    assert_snapshot!(said(&config(postfix.plain_port, "starttls", false)), @r#"75 "transient" "unreachable": "the server offers no STARTTLS, and the mail is not sent without it""#);
    let mut wrong = config(postfix.smtps_port, "tls", true);
    wrong["password"] = json!("wrong-wrong");
    assert_snapshot!(said(&wrong), @r#"6 "permanent" "auth": "the server refused the login: 535 5.7.8 Error: authentication failed: authentication failure""#);
    // An authority that the host does not know.
    let stranger = Host::with(&channel("email"), &["--network", "127.0.0.1"]);
    let run = send(&stranger, &config(postfix.smtps_port, "tls", false), &[RECIPIENT]);
    assert_snapshot!(run.json()["outcome"]["detail"].as_str().unwrap().replace(&postfix.smtps_port.to_string(), "SMTPS"), @"no encrypted connection: invalid peer certificate: UnknownIssuer");
    assert!(postfix.mails().unwrap().is_empty());
}
