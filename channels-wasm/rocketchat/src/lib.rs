//! Rocket.Chat: posts each notification as a user, as Icinga's bundled channel does (`reference/icinga.md` §4.3).

use sandbell_sdk::http::Response;
use sandbell_sdk::prelude::*;
use sandbell_sdk::serde_json::{self, Value};

/// What Icinga's channel waits for the whole exchange.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

#[derive(ChannelConfig)]
pub struct Config {
    /// Address of the Rocket.Chat server, e.g. `https://chat.example.com`.
    #[config(
        label = "Rocket.Chat URL",
        label(de_DE = "Rocket.Chat-URL"),
        help(de_DE = "Adresse des Rocket.Chat-Servers, z. B. https://chat.example.com.")
    )]
    url: String,
    /// ID of the user who posts; Rocket.Chat shows it together with the token.
    #[config(
        label = "User ID",
        label(de_DE = "Benutzer-ID"),
        help(de_DE = "ID des Benutzers, der schreibt. Rocket.Chat zeigt sie zusammen mit dem Token an.")
    )]
    user_id: String,
    /// Created in Rocket.Chat under My Account > Personal Access Tokens.
    #[config(
        label = "Personal Access Token",
        label(de_DE = "Persönliches Zugangstoken"),
        help(de_DE = "Wird in Rocket.Chat unter Mein Konto > Persönliche Zugangstoken angelegt.")
    )]
    token: Secret,
}

pub struct RocketChat {
    /// Without a slash at the end.
    url: String,
    user_id: String,
    token: Secret,
}

impl Channel for RocketChat {
    type Config = Config;

    fn info() -> Info {
        Info::new("Rocket.Chat")
            .version(env!("CARGO_PKG_VERSION"))
            .author("Sandbell")
            .address_type("rocketchat")
            .wants_http(
                "POST {url}/api/v1/chat.postMessage",
                "Posts each notification as the user of the token.",
            )
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { url, user_id, token } = config;
        let url = url.trim().trim_end_matches('/').to_owned();
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(ConfigError::option("url", "must start with `https://` or `http://`"));
        }
        Ok(Self { url, user_id, token })
    }

    fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let room = notification.address("rocketchat").ok_or_else(|| {
            let name = &notification.contact.full_name;
            SendError::address(format!(
                "contact user {name} does not specify a rocketchat channel or username"
            ))
        })?;
        let text = format!("{}\n\n{}", notification.subject(), notification.body());
        let response = http::post(format!("{}/api/v1/chat.postMessage", self.url))
            .header("X-Auth-Token", &self.token)
            .header("X-User-Id", &self.user_id)
            .json(&json!({ "channel": room, "text": text }))
            .timeout(ANSWER_LIMIT)
            .send()
            .map_err(unsent)?;
        receipt(&response)
    }
}

export!(RocketChat);

/// Icinga's words before the reason, the reason's own retry decision behind them.
fn unsent(error: http::Error) -> SendError {
    let error = SendError::from(error);
    let message = format!("error while sending http request to rocketchat server: {}", error.message);
    SendError { message, ..error }
}

