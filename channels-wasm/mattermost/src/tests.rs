//! What Mattermost gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};
use sandbell_sdk::{Address, Link};

use super::*;

const HOOK: &str = "https://chat.example.com/hooks/x";

fn sent(more: &Value, change: impl FnOnce(&mut Notification)) -> Value {
    let mut config = more.clone();
    config["webhook_url"] = HOOK.into();
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<Mattermost>(&config, &notification).unwrap();
    host.request().json()
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Mattermost>(&json!({ "webhook_url": HOOK }), &Notification::example())
}

/// One value per line.
fn lines(message: &Value) -> String {
    let line = |(key, value): (&String, &Value)| format!("{key}: {value}");
    message.as_object().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Wird in Mattermost unter Integrationen > Eingehende Webhooks angelegt, z. B. https://chat.example.com/hooks/…. Wer sie kennt, kann schreiben.","en_US":"Created in Mattermost under Integrations > Incoming Webhooks, e.g. `https://chat.example.com/hooks/…`. Whoever knows it can post."},"label":{"de_DE":"Webhook-URL","en_US":"Webhook URL"},"name":"webhook_url","required":true,"type":"secret"}
    {"help":{"de_DE":"Wohin statt in den Kanal des Webhooks geschrieben wird, sofern der Kontakt keinen Kanal hat (Adresstyp mattermost): der Name eines Kanals oder @benutzer.","en_US":"Where to post instead of in the webhook's own channel, unless the contact has a channel (address type `mattermost`): a channel's name, or `@user`."},"hints":{"placeholder":"town-square"},"label":{"de_DE":"Kanal","en_US":"Channel"},"name":"channel","type":"string"}
    {"help":{"de_DE":"Wer benachrichtigt wird, durch Leerzeichen getrennt: @here, @channel, @all, ein Benutzer oder eine Gruppe.","en_US":"Who is alerted, separated by blanks: `@here`, `@channel`, `@all`, a user or a group."},"hints":{"placeholder":"@here @jdoe"},"label":{"de_DE":"Erwähnungen","en_US":"Mentions"},"name":"mentions","type":"string"}
    {"help":{"de_DE":"Wird statt des Namens des Webhooks als Absender gezeigt, sofern der Server es erlaubt.","en_US":"Shown as the sender instead of the webhook's own name, where the server allows it."},"label":{"de_DE":"Absendername","en_US":"Sender Name"},"name":"username","type":"string"}
    {"help":{"de_DE":"URL eines Bildes, das statt des Bildes des Webhooks gezeigt wird, sofern der Server es erlaubt.","en_US":"URL of a picture that is shown instead of the webhook's own, where the server allows it."},"label":{"de_DE":"Symbol-URL","en_US":"Icon URL"},"name":"icon_url","type":"string"}
    "#);
    assert_snapshot!(describe::<Mattermost>(), @"
    Mattermost by Sandbell
    addresses: mattermost
    wants http POST {webhook_url}: Posts each notification to the incoming webhook, and to nothing else.
    ");
}

#[test]
fn the_webhook_is_never_seen() {
    let host = FakeHost::new();
    host.send::<Mattermost>(&json!({ "webhook_url": HOOK }), &Notification::example()).unwrap();
    let request = host.request();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "<secret:webhook_url>"));
    assert_eq!(
        (request.header("content-type"), request.timeout_ms),
        (Some("application/json"), Some(10_000))
    );
}

