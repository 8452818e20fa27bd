//! What goes out for what came in; the facts are `reference/icinga.md` §1.2, §1.3 and §4.2.

use insta::assert_snapshot;
use sandbell_sdk::Source;
use sandbell_sdk::serde_json::{Value as Json, from_str};
use sandbell_sdk::testing::FakeHost;

use super::*;

const LEGACY: &str = r#"{"contact":{"full_name":"Icinga Admin","addresses":[{"type":"email","address":"admin@example.com"},{"type":"spy","address":"spy-room"}]},"object":{"name":"dummy-809!random fortune","url":"http://localhost/icingaweb2//icingadb/service?name=x","tags":{"host":"dummy-809","service":"random fortune"},"extra_tags":{"hostgroup/a":""}},"incident":{"id":1,"url":"http://localhost/icingaweb2/notifications/incident?id=1","severity":"crit"},"event":{"time":"2026-11-22T04:49:53.181747244Z","type":"state","username":"","message":"Something \u003cwent\u003e wrong \u0026 é"}}"#;
const HEAD: &str = r#"{"contact":{"full_name":"No Addr","addresses":null},"object":{"name":"dummy-809!random fortune","url":"http://localhost/icingaweb2/icingadb/service?name=random%20fortune\u0026host.name=dummy-809","tags":{"host":"dummy-809","service":"random fortune"}},"incident":{"id":1,"url":"http://localhost/icingaweb2/notifications/incident?id=1","severity":"crit"},"event":{"time":"2026-11-22T04:49:52.699Z","message":"m"}}"#;

const URL: &str = "https://hook.example.com/in";

/// A notification as the Icinga door hands it over: what matters here is the payload.
fn from_icinga(payload: &str) -> Notification {
    let source = Source { system: "icinga".to_owned(), payload: payload.to_owned() };
    Notification { source, ..Notification::example() }
}

fn sent(config: &Json, payload: &str) -> String {
    let host = FakeHost::new();
    host.send::<Webhook>(config, &from_icinga(payload)).unwrap();
    host.request().to_string()
}