/// The status line in Icinga's words, and what Rocket.Chat says about it.
///
/// Rocket.Chat can say no with a status of 200; an answer without `success` says nothing against it.
fn receipt(response: &Response) -> Result<Receipt, SendError> {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let reason = answer["error"].as_str().or(answer["message"].as_str());
    if let Some(error) = response.failure() {
        let status = response.status_line();
        let message = reason.map_or(status.clone(), |reason| format!("{status}: {reason}"));
        return Err(SendError { message, ..error });
    }
    if answer["success"] == false {
        let reason = reason.unwrap_or("no reason given");
        return Err(SendError::permanent(format!("Rocket.Chat refused the message: {reason}")));
    }
    let id = answer["message"]["_id"].as_str();
    Ok(id.map_or_else(Receipt::new, |id| Receipt::new().id(id)))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_sdk::testing::{FakeHost, describe, form};

    use super::*;

    fn config(url: &str) -> Value {
        json!({ "url": url, "user_id": "u1", "token": "s3cret" })
    }

    fn send(host: &FakeHost) -> Result<Receipt, SendError> {
        host.send::<RocketChat>(&config("https://chat.example.com"), &Notification::example())
    }

    #[test]
    fn the_form_is_icingas() {
        let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
        assert_snapshot!(lines.join("\n"), @r#"
        {"help":{"de_DE":"Adresse des Rocket.Chat-Servers, z. B. https://chat.example.com.","en_US":"Address of the Rocket.Chat server, e.g. `https://chat.example.com`."},"label":{"de_DE":"Rocket.Chat-URL","en_US":"Rocket.Chat URL"},"name":"url","required":true,"type":"string"}
        {"help":{"de_DE":"ID des Benutzers, der schreibt. Rocket.Chat zeigt sie zusammen mit dem Token an.","en_US":"ID of the user who posts; Rocket.Chat shows it together with the token."},"label":{"de_DE":"Benutzer-ID","en_US":"User ID"},"name":"user_id","required":true,"type":"string"}
        {"help":{"de_DE":"Wird in Rocket.Chat unter Mein Konto > Persönliche Zugangstoken angelegt.","en_US":"Created in Rocket.Chat under My Account > Personal Access Tokens."},"label":{"de_DE":"Persönliches Zugangstoken","en_US":"Personal Access Token"},"name":"token","required":true,"type":"secret"}
        "#);
        assert_snapshot!(describe::<RocketChat>(), @r"
        Rocket.Chat by Sandbell
        addresses: rocketchat
        wants http POST {url}/api/v1/chat.postMessage: Posts each notification as the user of the token.
        ");
    }

    #[test]
    fn the_request_is_icingas() {
        let host = FakeHost::new().strict();
        host.reply(200, &[], r#"{"success":true,"message":{"_id":"m1"}}"#);
        assert_eq!(send(&host).unwrap(), Receipt::new().id("m1"));
        assert_eq!(host.request().timeout_ms, Some(10_000));
        assert_snapshot!(host.request(), @r##"
        POST https://chat.example.com/api/v1/chat.postMessage
        X-Auth-Token: <secret:token>
        X-User-Id: u1
        Content-Type: application/json

        {"channel":"#monitoring","text":"[#1437] dummy-809!random fortune is crit\n\nMessage: Something <went> wrong & broke\n\nWhen: 2024-07-12 12:47:30 +0200\n\nObject: https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809\n\nTags:\nhost: dummy-809\nservice: random fortune\n\nIncident: https://icinga.example.com/notifications/incident?id=1437"}
        "##);
    }

    #[test]
    fn slashes_at_the_end_of_the_url_do_no_harm() {
        for url in ["https://chat.example.com/", " https://chat.example.com// "] {
            let host = FakeHost::new();
            host.send::<RocketChat>(&config(url), &Notification::example()).unwrap();
            assert_eq!(host.request().url, "https://chat.example.com/api/v1/chat.postMessage");
        }
    }

    #[test]
    fn a_url_without_a_scheme_is_refused_before_anything_is_sent() {
        let error =
            FakeHost::new().configure::<RocketChat>(&config("chat.example.com")).map(|_| ()).unwrap_err();
        assert_snapshot!(error, @"`url` must start with `https://` or `http://`");
    }

    #[test]
    fn a_contact_without_an_address_is_refused_in_icingas_words() {
        let mut notification = Notification::example();
        notification.contact.addresses.retain(|address| address.kind != "rocketchat");
        let host = FakeHost::new();
        let error = host.send::<RocketChat>(&config("https://chat.example.com"), &notification).unwrap_err();
        let want = "contact user Icinga Admin does not specify a rocketchat channel or username";
        assert_eq!(error, SendError::address(want));
        assert!(host.requests().is_empty());
    }

    #[test]
    fn an_answer_decides_what_becomes_of_the_notification() {
        use Retry::{Later, Never};
        for (status, body, retry, code, message) in [
            (
                200,
                r#"{"success":false,"error":"[invalid-channel]"}"#,
                Never,
                code::REJECTED,
                "Rocket.Chat refused the message: [invalid-channel]",
            ),
            (
                200,
                r#"{"success":false}"#,
                Never,
                code::REJECTED,
                "Rocket.Chat refused the message: no reason given",
            ),
            (
                400,
                r#"{"success":false,"error":"no room"}"#,
                Never,
                code::REJECTED,
                "400 Bad Request: no room",
            ),
            (401, "", Never, code::AUTH, "401 Unauthorized"),
            (
                401,
                r#"{"status":"error","message":"You must be logged in to do this."}"#,
                Never,
                code::AUTH,
                "401 Unauthorized: You must be logged in to do this.",
            ),
            (404, "<html>", Never, code::REJECTED, "404 Not Found"),
            (429, "", Later, code::RATE_LIMITED, "429 Too Many Requests"),
            (502, "<html>", Later, code::UNREACHABLE, "502 Bad Gateway"),
        ] {
            let host = FakeHost::new();
            host.reply(status, &[], body);
            let error = send(&host).unwrap_err();
            assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
        }
        for body in ["", "ok", r#"{"success":true}"#] {
            let host = FakeHost::new();
            host.reply(200, &[], body);
            assert_eq!(send(&host).unwrap(), Receipt::new(), "{body}");
        }
    }

    #[test]
    fn no_answer_is_told_in_icingas_words_and_tried_again() {
        let host = FakeHost::new();
        host.fail(http::Error::new("connect", "connection refused"));
        let error = send(&host).unwrap_err();
        let want = "error while sending http request to rocketchat server: connection refused";
        assert_eq!(error, SendError::retry(want));
    }
}