#[test]
fn an_attachment_says_what_happened() {
    let config = json!({ "mentions": "here, @j.doe", "username": "Icinga", "icon_url": "https://x.example/a.png", "channel": "ops" });
    let message = sent(&config, |notification| {
        notification.event.message = "*bad* @all, ask a@b.example\n@channel".to_owned();
        notification.event.username = "@jdoe".to_owned();
    });
    assert_eq!(message["text"], "@here @j.doe");
    assert_eq!((&message["channel"], &message["username"]), (&json!("ops"), &json!("Icinga")));
    assert_snapshot!(lines(&message["attachments"][0]).replace('\u{200b}', "(zwsp)"), @r##"
    color: "#ff5566"
    fallback: "[#1437] dummy-809!random fortune is crit"
    fields: [{"short":true,"title":"host","value":"dummy-809"},{"short":true,"title":"service","value":"random fortune"},{"short":true,"title":"When","value":"2024-07-12 12:47:30 +0200"},{"short":true,"title":"Author","value":"@(zwsp)jdoe"}]
    text: "\\*bad\\* @(zwsp)all, ask a@b.example  \n@(zwsp)channel\n\n[Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437)"
    title: "[#1437] dummy-809!random fortune is crit"
    title_link: "https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"
    "##);
}

#[test]
fn the_contacts_channel_comes_before_the_forms() {
    let address = |notification: &mut Notification| {
        notification.contact.addresses =
            vec![Address { kind: "mattermost".to_owned(), address: "@jdoe".to_owned() }];
    };
    assert_eq!(sent(&json!({ "channel": "ops" }), address)["channel"], "@jdoe");
    assert!(sent(&json!({}), |_| ()).get("channel").is_none());
}

#[test]
fn a_bare_notification_has_no_empty_parts() {
    let message = sent(&json!({}), |notification| {
        notification.incident = None;
        notification.object.name.clear();
        notification.object.url = "javascript:alert(1)".to_owned();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    });
    assert_snapshot!(message, @r##"{"attachments":[{"color":"#aaaaaa","fallback":"Notification","fields":[],"text":"","title":"Notification"}]}"##);
}

#[test]
fn long_texts_are_cut() {
    let text = "é*😀\n".repeat(9000);
    let message = sent(&json!({}), |notification| {
        notification.object.name.clone_from(&text);
        notification.event.message.clone_from(&text);
        notification.object.tags = vec![(text.clone(), text.clone()); 40];
        notification.links = vec![Link { label: text.clone(), url: "https://x.example".to_owned() }; 9];
    });
    let attachment = &message["attachments"][0];
    let length = |value: &Value| value.as_str().unwrap().chars().count();
    assert!(length(&attachment["title"]) == 250 && length(&attachment["text"]) < 5000);
    let fields = attachment["fields"].as_array().unwrap();
    assert!(
        fields.len() == 15
            && fields.iter().all(|it| length(&it["value"]) <= 200 && length(&it["title"]) <= 60)
    );
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for body in ["ok", "", "<html>"] {
        assert_eq!(outcome(200, &[], body).unwrap(), Receipt::new());
    }
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"id":"web.incoming_webhook.invalid.app_error","message":"Invalid webhook.","status_code":400}"#,
            Never,
            code::AUTH,
            "Mattermost answered `Invalid webhook.`",
        ),
        (
            404,
            r#"{"id":"web.incoming_webhook.channel.app_error","message":"Couldn't find the channel."}"#,
            Never,
            code::ADDRESS,
            "Mattermost answered `Couldn't find the channel.`",
        ),
        (
            403,
            r#"{"id":"web.incoming_webhook.channel_locked.app_error","message":"This webhook is not permitted to post to the requested channel."}"#,
            Never,
            code::AUTH,
            "Mattermost answered `This webhook is not permitted to post to the requested channel.`",
        ),
        (400, r#"{"id":"x","message":"no"}"#, Never, code::REJECTED, "Mattermost answered `no`"),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (500, r#"{"id":"x","message":"oops"}"#, Later, code::UNREACHABLE, "Mattermost answered `oops`"),
        (502, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    for (headers, wait) in [
        (vec![("Retry-After", "30"), ("X-Ratelimit-Reset", "1")], Some(30)),
        (vec![("X-Ratelimit-Reset", "7")], Some(7)),
        (vec![("X-Ratelimit-Reset", "soon")], None),
        (vec![], None),
    ] {
        let error = outcome(429, &headers, "limit exceeded").unwrap_err();
        assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, wait.map(Duration::from_secs)));
    }
}

#[test]
fn mentions_are_names() {
    let refused = |mentions: &str| {
        let config = json!({ "webhook_url": HOOK, "mentions": mentions });
        FakeHost::new().configure::<Mattermost>(&config).map(|_| ()).unwrap_err().to_string()
    };
    assert_snapshot!(refused("@jdoe <b>"), @"`mentions` has `<b>`; write `@here`, `@channel`, `@all`, or the name of a user or a group");
    assert_snapshot!(refused("@"), @"`mentions` has `@`; write `@here`, `@channel`, `@all`, or the name of a user or a group");
    assert_snapshot!(refused(&"@jdoe ".repeat(200)), @"`mentions` must have at most 1,000 characters");
}
