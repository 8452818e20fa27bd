//! What Discord gets.

use insta::assert_snapshot;
use sandbell_sdk::serde_json::Value;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const HOOK: &str = "https://discord.com/api/webhooks/1/x";

fn sent(more: &Value, change: impl FnOnce(&mut Notification)) -> Value {
    let mut config = more.clone();
    config["webhook_url"] = HOOK.into();
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    host.send::<Discord>(&config, &notification).unwrap();
    host.request().json()
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<Discord>(config).map(|_| ()).unwrap_err().to_string()
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
    {"help":{"de_DE":"Wird in Discord unter Kanaleinstellungen > Integrationen > WebHooks angelegt. Wer sie kennt, kann schreiben; mit ?thread_id=… am Ende wird in einen Thread geschrieben.","en_US":"Created in Discord under Channel Settings > Integrations > Webhooks. Whoever knows it can post; `?thread_id=…` at its end posts in a thread."},"label":{"de_DE":"Webhook-URL","en_US":"Webhook URL"},"name":"webhook_url","required":true,"type":"secret"}
    {"help":{"de_DE":"Wer benachrichtigt wird, durch Leerzeichen getrennt: @here, @everyone, ein Benutzer <@ID> oder eine Rolle <@&ID>.","en_US":"Who is alerted, separated by blanks: `@here`, `@everyone`, a user `<@ID>` or a role `<@&ID>`."},"hints":{"placeholder":"@here <@&123456789012345678>"},"label":{"de_DE":"Erwähnungen","en_US":"Mentions"},"name":"mentions","type":"string"}
    {"default":true,"help":{"de_DE":"Zeigt die Nachricht neben einem Balken in der Farbe des Schweregrads. Sonst ist alles ein Text.","en_US":"Shows the message beside a bar in the severity's colour. Otherwise all is one text."},"label":{"de_DE":"Einbettung","en_US":"Embed"},"name":"render_embeds","type":"bool"}
    {"default":true,"help":{"de_DE":"Führt in der Einbettung Tags, Zeit und Urheber auf.","en_US":"Lists tags, time and author in the embed."},"label":{"de_DE":"Felder","en_US":"Fields"},"name":"render_fields","type":"bool"}
    {"help":{"de_DE":"Wird statt des Namens des Webhooks als Absender gezeigt.","en_US":"Shown as the sender instead of the webhook's own name."},"label":{"de_DE":"Absendername","en_US":"Sender Name"},"name":"username","type":"string"}
    {"help":{"de_DE":"URL eines Bildes, das statt des Bildes des Webhooks gezeigt wird.","en_US":"URL of a picture that is shown instead of the webhook's own."},"label":{"de_DE":"Avatar-URL","en_US":"Avatar URL"},"name":"avatar_url","type":"string"}
    {"help":{"de_DE":"Ein Go-Template in Markdown, mit Diuns Funktionen, anstelle des Textes.","en_US":"A Go template in Markdown, with Diun's helpers, in the place of the text."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Discord>(), @"
    Discord by Sandbell
    addresses: discord
    wants http POST {webhook_url}: Posts each notification to the webhook, and to nothing else.
    ");
}

#[test]
fn the_webhook_is_never_seen() {
    let host = FakeHost::new();
    host.send::<Discord>(&json!({ "webhook_url": HOOK }), &Notification::example()).unwrap();
    let request = host.request();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "<secret:webhook_url>?wait=true"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.timeout_ms, Some(10_000));
}

#[test]
fn an_embed_says_what_happened() {
    let config =
        json!({ "mentions": "@here <@&7>", "username": "Icinga", "avatar_url": "https://x.example/a.png" });
    let message = sent(&config, |notification| notification.event.username = "j*doe".to_owned());
    assert_snapshot!(lines(&message), @r#"
    allowed_mentions: {"parse":["everyone"],"roles":["7"],"users":[]}
    avatar_url: "https://x.example/a.png"
    content: "@here <@&7> **\\[#1437\\] dummy-809!random fortune is crit**"
    embeds: [{"color":16733542,"description":"Something \\<went\\> wrong & broke","fields":[{"inline":true,"name":"host","value":"dummy-809"},{"inline":true,"name":"service","value":"random fortune"},{"inline":true,"name":"When","value":"2024-07-12 12:47:30 +0200"},{"inline":true,"name":"Author","value":"j\\*doe"},{"inline":false,"name":"Links","value":"[Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437)"}],"timestamp":"2024-07-12T12:47:30.123+02:00"}]
    username: "Icinga"
    "#);
}

#[test]
fn without_embeds_all_is_one_text() {
    let message = sent(&json!({ "render_embeds": "n", "mentions": "<@7>" }), |notification| {
        notification.event.message = "@everyone *look* <@9>".to_owned();
    });
    assert_snapshot!(lines(&message), @r#"
    allowed_mentions: {"parse":[],"roles":[],"users":["7"]}
    content: "<@7> **\\[#1437\\] dummy-809!random fortune is crit**\n@everyone \\*look\\* \\<@9\\>\n\n**host:** dummy-809  \n**service:** random fortune  \n**When:** 2024-07-12 12:47:30 +0200\n\n[Object](https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809) · [Incident](https://icinga.example.com/notifications/incident?id=1437)"
    "#);
}

#[test]
fn without_fields_the_links_stay() {
    let message = sent(&json!({ "render_fields": false }), |_| ());
    let names: Vec<_> =
        message["embeds"][0]["fields"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["Links"]);
}

/// Diun dereferences a time that may not be there (`reference/diun.md` §1.3).
#[test]
fn a_bare_notification_has_no_empty_parts() {
    let message = sent(&json!({}), |notification| {
        notification.incident = None;
        notification.object.name.clear();
        notification.object.url = "javascript:alert(1)".to_owned();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
        notification.contact.addresses.clear();
    });
    assert_snapshot!(message, @r#"{"allowed_mentions":{"parse":[],"roles":[],"users":[]},"content":"**Notification**"}"#);
}

#[test]
fn discords_limits_are_kept() {
    for render_embeds in [true, false] {
        for text in ["&é_*\n".repeat(4000), "😀".repeat(9000), "a".repeat(9000)] {
            let config =
                json!({ "render_embeds": render_embeds, "mentions": "<@12345678901234567890> ".repeat(41) });
            let message = sent(&config, |notification| {
                notification.object.name.clone_from(&text);
                notification.event.message.clone_from(&text);
                notification.event.username.clone_from(&text);
                notification.object.tags = vec![(text.clone(), text.clone()); 40];
                notification.object.tags.extend(vec![("k".to_owned(), "v".to_owned()); 40]);
            });
            let length = |value: &Value| value.as_str().unwrap_or_default().encode_utf16().count();
            assert!(length(&message["content"]) <= 2000);
            let embed = &message["embeds"][0];
            assert_eq!(embed.is_null(), !render_embeds);
            if render_embeds {
                let fields = embed["fields"].as_array().unwrap();
                assert!(fields.len() <= 25 && fields.last().unwrap()["name"] == "Links");
                let mut total = length(&embed["description"]);
                assert!(total <= 4096);
                for field in fields {
                    assert!((1..=256).contains(&length(&field["name"])));
                    assert!((1..=1024).contains(&length(&field["value"])));
                    total += length(&field["name"]) + length(&field["value"]);
                }
                assert!(total <= 6000, "{total}");
            }
        }
    }
}

#[test]
fn what_discord_would_refuse_is_refused_first() {
    assert_snapshot!(refused(&json!({})), @"`webhook_url` is required and has no value");
    assert_snapshot!(refused(&json!({ "webhook_url": HOOK, "username": "My Discord" })), @"`username` must not contain `discord` or `clyde`, which Discord refuses");
    assert_snapshot!(refused(&json!({ "webhook_url": HOOK, "username": "x".repeat(81) })), @"`username` must have 1 to 80 characters");
    assert_snapshot!(refused(&json!({ "webhook_url": HOOK, "mentions": "@ops" })), @"`mentions` has `@ops`; write `@here`, `@everyone`, a user `<@ID>` or a role `<@&ID>`");
}

#[test]
fn templates_take_the_place_of_the_text() {
    let mut config = json!({ "webhook_url": "https://discord.com/api/webhooks/1/x", "mentions": "@here" });
    config["template_body"] = json!("**{{ .Entry.Image.Tag | upper }}** & {{ .Meta.Hostname }}");
    let host = FakeHost::new();
    host.send::<Discord>(&config, &sandbell_chat_text::testing::diun("new")).unwrap();
    assert_eq!(host.request().json()["content"], "@here **LATEST** & myserver");
    config["template_body"] = json!("{{ .Entry");
    let error = FakeHost::new().configure::<Discord>(&config).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`template_body` cannot parse body template: template: body:1: unclosed action"
    );
    config["template_body"] = json!("{{ .Entry.Nope }}");
    let error = FakeHost::new().send::<Discord>(&config, &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::CONFIG));
}
