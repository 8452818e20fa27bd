//! An HTTP/1.1 receiver: keeps what it was sent, byte for byte, and answers as it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::net::sockopt::set_socket_linger;

/// A receiver on a loopback port; it answers until the process ends.
pub struct Receiver {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// Everything, from the request line to the last byte of the body.
    pub raw: Vec<u8>,
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Which connection it came by, counted from 0.
    pub connection: usize,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    breaks: Break,
}

/// What happens instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    Nothing,
    /// The connection is reset.
    Reset,
    /// Nothing more is ever said on this connection.
    Hang,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), breaks: Break::Nothing }
    }

    /// The request is kept, and its connection is reset.
    pub fn reset() -> Self {
        Self { breaks: Break::Reset, ..Self::new(0, "") }
    }

    /// The request is kept, and nothing is ever answered.
    pub fn hang() -> Self {
        Self { breaks: Break::Hang, ..Self::new(0, "") }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Receiver {
    /// Answers every request as `answer` says.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Result<Self> {
        Self::start_with(answer, true)
    }

    /// As [`Self::start`], but keeps nothing: for millions of requests.
    pub fn start_forgetful(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Result<Self> {
        Self::start_with(answer, false)
    }

    fn start_with(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static, keeps: bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the HTTP receiver")?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                // A client that goes away ends its thread; that is no failure of the receiver.
                std::thread::spawn(move || {
                    serve(stream, connection, keeps.then_some(&*kept), answer.as_ref())
                });
            }
        });
        Ok(Self { address, seen })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests arrived so far.
    pub fn count(&self) -> usize {
        self.seen.lock().expect("no thread panics while it holds the list").len()
    }

    /// What arrived so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().expect("no thread panics while it holds the list").clone()
    }
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn serve(
    stream: TcpStream,
    connection: usize,
    seen: Option<&Mutex<Vec<Request>>>,
    answer: &dyn Fn(&Request) -> Reply,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let request = read_request(&mut reader, connection)?;
        if let Some(seen) = seen {
            seen.lock().expect("no thread panics while it holds the list").push(request.clone());
        }
        let Reply { status, headers, body, breaks } = answer(&request);
        match breaks {
            Break::Nothing => {}
            Break::Reset => {
                // Closing at once throws away what is not sent, which the other side sees as a reset.
                set_socket_linger(&writer, Some(Duration::ZERO)).ok()?;
                return None;
            }
            Break::Hang => {
                let _ = reader.read_to_end(&mut Vec::new());
                return None;
            }
        }
        let mut head = format!("HTTP/1.1 {status} {}\r\ncontent-length: {}\r\n", reason(status), body.len());
        for (name, value) in headers {
            head.extend([&name, ": ", &value, "\r\n"]);
        }
        head.push_str("\r\n");
        writer.write_all(&[head.into_bytes(), body].concat()).ok()?;
    }
}

fn read_request(reader: &mut BufReader<TcpStream>, connection: usize) -> Option<Request> {
    let mut raw = Vec::new();
    let mut lines = Vec::new();
    loop {
        let start = raw.len();
        if reader.read_until(b'\n', &mut raw).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&raw[start..]).trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut words = lines.first()?.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Some(0), |(_, value)| value.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    raw.extend(&body);
    Some(Request { raw, method, target, headers, body, connection })
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Other",
    }
}
