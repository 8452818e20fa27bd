//! A caller of a JSON API: HTTP/1.1 over TCP or a Unix socket, one connection, kept alive.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value as Json;

/// How long an answer may take; a caller that waits for ever hides what it waits for.
const ANSWER: Duration = Duration::from_mins(1);

/// Where an API is.
#[derive(Clone, Debug)]
pub enum At {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// A caller with one connection, made when it is needed and made anew when it broke.
pub struct Client {
    at: At,
    headers: Vec<(String, String)>,
    stream: Option<BufReader<Box<dyn Stream>>>,
}

trait Stream: Read + Write + Send {}
impl Stream for TcpStream {}
impl Stream for UnixStream {}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null if there is none.
    pub fn json(&self) -> Result<Json> {
        if self.body.is_empty() {
            return Ok(Json::Null);
        }
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{}: {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub fn new(at: At) -> Self {
        Self { at, headers: Vec::new(), stream: None }
    }

    /// A header that every request has.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.call("GET", path, &[], &[])
    }

    pub fn json(&mut self, method: &str, path: &str, body: &Json) -> Result<Answer> {
        let body = body.to_string();
        self.call(method, path, &[("content-type", "application/json")], body.as_bytes())
    }

    /// Any request. After an error nobody knows whether it arrived.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(self.connect()?),
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
        stream.get_mut().write_all(&[head.as_bytes(), body].concat()).context("the request was not sent")?;
        let answer = read_answer(&mut stream).context("no answer")?;
        let closes = answer.headers.iter().any(|(name, value)| name == "connection" && value == "close");
        self.stream = (!closes).then_some(stream);
        Ok(answer)
    }

    fn connect(&self) -> Result<Box<dyn Stream>> {
        Ok(match &self.at {
            At::Unix(path) => {
                let stream =
                    UnixStream::connect(path).with_context(|| format!("nobody is at {}", path.display()))?;
                stream.set_read_timeout(Some(ANSWER))?;
                Box::new(stream)
            }
            At::Tcp(address) => {
                let stream =
                    TcpStream::connect(address).with_context(|| format!("nobody is at {address}"))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(ANSWER))?;
                Box::new(stream)
            }
        })
    }
}

fn read_answer(stream: &mut BufReader<Box<dyn Stream>>) -> Result<Answer> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            bail!("the connection was closed");
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let status = lines.first().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let header =
        |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let body = if header("transfer-encoding") == Some("chunked") {
        read_chunks(stream)?
    } else {
        let mut body = vec![0; header("content-length").unwrap_or("0").parse()?];
        stream.read_exact(&mut body)?;
        body
    };
    Ok(Answer { status, headers, body })
}

fn read_chunks(stream: &mut BufReader<Box<dyn Stream>>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).context("no length of a chunk")?;
        let mut chunk = vec![0; length + 2];
        stream.read_exact(&mut chunk)?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&chunk[..length]);
    }
}
