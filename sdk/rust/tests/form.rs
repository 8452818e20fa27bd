//! The derives: from a struct to a form, and from the form's values back.

use insta::assert_snapshot;
use sandbell_sdk::prelude::*;
use sandbell_sdk::testing::{FakeHost, form};
use serde_json::Value;

/// One option of every shape.
#[derive(ChannelConfig, Debug)]
struct Config {
    /// Where to.
    ///
    /// Usually the first
    /// of the list.
    #[config(
        label(de_DE = "Adresse"),
        help(de_DE = "Wohin."),
        placeholder = "https://…",
        pattern = "^https:"
    )]
    server_url: String,
    #[config(label = "Greeting", default = "Hello", multiline)]
    text: String,
    #[config(default = "Sandbell", required)]
    signature: String,
    quiet: bool,
    #[config(default = true)]
    is_loud: bool,
    #[config(default = 10, min = 1, max = 60)]
    limit: u32,
    small: Option<i8>,
    token: Secret,
    key: Option<Secret>,
    #[config(default = "plain_text")]
    format: Format,
    #[config(default = ["html"])]
    formats: Vec<Format>,
    #[config(rename = "type")]
    kind: Option<Format>,
}

#[derive(Choice, Clone, Copy, Debug, PartialEq)]
enum Format {
    PlainText,
    #[choice(rename = "html", label = "HTML")]
    Markup,
}

struct Form(Config);

impl Channel for Form {
    type Config = Config;

    fn info() -> Info {
        Info::new("Form")
    }

    fn new(config: Config) -> Result<Self, ConfigError> {
        Ok(Self(config))
    }

    fn send(&self, _: &Notification) -> Result<Receipt, SendError> {
        Ok(Receipt::new())
    }
}

fn configure(config: &Value) -> Result<Config, ConfigError> {
    FakeHost::new().configure::<Form>(config).map(|Form(config)| config)
}

#[test]
fn the_form_says_everything_about_a_field() {
    let lines: Vec<_> = form::<Config>().as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"help":{"de_DE":"Wohin.","en_US":"Where to.\nUsually the first of the list."},"hints":{"pattern":"^https:","placeholder":"https://…"},"label":{"de_DE":"Adresse","en_US":"Server URL"},"name":"server_url","required":true,"type":"string"}
    {"default":"Hello","label":{"en_US":"Greeting"},"name":"text","type":"text"}
    {"default":"Sandbell","label":{"en_US":"Signature"},"name":"signature","required":true,"type":"string"}
    {"default":false,"label":{"en_US":"Quiet"},"name":"quiet","type":"bool"}
    {"default":true,"label":{"en_US":"Is loud"},"name":"is_loud","type":"bool"}
    {"default":"10","label":{"en_US":"Limit"},"max":60,"min":1,"name":"limit","type":"number"}
    {"label":{"en_US":"Small"},"max":127,"min":-128,"name":"small","type":"number"}
    {"label":{"en_US":"Token"},"name":"token","required":true,"type":"secret"}
    {"label":{"en_US":"Key"},"name":"key","type":"secret"}
    {"default":"plain_text","label":{"en_US":"Format"},"name":"format","options":{"html":"HTML","plain_text":"Plain text"},"type":"option"}
    {"default":["html"],"label":{"en_US":"Formats"},"name":"formats","options":{"html":"HTML","plain_text":"Plain text"},"type":"options"}
    {"label":{"en_US":"Type"},"name":"type","options":{"html":"HTML","plain_text":"Plain text"},"type":"option"}
    "#);
}

#[test]
fn what_is_absent_has_its_default() {
    let config = configure(&json!({ "server_url": "x", "token": "s3cret" })).unwrap();
    let texts = [config.server_url.as_str(), config.text.as_str(), config.signature.as_str()];
    assert_eq!(texts, ["x", "Hello", "Sandbell"]);
    assert_eq!((config.quiet, config.is_loud, config.limit, config.small), (false, true, 10, None));
    assert_eq!((config.format, config.formats, config.kind), (Format::PlainText, vec![Format::Markup], None));
    assert_eq!((config.token.option(), config.key.is_none()), ("token", true));
}

#[test]
fn values_come_as_forms_and_files_write_them() {
    let config = configure(&json!({
        "server_url": "x", "token": "s3cret", "text": "", "quiet": "y", "is_loud": false, "limit": " 60 ", "small": -128,
        "key": "k", "format": "html", "formats": { "0": "plain_text", "1": "html" }, "type": "",
    }))
    .unwrap();
    assert_eq!((config.text.as_str(), config.quiet, config.is_loud), ("", true, false));
    assert_eq!(
        (config.limit, config.small, config.format, config.kind),
        (60, Some(-128), Format::Markup, None)
    );
    assert_eq!(config.formats, [Format::PlainText, Format::Markup]);
    assert_eq!(config.key.unwrap().option(), "key");
    assert!(!format!("{:?}", config.token).contains("s3cret"));
}

#[test]
fn what_is_wrong_is_named() {
    let refused = |name: &str, value: Value| {
        let mut config = json!({ "server_url": "x", "token": "s3cret" });
        config[name] = value;
        let error = configure(&config).unwrap_err();
        assert_eq!(error.option.as_deref(), Some(name));
        error.to_string()
    };
    assert_snapshot!(refused("server_url", json!("")), @"`server_url` is required and has no value");
    assert_snapshot!(refused("server_url", json!(null)), @"`server_url` is required and has no value");
    assert_snapshot!(refused("server_url", json!(["x"])), @"`server_url` must be text");
    assert_snapshot!(refused("signature", json!("")), @"`signature` is required and has no value");
    assert_snapshot!(refused("token", json!("")), @"`token` is required and has no value");
    assert_snapshot!(refused("quiet", json!("perhaps")), @"`quiet` must be true or false");
    assert_snapshot!(refused("limit", json!(0)), @"`limit` must be between 1 and 60");
    assert_snapshot!(refused("limit", json!("61")), @"`limit` must be between 1 and 60");
    assert_snapshot!(refused("limit", json!("ten")), @"`limit` is no whole number");
    assert_snapshot!(refused("small", json!(128)), @"`small` must be between -128 and 127");
    assert_snapshot!(refused("format", json!("rtf")), @"`format` must be one of `plain_text`, `html`");
    assert_snapshot!(refused("formats", json!(["html", "rtf"])), @"`formats` must be one of `plain_text`, `html`");
    assert_snapshot!(refused("formats", json!("html")), @"`formats` must be a list of choices");
    assert_snapshot!(refused("type", json!("rtf")), @"`type` must be one of `plain_text`, `html`");
}

#[test]
#[should_panic(expected = "no option `limt`; this channel has server_url, text")]
fn a_misspelt_option_fails_the_test() {
    let _ = configure(&json!({ "limt": 5 }));
}
