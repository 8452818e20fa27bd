//! What is asked of a daemon.

use reqwest::Method;
use serde_json::Value as Json;
use std::time::Duration;
use url::Url;

/// One call of the API. Parts of the path are given one by one and encoded, so no name can lead elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(super) method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Json>,
    /// What the daemon was asked to wait, on top of what an answer may take.
    pub(super) wait: Duration,
}

impl Request {
    pub(crate) fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &[&str]) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: &[&str]) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn patch(path: &[&str]) -> Self {
        Self::new(Method::PATCH, path)
    }

    pub(crate) fn delete(path: &[&str]) -> Self {
        Self::new(Method::DELETE, path)
    }

    fn new(method: Method, path: &[&str]) -> Self {
        let path = path.iter().map(|&part| part.to_owned()).collect();
        Self { method, path, query: vec![], headers: vec![], body: None, wait: Duration::ZERO }
    }

    /// A parameter of the query; an absent value asks for nothing.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn body(mut self, body: Json) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Below `/api/v1`.
    pub(super) fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(["api", "v1"]).extend(&self.path);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        let base = Url::parse("http://sandbell/").unwrap();
        let check = |request: Request, want: &str| assert_eq!(request.url(&base).as_str(), want);
        check(Request::get(&["channels", "ops"]), "http://sandbell/api/v1/channels/ops");
        check(Request::get(&["channels", "../x?y#z"]), "http://sandbell/api/v1/channels/..%2Fx%3Fy%23z");
        check(
            Request::get(&["deliveries"])
                .query("state", Some("dead"))
                .query("code", None::<String>)
                .query("since", Some("2026-11-24T18:00:00+00:00")),
            "http://sandbell/api/v1/deliveries?state=dead&since=2026-11-24T18%3A00%3A00%2B00%3A00",
        );
    }
}
