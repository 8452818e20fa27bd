//! Servers of a few lines, and channels that may reach them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use sandbell_domain::grant::{AmqpGrant, HttpGrant, MqttGrant, SmtpGrant, TlsMaterial};
use sandbell_domain::{
    AmqpRule, Channel, Config, ConfigOption, DeliveryId, Digest, Grants, HttpRule, Mode, MqttRule,
    NetworkRule, OptionKind, SmtpRule, TenantId,
};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::dial::Lookup;
use crate::value::{Body, Field, HttpRequest, Part};
use crate::{Brokers, ChannelEgress, Egress, EgressSettings};

pub(super) const TOKEN: &str = "hunter2/+\"secret\"";
pub(super) const BOT: &str = "123:abc-XYZ";

/// A channel in the making: what it may do, and how names resolve.
pub(super) struct Case {
    pub(super) http: Vec<String>,
    pub(super) smtp: Vec<String>,
    pub(super) amqp: Vec<String>,
    pub(super) mqtt: Vec<String>,
    pub(super) networks: Vec<String>,
    pub(super) tls: TlsMaterial,
    pub(super) proxy: Option<String>,
    pub(super) names: Vec<(&'static str, Vec<IpAddr>)>,
    pub(super) secrets: Vec<(&'static str, String)>,
    pub(super) mode: Mode,
    pub(super) time: Duration,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            http: Vec::new(),
            smtp: Vec::new(),
            amqp: Vec::new(),
            mqtt: Vec::new(),
            networks: vec!["127.0.0.0/8".to_owned()],
            tls: TlsMaterial::default(),
            proxy: None,
            names: Vec::new(),
            secrets: vec![("token", TOKEN.to_owned()), ("bot", BOT.to_owned())],
            mode: Mode::Send,
            time: Duration::from_secs(20),
        }
    }
}

impl Case {
    pub(super) fn http(rules: &[&str]) -> Self {
        Self { http: rules.iter().map(|rule| (*rule).to_owned()).collect(), ..Self::default() }
    }

    pub(super) fn smtp(servers: &[&str]) -> Self {
        Self { smtp: servers.iter().map(|server| (*server).to_owned()).collect(), ..Self::default() }
    }

    pub(super) fn channel(&self) -> Channel {
        let option = |name: &str| ConfigOption {
            name: name.to_owned(),
            kind: OptionKind::Secret,
            label: vec![],
            help: vec![],
            default: None,
            required: false,
            choices: vec![],
            min: None,
            max: None,
            hints: vec![],
        };
        let options: Vec<_> = self.secrets.iter().map(|(name, _)| option(name)).collect();
        let values: serde_json::Map<_, _> =
            self.secrets.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let config = Config::from_json(&options, &values.into()).unwrap();
        let networks: Vec<NetworkRule> = self.networks.iter().map(|rule| rule.parse().unwrap()).collect();
        let grants = Grants {
            http: (!self.http.is_empty()).then(|| HttpGrant {
                rules: self.http.iter().map(|rule| HttpRule::parse(rule).unwrap()).collect(),
                networks: networks.clone(),
                tls: self.tls.clone(),
                proxy: self.proxy.as_ref().map(|proxy| proxy.parse().unwrap()),
            }),
            smtp: (!self.smtp.is_empty()).then(|| SmtpGrant {
                servers: self.smtp.iter().map(|server| SmtpRule::parse(server).unwrap()).collect(),
                networks: networks.clone(),
                tls: self.tls.clone(),
            }),
            amqp: (!self.amqp.is_empty()).then(|| AmqpGrant {
                rules: self.amqp.iter().map(|rule| AmqpRule::parse(rule).unwrap()).collect(),
                networks: networks.clone(),
                tls: self.tls.clone(),
            }),
            mqtt: (!self.mqtt.is_empty()).then(|| MqttGrant {
                rules: self.mqtt.iter().map(|rule| MqttRule::parse(rule).unwrap()).collect(),
                networks: networks.clone(),
                tls: self.tls.clone(),
            }),
        };
        Channel::carried(TenantId::local(), "plug", Digest::of(b"plug"), config, grants)
    }

    pub(super) fn lookup(&self) -> Lookup {
        let names = self.names.clone();
        Arc::new(move |name| {
            let found =
                names.iter().find(|(known, _)| *known == name).map(|(_, addresses)| addresses.clone());
            Box::pin(async move { found.ok_or_else(|| std::io::ErrorKind::NotFound.into()) })
        })
    }

