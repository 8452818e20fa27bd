//! What handlers are given: bodies, parameters and parts of the path, each read strictly.

use std::time::Duration;

use axum::RequestPartsExt as _;
use axum::body::{self, Body as Stream};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;
use sandbell_domain::escape;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout;

use super::Shared;
use super::form::Pointer;
use super::problem::Problem;
use super::strict::Strict;

/// A JSON body of this form, and its bytes.
pub(super) struct Body<T> {
    pub(super) form: T,
    pub(super) bytes: Bytes,
}

/// As [`Body`], but nothing at all, or `null`, is the form's default.
pub(super) struct MaybeBody<T>(pub(super) T);

/// The parameters behind the `?`, each known and there once.
pub(super) struct Params<T>(pub(super) T);

/// Parts of the path. A text that cannot be a name or an id names nothing: 404.
pub(super) struct Segment<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, node: &Shared) -> Result<Self, Problem> {
        check_json(request.headers())?;
        let limits = node.settings().limits.clone();
        let bytes = read(request, limits.body_bytes_max, limits.request).await?;
        let form = parse(&bytes, &Pointer::default())?;
        Ok(Self { form, bytes })
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Shared> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, node: &Shared) -> Result<Self, Problem> {
        let headers = request.headers();
        let is_empty = headers.get(CONTENT_LENGTH).is_some_and(|length| length == "0")
            || !(headers.contains_key(CONTENT_LENGTH)
                || headers.contains_key(http::header::TRANSFER_ENCODING));
        if is_empty && !headers.contains_key(CONTENT_TYPE) {
            return Ok(Self(T::default()));
        }
        let Body { form, bytes: _ } = Body::<Option<T>>::from_request(request, node).await?;
        Ok(Self(form.unwrap_or_default()))
    }
}

impl<T: DeserializeOwned> FromRequestParts<Shared> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| {
            let name = error.path().to_string();
            let detail = match name.as_str() {
                "." => format!("the parameters cannot be read: {}", error.inner()),
                name => format!("parameter `{name}`: {}", error.inner()),
            };
            Problem::invalid("invalid-parameter", escape::line(&detail))
        })
    }
}

impl<T: DeserializeOwned + Send + 'static> FromRequestParts<Shared> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        let Path(value) = parts.extract::<Path<T>>().await.map_err(|rejection| {
            Problem::not_found(escape::line(&format!(
                "there is nothing of this name: {}",
                rejection.body_text()
            )))
        })?;
        Ok(Self(value))
    }
}

/// `application/json`, plain.
pub(super) fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = match essence {
            "" => "the request has no `Content-Type`".to_owned(),
            other => format!("`{}` is not taken here", escape::line(other)),
        };
        return Err(unsupported(detail).hint("send `Content-Type: application/json`"));
    }
    check_plain(headers)
}

pub(super) fn unsupported(detail: String) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", detail)
}

/// A compressed body would be measured by what it is and not by what it becomes.
pub(super) fn check_plain(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(unsupported("a compressed body is not taken here".to_owned()).hint("send it as it is"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The whole body, within its limits.
pub(super) async fn read(request: Request, bytes_max: usize, time: Duration) -> Result<Bytes, Problem> {
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    let stream: Stream = request.into_body();
    match timeout(time, body::to_bytes(stream, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length(&error) => Err(too_large(bytes_max)),
        Ok(Err(error)) => {
            let detail = format!("the body ended before its end: {error}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "broken-body", escape::line(&detail)))
        }
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow-body",
            format!("the body did not arrive within {} s", time.as_secs()),
        )),
    }
}

fn is_length(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
}

pub(super) fn too_large(bytes_max: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        format!("the body has more than {bytes_max} bytes"),
    )
    .hint("send less; a batch can be cut into several")
}

/// JSON of this form. `at` is where it stands in the whole.
pub(super) fn parse<'de, T: serde::Deserialize<'de>>(bytes: &'de [u8], at: &Pointer) -> Result<T, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let detail = "the body is empty";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "broken-json", detail).hint("write a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let form = serde_path_to_error::deserialize(Strict(&mut json)).map_err(|error| {
        let path = Pointer::from(error.path());
        broken(error.inner(), &path, at)
    })?;
    json.end().map_err(|error| broken(&error, &Pointer::default(), at))?;
    Ok(form)
}

