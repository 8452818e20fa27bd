//! What NAVER WORKS gets, and what its answers mean.

use insta::assert_snapshot;
use sandbell_sdk::testing::{FakeHost, describe, form};

use super::*;

const TOKEN: &str = r#"{"access_token":"x","expires_in":"86400","token_type":"Bearer"}"#;

fn config() -> Value {
    json!({
        "client_id": "app", "client_secret": "s", "service_account": "a.serviceaccount@example.com",
        "private_key": "-----BEGIN PRIVATE KEY-----", "bot_id": "2000001", "channel_id": "12345a12-b12c",
    })
}

fn outcome(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt, SendError> {
    let host = FakeHost::new().strict();
    host.reply(200, &[], TOKEN);
    host.reply(status, headers, body);
    host.send::<NaverWorks>(&config(), &Notification::example())
}

#[test]
fn the_channel_describes_itself() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Client-ID der App aus der Entwicklerkonsole.","en_US":"Client ID of the app, from the developer console."},"label":{"de_DE":"Client-ID","en_US":"Client ID"},"name":"client_id","required":true,"type":"string"}
    {"label":{"de_DE":"Client-Secret","en_US":"Client Secret"},"name":"client_secret","required":true,"type":"secret"}
    {"help":{"de_DE":"Dienstkonto der App, z. B. abcde.serviceaccount@example.com.","en_US":"Service account of the app, e.g. `abcde.serviceaccount@example.com`."},"label":{"de_DE":"Dienstkonto","en_US":"Service Account"},"name":"service_account","required":true,"type":"string"}
    {"help":{"de_DE":"Privater Schlüssel des Dienstkontos, PEM, von der ersten bis zur letzten Zeile.","en_US":"Private key of the service account, PEM, from the first line to the last."},"label":{"de_DE":"Privater Schlüssel","en_US":"Private Key"},"name":"private_key","required":true,"type":"secret"}
    {"help":{"de_DE":"Der Bot, der sendet.","en_US":"The bot that sends."},"label":{"de_DE":"Bot-ID","en_US":"Bot ID"},"name":"bot_id","required":true,"type":"string"}
    {"help":{"de_DE":"Der Kanal für Kontakte ohne Adresse vom Typ naver-works.","en_US":"The channel of contacts that have no address of the type `naver-works`."},"label":{"de_DE":"Kanal-ID","en_US":"Channel ID"},"name":"channel_id","type":"string"}
    "#);
    assert_snapshot!(describe::<NaverWorks>(), @"
    NAVER WORKS by Sandbell
    addresses: naver-works
    wants http POST https://auth.worksmobile.com/oauth2/v2.0/token: Gets an access token for the service account.
    wants http POST https://www.worksapis.com/v1.0/bots/{bot_id}/channels/*: Sends each notification to a channel of the bot.
    ");
}

#[test]
fn a_token_is_asked_for_and_used() {
    let host = FakeHost::new().strict();
    host.reply(200, &[], TOKEN);
    host.reply(201, &[], "");
    assert_eq!(host.send::<NaverWorks>(&config(), &Notification::example()).unwrap(), Receipt::new());
    let requests = host.requests();
    assert_eq!(requests.len(), 2);
    assert_snapshot!(requests[0], @r#"
    POST https://auth.worksmobile.com/oauth2/v2.0/token
    Content-Type: application/x-www-form-urlencoded

    assertion=<jwt-rs256:<secret:private_key>:{}:{"iss":"app","sub":"a.serviceaccount@example.com"}>&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&client_id=app&client_secret=<secret:client_secret>&scope=bot
    "#);
    assert_snapshot!(requests[1], @r##"
    POST https://www.worksapis.com/v1.0/bots/2000001/channels/12345a12-b12c/messages
    Authorization: Bearer <secret:token:1>
    Content-Type: application/json

    {"content":{"altText":"[#1437] dummy-809!random fortune is crit","contents":{"body":{"contents":[{"color":"#ff5566","text":"[#1437] dummy-809!random fortune is crit","type":"text","weight":"bold","wrap":true},{"text":"Something <went> wrong & broke","type":"text","wrap":true},{"contents":[{"color":"#858895","flex":2,"size":"sm","text":"host","type":"text"},{"flex":5,"size":"sm","text":"dummy-809","type":"text","wrap":true}],"layout":"baseline","type":"box"},{"contents":[{"color":"#858895","flex":2,"size":"sm","text":"service","type":"text"},{"flex":5,"size":"sm","text":"random fortune","type":"text","wrap":true}],"layout":"baseline","type":"box"},{"contents":[{"color":"#858895","flex":2,"size":"sm","text":"When","type":"text"},{"flex":5,"size":"sm","text":"2024-07-12 12:47:30 +0200","type":"text","wrap":true}],"layout":"baseline","type":"box"}],"layout":"vertical","spacing":"sm","type":"box"},"footer":{"contents":[{"action":{"label":"Object","type":"uri","uri":"https://icinga.example.com/icingadb/service?name=random%20fortune&host.name=dummy-809"},"type":"button"},{"action":{"label":"Incident","type":"uri","uri":"https://icinga.example.com/notifications/incident?id=1437"},"type":"button"}],"layout":"vertical","type":"box"},"type":"bubble"},"type":"flex"}}
    "##);
}

#[test]
fn a_bare_notification_has_no_empty_text_and_no_buttons() {
    let mut notification = Notification::example();
    notification.incident = None;
    notification.object.name.clear();
    notification.object.url.clear();
    notification.object.tags = vec![("a".to_owned(), " ".to_owned())];
    notification.event.message.clear();
    notification.contact.addresses[0].kind = "naver-works".to_owned();
    notification.contact.addresses[0].address = "99-own".to_owned();
    let host = FakeHost::new();
    host.reply(200, &[], TOKEN);
    host.reply(201, &[], "");
    host.send::<NaverWorks>(&config(), &notification).unwrap();
    let request = &host.requests()[1];
    assert_eq!(request.url, "https://www.worksapis.com/v1.0/bots/2000001/channels/99-own/messages");
    assert_snapshot!(request.body, @r##"{"content":{"altText":"Notification","contents":{"body":{"contents":[{"color":"#aaaaaa","text":"Notification","type":"text","weight":"bold","wrap":true},{"contents":[{"color":"#858895","flex":2,"size":"sm","text":"When","type":"text"},{"flex":5,"size":"sm","text":"2024-07-12 12:47:30 +0200","type":"text","wrap":true}],"layout":"baseline","type":"box"}],"layout":"vertical","spacing":"sm","type":"box"},"type":"bubble"},"type":"flex"}}"##);
}

#[test]
fn a_token_that_is_no_longer_taken_is_asked_for_anew_once() {
    let host = FakeHost::new().strict();
    for (status, body) in [(200, TOKEN), (401, ""), (200, TOKEN), (201, "")] {
        host.reply(status, &[], body);
    }
    host.send::<NaverWorks>(&config(), &Notification::example()).unwrap();
    let used: Vec<_> = host
        .requests()
        .iter()
        .filter_map(|request| request.header("authorization").map(str::to_owned))
        .collect();
    assert_eq!(used, ["Bearer <secret:token:1>", "Bearer <secret:token:2>"]);

    let host = FakeHost::new().strict();
    for (status, body) in [(200, TOKEN), (401, ""), (200, TOKEN), (401, "")] {
        host.reply(status, &[], body);
    }
    let error = host.send::<NaverWorks>(&config(), &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::AUTH));

    let host = FakeHost::new().strict();
    host.reply(400, &[], r#"{"error":"invalid_client"}"#);
    let error = host.send::<NaverWorks>(&config(), &Notification::example()).unwrap_err();
    assert_eq!((error.retry, error.code.as_str()), (Retry::Never, code::AUTH));
}

#[test]
fn an_answer_decides_what_becomes_of_the_notification() {
    use Retry::{Later, Never};
    let forbidden = r#"{"code":"FORBIDDEN","description":"bot is not in the channel"}"#;
    for (status, body, retry, code, message) in [
        (403, forbidden, Never, code::AUTH, "403 FORBIDDEN: bot is not in the channel"),
        (404, "", Never, code::REJECTED, "HTTP 404 Not Found"),
        (200, "<html>", Never, code::PROTOCOL, "HTTP 200 OK: <html>: no answer of NAVER WORKS"),
        (503, "", Later, code::UNREACHABLE, "HTTP 503 Service Unavailable"),
    ] {
        let error = outcome(status, &[], body).unwrap_err();
        assert_eq!((error.retry, error.code.as_str(), error.message.as_str()), (retry, code, message));
    }
    let error = outcome(429, &[("Retry-After", "30")], "").unwrap_err();
    assert_eq!((error.code.as_str(), error.after), (code::RATE_LIMITED, Some(Duration::from_secs(30))));
    let mut notification = Notification::example();
    notification.delivery.dry_run = true;
    assert_eq!(FakeHost::new().send::<NaverWorks>(&config(), &notification).unwrap(), Receipt::new());
}

#[test]
fn what_leads_elsewhere_is_refused() {
    let refused = |key: &str, value: &str| {
        let mut config = config();
        config[key] = json!(value);
        FakeHost::new().configure::<NaverWorks>(&config).map(|_| ()).unwrap_err().to_string()
    };
    assert_snapshot!(refused("bot_id", "1/../2"), @"`bot_id` must be an ID: letters, digits and `-`");
    assert_snapshot!(refused("channel_id", "a?b"), @"`channel_id` must be an ID: letters, digits and `-`");
    assert_snapshot!(refused("private_key", ""), @"`private_key` is required and has no value");
    let mut notification = Notification::example();
    notification.contact.addresses[0].kind = "naver-works".to_owned();
    let error = FakeHost::new().send::<NaverWorks>(&config(), &notification).unwrap_err();
    assert_eq!(error.code, code::ADDRESS);
    let mut config = config();
    config["channel_id"] = Value::Null;
    let error = FakeHost::new().send::<NaverWorks>(&config, &Notification::example()).unwrap_err();
    assert_snapshot!(error.message, @"the contact has no address of the type naver-works, and there is no channel_id");
}
