//! Subject, text and HTML, as the mail channels of Icinga, Diun, Quay, Argus and Cloudforet write them.

use sandbell_chat_text::{
    CloudforetMessage, DiunEntry, Limit, Markup, argus_lines, argus_title, diun_meta, facts, headline, hex,
    markdown_to_html,
};
use sandbell_sdk::prelude::*;

/// A mail has no limit worth naming; a reader has.
const MESSAGE: Limit = Limit::Chars(100_000);
const VALUE: Limit = Limit::Chars(5000);
/// RFC 5322 §2.1.1 is about lines; this is about what a list of mails shows.
const SUBJECT: Limit = Limit::Chars(250);
const ARGUS_PREFIX: &str = "[Argus]";

pub(crate) struct Content {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
}

/// Icinga's plain text (`reference/icinga.md` §4.4).
pub(crate) fn icinga(notification: &Notification) -> Content {
    Content { subject: notification.subject(), text: notification.body(), html: None }
}

/// Diun's default text (`reference/diun.md` §1.2).
pub(crate) fn diun(notification: &Notification) -> Content {
    let Some(entry) = DiunEntry::of(notification) else { return plain(headline(notification), notification) };
    let DiunEntry { image, hub_link, provider, hostname, digest, platform, .. } = &entry;
    let verb = if entry.is_new() { "created" } else { "updated" };
    let (news, domain, created) = (entry.news(), entry.domain(), entry.created());
    let made = |code: fn(&str) -> String| {
        let facts = [("at", created.as_str()), ("with digest", digest), ("for platform", platform)];
        let facts = facts.iter().filter(|(_, value)| !value.is_empty());
        facts.map(|(word, value)| format!(" {word} {}", code(value))).collect::<Vec<_>>().concat()
    };
    let text = format!(
        "Docker tag {image} which you subscribed to through {provider} provider {news} on {domain} registry (triggered by {hostname} host).\n\nThis image has been {verb}{}.\n{hub_link}\n\nNeed help, or have questions? Go to {} and leave an issue.",
        made(str::to_owned),
        diun_meta::URL
    );
    let name = format!("<b>{}</b>", escaped(image));
    let name = if hub_link.starts_with("https://") {
        format!("<a href=\"{}\">{name}</a>", escaped(hub_link))
    } else {
        name
    };
    let [provider, domain, hostname] = [provider.as_str(), domain, hostname].map(escaped);
    let html = format!(
        "<p>Docker tag {name} which you subscribed to through {provider} provider {news} on <b>{domain}</b> registry (triggered by <i>{hostname}</i> host).</p><p>This image has been {verb}{}.</p><p>Need help, or have questions? Go to <a href=\"{url}\">{url}</a> and leave an issue.</p>",
        made(|value| format!("<code>{}</code>", escaped(value))),
        url = diun_meta::URL
    );
    Content { subject: entry.title(), text, html: Some(html) }
}

/// Quay's summary as subject and its message (`reference/quay.md` §3.2); Quay sends no text beside the HTML.
pub(crate) fn quay(notification: &Notification) -> Content {
    plain(headline(notification), notification)
}

/// Argus' list of everything that is known (`reference/argus.md` §4.2).
pub(crate) fn argus(notification: &Notification) -> Content {
    let title = argus_title(notification);
    let lines = argus_lines(notification);
    let message = notification.event.message.trim();
    let text: Vec<_> = lines.iter().map(|(key, value)| format!("{key}: {}", VALUE.cut(value))).collect();
    let row =
        |(key, value): &(String, String)| format!("<dt>{}</dt><dd>{}</dd>", escaped(key), broken(value));
    let rows: String = lines.iter().map(row).collect();
    let html = format!("<h1>{}</h1><p>{}</p><dl>{rows}</dl>", escaped(&title), broken(message));
    Content {
        subject: format!("{ARGUS_PREFIX} {title}"),
        text: joined(&[&MESSAGE.cut(message), &text.join("\n")]),
        html: Some(html),
    }
}

