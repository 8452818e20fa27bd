//! What Telegram gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::Address;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const SENT: &str = r#"{"ok":true,"result":{"message_id":42}}"#;

fn config(chats: &str) -> Value {
    json!({ "token": "123:abc", "chat_ids": chats })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(status, headers, body);
    host.send::<Telegram>(&config("7"), &Notification::example())
}

fn sent(config: &Value, change: impl FnOnce(&mut Notification)) -> Vec<Value> {
    let mut notification = Notification::example();
    change(&mut notification);
    let host = FakeHost::new();
    (0..TARGETS_MAX).for_each(|_| host.reply(200, &[], SENT));
    host.send::<Telegram>(config, &notification).unwrap();
    host.requests().iter().map(|request| request.json()).collect()
}

fn refused(config: &Value) -> String {
    FakeHost::new().configure::<Telegram>(config).map(|_| ()).unwrap_err().to_string()
}

fn address(notification: &mut Notification, address: &str) {
    let address = Address { kind: "telegram".to_owned(), address: address.to_owned() };
    notification.contact.addresses.push(address);
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Kommt von @BotFather, z. B. 123456:ABC-DEF…. Wer es hat, ist der Bot.","en_US":"Given by `@BotFather`, e.g. `123456:ABC-DEF…`. Whoever has it is the bot."},"label":{"de_DE":"Bot-Token","en_US":"Bot Token"},"name":"token","required":true,"type":"secret"}
    {"help":{"de_DE":"Wohin geschrieben wird, sofern der Kontakt keine eigenen Chats hat (Adresstyp telegram): IDs oder @kanal, durch Kommas oder Leerzeichen getrennt; -100123:4;5 sind die Themen 4 und 5 einer Gruppe.","en_US":"Where to write, unless the contact has chats of its own (address type `telegram`): IDs or `@channel`, separated by commas or blanks; `-100123:4;5` are topics 4 and 5 of a group."},"hints":{"placeholder":"-1001234567890:4;5"},"label":{"de_DE":"Chats","en_US":"Chats"},"name":"chat_ids","type":"string"}
    {"default":false,"help":{"de_DE":"Telefone zeigen die Nachricht ohne Ton.","en_US":"Phones show the message without a sound."},"label":{"de_DE":"Lautlos","en_US":"Silent"},"name":"disable_notification","type":"bool"}
    {"default":"https://api.telegram.org","help":{"de_DE":"Ein anderer Server der Bot-API als Telegrams eigener.","en_US":"Another server of the Bot API than Telegram's own."},"label":{"de_DE":"API-URL","en_US":"API URL"},"name":"api_url","type":"string"}
    {"default":"auto","help":{"de_DE":"Wessen Nachricht es ist: Sandbells eigene, oder die des Telegram-Kanals von Diun, Cloudforet oder Icinga. Ohne Angabe die von Diun und Cloudforet für das, was sie sandten, sonst Sandbells eigene.","en_US":"Whose message it is: Sandbell's own, or that of the Telegram channel of Diun, Cloudforet or Icinga. By default that of Diun and Cloudforet for what they sent, and Sandbell's own for everything else."},"label":{"de_DE":"Stil","en_US":"Style"},"name":"style","options":{"auto":"By source","cloudforet":"Cloudforet","diun":"Diun","icinga":"Icinga","own":"Sandbell"},"type":"option"}
    {"help":{"de_DE":"Ein Go-Template mit Diuns Funktionen, anstelle der Nachricht: in Diuns Stil Markdown, sonst HTML.","en_US":"A Go template with Diun's helpers, in the place of the message: in Diun's style Markdown, else HTML."},"label":{"de_DE":"Text-Template","en_US":"Body Template"},"name":"template_body","type":"text"}
    "#);
    assert_snapshot!(describe::<Telegram>(), @"
    Telegram by Sandbell
    addresses: telegram
    wants http POST {api_url}/bot*: Writes each notification as the bot of the token.
    ");
}

#[test]
fn a_message_is_html() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], SENT);
    let receipt = host.send::<Telegram>(&config("-100123:4"), &Notification::example()).unwrap();
    assert_eq!(receipt, Receipt::new().id("42"));
    assert_eq!(host.request().timeout_ms, Some(5_000));
    assert_snapshot!(host.request(), @r#"
    POST https://api.telegram.org/bot<secret:token>/sendMessage
    Content-Type: application/json

    {"chat_id":-100123,"link_preview_options":{"is_disabled":true},"message_thread_id":4,"parse_mode":"HTML","text":"<b>[#1437] dummy-809!random fortune is crit</b>\n\nSomething &lt;went&gt; wrong &amp; broke\n\n<b>host:</b> dummy-809\n<b>service:</b> random fortune\n<b>When:</b> 2024-07-12 12:47:30 +0200\n\n<a href=\"https://icinga.example.com/icingadb/service?name=random%20fortune&amp;host.name=dummy-809\">Object</a> · <a href=\"https://icinga.example.com/notifications/incident?id=1437\">Incident</a>"}
    "#);
}

