//! Requests and replies in both dialects, byte for byte (`reference/icinga.md` §§1.2–1.5).

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::{go, params};

/// What the daemon speaks on this connection; the first request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Every release up to v0.2.0: errors are strings, no `jsonrpc`.
    Legacy,
    /// JSON-RPC 2.0, after v0.2.0.
    JsonRpc,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Id {
    Number(u64),
    Text(String),
}

/// A call that has to be answered.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) dialect: Dialect,
    pub(super) id: Id,
    pub(super) method: String,
    /// The bytes as they came, for plugins that pass them on. `null` is a value; absent is another thing.
    pub(super) params: Option<Box<RawValue>>,
}

/// What one JSON value of the stream is.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Request(Request),
    /// An answer to something that we never asked.
    Stray,
}

/// A JSON value that is no message; the stream cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAMessage {
    #[error("expected an object, found {0}")]
    NoObject(&'static str),
    #[error("id: expected an unsigned integer, found {0}")]
    Id(String),
    #[error("method: expected a string, found {0}")]
    Method(&'static str),
    #[error("neither a method nor a result nor an error")]
    Empty,
    #[error("{0}")]
    Json(String),
}

/// Why a call failed; [`reply`] puts it into each dialect's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MethodError {
    UnknownMethod(String),
    /// `SetConfig` without params.
    NoConfig,
    /// `SendNotification` without params.
    NoNotification,
    /// The configuration was refused.
    Config(String),
    /// The notification could not be read.
    Notification(String),
    /// The notification was not delivered, or the host is at fault.
    Failed(String),
}

/// A result as JSON text, or none for `SetConfig` and `SendNotification`.
pub(super) type Answer = Result<Option<String>, MethodError>;

/// Understands one JSON value. The dialect is the connection's, if it is known already.
pub(super) fn decode(
    text: &str,
    dialect: Option<Dialect>,
) -> Result<(Dialect, Message), (Dialect, NotAMessage)> {
    let legacy = dialect.unwrap_or(Dialect::Legacy);
    if !text.starts_with('{') {
        // Go reads `null` as an object without keys, in the dialect that does not check further.
        if text == "null" && legacy == Dialect::Legacy {
            return Ok((legacy, Message::Request(empty_request())));
        }
        return Err((legacy, NotAMessage::NoObject(kind(text))));
    }
    let text = go::mend_surrogates(text);
    let fields: BTreeMap<String, &RawValue> =
        serde_json::from_str(&text).map_err(|error| (legacy, NotAMessage::Json(error.to_string())))?;
    let field = |name: &str| params::find(&fields, name).map(|raw| raw.get());
    let dialect = dialect.unwrap_or(match field("jsonrpc") {
        Some(_) => Dialect::JsonRpc,
        None => Dialect::Legacy,
    });
    message(dialect, &field).map(|message| (dialect, message)).map_err(|error| (dialect, error))
}

fn message<'a>(dialect: Dialect, field: &impl Fn(&str) -> Option<&'a str>) -> Result<Message, NotAMessage> {
    let method = match field("method").filter(|raw| *raw != "null") {
        Some(raw) => serde_json::from_str(raw).map_err(|_| NotAMessage::Method(kind(raw)))?,
        None if dialect == Dialect::JsonRpc => {
            let is_reply = field("result").is_some() || field("error").is_some();
            return if is_reply { Ok(Message::Stray) } else { Err(NotAMessage::Empty) };
        }
        None => String::new(),
    };
    let id = id(dialect, field("id").unwrap_or("null"))?;
    let params = field("params").map(|raw| RawValue::from_string(raw.to_owned()));
    let params = params.transpose().map_err(|error| NotAMessage::Json(error.to_string()))?;
    Ok(Message::Request(Request { dialect, id, method, params }))
}