/// Syntax is 400, everything else 422. A position is told where what was read is the whole body.
fn broken(error: &serde_json::Error, pointer: &Pointer, at: &Pointer) -> Problem {
    let (line, column) = (error.line(), error.column());
    // What serde_json writes ends with the position, which has fields of its own.
    let text = error.to_string();
    let text = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let detail = escape::line(text);
    let problem = match error.classify() {
        Category::Data => Problem::invalid("invalid-field", detail).at(&pointer.within(at)),
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(StatusCode::BAD_REQUEST, "broken-json", format!("the body is no JSON: {detail}"))
        }
    };
    if line == 0 || !at.as_str().is_empty() { problem } else { problem.position(line, column) }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::doors::rest::form::{ChannelInput, NotificationForm};

    fn notification(text: &str) -> String {
        match parse::<NotificationForm>(text.as_bytes(), &Pointer::default()) {
            Ok(_) => "taken".to_owned(),
            Err(problem) => problem.summary(),
        }
    }

    fn channel(text: &str) -> String {
        parse::<ChannelInput>(text.as_bytes(), &Pointer::default()).map(drop).unwrap_err().summary()
    }

    #[test]
    fn broken_json_is_named_with_its_position() {
        assert_snapshot!(notification(""), @"400 broken-json -: the body is empty");
        assert_snapshot!(notification(" \n"), @"400 broken-json -: the body is empty");
        assert_snapshot!(notification("{\n  \"event\": {\n    \"message\" \"x\"\n"), @"400 broken-json - (3:15): the body is no JSON: expected `:`");
        assert_snapshot!(notification("{"), @"400 broken-json - (1:1): the body is no JSON: EOF while parsing an object");
        assert_snapshot!(notification("{} x"), @"400 broken-json - (1:4): the body is no JSON: trailing characters");
        assert_snapshot!(notification("{\"event\":{\"message\":\"\u{1}\"}}"), @r"400 broken-json - (1:22): the body is no JSON: control character (\\u0000-\\u001F) found while parsing a string");
        assert_snapshot!(notification(&"[".repeat(200)), @"422 invalid-field - (1:0): invalid type: sequence, expected an object");
    }

    #[test]
    fn a_field_that_is_wrong_is_named_with_its_place() {
        assert_snapshot!(notification("[]"), @"422 invalid-field - (1:0): invalid type: sequence, expected an object");
        assert_snapshot!(notification("null"), @"422 invalid-field - (1:4): invalid type: null, expected an object");
        assert_snapshot!(notification(r#"{"evnt":{}}"#), @"422 invalid-field /evnt (1:7): unknown field `evnt`, expected one of `channels`, `contacts`, `object`, `incident`, `event`, `links`, `extra`");
        assert_snapshot!(notification(r#"{"event":{"message":7}}"#), @"422 invalid-field /event/message (1:21): invalid type: integer `7`, expected a string");
        assert_snapshot!(notification(r#"{"event":{"severity":"bad"}}"#), @"422 invalid-field /event/severity (1:26): unknown variant `bad`, expected one of `ok`, `debug`, `info`, `notice`, `warning`, `err`, `crit`, `alert`, `emerg`");
        assert_snapshot!(notification(r#"{"event":{},"event":{}}"#), @"422 invalid-field - (1:19): duplicate field `event`");
        assert_snapshot!(notification(r#"{"extra":{"a":"1","a":"2"}}"#), @"422 invalid-field /extra (1:21): duplicate key `a`");
        assert_snapshot!(notification(r#"{"contacts":[{"addresses":[{"kind":"email"}]}]}"#), @"422 invalid-field /contacts/0/addresses/0 (1:43): missing field `address`");
        assert_snapshot!(notification(r#"{"incident":{"id":9223372036854775808}}"#), @"422 invalid-field /incident/id (1:37): invalid value: integer `9223372036854775808`, expected i64");
        assert_snapshot!(notification(r#"{"channels":["Ops"]}"#), @"422 invalid-field /channels/0 (1:19): `Ops` is no name; write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first");
        assert_snapshot!(channel(r#"{"name":"ops","plugin":"slack","settings":{"a":{"b":1,"b":2}}}"#), @"422 invalid-field /settings/a (1:57): duplicate key `b`");
        assert_snapshot!(channel(r#"{"name":"ops","plugin":"slack","policy":{"retry":{"wait_max":"1w"}}}"#), @"422 invalid-field /policy/retry/wait_max (1:66): `1w` is no duration; write e.g. `500ms`, `30s`, `5m`, `1h30m` or `7d`");
    }

    #[test]
    fn only_plain_json_is_taken() {
        let check = |headers: &[(http::HeaderName, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(name, value.parse().unwrap());
            }
            check_json(&map).map_err(|problem| problem.summary())
        };
        assert_eq!(check(&[(CONTENT_TYPE, "application/json")]), Ok(()));
        assert_eq!(check(&[(CONTENT_TYPE, "Application/JSON; charset=utf-8")]), Ok(()));
        assert!(check(&[]).is_err());
        assert!(check(&[(CONTENT_TYPE, "text/plain")]).is_err());
        assert!(check(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")]).is_err());
    }
}