/// Cloudforet's page (`reference/cloudforet.md` §2.2), escaped once.
pub(crate) fn cloudforet(notification: &Notification) -> Content {
    let message = CloudforetMessage::of(notification);
    let colour = hex(message.kind.mail_colour());
    let when = message.occurred_at_text();
    let mut html = format!(
        "<div style=\"border-left:4px solid {colour};padding-left:12px\"><p style=\"color:{colour}\"><b>{}</b></p><h2>",
        message.kind.as_str()
    );
    let title = escaped(&message.title);
    html.push_str(&message.link.as_ref().map_or(title.clone(), |link| anchor(&title, link)));
    html.push_str("</h2>");
    for paragraph in [escaped(&when), broken(&message.description)].iter().filter(|text| !text.is_empty()) {
        html.extend(["<p>", paragraph, "</p>"]);
    }
    let row = |tag: &sandbell_chat_text::CloudforetTag| {
        format!("<tr><th align=\"left\">{}</th><td>{}</td></tr>", escaped(&tag.key), broken(&tag.value))
    };
    let rows: String = message.tags.iter().map(row).collect();
    if !rows.is_empty() {
        html.extend(["<table>", &rows, "</table>"]);
    }
    for (label, url) in &message.callbacks {
        html.extend(["<p>", &anchor(&escaped(label), url), "</p>"]);
    }
    html.push_str("</div>");
    let tags: Vec<_> =
        message.tags.iter().map(|tag| format!("{}: {}", tag.key, VALUE.cut(&tag.value))).collect();
    let links = message.link.iter().cloned();
    let links = links.chain(message.callbacks.iter().map(|(label, url)| format!("{label}: {url}")));
    let links = links.collect::<Vec<_>>().join("\n");
    let text = joined(&[&when, &MESSAGE.cut(&message.description), &tags.join("\n"), &links]);
    Content { subject: message.title, text, html: Some(html) }
}

/// Templates of the operator take the place of subject and text; a body is Markdown, as in Diun.
pub(crate) fn with_templates(content: Content, title: Option<&str>, body: Option<String>) -> Content {
    let Content { subject, text, html } = content;
    let (text, html) = match body {
        Some(body) => {
            let html = markdown_to_html(&body);
            (body, Some(html))
        }
        None => (text, html),
    };
    let subject = SUBJECT.cut(title.unwrap_or(&subject).trim());
    Content { subject, text, html }
}

/// The message and the facts, in both forms.
fn plain(subject: String, notification: &Notification) -> Content {
    let message = notification.event.message.trim();
    let facts = facts(notification);
    let lines: Vec<_> = facts.iter().map(|(key, value)| format!("{key}: {}", VALUE.cut(value))).collect();
    let row = |(key, value): &(&str, String)| format!("<b>{}:</b> {}", escaped(key), broken(value));
    let rows = facts.iter().map(row).collect::<Vec<_>>().join("<br/>");
    let url = notification.object.url.as_str();
    let link = if url.starts_with("https://") || url.starts_with("http://") { url } else { "" };
    let parts =
        [broken(message), rows, if link.is_empty() { String::new() } else { anchor(&escaped(link), link) }];
    let html: String =
        parts.iter().filter(|part| !part.is_empty()).map(|part| ["<p>", part, "</p>"].concat()).collect();
    let text = joined(&[&MESSAGE.cut(message), &lines.join("\n"), link]);
    Content { subject, text, html: Some(html) }
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("\n\n")
}

fn escaped(text: &str) -> String {
    Markup::Html.escape(text, MESSAGE)
}

fn broken(text: &str) -> String {
    escaped(text).replace('\n', "<br/>")
}

