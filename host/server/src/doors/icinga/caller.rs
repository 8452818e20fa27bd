//! Calls of a linked channel to its serving host: one connection each, so that a host that comes back is simply there.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use super::form::RefusalForm;

/// How long a host may be away, e.g. while it is upgraded, before a caller is told so.
const AWAY_MAX: Duration = Duration::from_secs(4);

/// How often it is looked for meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Answers are short.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub(super) struct Caller {
    socket: PathBuf,
}

/// Why a call has no answer that helps.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error(
        "no serving host answers at `{}` ({error}); start it with `systemctl start sandbell`, or run `sandbell serve`",
        socket.display()
    )]
    Away { socket: PathBuf, error: io::Error },
    #[error(
        "user {uid} may not open `{}`; let it into that directory, and name it in `icinga_users` of the serving \
         host's configuration, section `[listen]`",
        socket.display()
    )]
    Closed { socket: PathBuf, uid: u32 },
    /// Nobody knows whether the host has done it.
    #[error(
        "the serving host at `{}` broke off ({reason}); see its log, and start it with `systemctl start sandbell` if it ended",
        socket.display()
    )]
    BrokenOff { socket: PathBuf, reason: String },
    #[error("{}", .0.error)]
    Refused(RefusalForm),
}

impl Caller {
    pub(super) const fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        self.once(Method::GET, path, &Bytes::new()).await
    }

    /// Repeats what failed without an answer, for as long as a host may be away: what is posted is the same when it
    /// comes twice.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &impl Serialize,
    ) -> Result<T, CallError> {
        let body = Bytes::from(serde_json::to_vec(form).expect("texts and raw JSON always serialise"));
        let end = Instant::now() + AWAY_MAX;
        loop {
            match self.once(Method::POST, path, &body).await {
                Err(CallError::Away { .. } | CallError::BrokenOff { .. }) if Instant::now() < end => {
                    sleep(LOOK_AGAIN).await;
                }
                answer => return answer,
            }
        }
    }

    async fn once<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Bytes,
    ) -> Result<T, CallError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| away(&self.socket, error))?;
        let broken_off = |reason: &dyn std::error::Error| self.broken_off(reason.to_string());
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken_off(&error))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .body(Full::new(body.clone()))
            .expect("a path of ours makes a request");
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| broken_off(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| self.broken_off(error.to_string()))?.to_bytes();
            if status.is_success() {
                return serde_json::from_slice(&body).map_err(|error| broken_off(&error));
            }
            let refusal = serde_json::from_slice(&body);
            Err(refusal.map_or_else(|_| self.broken_off(format!("it answered {status}")), CallError::Refused))
        };
        tokio::pin!(exchange, connection);
        tokio::select! {
            answer = &mut exchange => answer,
            // The last bytes of an answer may have come with the end of the connection.
            _ = connection => exchange.await,
        }
    }

    fn broken_off(&self, reason: String) -> CallError {
        CallError::BrokenOff { socket: self.socket.clone(), reason }
    }
}

fn away(socket: &Path, error: io::Error) -> CallError {
    let socket = socket.to_owned();
    if error.kind() == io::ErrorKind::PermissionDenied {
        return CallError::Closed { socket, uid: rustix::process::geteuid().as_raw() };
    }
    CallError::Away { socket, error }
}
