//! Where an answer redirects to, as Go's client has it: a pure decision.

use http::Method;
use url::Url;

use super::answer::Received;
use super::place;
use crate::value::HttpError;

/// What to ask next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) keeps_body: bool,
}

/// `None`: the answer is the last one. 301, 302 and 303 turn everything but HEAD into GET without a body, 307 and
/// 308 repeat the request; without a location the answer is the last one too.
pub(super) fn next(received: &Received, url: &Url, method: &Method) -> Result<Option<Next>, HttpError> {
    let keeps_body = match received.status {
        301..=303 => false,
        307 | 308 => true,
        _ => return Ok(None),
    };
    let Some(location) = received.location() else { return Ok(None) };
    let refuse = |reason: &str| HttpError {
        code: "protocol",
        message: format!("`{}` redirects to {reason}", place(url)),
        request_sent: true,
        retry_after: None,
    };
    let text = std::str::from_utf8(location).map_err(|_| refuse("something that is no text"))?;
    if text.bytes().any(|byte| byte <= b' ' || matches!(byte, 0x7f | b'\\')) {
        return Err(refuse("a URL with a blank, a control character or a backslash in it"));
    }
    let mut next = url.join(text).map_err(|_| refuse("something that is no URL"))?;
    next.set_fragment(None);
    if url.scheme() == "https" && next.scheme() != "https" {
        return Err(HttpError {
            code: "denied",
            ..refuse("a URL that is not `https://`, which would uncover it")
        });
    }
    let is_safe = matches!(*method, Method::GET | Method::HEAD);
    let method = if keeps_body || is_safe { method.clone() } else { Method::GET };
    Ok(Some(Next { url: next, method, keeps_body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(method: &Method, status: u16, location: &str) -> String {
        let url = Url::parse("https://a.example/x/y?q=1").unwrap();
        let received = Received {
            status,
            headers: vec![("location".to_owned(), location.as_bytes().to_vec())],
            body: Vec::new(),
        };
        match next(&received, &url, method) {
            Ok(None) => "last".to_owned(),
            Ok(Some(Next { url, method, keeps_body })) => {
                format!("{method} {url}{}", if keeps_body { " with body" } else { "" })
            }
            Err(error) => format!("{}: {}", error.code, error.message),
        }
    }

    #[test]
    fn redirects_are_followed_as_go_follows_them() {
        let check =
            |method, status, location: &str, want: &str| assert_eq!(at(&method, status, location), want);
        check(Method::POST, 301, "/z", "GET https://a.example/z");
        check(Method::POST, 302, "z", "GET https://a.example/x/z");
        check(Method::PUT, 303, "//b.example/", "GET https://b.example/");
        check(Method::HEAD, 302, "/z", "HEAD https://a.example/z");
        check(Method::POST, 307, "/z", "POST https://a.example/z with body");
        check(Method::PATCH, 308, "/z#part", "PATCH https://a.example/z with body");
        check(Method::POST, 300, "/z", "last");
        check(Method::POST, 304, "/z", "last");
        check(Method::POST, 200, "/z", "last");
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        let check = |location: &str, want: &str| assert_eq!(at(&Method::GET, 302, location), want);
        check(
            "http://a.example/",
            "denied: `https://a.example` redirects to a URL that is not `https://`, which would uncover it",
        );
        check(
            "/a b",
            "protocol: `https://a.example` redirects to a URL with a blank, a control character or a backslash in it",
        );
        check(
            "\\\\evil.example",
            "protocol: `https://a.example` redirects to a URL with a blank, a control character or a backslash in it",
        );
        check("https://", "protocol: `https://a.example` redirects to something that is no URL");
        check(
            "file:///etc/passwd",
            "denied: `https://a.example` redirects to a URL that is not `https://`, which would uncover it",
        );
    }
}