/// The label is HTML already.
fn anchor(label: &str, url: &str) -> String {
    format!("<a href=\"{}\">{label}</a>", escaped(url))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use sandbell_chat_text::testing;

    use super::*;

    fn shown(content: &Content) -> String {
        format!("{}\n\n{}\n\n{}", content.subject, content.text, content.html.as_deref().unwrap_or("no HTML"))
    }

    #[test]
    fn diuns_mail() {
        assert_snapshot!(shown(&diun(&testing::diun("update"))), @r#"
        docker.io/library/alpine:latest has been updated

        Docker tag docker.io/library/alpine:latest which you subscribed to through docker provider has been updated on docker.io registry (triggered by myserver host).

        This image has been updated at Mar 26, 2020 10:23:56 UTC with digest sha256:216e3ae7de4c for platform linux/amd64.
        https://hub.docker.com/_/alpine

        Need help, or have questions? Go to https://github.com/crazy-max/diun and leave an issue.

        <p>Docker tag <a href="https://hub.docker.com/_/alpine"><b>docker.io/library/alpine:latest</b></a> which you subscribed to through docker provider has been updated on <b>docker.io</b> registry (triggered by <i>myserver</i> host).</p><p>This image has been updated at <code>Mar 26, 2020 10:23:56 UTC</code> with digest <code>sha256:216e3ae7de4c</code> for platform <code>linux/amd64</code>.</p><p>Need help, or have questions? Go to <a href="https://github.com/crazy-max/diun">https://github.com/crazy-max/diun</a> and leave an issue.</p>
        "#);
        let mut undated = testing::diun("new");
        undated.source.payload = undated.source.payload.replace("\"2020-03-26T12:23:56+02:00\"", "null");
        assert!(shown(&diun(&undated)).contains("This image has been created with digest"));
    }

    #[test]
    fn quays_mail() {
        assert_snapshot!(shown(&quay(&testing::quay())), @r#"
        Repository devtable/api updated

        Repository devtable/api has been updated with tags <latest> & more

        When: 2024-07-12 12:47:30 +0200

        https://quay.example/repository/devtable/api

        <p>Repository devtable/api has been updated with tags &lt;latest&gt; &amp; more</p><p><b>When:</b> 2024-07-12 12:47:30 +0200</p><p><a href="https://quay.example/repository/devtable/api">https://quay.example/repository/devtable/api</a></p>
        "#);
    }

    #[test]
    fn argus_mail() {
        assert_snapshot!(shown(&argus(&testing::argus())), @"
        [Argus] 'Incident start': db is down, labsource @ 2026-11-22T06:01:00+01:00

        db <is> down

        Status: Incident start
        Actor: labsource
        start_time: 2026-11-22T06:00:00+01:00
        end_time: Still open
        source_incident_id: 17
        details_url: https://zino.example.com/17
        description: db is down
        level: 1
        tags: host=db1, site=oslo

        <h1>'Incident start': db is down, labsource @ 2026-11-22T06:01:00+01:00</h1><p>db &lt;is&gt; down</p><dl><dt>Status</dt><dd>Incident start</dd><dt>Actor</dt><dd>labsource</dd><dt>start_time</dt><dd>2026-11-22T06:00:00+01:00</dd><dt>end_time</dt><dd>Still open</dd><dt>source_incident_id</dt><dd>17</dd><dt>details_url</dt><dd>https://zino.example.com/17</dd><dt>description</dt><dd>db is down</dd><dt>level</dt><dd>1</dd><dt>tags</dt><dd>host=db1, site=oslo</dd></dl>
        ");
    }

    #[test]
    fn cloudforets_mail_is_escaped_once() {
        assert_snapshot!(shown(&cloudforet(&testing::cloudforet())), @r#"
        This is sample notification

        June 27, 2022 09:22 AM (UTC)

        1 out of [0.52] was <less> than & the threshold

        project_id: project-xxxxx
        resource_id: net/af83

        https://console.example.com/alert
        Acknowledge: https://monitoring.example.com/ack

        <div style="border-left:4px solid #ff6a6a;padding-left:12px"><p style="color:#ff6a6a"><b>ERROR</b></p><h2><a href="https://console.example.com/alert">This is sample notification</a></h2><p>June 27, 2022 09:22 AM (UTC)</p><p>1 out of [0.52] was &lt;less&gt; than &amp; the threshold</p><table><tr><th align="left">project_id</th><td>project-xxxxx</td></tr><tr><th align="left">resource_id</th><td>net/af83</td></tr></table><p><a href="https://monitoring.example.com/ack">Acknowledge</a></p></div>
        "#);
    }

    #[test]
    fn templates_take_the_place() {
        let own = |title: Option<&str>, body: Option<&str>| {
            shown(&with_templates(icinga(&Notification::example()), title, body.map(str::to_owned)))
        };
        assert_eq!(own(Some(" T "), Some("**b** & c")), "T\n\n**b** & c\n\n<b>b</b> &amp; c");
        assert!(own(None, None).ends_with("no HTML"));
        assert_eq!(
            with_templates(icinga(&Notification::example()), Some(&"x".repeat(900)), None).subject.len(),
            252
        );
    }
}