/// L takes an unsigned integer; J an integer of 64 bits, whose sign is lost, or a string.
/// A request without an id is answered with 0, as the Go library does.
fn id(dialect: Dialect, raw: &str) -> Result<Id, NotAMessage> {
    let bad = || NotAMessage::Id(sandbell_domain::escape::cut(&sandbell_domain::escape::line(raw), 40));
    match (dialect, raw) {
        (_, "null") => Ok(Id::Number(0)),
        (Dialect::JsonRpc, _) if raw.starts_with('"') => {
            serde_json::from_str(raw).map(Id::Text).map_err(|_| bad())
        }
        (Dialect::JsonRpc, _) => {
            raw.parse::<i64>().map(|id| Id::Number(id.cast_unsigned())).map_err(|_| bad())
        }
        (Dialect::Legacy, _) => raw.parse().map(Id::Number).map_err(|_| bad()),
    }
}

fn empty_request() -> Request {
    Request { dialect: Dialect::Legacy, id: Id::Number(0), method: String::new(), params: None }
}

/// One line with the line feed that ends it, as the Go library of the dialect writes it.
pub(super) fn reply(dialect: Dialect, id: &Id, answer: &Answer) -> Vec<u8> {
    let id = match id {
        Id::Number(id) => id.to_string(),
        Id::Text(id) => Json::from(id.as_str()).to_string(),
    };
    let line = match (dialect, answer) {
        (Dialect::Legacy, Ok(None)) => format!(r#"{{"id":{id}}}"#),
        (Dialect::Legacy, Ok(Some(result))) => format!(r#"{{"result":{result},"id":{id}}}"#),
        (Dialect::Legacy, Err(error)) => {
            // An empty error would mean success.
            let text = Some(error.legacy_text()).filter(|text| !text.is_empty());
            let text = Json::from(text.unwrap_or_else(|| "failed without a word".to_owned()));
            format!(r#"{{"error":{text},"id":{id}}}"#)
        }
        (Dialect::JsonRpc, Ok(result)) => {
            let result = result.as_deref().unwrap_or("null");
            format!(r#"{{"id":{id},"result":{result},"jsonrpc":"2.0"}}"#)
        }
        (Dialect::JsonRpc, Err(error)) => {
            let (code, text) = error.code_and_text();
            let text = Json::from(text);
            format!(r#"{{"id":{id},"error":{{"code":{code},"message":{text}}},"jsonrpc":"2.0"}}"#)
        }
    };
    let mut line = go::escape_html(&line).into_bytes();
    line.push(b'\n');
    line
}

/// A `channel::Log` notification, one line. `message` must not be empty.
pub(super) fn log(level: &str, message: &str, fields: &[(String, String)]) -> Vec<u8> {
    let fields: Vec<Json> = fields
        .iter()
        .flat_map(|(key, value)| [Json::from(key.as_str()), Json::from(value.as_str())])
        .collect();
    let (message, fields) = (Json::from(message), Json::from(fields));
    let line = format!(
        r#"{{"jsonrpc":"2.0","method":"channel::Log","params":{{"level":"{level}","message":{message},"fields":{fields}}}}}"#
    );
    let mut line = go::escape_html(&line).into_bytes();
    line.push(b'\n');
    line
}

/// What a JSON text is, by its first byte.
fn kind(text: &str) -> &'static str {
    match text.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(_) => "a number",
        None => "nothing",
    }
}

impl MethodError {
    /// The `error` string of dialect L (`reference/icinga.md` §1.4).
    fn legacy_text(&self) -> String {
        match self {
            Self::UnknownMethod(method) => format!("unknown method: {}", go::quote(method)),
            Self::NoConfig => "failed to set plugin config: unexpected end of JSON input".to_owned(),
            Self::NoNotification => {
                "failed to json.Unmarshal request: unexpected end of JSON input".to_owned()
            }
            Self::Config(text) => format!("failed to set plugin config: {text}"),
            Self::Notification(text) => format!("failed to json.Unmarshal request: {text}"),
            Self::Failed(text) => text.clone(),
        }
    }

    /// The `error` object of dialect J (`reference/icinga.md` §1.4).
    fn code_and_text(&self) -> (i32, &str) {
        match self {
            Self::UnknownMethod(_) => (-32601, "method not found"),
            Self::NoConfig | Self::NoNotification => (-32600, "missing required parameters"),
            Self::Config(text) => (-32602, text),
            Self::Notification(text) => (-32700, text),
            Self::Failed(text) => (-32603, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &Answer, legacy: &str, json_rpc: &str) {
        let line = |dialect, id| String::from_utf8(reply(dialect, &Id::Number(id), answer)).unwrap();
        assert_eq!(line(Dialect::Legacy, 2), format!("{legacy}\n"));
        assert_eq!(line(Dialect::JsonRpc, 0), format!("{json_rpc}\n"));
    }

    #[test]
    fn replies_are_byte_for_byte_those_of_the_go_library() {
        check(&Ok(None), r#"{"id":2}"#, r#"{"id":0,"result":null,"jsonrpc":"2.0"}"#);
        check(
            &Ok(Some(r#"{"name":"A<b>"}"#.to_owned())),
            r#"{"result":{"name":"A\u003cb\u003e"},"id":2}"#,
            r#"{"id":0,"result":{"name":"A\u003cb\u003e"},"jsonrpc":"2.0"}"#,
        );
        check(
            &Err(MethodError::UnknownMethod("Foo\x01\"".to_owned())),
            r#"{"error":"unknown method: \"Foo\\x01\\\"\"","id":2}"#,
            r#"{"id":0,"error":{"code":-32601,"message":"method not found"},"jsonrpc":"2.0"}"#,
        );
        check(
            &Err(MethodError::NoConfig),
            r#"{"error":"failed to set plugin config: unexpected end of JSON input","id":2}"#,
            r#"{"id":0,"error":{"code":-32600,"message":"missing required parameters"},"jsonrpc":"2.0"}"#,
        );
        check(
            &Err(MethodError::NoNotification),
            r#"{"error":"failed to json.Unmarshal request: unexpected end of JSON input","id":2}"#,
            r#"{"id":0,"error":{"code":-32600,"message":"missing required parameters"},"jsonrpc":"2.0"}"#,
        );
        check(
            &Err(MethodError::Config("option `url`: is required and has no value".to_owned())),
            r#"{"error":"failed to set plugin config: option `url`: is required and has no value","id":2}"#,
            r#"{"id":0,"error":{"code":-32602,"message":"option `url`: is required and has no value"},"jsonrpc":"2.0"}"#,
        );
        check(
            &Err(MethodError::Notification("unknown severity \"x\"".to_owned())),
            r#"{"error":"failed to json.Unmarshal request: unknown severity \"x\"","id":2}"#,
            r#"{"id":0,"error":{"code":-32700,"message":"unknown severity \"x\""},"jsonrpc":"2.0"}"#,
        );
        check(
            &Err(MethodError::Failed("401 Unauthorized\n&".to_owned())),
            r#"{"error":"401 Unauthorized\n\u0026","id":2}"#,
            r#"{"id":0,"error":{"code":-32603,"message":"401 Unauthorized\n\u0026"},"jsonrpc":"2.0"}"#,
        );
    }

    #[test]
    fn a_failure_without_words_is_still_a_failure() {
        check(
            &Err(MethodError::Failed(String::new())),
            r#"{"error":"failed without a word","id":2}"#,
            r#"{"id":0,"error":{"code":-32603,"message":""},"jsonrpc":"2.0"}"#,
        );
    }

    #[test]
    fn an_id_is_echoed_with_its_type() {
        let line = |id: Id| String::from_utf8(reply(Dialect::JsonRpc, &id, &Ok(None))).unwrap();
        assert_eq!(
            line(Id::Text("a\"<".to_owned())),
            "{\"id\":\"a\\\"\\u003c\",\"result\":null,\"jsonrpc\":\"2.0\"}\n"
        );
        assert_eq!(
            line(Id::Number(u64::MAX)),
            "{\"id\":18446744073709551615,\"result\":null,\"jsonrpc\":\"2.0\"}\n"
        );
    }
}