#[test]
fn every_chat_and_topic_gets_the_message() {
    let mut config = config("@news, 7");
    config["disable_notification"] = json!("y");
    let ids = |messages: Vec<Value>| {
        let id = |it: &Value| format!("{}/{}", it["chat_id"], it["message_thread_id"]);
        messages.iter().map(id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(sent(&config, |_| ())[0]["disable_notification"], true);
    assert_eq!(ids(sent(&config, |_| ())), r#""@news"/null 7/null"#);
    let own = sent(&config, |notification| {
        address(notification, "5:1;2");
        address(notification, "6");
    });
    assert_eq!(ids(own), "5/1 5/2 6/null");
}

#[test]
fn a_contact_without_a_chat_is_refused() {
    let host = FakeHost::new();
    let mut notification = Notification::example();
    let error = host.send::<Telegram>(&config(""), &notification).unwrap_err();
    let want = "contact Icinga Admin has no telegram chat, and the channel names none";
    assert_eq!(error, SendError::address(want));
    address(&mut notification, "jdoe");
    let error = host.send::<Telegram>(&config("7"), &notification).unwrap_err();
    let want = "the address `jdoe` has `jdoe`; write a chat's ID, `@channel`, or `ID:topic;topic`";
    assert_eq!(error, SendError::address(want));
    let mut notification = Notification::example();
    (0..11).for_each(|_| address(&mut notification, "7"));
    let error = host.send::<Telegram>(&config(""), &notification).unwrap_err();
    assert_eq!(error, SendError::address("contact Icinga Admin has more than 10 chats"));
    assert!(host.requests().is_empty());
}

#[test]
fn one_chat_of_two() {
    let blocked = r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#;
    let run = |answers: &[(u16, &str)]| {
        let host = FakeHost::new().strict();
        for (status, body) in answers {
            host.reply(*status, &[], body);
        }
        host.send::<Telegram>(&config("7 8:9"), &Notification::example())
    };
    let detail = "not delivered to 8:9: Telegram answered `Forbidden: bot was blocked by the user`";
    assert_eq!(run(&[(200, SENT), (403, blocked)]).unwrap(), Receipt::new().id("42").detail(detail));
    assert_eq!(run(&[(403, blocked), (403, blocked)]).unwrap_err().code, code::ADDRESS);
    // What may still be reached is tried again, although the first chat then reads twice.
    assert_eq!(run(&[(200, SENT), (502, "")]).unwrap_err().retry, Retry::Later);
    // A strict host: the second chat is not tried with a token that is wrong.
    assert_eq!(
        run(&[(401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#)]).unwrap_err().code,
        code::AUTH
    );
    assert_eq!(run(&[(429, "")]).unwrap_err().code, code::RATE_LIMITED);
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    for (status, body, retry, code, message) in [
        (
            400,
            r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#,
            Never,
            code::ADDRESS,
            "Telegram answered `Bad Request: chat not found`",
        ),
        (
            400,
            r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1005}}"#,
            Never,
            code::ADDRESS,
            "Telegram answered `Bad Request: group chat was upgraded to a supergroup chat`; the chat's new ID is -1005",
        ),
        (
            400,
            r#"{"ok":false,"error_code":400,"description":"Bad Request: message is too long"}"#,
            Never,
            code::REJECTED,
            "Telegram answered `Bad Request: message is too long`",
        ),
        (
            404,
            r#"{"ok":false,"error_code":404,"description":"Not Found"}"#,
            Never,
            code::AUTH,
            "Telegram answered `Not Found`",
        ),
        (200, r#"{"ok":false,"description":"no"}"#, Never, code::REJECTED, "Telegram answered `no`"),
        (200, "<html>", Never, code::PROTOCOL, "HTTP 200 OK: <html>: no answer of Telegram's Bot API"),
        (404, "<html>", Never, code::REJECTED, "HTTP 404 Not Found: <html>"),
        (
            500,
            r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#,
            Later,
            code::UNREACHABLE,
            "Telegram answered `Internal Server Error`",
        ),
        (502, "", Later, code::UNREACHABLE, "HTTP 502 Bad Gateway"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
}

#[test]
fn a_busy_telegram_says_when_to_come_back() {
    let body = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}"#;
    let wait = |headers: &[(&str, &str)], body: &str| {
        let error = outcome(429, headers, body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str()), (Retry::Later, code::RATE_LIMITED));
        error.after.map(|wait| wait.as_secs())
    };
    assert_eq!(wait(&[("Retry-After", "9")], body), Some(5));
    assert_eq!(wait(&[("Retry-After", "9")], r#"{"ok":false,"error_code":429,"description":"no"}"#), Some(9));
    assert_eq!(wait(&[("Retry-After", "9")], "<html>"), Some(9));
    assert_eq!(wait(&[], ""), None);
}

#[test]
fn texts_are_cut_to_what_telegram_takes_and_never_empty() {
    for text in ["<&é😀>\n".repeat(3000), "a".repeat(9000)] {
        let message = &sent(&config("7"), |notification| {
            notification.object.name.clone_from(&text);
            notification.event.message.clone_from(&text);
        })[0];
        let text = message["text"].as_str().unwrap();
        assert!(text.encode_utf16().count() <= 4096);
        assert_eq!(text.matches("<b>").count(), text.matches("</b>").count());
        assert_eq!(text.matches('&').count(), text.matches(';').count());
    }
    let bare = &sent(&config("7"), |notification| {
        notification.incident = None;
        notification.object.name = " ".to_owned();
        notification.object.url.clear();
        notification.object.tags.clear();
        notification.event.message.clear();
        notification.event.time.clear();
    })[0];
    assert_eq!(bare["text"], "<b>Notification</b>");
}

#[test]
fn a_dry_run_judges_no_answer() {
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<Telegram>(&config("7 8"), &notification).unwrap(), Receipt::new());
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    assert_snapshot!(refused(&json!({})), @"`token` is required and has no value");
    assert_snapshot!(refused(&config("jdoe")), @"`chat_ids` has `jdoe`; write a chat's ID, `@channel`, or `ID:topic;topic`");
    assert_snapshot!(refused(&json!({ "token": "x", "api_url": "api.telegram.org" })), @"`api_url` must start with `https://` or `http://` and name a host");
}

#[test]
fn the_style_follows_the_source_and_the_form() {
    use sandbell_chat_text::testing;
    let sent = |notification: &Notification, change: &[(&str, &str)]| {
        let mut config = config("7");
        for (key, value) in change {
            config[key] = json!(value);
        }
        let host = FakeHost::new();
        host.reply(200, &[], SENT);
        host.send::<Telegram>(&config, notification).unwrap();
        host.request().json()
    };
    let message = sent(&testing::diun("update"), &[]);
    assert_eq!(message["parse_mode"], "Markdown");
    assert_snapshot!(message["text"].as_str().unwrap(), @"Docker tag [docker.io/library/alpine:latest](https://hub.docker.com/_/alpine) which you subscribed to through docker provider has been updated on docker.io registry (triggered by myserver host).");
    let message = sent(&testing::cloudforet(), &[]);
    assert_snapshot!(message["text"].as_str().unwrap(), @r#"
    <b>[ERROR]</b> <a href="https://console.example.com/alert">This is sample notification</a>

    1 out of [0.52] was &lt;less&gt; than &amp; the threshold

    <b>- project_id</b>: <pre>project-xxxxx</pre>
    <b>- resource_id</b>: <pre>net/af83</pre>
    "#);
    assert_snapshot!(message["reply_markup"], @r#"{"inline_keyboard":[[{"text":"Acknowledge","url":"https://monitoring.example.com/ack"}]]}"#);
    let message = sent(&Notification::example(), &[("style", "icinga")]);
    assert!(message.get("parse_mode").is_none());
    assert!(
        message["text"]
            .as_str()
            .unwrap()
            .starts_with("[#1437] dummy-809!random fortune is crit\n\nMessage: ")
    );
    assert_eq!(sent(&testing::diun("new"), &[("style", "own")])["parse_mode"], "HTML");
    let own = sent(&testing::diun("new"), &[("template_body", "*{{ escapeMarkdown \"a_b\" }}*")]);
    assert_eq!((&own["text"], &own["parse_mode"]), (&json!("*a\\_b*"), &json!("Markdown")));
    let long = sent(&testing::diun("new"), &[("template_body", "{{ printf \"%5000s\" \"x\" }}")]);
    assert!(long.get("parse_mode").is_none());
    let mut many = testing::cloudforet();
    many.event.message = "&é".repeat(9000);
    many.source.payload = "{}".to_owned();
    many.object.tags = vec![("k&".repeat(90), "<v>".repeat(900)); 30];
    let text = sent(&many, &[])["text"].as_str().unwrap().to_owned();
    assert!((3000..=4096).contains(&text.encode_utf16().count()), "{}", text.encode_utf16().count());
}

#[test]
fn markup_that_telegram_cannot_read_goes_out_as_text() {
    let host = FakeHost::new().strict();
    host.reply(
        400,
        &[],
        r#"{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities: x"}"#,
    );
    host.reply(200, &[], SENT);
    let mut config = config("7");
    config["template_body"] = json!("<b>open");
    host.send::<Telegram>(&config, &Notification::example()).unwrap();
    let modes: Vec<_> =
        host.requests().iter().map(|request| request.json().get("parse_mode").cloned()).collect();
    assert_eq!(modes, [Some(json!("HTML")), None]);
    config["template_body"] = json!("{{ .Entry.Nope }}");
    let error = FakeHost::new().send::<Telegram>(&config, &Notification::example()).unwrap_err();
    assert_eq!(error.code, code::CONFIG);
    config["template_body"] = json!("{{");
    assert_snapshot!(refused(&config), @"`template_body` cannot parse body template: template: body:1: unclosed action");
}
