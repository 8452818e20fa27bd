//! Gotify: pushes each notification to an application, as Diun's channel of that name does (`reference/diun.md` §1.3).

use sandbell_chat_text::{Limit, Markup, body, headline, links, one_line, web_url};
use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// What Diun's channel waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Gotify has no limits of its own; these are for those who read on a phone.
const TITLE: Limit = Limit::Chars(250);
const MESSAGE: Limit = Limit::Chars(8000);
/// Of the server's own words in an error.
const REASON: Limit = Limit::Chars(200);
const URL_BYTES_MAX: usize = 2000;

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the Gotify server, e.g. `https://gotify.example.com`.
    #[config(
        label = "Gotify URL",
        label(de_DE = "Gotify-URL"),
        help(de_DE = "Adresse des Gotify-Servers, z. B. https://gotify.example.com.")
    )]
    endpoint: String,
    /// Token of the application, shown in Gotify under Apps.
    #[config(
        label = "Application Token",
        label(de_DE = "Anwendungstoken"),
        help(de_DE = "Token der Anwendung. Gotify zeigt es unter Apps an.")
    )]
    token: Secret,
    /// From 0 to 10; from 4 a phone makes a sound, from 8 it pops up. Without it the severity decides.
    #[config(
        label = "Priority",
        label(de_DE = "Priorität"),
        help(
            de_DE = "Von 0 bis 10: Ab 4 ertönt ein Ton, ab 8 erscheint ein Fenster. Ohne Angabe entscheidet der Schweregrad."
        ),
        min = 0,
        max = 10
    )]
    priority: Option<u8>,
}

pub struct Gotify {
    /// Without a slash at the end.
    endpoint: String,
    token: Secret,
    priority: Option<u8>,
}

impl Channel for Gotify {
    type Config = Config;

    fn info() -> Info {
        Info::new("Gotify")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("gotify")
            .wants_http(
                "POST {endpoint}/message",
                "Pushes each notification to the application of the token.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { endpoint, token, priority } = config;
        let endpoint = web_url("endpoint", &endpoint)?.trim_end_matches('/').to_owned();
        Ok(Self { endpoint, token, priority })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let response = http::post(format!("{}/message", self.endpoint))
            .header("X-Gotify-Key", &self.token)
            .json(&self.message(notification))
            .timeout(ANSWER_LIMIT)
            .send()?;
        receipt(&response, notification.delivery.dry_run)
    }
}

export!(Gotify);

impl Gotify {
    fn message(&self, notification: &Notification) -> Value {
        let title = TITLE.cut(&headline(notification));
        let text = body(notification, Markup::Markdown, MESSAGE);
        let mut extras = json!({ "client::display": { "contentType": "text/markdown" } });
        if let Some((_, url)) = links(notification, URL_BYTES_MAX).first() {
            extras["client::notification"] = json!({ "click": { "url": url } });
        }
        json!({
            // Gotify refuses an empty message.
            "message": if text.is_empty() { Markup::Markdown.escape(&title, MESSAGE) } else { text },
            "title": title,
            "priority": self.priority.unwrap_or_else(|| priority(notification.severity())),
            "extras": extras,
        })
    }
}

/// What phones do: from 1 an icon, from 4 a sound, from 8 a window. Without a severity it is Diun's.
fn priority(severity: Option<Severity>) -> u8 {
    match severity {
        Some(Severity::Debug) => 0,
        Some(Severity::Info) => 2,
        Some(Severity::Notice) => 3,
        Some(Severity::Ok) => 4,
        Some(Severity::Warning) => 5,
        Some(Severity::Err) => 7,
        Some(Severity::Crit) => 8,
        Some(Severity::Alert) => 9,
        Some(Severity::Emerg) => 10,
        None => 1,
    }
}

/// Only the message that was made is success; a proxy's page is not.
fn receipt(response: &Response, is_dry_run: bool) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    if let Some(error) = response.failure() {
        return Err(SendError { message: message(response, &answer), ..error });
    }
    match answer["id"].as_i64() {
        Some(id) => Ok(Receipt::new().id(id.to_string())),
        None if is_dry_run => Ok(Receipt::new()),
        None => {
            let reason = "no answer of Gotify; is the URL that of its API?";
            Err(SendError::never(code::PROTOCOL, format!("{}: {reason}", response.summary())))
        }
    }
}