fn rendered(body: &str, payload: &str) -> String {
    let host = FakeHost::new();
    let config = json!({ "url_template": URL, "request_body_template": body });
    match host.send::<Webhook>(&config, &from_icinga(payload)) {
        Ok(_) => {
            host.request().to_string().split_once("\n\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_default_body_is_what_icinga_sent_byte_for_byte() {
    let config = json!({ "url_template": URL });
    for payload in [LEGACY, HEAD] {
        assert_eq!(sent(&config, payload), format!("POST {URL}\n\n{payload}"));
    }
}

#[test]
fn an_empty_request_is_four_nulls() {
    let nothing = r#"{"contact":null,"object":null,"incident":null,"event":null}"#;
    for payload in ["{}", nothing] {
        assert_eq!(rendered("{{json .}}", payload), nothing);
    }
}

#[test]
fn another_source_is_shown_in_the_same_shape() {
    let host = FakeHost::new();
    let notification = Notification {
        source: Source { system: "argus".to_owned(), payload: "{\"name\":\"repo\"}".to_owned() },
        ..Notification::example()
    };
    host.send::<Webhook>(&json!({ "url_template": URL }), &notification).unwrap();
    let json = host.request().json();
    assert_eq!(json["object"]["name"], notification.object.name.as_str());
    assert_eq!(json["event"]["message"], notification.event.message.as_str());
    let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["contact", "event", "incident", "object"]);
}

#[test]
fn templates_see_gos_names() {
    let check = |template: &str, want: &str| assert_eq!(rendered(template, LEGACY), want, "{template}");
    check("{{.Contact.FullName}} {{len .Contact.Addresses}}", "Icinga Admin 2");
    check(
        "{{range .Contact.Addresses}}{{.Type}}={{.Address}};{{end}}",
        "email=admin@example.com;spy=spy-room;",
    );
    check("{{index .Object.Tags \"host\"}} {{.Object.Tags.service}}", "dummy-809 random fortune");
    check("#{{.Incident.Id}} {{.Incident.Severity}} {{.Event.Type}}", "#1 crit state");
    check("{{.Event.Time.Format \"15:04\"}} {{.Event.Time.Year}}", "04:49 2026");
    check(
        "{{json .Incident}}",
        r#"{"id":1,"url":"http://localhost/icingaweb2/notifications/incident?id=1","severity":"crit"}"#,
    );
    check("{{html .Event.Message}}", "Something &lt;went&gt; wrong &amp; é");
    check("{{with .Incident}}{{.Id}}{{end}}", "1");
    assert_eq!(
        rendered("{{with .Incident}}{{.Id}}{{else}}none{{end}}", r#"{"object":{"name":"x"}}"#),
        "none"
    );
}

#[test]
fn a_template_that_does_not_fit_says_where() {
    assert_snapshot!(rendered("{{.Event.Type}}", HEAD), @r#"cannot execute Request Body template: template: Request Body:1:8: executing "Request Body" at <.Event.Type>: can't evaluate field Type in type *plugin.Event"#);
    assert_snapshot!(rendered("{{.Incident.Id}}", "{}"), @r#"cannot execute Request Body template: template: Request Body:1:11: executing "Request Body" at <.Incident.Id>: nil pointer evaluating *plugin.Incident.Id"#);
    assert_snapshot!(rendered("{{.Nothing}}", HEAD), @r#"cannot execute Request Body template: template: Request Body:1:2: executing "Request Body" at <.Nothing>: can't evaluate field Nothing in type *plugin.NotificationRequest"#);
}

#[test]
fn a_template_can_make_the_path_and_the_query() {
    let config = json!({
        "method": "put",
        "url_template": format!("{URL}/{{{{.Incident.Id}}}}?object={{{{urlquery .Object.Name}}}}"),
        "request_body_template": "",
    });
    assert_eq!(sent(&config, HEAD), format!("PUT {URL}/1?object=dummy-809%21random+fortune"));
}

#[test]
fn a_blank_in_the_url_is_encoded() {
    let config = json!({
        "url_template": format!("{URL}/{{{{.Object.Name}}}}?name={{{{.Object.Name}}}}"),
        "request_body_template": "",
    });
    let name = "dummy-809!random%20fortune";
    assert_eq!(sent(&config, HEAD), format!("POST {URL}/{name}?name={name}"));
}

#[test]
fn a_bad_form_is_refused_in_icingas_words() {
    let refused = |config: Json| FakeHost::new().configure::<Webhook>(&config).err().unwrap().to_string();
    assert_snapshot!(refused(json!({ "url_template": "{{" })), @"`url_template` cannot parse URL template: template: URL:1: unclosed action");
    assert_snapshot!(refused(json!({ "url_template": URL, "request_body_template": "{{nope}}" })), @r#"`request_body_template` cannot parse Request Body template: template: Request Body:1: function "nope" not defined"#);
    assert_snapshot!(refused(json!({ "url_template": URL, "response_status_codes": "200, 204" })), @r#"`response_status_codes` cannot convert status code " 204" to int: strconv.Atoi: parsing " 204": invalid syntax"#);
    assert_snapshot!(refused(json!({})), @"`url_template` is required and has no value");
}

#[test]
fn only_the_listed_statuses_are_success() {
    let answered = |status: u16, headers: &[(&str, &str)], codes: &str| {
        let host = FakeHost::new();
        host.reply(status, headers, "whatever");
        host.send::<Webhook>(
            &json!({ "url_template": URL, "response_status_codes": codes }),
            &from_icinga(HEAD),
        )
    };
    assert!(answered(200, &[], "200").is_ok());
    assert!(answered(302, &[], "200,302").is_ok());
    let check = |status, headers: &[(&str, &str)], codes, retry, after: Option<u64>| {
        let error = answered(status, headers, codes).unwrap_err();
        let list = codes.replace(',', " ");
        assert_eq!(error.message, format!("unaccepted HTTP response status code {status} not in [{list}]"));
        assert_eq!((error.retry, error.after), (retry, after.map(Duration::from_secs)), "{status}");
    };
    check(500, &[], "200,204", Retry::Later, None);
    check(503, &[("Retry-After", "7")], "200", Retry::Later, Some(7));
    check(429, &[("Retry-After", "30")], "200", Retry::Later, Some(30));
    check(404, &[], "200", Retry::Never, None);
    check(204, &[], "200", Retry::Never, None);
}

#[test]
fn a_template_without_an_end_is_stopped() {
    let text = rendered("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}", HEAD);
    assert!(text.starts_with("cannot execute Request Body template: "), "{text}");
}

#[test]
fn the_form_is_icingas() {
    assert_snapshot!(sandbell_sdk::testing::describe::<Webhook>(), @"
    Webhook by Sandbell
    addresses: webhook
    wants http {method} {url_template}: Sends each notification to the URL of the form, and to nothing else.
    ");
}

#[test]
fn the_options_are_icingas() {
    let options = sandbell_sdk::testing::form::<Config>();
    let line = |option: &Json| {
        let field = |name: &str| option[name].to_string();
        let [name, kind, required, default] = ["name", "type", "required", "default"].map(field);
        format!("{name} {kind} required={required} default={default} label={}", option["label"])
    };
    // What is more is Sandbell's.
    let lines: Vec<_> = options.as_array().unwrap().iter().take(4).map(line).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    "method" "string" required=true default="POST" label={"de_DE":"HTTP-Methode","en_US":"HTTP Method"}
    "url_template" "string" required=true default=null label={"de_DE":"URL-Template","en_US":"URL Template"}
    "request_body_template" "string" required=null default="{{json .}}" label={"de_DE":"Anfragedaten-Template","en_US":"Request Body Template"}
    "response_status_codes" "string" required=true default="200" label={"de_DE":"Antwort-Status-Codes","en_US":"Response Status Codes"}
    "#);
}

#[test]
fn the_payload_of_icinga_is_json() {
    // The fixtures above are the reference's golden lines; a typing mistake in them would hide in the byte comparison.
    for payload in [LEGACY, HEAD] {
        assert!(from_str::<Json>(payload).unwrap().is_object());
    }
}

#[test]
fn diun_and_quay_get_what_the_source_sent() {
    use sandbell_chat_text::testing;
    let sent = |notification: &Notification, more: &[(&str, &str)]| {
        let mut config = json!({ "url_template": URL });
        for (key, value) in more {
            config[key] = json!(value);
        }
        let host = FakeHost::new();
        host.reply(204, &[], "");
        host.send::<Webhook>(&config, notification).map(|_| host.request().to_string())
    };
    let (diun, quay) = (testing::diun("new"), testing::quay());
    assert_eq!(sent(&diun, &[]).unwrap(), format!("POST {URL}\n\n{}", diun.source.payload));
    let json = "Content-Type: application/json";
    assert_eq!(sent(&quay, &[]).unwrap(), format!("POST {URL}\n{json}\n\n{}", quay.source.payload));
    let body =
        [("request_body_template", "{{ .Entry.Image.Tag | upper }} {{ .Meta.Name }}"), ("method", "get")];
    assert_eq!(sent(&diun, &body).unwrap(), format!("GET {URL}\n\nLATEST Diun"));
    let template = [("template", r#"{"repo":"${repository}","tags":"${updated_tags[*]}","event":"push"}"#)];
    let want =
        format!("POST {URL}\n{json}\n\n{}", r#"{"event":"push","repo":"devtable/api","tags":"latest"}"#);
    assert_eq!(sent(&quay, &template).unwrap(), want);
    // In Icinga's style 200 is 200, and so it is where the form says something of its own.
    assert_eq!(
        sent(&quay, &[("style", "icinga")]).unwrap_err().message,
        "unaccepted HTTP response status code 204 not in [200]"
    );
    let strict = [("response_status_codes", "200,201")];
    assert_eq!(
        sent(&quay, &strict).unwrap_err().message,
        "unaccepted HTTP response status code 204 not in [200 201]"
    );
    assert!(sent(&quay, &[("style", "icinga"), ("response_status_codes", "200-299")]).is_ok());
}

#[test]
fn headers_are_the_operators_and_a_signature_is_the_hosts() {
    let host = FakeHost::new();
    let config = json!({
        "url_template": URL, "request_body_template": "{{ .Object.Name }}", "authorization": "Bearer s3cret",
        "headers": "Content-Type: text/plain\nX-Object: {{ .Object.Name }}", "signing_secret": "s1gning",
    });
    let mut notification = from_icinga(HEAD);
    notification.delivery.id = "dlv_1".to_owned();
    host.send::<Webhook>(&config, &notification).unwrap();
    let request = host.request();
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    assert_eq!(
        [header("content-type"), header("x-object"), header("authorization"), header("webhook-id")],
        ["text/plain", "dummy-809!random fortune", "<secret:authorization>", "dlv_1"]
    );
    let seconds = header("webhook-timestamp");
    assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000, "{seconds}");
    let signed = format!("dlv_1.{seconds}.dummy-809!random fortune");
    assert_eq!(
        header("webhook-signature"),
        format!("v1,<hmac-sha256-base64:<secret:signing_secret>:{signed}>")
    );
}

#[test]
fn what_is_new_in_the_form_is_checked_too() {
    let refused = |more: Json| {
        let mut config = json!({ "url_template": URL });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        FakeHost::new().configure::<Webhook>(&config).err().unwrap().to_string()
    };
    assert_snapshot!(refused(json!({ "template": "{" })), @"`template` is no JSON: EOF while parsing an object at line 1 column 1");
    assert_snapshot!(refused(json!({ "template": "[\"${a..b}\"]" })), @"`template` has `${a..b}` at `$[0]`, character 1; write `${name}`, `${a.b[0].c}` or `${a[*].b}`");
    assert_snapshot!(refused(json!({ "headers": "Content-Length: 1" })), @"`headers` has `Content-Length` in line 1, which the host writes itself");
    assert_snapshot!(refused(json!({ "headers": "Authorization: x", "authorization": "y" })), @"`headers` has `Authorization`, which has an option of its own");
    assert_snapshot!(refused(json!({ "style": "argus" })), @"`style` must be one of `auto`, `icinga`, `diun`, `quay`");
    let host = FakeHost::new();
    let config = json!({ "url_template": URL, "headers": "X: {{ .Nope }}" });
    let error = host.send::<Webhook>(&config, &from_icinga(HEAD)).unwrap_err();
    assert_snapshot!(error, @r#"cannot execute header template: template: X:1:3: executing "X" at <.Nope>: can't evaluate field Nope in type *plugin.NotificationRequest"#);
}
