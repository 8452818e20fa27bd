//! One connection to one daemon, for verbs that do one thing after the other.

use std::error::Error as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Response;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use sandbell_domain::Name;
use serde_json::Value as Json;
use tokio::runtime::{self, Runtime};

use super::answer::{self, ANSWER_BYTES_MAX};
use super::trust::client_config;
use super::{ClientError, Place, Request};

/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(5);

/// How many items a page of a list is asked to have.
const PAGE_ITEMS: usize = 200;

/// Longest event of a stream, in bytes.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Whom to talk to, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) place: Place,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) tenant: Option<Name>,
    /// How long an answer may take, beside what the daemon is asked to wait.
    pub(crate) timeout: Duration,
}

/// Asks a daemon and waits for its answers.
pub(crate) struct Client {
    runtime: Runtime,
    http: reqwest::Client,
    settings: Settings,
    authorization: Option<HeaderValue>,
}

impl Client {
    pub(crate) fn new(settings: Settings) -> Result<Self, ClientError> {
        let Settings { place, token_file, ca_file, .. } = &settings;
        let authorization = token_file.as_deref().map(authorization).transpose()?;
        // The API of a host is near: a proxy of the environment is for what is far.
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sandbell/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(client_config(place, ca_file.as_deref())?);
        if let Place::Socket(path) = place {
            builder = builder.unix_socket(path.as_path());
        }
        let http = builder.build().map_err(|error| ClientError::Start(chain(&error)))?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ClientError::Start(error.to_string()))?;
        Ok(Self { runtime, http, settings, authorization })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.settings.place
    }

    /// Whether a token goes over a wire that others can read.
    pub(crate) fn shows_its_token(&self) -> bool {
        self.authorization.is_some() && self.settings.place.is_open_to_others()
    }

    /// One call; an answer without a body is `null`.
    pub(crate) fn call(&self, request: &Request) -> Result<Json, ClientError> {
        self.runtime.block_on(async {
            let limit = self.settings.timeout + request.wait;
            match tokio::time::timeout(limit, self.exchange(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(ClientError::TimedOut),
            }
        })
    }

    /// The items of a list that is never long.
    pub(crate) fn all(&self, request: &Request) -> Result<Vec<Json>, ClientError> {
        self.listed(&mut self.call(request)?)
    }

    /// The items of a long list, page by page, at most `count_max`; and whether there are more.
    pub(crate) fn items(
        &self,
        request: &Request,
        count_max: usize,
    ) -> Result<(Vec<Json>, bool), ClientError> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let count = (count_max - items.len()).min(PAGE_ITEMS);
            let page = request.clone().query("limit", Some(count)).query("cursor", cursor.as_ref());
            let mut page = self.call(&page)?;
            items.extend(self.listed(&mut page)?);
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() || items.len() >= count_max {
                return Ok((items, cursor.is_some()));
            }
        }
    }

    /// The events of a stream until `on_event` has enough or the daemon ends it. Comments keep it alive and are skipped.
    pub(crate) fn events(
        &self,
        request: &Request,
        mut on_event: impl FnMut(&str, Json) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        self.runtime.block_on(async {
            let mut response = self.open(request).await?;
            if !response.status().is_success() {
                return self.read(response).await.map(|_| ());
            }
            let mut lines = Lines::default();
            let mut event = Event::default();
            while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(&error))? {
                lines.push(&chunk).map_err(|because| self.foreign(because))?;
                while let Some(line) = lines.next_line() {
                    let Some((name, data)) = event.line(&line) else { continue };
                    let data =
                        serde_json::from_str(&data).map_err(|error| self.foreign(&error.to_string()))?;
                    if on_event(&name, data).is_break() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        })
    }

    fn listed(&self, list: &mut Json) -> Result<Vec<Json>, ClientError> {
        if let Json::Array(items) = list["items"].take() {
            return Ok(items);
        }
        Err(self.foreign("a list has `items`"))
    }

    async fn exchange(&self, request: &Request) -> Result<Json, ClientError> {
        let response = self.open(request).await?;
        self.read(response).await
    }

    async fn open(&self, request: &Request) -> Result<Response, ClientError> {
        let url = request.url(&self.settings.place.base());
        let mut builder = self.http.request(request.method.clone(), url).header(ACCEPT, "*/*");
        if let Some(authorization) = &self.authorization {
            builder = builder.header(AUTHORIZATION, authorization);
        }
        if let Some(tenant) = &self.settings.tenant {
            builder = builder.header("sandbell-tenant", tenant.as_str());
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        builder.send().await.map_err(|error| self.failed(&error))
    }

    async fn read(&self, mut response: Response) -> Result<Json, ClientError> {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(self.foreign(&format!("it answers with more than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        answer::read(&self.settings.place, status, &body)
    }

    fn failed(&self, error: &reqwest::Error) -> ClientError {
        if error.is_connect() {
            let place = self.settings.place.clone();
            return ClientError::Unreachable { place, because: root(error) };
        }
        if error.is_timeout() { ClientError::TimedOut } else { ClientError::Broken(chain(error)) }
    }

    fn foreign(&self, because: &str) -> ClientError {
        ClientError::Foreign { place: self.settings.place.clone(), because: because.to_owned() }
    }
}

/// One final newline is not part of the token.
fn authorization(path: &Path) -> Result<HeaderValue, ClientError> {
    let bad = |because: String| ClientError::Token { path: path.to_owned(), because };
    let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let token = text.trim_end_matches(['\r', '\n']);
    if token.is_empty() {
        return Err(bad("it is empty".to_owned()));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| bad("it holds something that no token has; write one line `sbt_…`".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The innermost cause: `connection refused` says more than `error sending request`.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Bytes to lines, whatever the chunks.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    fn push(&mut self, chunk: &[u8]) -> Result<(), &'static str> {
        if self.bytes.len() + chunk.len() > EVENT_BYTES_MAX {
            return Err("it sends an event without an end");
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    fn next_line(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// The event that is being read, after the WHATWG's server-sent events.
#[derive(Default)]
struct Event {
    name: String,
    data: Vec<String>,
}

impl Event {
    /// Takes a line; an empty one ends an event, which is given if it has data.
    fn line(&mut self, line: &str) -> Option<(String, String)> {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => self.data.push(value.to_owned()),
            _ => {}
        }
        if !line.is_empty() {
            return None;
        }
        let Self { name, data } = std::mem::take(self);
        (!data.is_empty()).then(|| (name, data.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_whatever_the_chunks_are() {
        let stream =
            ": hello\n\nevent: delivery\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata: 2\n\nevent: nothing\n\n";
        for size in [1, 3, 1000] {
            let mut lines = Lines::default();
            let mut event = Event::default();
            let mut seen = Vec::new();
            for chunk in stream.as_bytes().chunks(size) {
                lines.push(chunk).unwrap();
                while let Some(line) = lines.next_line() {
                    seen.extend(event.line(&line));
                }
            }
            let want = [("delivery", "{\"a\":\n1}"), ("", "2")];
            assert_eq!(seen, want.map(|(name, data)| (name.to_owned(), data.to_owned())), "{size}");
        }
        assert!(Lines::default().push(&vec![b'x'; EVENT_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn a_token_file_holds_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let check = |text: &str| {
            fs::write(&path, text).unwrap();
            authorization(&path).map(|value| value.to_str().unwrap().to_owned()).map_err(|error| {
                error.to_string().split(" cannot be used: ").nth(1).unwrap_or_default().to_owned()
            })
        };
        assert_eq!(check("sbt_abc\n"), Ok("Bearer sbt_abc".to_owned()));
        assert_eq!(check("sbt_abc"), Ok("Bearer sbt_abc".to_owned()));
        assert_eq!(check("\n"), Err("it is empty".to_owned()));
        assert_eq!(
            check("a\nb\n"),
            Err("it holds something that no token has; write one line `sbt_…`".to_owned())
        );
    }
}
