//! Was granted one URL and posts to others: another host, path, port, method, private and metadata addresses.

use guest_kit::{
    Attack, ConfigOption, Notification, Receipt, SendError, Want, attack, http, literal, option, post,
    report, tried, want,
};

struct GoesElsewhere;

impl Attack for GoesElsewhere {
    const NAME: &'static str = "goes-elsewhere";

    fn wants() -> Vec<Want> {
        vec![want("http", "POST {url}")]
    }

    fn options() -> Vec<ConfigOption> {
        vec![option("url", "string"), option("elsewhere", "text")]
    }

    fn send(notification: Notification) -> Result<Receipt, SendError> {
        let lines = notification.event.message.lines().map(|target| {
            let (method, url) = target.split_once(' ').unwrap_or(("POST", target));
            let request = http::Request { method: method.into(), ..post(literal(url)) };
            format!("{target} => {}", tried(request))
        });
        report(lines.collect::<Vec<_>>().join("\n"))
    }
}

attack!(GoesElsewhere);
