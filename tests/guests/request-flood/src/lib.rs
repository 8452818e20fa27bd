//! Sends more requests than one attempt may, and bodies larger than one request may have.

use guest_kit::{
    Attack, ConfigOption, Notification, Receipt, SendError, Want, attack, http, literal, option, post,
    report, tried, want,
};

struct RequestFlood;

impl Attack for RequestFlood {
    const NAME: &'static str = "request-flood";

    fn wants() -> Vec<Want> {
        vec![want("http", "POST {url}")]
    }

    fn options() -> Vec<ConfigOption> {
        vec![option("url", "string")]
    }

    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let url = notification.event.message;
        let large = http::Body::Bytes(vec![b'x'; (1 << 20) + 1]);
        let mut lines =
            vec![format!("a large body => {}", tried(http::Request { body: large, ..post(literal(&url)) }))];
        for number in 1..=12 {
            lines.push(format!("{number} => {}", tried(post(literal(&url)))));
        }
        report(lines.join("\n"))
    }
}

attack!(RequestFlood);
