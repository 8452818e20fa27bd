//! What was said to the world, as it was on the wire with secrets masked.

use std::fmt::Write as _;

use sandbell_domain::delivery::{HttpAnswer, HttpExchange, PublishExchange, SmtpExchange};
use sandbell_domain::{Exchange, LogLine, escape};

/// Every exchange in order, for people.
pub(in crate::cli) fn to_text(exchanges: &[Exchange]) -> String {
    let mut text = String::new();
    for exchange in exchanges {
        match exchange {
            Exchange::Http(exchange) => http(&mut text, exchange),
            Exchange::Smtp(exchange) => smtp(&mut text, exchange),
            Exchange::Publish(exchange) => publish(&mut text, exchange),
        }
        text.push('\n');
    }
    text
}

/// What a plugin wrote, line by line.
pub(in crate::cli) fn log_text(log: &[LogLine]) -> String {
    let mut text = String::new();
    for LogLine { level, message, fields } in log {
        let _ = write!(text, "log {}: {}", level.as_str(), message);
        for (key, value) in fields {
            let _ = write!(text, " {key}={value}");
        }
        text.push('\n');
    }
    text
}

fn http(text: &mut String, exchange: &HttpExchange) {
    let HttpExchange { method, url, headers, body, answer, error, duration } = exchange;
    let (place, target) = place_and_target(url);
    line(text, &format!("to {place}"));
    line(text, &format!("{method} {target} HTTP/1.1"));
    fields(text, headers);
    block(text, body);
    if let Some(HttpAnswer { status, headers, body }) = answer {
        line(text, &format!("answered {status} in {} ms", duration.as_millis()));
        fields(text, headers);
        block(text, body);
    }
    if let Some(error) = error {
        line(text, &format!("failed: {error}"));
    }
}

fn smtp(text: &mut String, exchange: &SmtpExchange) {
    let SmtpExchange { server, login, from, to, message, answer, error, duration } = exchange;
    line(text, &format!("mail by {server}"));
    if let Some(login) = login {
        line(text, &format!("login: {login}"));
    }
    line(text, &format!("MAIL FROM:<{from}>"));
    for to in to {
        line(text, &format!("RCPT TO:<{to}>"));
    }
    block(text, message);
    if let Some(answer) = answer {
        line(text, &format!("answered {answer} in {} ms", duration.as_millis()));
    }
    if let Some(error) = error {
        line(text, &format!("failed: {error}"));
    }
}

fn publish(text: &mut String, exchange: &PublishExchange) {
    let PublishExchange { capability: _, broker, login, place, headers, body, answer, error, duration } =
        exchange;
    line(text, &format!("message by {broker}"));
    if let Some(login) = login {
        line(text, &format!("login: {login}"));
    }
    line(text, &format!("to {place}"));
    fields(text, headers);
    block(text, body);
    if let Some(answer) = answer {
        line(text, &format!("{answer} in {} ms", duration.as_millis()));
    }
    if let Some(error) = error {
        line(text, &format!("failed: {error}"));
    }
}

/// What a request line needs of a URL, and what it does not say.
fn place_and_target(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let path = url[authority..].find(['/', '?']).map_or(url.len(), |at| authority + at);
    match url.split_at(path) {
        (place, "") => (place, "/"),
        split => split,
    }
}

/// Backslashes stay as they are: this is shown byte for byte.
fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{}", escape::block(&line.replace(['\r', '\n'], " ")));
}

fn fields(text: &mut String, fields: &[(String, String)]) {
    for (name, value) in fields {
        line(text, &format!("{name}: {value}"));
    }
}

/// A body after an empty line. Line ends of mail are shown as line ends.
fn block(text: &mut String, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    text.push('\n');
    match std::str::from_utf8(bytes) {
        Ok(body) => {
            let body = escape::block(&body.replace("\r\n", "\n"));
            let _ = writeln!(text, "{}\n", body.trim_end_matches('\n'));
        }
        Err(_) => {
            let _ = writeln!(text, "({} bytes that are no text)\n", bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use sandbell_domain::Capability;

    use super::*;

    fn exchanges() -> Vec<Exchange> {
        vec![
            Exchange::Http(HttpExchange {
                method: "POST".to_owned(),
                url: "https://hooks.example.com/<secret:url>".to_owned(),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: br#"{"text":"disk full"}"#.to_vec(),
                answer: Some(HttpAnswer { status: 200, headers: vec![], body: b"ok\x1b[31m".to_vec() }),
                error: None,
                duration: Duration::from_millis(12),
            }),
            Exchange::Smtp(SmtpExchange {
                server: "mail.example.com:587 (STARTTLS)".to_owned(),
                login: Some("PLAIN me ***".to_owned()),
                from: "me@example.com".to_owned(),
                to: vec!["you@example.com".to_owned()],
                message: b"Subject: x\r\n\r\nbody\r\n".to_vec(),
                answer: None,
                error: Some("550 no such user".to_owned()),
                duration: Duration::from_millis(3),
            }),
            Exchange::Publish(PublishExchange {
                capability: Capability::Amqp,
                broker: "amqps://mq.example.com:5671/shop".to_owned(),
                login: Some("me with <secret:password>".to_owned()),
                place: "exchange:alerts key:db".to_owned(),
                headers: vec![("source".to_owned(), "icinga".to_owned())],
                body: br#"{"text":"disk full"}"#.to_vec(),
                answer: Some("confirmed".to_owned()),
                error: None,
                duration: Duration::from_millis(9),
            }),
        ]
    }

    #[test]
    fn exchanges_read_as_they_were_on_the_wire() {
        assert_snapshot!(to_text(&exchanges()), @r#"
        to https://hooks.example.com
        POST /<secret:url> HTTP/1.1
        content-type: application/json

        {"text":"disk full"}

        answered 200 in 12 ms

        ok\u{1b}[31m


        mail by mail.example.com:587 (STARTTLS)
        login: PLAIN me ***
        MAIL FROM:<me@example.com>
        RCPT TO:<you@example.com>

        Subject: x

        body

        failed: 550 no such user

        message by amqps://mq.example.com:5671/shop
        login: me with <secret:password>
        to exchange:alerts key:db
        source: icinga

        {"text":"disk full"}

        confirmed in 9 ms
        "#);
    }

    #[test]
    fn a_url_is_a_place_and_a_target() {
        assert_eq!(place_and_target("https://a.example:8443/x?y=/z"), ("https://a.example:8443", "/x?y=/z"));
        assert_eq!(
            place_and_target("https://a.example/<secret:url>"),
            ("https://a.example", "/<secret:url>")
        );
        assert_eq!(place_and_target("https://a.example"), ("https://a.example", "/"));
        assert_eq!(place_and_target("<secret:url>"), ("<secret:url>", "/"));
    }
}
