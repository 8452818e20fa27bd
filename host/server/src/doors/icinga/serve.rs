//! The loop of a channel process: requests in, replies out, in whatever order they are ready.
//!
//! It knows the protocol and not what the methods do; those are handed in.

use std::future::Future;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::journal::Journal;
use super::reader::Incoming;
use super::wire::{self, Answer, Dialect, MethodError, Request};

/// How long requests in flight may take when the daemon stops us; it kills after 5 s (`reference/icinga.md` §3.5).
const DRAIN: Duration = Duration::from_secs(4);

/// Requests in flight; after that the daemon waits. Each of its senders has at most a few.
const REQUESTS_MAX: usize = 1024;

/// A method with its params.
#[derive(Debug)]
pub(super) enum Call {
    GetInfo,
    SetConfig(Params),
    SendNotification(Params),
}

/// The params as they came, and the place of their request in the stream.
#[derive(Debug)]
pub(super) struct Params {
    pub(super) sequence: u64,
    pub(super) json: Box<RawValue>,
}

/// Why the loop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// End of the stream, a signal, or nobody reads the replies.
    Cleanly,
    /// The stream could not be understood.
    Broken { dialect: Dialect, reason: String },
}

/// Answers requests until the stream ends, `stop` resolves or nobody reads any more; then finishes what is in flight.
pub(super) async fn serve<H, F>(
    mut requests: mpsc::Receiver<Incoming>,
    replies: mpsc::Sender<Vec<u8>>,
    journal: &Journal,
    stop: impl Future<Output = ()>,
    handle: H,
) -> Ended
where
    H: Fn(Call) -> F,
    F: Future<Output = Answer> + Send + 'static,
{
    let tasks = TaskTracker::new();
    let give_up = CancellationToken::new();
    let mut sequence = 0;
    tokio::pin!(stop);
    let ended = loop {
        let incoming = tokio::select! {
            incoming = requests.recv(), if tasks.len() < REQUESTS_MAX => incoming.unwrap_or(Incoming::End),
            () = &mut stop => break Ended::Cleanly,
            () = replies.closed() => break Ended::Cleanly,
            () = tokio::time::sleep(Duration::from_millis(20)), if tasks.len() >= REQUESTS_MAX => continue,
        };
        match incoming {
            Incoming::Request(request) => {
                sequence += 1;
                journal.speak(request.dialect);
                let Request { dialect, id, method, params } = request;
                let answer = call(method, params, sequence).map(&handle);
                let (replies, give_up) = (replies.clone(), give_up.clone());
                tasks.spawn(async move {
                    let answer = match answer {
                        Ok(answer) => finish(answer, &give_up).await,
                        Err(error) => Err(error),
                    };
                    let _ = replies.send(wire::reply(dialect, &id, &answer)).await;
                });
            }
            Incoming::End => break Ended::Cleanly,
            Incoming::Broken { dialect, reason } => break Ended::Broken { dialect, reason },
        }
    };
    tasks.close();
    tokio::select! {
        result = timeout(DRAIN, tasks.wait()) => if result.is_err() {
            give_up.cancel();
            let _ = timeout(Duration::from_millis(200), tasks.wait()).await;
        },
        () = replies.closed() => {}
    }
    ended
}

/// The answer, or what is said instead if the process has to end before.
async fn finish(answer: impl Future<Output = Answer>, give_up: &CancellationToken) -> Answer {
    tokio::select! {
        answer = answer => answer,
        () = give_up.cancelled() => {
            Err(MethodError::Failed("the channel was stopped before it had an answer".to_owned()))
        }
    }
}

fn call(method: String, params: Option<Box<RawValue>>, sequence: u64) -> Result<Call, MethodError> {
    let params = params.map(|json| Params { sequence, json });
    match method.as_str() {
        "GetInfo" => Ok(Call::GetInfo),
        "SetConfig" => params.map(Call::SetConfig).ok_or(MethodError::NoConfig),
        "SendNotification" => params.map(Call::SendNotification).ok_or(MethodError::NoNotification),
        _ => Err(MethodError::UnknownMethod(method)),
    }
}
