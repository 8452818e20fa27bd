//! What a service without a sandbox does: builds the same message and posts it with the same client.

use std::sync::Arc;

use anyhow::{Result, ensure};
use reqwest::Client;
use sandbell_domain::{Notification, Severity};
use serde_json::{Value, json};

/// Slack's webhook and the client that posts to it.
#[derive(Clone)]
pub(crate) struct Native {
    client: Client,
    url: String,
}

impl Native {
    /// The client that the broker uses, without what the broker is for.
    pub(crate) fn new(url: &str) -> Result<Self> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls())
            .user_agent(crate::fixture::USER_AGENT)
            .no_proxy()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, url: url.to_owned() })
    }

    pub(crate) async fn post(&self, notification: &Notification) -> Result<()> {
        let body = serde_json::to_vec(&message(notification))?;
        let request = self.client.post(&self.url).header("content-type", "application/json").body(body);
        let answer = request.send().await?;
        ensure!(answer.status() == 200 && answer.bytes().await?.len() == 2, "not delivered");
        Ok(())
    }
}

/// The message that the slack channel makes of the benchmark's notification.
pub(crate) fn message(notification: &Notification) -> Value {
    let Notification { object, incident, event, .. } = notification;
    let mut buttons = vec![("Object", object.url.as_str())];
    let mut subject = object.name.clone();
    if let Some(incident) = incident {
        buttons.push(("Incident", &incident.url));
        let severity = if incident.severity == Some(Severity::Crit) { "crit" } else { "ok" };
        subject = format!("[#{}] {} is {severity}", incident.id, object.name);
    }
    let tags =
        object.tags.iter().map(|(key, value)| mrkdwn(&format!("*{}*\n{}", escape(key), escape(value))));
    let when = event.time.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    let date = event.time.replace('T', " ");
    let date = format!(
        "<!date^{when}^{{date_short_pretty}} {{time_secs}}|{} UTC>",
        date.split('.').next().unwrap_or_default()
    );
    let button = |(label, url): &(&str, &str)| json!({ "type": "button", "text": plain(label), "url": url });
    json!({
        "text": escape(&subject),
        "blocks": [{ "type": "header", "text": plain(&subject) }],
        "attachments": [{
            "color": "#ff5566",
            "blocks": [
                { "type": "section", "text": mrkdwn(&escape(&event.message)) },
                { "type": "section", "fields": tags.collect::<Vec<_>>() },
                { "type": "context", "elements": [mrkdwn(&date)] },
                { "type": "actions", "elements": buttons.iter().map(button).collect::<Vec<_>>() },
            ],
        }],
    })
}

fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": escape(text), "emoji": false })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
