//! What the mail server gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

/// As Icinga Web stores it: the port is text.
fn config(change: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "host": "mail.example.com", "port": "587", "sender_name": "Icinga", "sender_mail": "icinga@example.com",
        "encryption": "starttls",
    });
    for (name, value) in change {
        config[name] = json!(value);
    }
    config
}

fn refusal(change: &[(&str, &str)]) -> String {
    let error = FakeHost::new().configure::<Email>(&config(change)).map(|_| ()).unwrap_err();
    error.to_string()
}

#[test]
fn the_form_is_icingas_with_one_option_more() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"label":{"de_DE":"SMTP-Host","en_US":"SMTP Host"},"name":"host","required":true,"type":"string"}
    {"label":{"de_DE":"SMTP-Port","en_US":"SMTP Port"},"max":65535,"min":1,"name":"port","required":true,"type":"number"}
    {"default":"Icinga","label":{"de_DE":"Absendername","en_US":"Sender Name"},"name":"sender_name","required":true,"type":"string"}
    {"label":{"de_DE":"Absenderadresse","en_US":"Sender Address"},"name":"sender_mail","required":true,"type":"string"}
    {"help":{"de_DE":"Es muss auch ein Passwort gesetzt sein.","en_US":"A password must also be set."},"label":{"de_DE":"SMTP-Benutzer","en_US":"SMTP User"},"name":"user","type":"string"}
    {"label":{"de_DE":"SMTP-Passwort","en_US":"SMTP Password"},"name":"password","type":"secret"}
    {"label":{"de_DE":"SMTP-Transportverschlüsselung","en_US":"SMTP Transport Encryption"},"name":"encryption","options":{"none":"None","starttls":"STARTTLS","tls":"TLS"},"required":true,"type":"option"}
    {"help":{"de_DE":"Wie Benutzer und Passwort an den Server gegeben werden. Ohne Angabe auf die beste Weise, die der Server anbietet.","en_US":"How user and password are given to the server. By default the best way that the server offers."},"label":{"de_DE":"Authentifizierungsverfahren","en_US":"Authentication Method"},"name":"auth_method","options":{"LOGIN":"LOGIN","PLAIN":"PLAIN","XOAUTH2":"XOAUTH2 (the password is an access token)"},"type":"option"}
    {"default":"auto","help":{"de_DE":"Wessen Mail es ist: die des Mail-Kanals von Icinga, Diun, Quay, Argus oder Cloudforet. Ohne Angabe die des Systems, von dem die Benachrichtigung kam.","en_US":"Whose mail it is: that of the mail channel of Icinga, Diun, Quay, Argus or Cloudforet. By default that of the system that the notification came from."},"label":{"de_DE":"Stil","en_US":"Style"},"name":"style","options":{"argus":"Argus","auto":"By source","cloudforet":"Cloudforet","diun":"Diun","icinga":"Icinga","quay":"Quay"},"type":"option"}
    {"help":{"de_DE":"Ein Go-Template mit Diuns Funktionen, anstelle des Betreffs.","en_US":"A Go template with Diun's helpers, in the place of the subject."},"label":{"de_DE":"Betreff-Template","en_US":"Subject Template"},"name":"template_title","type":"string"}
    {"help":{"de_DE":"Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.","en_US":"A Go template in Markdown, with Diun's helpers, in the place of the text."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Email>(), @r"
    Email by Sandbell
    addresses: email
    wants smtp {host}:{port}: Hands each notification to the mail server.
    ");
}

#[test]
fn one_mail_goes_to_all_addresses() {
    let host = FakeHost::new();
    let mut notification = Notification::example();
    notification.object.name = "two\nlines".to_owned();
    notification
        .contact
        .addresses
        .push(Address { kind: "email".to_owned(), address: "oncall@example.com".to_owned() });
    let receipt =
        host.send::<Email>(&config(&[("user", "jdoe"), ("password", "s3cret")]), &notification).unwrap();
    assert_eq!(receipt, Receipt::new().id("<1@fake.host>").detail("250 OK"));
    assert_snapshot!(host.mail(), @r"
    Via: mail.example.com:587 starttls, user jdoe, password <secret:password>
    From: Icinga <icinga@example.com>
    To: Icinga Admin <admin@example.com>, Icinga Admin <oncall@example.com>
    Subject: [#1437] two lines is crit

    Message: Something <went> wrong & broke

    When: 2024-07-12 12:47:30 +0200

    Object: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809

    Tags:
    host: dummy-809
    service: random fortune

    Incident: https://icinga.example.com/notifications/incident?id=1437
    ");
}

#[test]
fn encryption_and_login_are_as_configured() {
    let login = [("user", "jdoe"), ("password", "s3cret")];
    for (change, want) in [
        (vec![("encryption", "none")], "mail.example.com:587 none"),
        (vec![("encryption", "tls"), ("port", "465")], "mail.example.com:465 tls"),
        (vec![("user", ""), ("password", "")], "mail.example.com:587 starttls"),
        (
            [login.as_slice(), &[("auth_method", "XOAUTH2")]].concat(),
            "mail.example.com:587 starttls, user jdoe, password <secret:password>, by xoauth2",
        ),
    ] {
        let host = FakeHost::new();
        host.send::<Email>(&config(&change), &Notification::example()).unwrap();
        assert_eq!(host.mail().via, want);
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused_without_repeating_it() {
    let half = "user and password fields must both be set or empty";
    assert_eq!(refusal(&[("user", "jdoe")]), half);
    assert_eq!(refusal(&[("password", "s3cret")]), half);
    assert_snapshot!(refusal(&[("encryption", "foo")]), @"`encryption` must be one of `none`, `starttls`, `tls`");
    assert_snapshot!(refusal(&[("encryption", "")]), @"`encryption` is required and has no value");
    assert_snapshot!(refusal(&[("port", "0")]), @"`port` must be between 1 and 65535");
    assert_snapshot!(refusal(&[("port", "smtp")]), @"`port` is no whole number");
    assert_snapshot!(refusal(&[("host", "")]), @"`host` is required and has no value");
    assert_snapshot!(refusal(&[("sender_mail", "")]), @"`sender_mail` is required and has no value");
    assert_snapshot!(refusal(&[("auth_method", "PLAIN")]), @"`auth_method` needs a user and a password");
}

#[test]
fn a_contact_without_an_address_is_refused_in_icingas_words() {
    let mut notification = Notification::example();
    notification.contact.addresses.clear();
    let error = FakeHost::new().send::<Email>(&config(&[]), &notification).unwrap_err();
    assert_eq!(error, SendError::address("contact user Icinga Admin does not have an e-mail address"));
}

#[test]
fn some_refused_recipients_are_told_and_no_reason_to_send_again() {
    let host = FakeHost::new();
    host.refuse_recipients(&[("admin@example.com", "550 no such user")]);
    let receipt = host.send::<Email>(&config(&[]), &Notification::example()).unwrap();
    assert_eq!(receipt.detail.as_deref(), Some("250 OK; 1 refused: 550 no such user"));
    assert_eq!(host.logs()[0].message, "The server refused 1 of the recipients");
}

#[test]
fn a_server_that_refuses_decides_about_another_try() {
    for (error, retry, code) in [
        (mail::Error::new("rejected", Some(550), "550 no"), Retry::Never, code::REJECTED),
        (mail::Error::new("rejected", Some(451), "451 later"), Retry::Later, code::REJECTED),
        (mail::Error::new("auth", Some(535), "535 no"), Retry::Never, code::AUTH),
        (mail::Error::new("tls", None, "no STARTTLS"), Retry::Later, code::UNREACHABLE),
    ] {
        let host = FakeHost::new();
        host.refuse_mail(error);
        let error = host.send::<Email>(&config(&[]), &Notification::example()).unwrap_err();
        assert_eq!((error.retry, error.code.as_str()), (retry, code));
    }
}

#[test]
fn the_style_follows_the_source_and_the_form() {
    use sandbell_chat_text::testing;
    let sent = |notification: &Notification, change: &[(&str, &str)]| {
        let host = FakeHost::new();
        host.send::<Email>(&config(change), notification).unwrap();
        let mail = host.mail().mail;
        (mail.subject, mail.html.is_some())
    };
    let check = |notification: &Notification, change: &[(&str, &str)], subject: &str, has_html| {
        assert_eq!(sent(notification, change), (subject.to_owned(), has_html));
    };
    check(&testing::diun("new"), &[], "docker.io/library/alpine:latest is available", true);
    check(&testing::quay(), &[], "Repository devtable/api updated", true);
    check(&testing::cloudforet(), &[], "This is sample notification", true);
    let argus = "[Argus] 'Incident start': db is down, labsource @ 2026-11-22T06:01:00+01:00";
    check(&testing::argus(), &[], argus, true);
    check(&testing::quay(), &[("style", "icinga")], "Repository devtable/api updated", false);
    check(&testing::diun("new"), &[("template_title", "{{ .Entry.Image.Tag }}!")], "latest!", true);
    assert_snapshot!(refusal(&[("template_body", "{{ nope }}")]), @r#"`template_body` cannot parse body template: template: body:1: function "nope" not defined"#);
    let host = FakeHost::new();
    let error =
        host.send::<Email>(&config(&[("template_title", "{{ .Nope }}")]), &testing::quay()).unwrap_err();
    assert_snapshot!(error, @r#"cannot render notif title: template: title:1:3: executing "title" at <.Nope>: can't evaluate field Nope in type msg.Data"#);
}
