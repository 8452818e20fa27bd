//! A caller of the API: one request, one connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use sandbell_peers::Serving;
use serde_json::{Value as Json, json};

use crate::host::{Host, channel, program, text};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_mins(1);

/// A serving host; it is stopped before what it has is gone.
pub(super) struct Served {
    serving: Option<Serving>,
    _host: Host,
}

impl Served {
    /// A host with these plugins, installed and approved for this machine.
    fn start(plugins: &[PathBuf]) -> Self {
        let host = Host::new();
        for plugin in plugins {
            let name = plugin.file_stem().unwrap().to_str().unwrap();
            host.run(&["plugin", "install", text(plugin)]).expect(0);
            host.run(&["plugin", "approve", name, "--yes", "--network", "127.0.0.1"]).expect(0);
        }
        Self::of(host, "")
    }

    /// A host without plugins, with this configuration.
    pub(super) fn empty(configuration: &str) -> Self {
        Self::of(Host::new(), configuration)
    }

    fn of(host: Host, configuration: &str) -> Self {
        let serving = Serving::start(&program(), &host.state(), configuration).unwrap();
        Self { serving: Some(serving), _host: host }
    }

    pub(super) fn serving(&self) -> &Serving {
        self.serving.as_ref().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let ended = self.serving.take().unwrap().stop().unwrap();
        assert!(ended.success() || std::thread::panicking(), "{ended}");
    }
}

/// Where to call, and what to say with every request.
#[derive(Clone, Debug)]
pub(super) struct Client {
    place: Place,
    headers: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
enum Place {
    Socket(PathBuf),
    Tcp(SocketAddr),
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// The operator, through the socket.
    pub(super) fn operator(served: &Served) -> Self {
        Self { place: Place::Socket(served.serving().socket.clone()), headers: Vec::new() }
    }

    /// Somebody on the network, with this token.
    pub(super) fn with_token(served: &Served, token: &str) -> Self {
        Self::nobody(served).header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn nobody(served: &Served) -> Self {
        Self { place: Place::Tcp(served.serving().api), headers: Vec::new() }
    }

    #[must_use]
    pub(super) fn header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// Its headers as they are on the wire.
    pub(super) fn head(&self) -> String {
        self.headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect()
    }

    /// `path` is below `/api/v1`.
    pub(super) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(super) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    pub(super) fn post(&self, path: &str, body: &Json) -> Answer {
        self.send("POST", path, Some(("application/json", body.to_string().as_bytes())))
    }

    pub(super) fn put(&self, path: &str, body: &Json) -> Answer {
        self.send("PUT", path, Some(("application/json", body.to_string().as_bytes())))
    }

    pub(super) fn patch(&self, path: &str, body: &Json) -> Answer {
        self.send("PATCH", path, Some(("application/json", body.to_string().as_bytes())))
    }

    pub(super) fn send(&self, method: &str, path: &str, body: Option<(&str, &[u8])>) -> Answer {
        let mut head = format!("{method} /api/v1{path} HTTP/1.1\r\nhost: sandbell\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if let Some((media_type, body)) = body {
            head.extend([
                "content-type: ",
                media_type,
                "\r\ncontent-length: ",
                &body.len().to_string(),
                "\r\n",
            ]);
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(body.map(|(_, body)| body).unwrap_or_default());
        self.exchange(&request)
    }

    /// Sends these bytes and reads the answer.
    pub(super) fn exchange(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A host that refuses early does not read to the end.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::read(&answer)
    }

    pub(super) fn connect(&self) -> Box<dyn Stream> {
        match &self.place {
            Place::Socket(path) => {
                let stream = UnixStream::connect(path).unwrap();
                stream.set_read_timeout(Some(LIMIT)).unwrap();
                Box::new(stream)
            }
            Place::Tcp(address) => {
                let stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(LIMIT)).unwrap();
                Box::new(stream)
            }
        }
    }
}

pub(super) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        if status >= 400 {
            assert_eq!(self.header("content-type"), Some("application/problem+json"));
            let problem = self.json();
            assert_eq!(problem["status"], status);
            assert_eq!(
                problem["type"],
                format!("urn:sandbell:problem:{}", problem["code"].as_str().unwrap())
            );
        }
        self
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(super) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A refusal in one line: status, code, pointer, position, what and what to do.
    #[track_caller]
    pub(super) fn problem(&self) -> String {
        let json = self.clone().expect(self.status).json();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let pointer = json["pointer"].as_str().map(|pointer| format!(" {pointer}")).unwrap_or_default();
        let place =
            json["line"].as_u64().map(|line| format!(" {line}:{}", json["column"])).unwrap_or_default();
        let hint = json["hint"].as_str().map(|hint| format!(" [{hint}]")).unwrap_or_default();
        format!("{} {}{pointer}{place}: {}{hint}", self.status, text("code"), text("detail"))
    }
}

/// A host with Rocket.Chat's plugin, and its operator.
pub(super) fn host() -> (Served, Client) {
    let served = Served::start(&[channel("rocketchat")]);
    let operator = Client::operator(&served);
    (served, operator)
}

/// A channel of Rocket.Chat's that sends to `url`.
pub(super) fn rocketchat(name: &str, url: &str) -> Json {
    json!({
        "name": name, "plugin": "rocketchat",
        "settings": { "url": url, "user_id": "icinga" }, "secrets": { "token": "hunter2-token" },
    })
}

/// A notification for a room, through this channel.
pub(super) fn notification(channel: &str, message: &str) -> Json {
    json!({
        "channels": [channel],
        "contacts": [{ "full_name": "Ops", "addresses": [{ "kind": "rocketchat", "address": "#ops" }] }],
        "object": { "name": "db1" }, "event": { "kind": "state", "message": message },
    })
}

/// The only delivery of an answer to `POST /notifications`.
pub(super) fn delivery(answer: &Answer) -> Json {
    let json = answer.json();
    let deliveries = json["notifications"][0]["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 1, "{json}");
    deliveries[0].clone()
}