    pub(super) fn egress(&self) -> Egress {
        egress(self.lookup())
    }

    pub(super) fn open(&self) -> ChannelEgress {
        self.egress().channel(&self.channel()).unwrap()
    }

    pub(super) fn attempt(&self, channel: &ChannelEgress) -> Brokers {
        channel.attempt(DeliveryId::of(&[b"test"]), self.mode, Instant::now() + self.time)
    }

    pub(super) fn brokers(&self) -> Brokers {
        self.attempt(&self.open())
    }
}

/// An egress whose resolver is `lookup`.
pub(super) fn egress(lookup: Lookup) -> Egress {
    let settings = EgressSettings { user_agent: "sandbell/test".to_owned(), now: || Timestamp::UNIX_EPOCH };
    Egress::with_lookup(Handle::current(), settings, lookup).unwrap()
}

pub(super) fn literal(text: &str) -> Vec<Part> {
    vec![Part::Literal(text.to_owned())]
}

pub(super) fn secret(name: &str) -> Part {
    Part::Secret(name.to_owned())
}

pub(super) fn field(name: &str, value: Vec<Part>) -> Field {
    Field { name: name.to_owned(), value }
}

pub(super) fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url: literal(url),
        query: vec![],
        headers: vec![],
        body: Body::Empty,
        timeout: None,
    }
}

pub(super) fn post(url: &str, body: &str) -> HttpRequest {
    HttpRequest { method: "POST".to_owned(), body: Body::Text(literal(body)), ..get(url) }
}

/// An HTTP server: for every request it writes an answer and remembers what it read.
pub(super) struct Web {
    pub(super) port: u16,
    pub(super) requests: Arc<Mutex<Vec<String>>>,
    /// The number of the connection for each request, from 0.
    pub(super) connections: Arc<Mutex<Vec<usize>>>,
}

impl Web {
    /// `answer` gets the number of the request and its text; an empty answer closes the connection.
    pub(super) async fn start(answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let web = Self { port, requests: Arc::default(), connections: Arc::default() };
        let (requests, connections, answer) =
            (web.requests.clone(), web.connections.clone(), Arc::new(answer));
        Handle::current().spawn(async move {
            for number in 0.. {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let (requests, connections, answer) = (requests.clone(), connections.clone(), answer.clone());
                Handle::current().spawn(async move {
                    while let Some(request) = read_request(&mut stream).await {
                        let count = {
                            let mut requests = requests.lock().unwrap();
                            requests.push(request.clone());
                            connections.lock().unwrap().push(number);
                            requests.len() - 1
                        };
                        let bytes = answer(count, &request);
                        if bytes.is_empty() || stream.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        web
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

pub(super) fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Head and body of one request, as they came.
pub(super) async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if bytes.len() >= end + 4 + length.map_or(0, |length| length.parse().unwrap()) {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// A listener that hands each connection to `serve`.
pub(super) async fn listen<F, Fut>(serve: F) -> u16
where
    F: Fn(tokio::net::TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    Handle::current().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            Handle::current().spawn(serve(stream));
        }
    });
    port
}

/// A mail server's side of one session: says `script`'s replies in turn and reports what it heard.
pub(super) async fn smtp_session<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    script: &[(&str, &str)],
    heard: &mpsc::Sender<String>,
) {
    let mut ahead = Vec::new();
    for (expected, reply) in script {
        if !expected.is_empty() {
            let ending: &[u8] = if *expected == "." { b"\r\n.\r\n" } else { b"\r\n" };
            loop {
                if let Some(end) = ahead.windows(ending.len()).position(|window| window == ending) {
                    let text: Vec<u8> = ahead.drain(..end + ending.len()).collect();
                    let text = String::from_utf8_lossy(&text).into_owned();
                    let _ = heard.send(text.trim_end_matches("\r\n").to_owned()).await;
                    break;
                }
                let mut chunk = [0; 4096];
                match stream.read(&mut chunk).await {
                    Ok(0) | Err(_) => return,
                    Ok(count) => ahead.extend_from_slice(&chunk[..count]),
                }
            }
        }
        if *reply == "HANG" {
            std::future::pending::<()>().await;
        }
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}
