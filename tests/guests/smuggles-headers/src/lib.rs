//! Puts headers and lines into a request that are not its own.

use guest_kit::{
    Attack, ConfigOption, Notification, Receipt, SendError, Want, attack, http, literal, option, post,
    report, tried, want,
};

struct SmugglesHeaders;

impl Attack for SmugglesHeaders {
    const NAME: &'static str = "smuggles-headers";

    fn wants() -> Vec<Want> {
        vec![want("http", "POST {url}")]
    }

    fn options() -> Vec<ConfigOption> {
        vec![option("url", "string")]
    }

    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let url = notification.event.message;
        let attempts = [
            ("host", "evil.example"),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
            ("connection", "upgrade"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-a", "b\r\nx-injected: yes"),
            ("x-a\r\nx-injected", "yes"),
            ("x-nul", "a\0b"),
        ];
        let mut lines: Vec<String> = attempts
            .iter()
            .map(|(name, value)| {
                let headers = vec![http::Field { name: (*name).into(), value: literal(*value) }];
                format!("{name:?} => {}", tried(http::Request { headers, ..post(literal(&url)) }))
            })
            .collect();
        for method in ["CONNECT", "TRACE", "POST / HTTP/1.1\r\nX-Injected: yes"] {
            lines.push(format!(
                "{method:?} => {}",
                tried(http::Request { method: method.into(), ..post(literal(&url)) })
            ));
        }
        report(lines.join("\n"))
    }
}

attack!(SmugglesHeaders);