/// In Diun's words: `400 Bad Request: invalid priority`.
fn message(response: &Response, answer: &Value) -> String {
    let (Some(number), Some(error)) = (answer["errorCode"].as_i64(), answer["error"].as_str()) else {
        return response.summary();
    };
    let description = answer["errorDescription"].as_str().unwrap_or("no reason given");
    one_line(&format!("{number} {error}: {description}"), REASON)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_sdk::testing::{FakeHost, describe, form};

    use super::*;

    fn config() -> Value {
        json!({ "endpoint": "https://gotify.example.com", "token": "s3cret" })
    }

    fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
        let host = FakeHost::new().strict();
        host.reply(status, headers, body);
        host.send::<Gotify>(&config(), &Notification::example())
    }

    fn sent(config: &Value, change: impl FnOnce(&mut Notification)) -> Value {
        let mut notification = Notification::example();
        change(&mut notification);
        let host = FakeHost::new();
        host.reply(200, &[], r#"{"id":1}"#);
        host.send::<Gotify>(config, &notification).unwrap();
        host.request().json()
    }

    #[test]
    fn the_channel_describes_itself() {
        let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
        assert_snapshot!(lines.join("\n"), @r#"
        {"help":{"de_DE":"Adresse des Gotify-Servers, z. B. https://gotify.example.com.","en_US":"Address of the Gotify server, e.g. `https://gotify.example.com`."},"label":{"de_DE":"Gotify-URL","en_US":"Gotify URL"},"name":"endpoint","required":true,"type":"string"}
        {"help":{"de_DE":"Token der Anwendung. Gotify zeigt es unter Apps an.","en_US":"Token of the application, shown in Gotify under Apps."},"label":{"de_DE":"Anwendungstoken","en_US":"Application Token"},"name":"token","required":true,"type":"secret"}
        {"help":{"de_DE":"Von 0 bis 10: Ab 4 ertönt ein Ton, ab 8 erscheint ein Fenster. Ohne Angabe entscheidet der Schweregrad.","en_US":"From 0 to 10; from 4 a phone makes a sound, from 8 it pops up. Without it the severity decides."},"label":{"de_DE":"Priorität","en_US":"Priority"},"max":10,"min":0,"name":"priority","type":"number"}
        "#);
        assert_snapshot!(describe::<Gotify>(), @"
        Gotify by Sandbell
        addresses: gotify
        wants http POST {endpoint}/message: Pushes each notification to the application of the token.
        ");
    }

    #[test]
    fn the_request_is_diuns() {
        let host = FakeHost::new().strict();
        host.reply(200, &[], r#"{"id":25,"appid":5,"message":"x"}"#);
        let receipt = host.send::<Gotify>(&config(), &Notification::example()).unwrap();
        assert_eq!(receipt, Receipt::new().id("25"));
        assert_eq!(host.request().timeout_ms, Some(10_000));
        assert_snapshot!(host.request(), @r#"
        POST https://gotify.example.com/message
        X-Gotify-Key: <secret:token>
        Content-Type: application/json

        {"extras":{"client::display":{"contentType":"text/markdown"},"client::notification":{"click":{"url":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"}}},"message":"Something \\<went\\> wrong & broke\n\n**host:** dummy-809  \n**service:** random fortune  \n**When:** 2024-07-12 12:47:30 +0200\n\n[Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437)","priority":8,"title":"[#1437] dummy-809!random fortune is crit"}
        "#);
    }

    #[test]
    fn the_form_or_the_severity_decides_the_priority() {
        let mut fixed = config();
        fixed["priority"] = json!("10");
        assert_eq!(sent(&fixed, |_| ())["priority"], 10);
        for (severity, want) in [
            (Some(Severity::Ok), 4),
            (Some(Severity::Debug), 0),
            (Some(Severity::Warning), 5),
            (Some(Severity::Emerg), 10),
            (None, 1),
        ] {
            let message = sent(&config(), |notification| {
                notification.incident = None;
                notification.event.severity = severity;
            });
            assert_eq!(message["priority"], want, "{severity:?}");
        }
        fixed["priority"] = json!(11);
        let error = FakeHost::new().configure::<Gotify>(&fixed).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "`priority` must be between 0 and 10");
    }

    #[test]
    fn a_bare_notification_still_has_a_message() {
        let message = sent(&config(), |notification| {
            notification.incident = None;
            notification.object.name = "a_b".to_owned();
            notification.object.url.clear();
            notification.object.tags.clear();
            notification.event.message.clear();
            notification.event.time.clear();
            notification.contact.addresses.clear();
        });
        assert_snapshot!(message, @r#"{"extras":{"client::display":{"contentType":"text/markdown"}},"message":"a\\_b","priority":1,"title":"a_b"}"#);
    }

    #[test]
    fn long_texts_are_cut() {
        let message = sent(&config(), |notification| {
            notification.object.name = "é😀".repeat(9000);
            notification.event.message = "*é😀\n".repeat(9000);
        });
        let length = |key: &str| message[key].as_str().unwrap().chars().count();
        assert!(length("title") == 250 && (7900..=8000).contains(&length("message")));
        assert!(message["message"].as_str().unwrap().ends_with("incident?id=1437)"));
    }

    #[test]
    fn an_answer_decides_what_becomes_of_the_notification() {
        use Retry::{Later, Never};
        for (status, body, retry, code, message) in [
            (
                401,
                r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}"#,
                Never,
                code::AUTH,
                "401 Unauthorized: you need to provide a valid access token",
            ),
            (
                400,
                r#"{"error":"Bad Request","errorCode":400}"#,
                Never,
                code::REJECTED,
                "400 Bad Request: no reason given",
            ),
            (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
            (
                200,
                "<html>",
                Never,
                code::PROTOCOL,
                "HTTP 200 OK: <html>: no answer of Gotify; is the URL that of its API?",
            ),
            (502, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
        ] {
            let error = outcome(status, &[], body).unwrap_err();
            assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
        }
        let error = outcome(429, &[("Retry-After", "30")], "").unwrap_err();
        assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
    }

    #[test]
    fn a_dry_run_judges_no_answer() {
        let mut notification = Notification::example();
        notification.delivery.dry_run = true;
        assert_eq!(FakeHost::new().send::<Gotify>(&config(), &notification).unwrap(), Receipt::new());
    }

    #[test]
    fn slashes_at_the_end_do_no_harm_and_other_urls_are_refused() {
        let mut slashes = config();
        slashes["endpoint"] = json!(" https://gotify.example.com/sub// ");
        let host = FakeHost::new();
        host.reply(200, &[], r#"{"id":1}"#);
        host.send::<Gotify>(&slashes, &Notification::example()).unwrap();
        assert_eq!(host.request().url, "https://gotify.example.com/sub/message");
        slashes["endpoint"] = json!("gotify.example.com");
        let error = host.configure::<Gotify>(&slashes).map(|_| ()).unwrap_err();
        assert_snapshot!(error, @"`endpoint` must start with `https://` or `http://` and name a host");
    }
}
