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
    /// Cancelled when the process ends, whether there is an answer or not.
    pub(super) give_up: CancellationToken,
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
                let (replies, give_up) = (replies.clone(), give_up.clone());
                let answer = call(method, params, sequence, &give_up).map(&handle);
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
        // An answer that follows from giving up is better than ours.
        biased;
        answer = answer => answer,
        () = give_up.cancelled() => {
            Err(MethodError::Failed("the channel was stopped before it had an answer".to_owned()))
        }
    }
}

fn call(
    method: String,
    params: Option<Box<RawValue>>,
    sequence: u64,
    give_up: &CancellationToken,
) -> Result<Call, MethodError> {
    let params = params.map(|json| Params { sequence, json, give_up: give_up.clone() });
    match method.as_str() {
        "GetInfo" => Ok(Call::GetInfo),
        "SetConfig" => params.map(Call::SetConfig).ok_or(MethodError::NoConfig),
        "SendNotification" => params.map(Call::SendNotification).ok_or(MethodError::NoNotification),
        _ => Err(MethodError::UnknownMethod(method)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, PipeWriter, Read as _, Write as _};
    use std::sync::Arc;
    use std::thread;

    use tokio::sync::{Notify, oneshot};

    use super::super::{reader, sink};
    use super::*;

    /// A conversation through real pipes, from the daemon's side.
    struct Daemon {
        stdin: Option<PipeWriter>,
        stdout: io::PipeReader,
    }

    impl Daemon {
        fn say(&mut self, text: &str) {
            self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
        }

        fn close(&mut self) {
            self.stdin = None;
        }

        /// Everything that is said until the channel ends. Read on a plain thread, which lets paused time go on.
        async fn hear(mut self) -> String {
            let (sender, heard) = oneshot::channel();
            thread::spawn(move || {
                let mut text = String::new();
                self.stdout.read_to_string(&mut text).unwrap();
                sender.send(text)
            });
            heard.await.unwrap()
        }
    }

    /// Starts a channel with `handle` as its methods. Nothing is said before `conversation` says it.
    fn start<H, F>(handle: H, stop: Arc<Notify>) -> (Daemon, impl Future<Output = Ended>)
    where
        H: Fn(Call) -> F,
        F: Future<Output = Answer> + Send + 'static,
    {
        let (channel_stdin, stdin) = io::pipe().unwrap();
        let (stdout, channel_stdout) = io::pipe().unwrap();
        let running = async move {
            let requests = reader::spawn(channel_stdin);
            let out = sink::spawn("stdout", channel_stdout);
            let err = sink::spawn("stderr", io::sink());
            let journal = Journal::new(&out.lines, &err.lines);
            let ended = serve(requests, out.lines.clone(), &journal, stop.notified(), handle).await;
            drop(out.lines);
            let _ = out.done.await;
            ended
        };
        (Daemon { stdin: Some(stdin), stdout }, running)
    }

    /// Answers at once: an info, yes to every configuration, no to every notification.
    async fn at_once(call: Call) -> Answer {
        match call {
            Call::GetInfo => Ok(Some(r#"{"name":"A"}"#.to_owned())),
            Call::SetConfig(params) if params.json.get() == "null" => Ok(None),
            Call::SetConfig(params) => Err(MethodError::Config(params.json.get().to_owned())),
            Call::SendNotification(_) => Err(MethodError::Failed("no".to_owned())),
        }
    }

    /// The replies to `text`, one at a time so that their order is known, and how the channel ended.
    async fn converse(requests: &[&str]) -> (String, Ended) {
        let mut heard = String::new();
        let mut ended = Ended::Cleanly;
        for request in requests {
            let (mut daemon, channel) = start(at_once, Arc::default());
            daemon.say(request);
            daemon.close();
            let (text, end) = tokio::join!(daemon.hear(), channel);
            heard.push_str(&text);
            ended = end;
        }
        (heard, ended)
    }

    #[tokio::test]
    async fn the_documented_requests_get_the_replies_of_the_go_library() {
        let (heard, ended) = converse(&[
            include_str!("../../../../../tests/fixtures/icinga/v0.2.0-get-info.json"),
            include_str!("../../../../../tests/fixtures/icinga/v0.2.0-set-config.json"),
            include_str!("../../../../../tests/fixtures/icinga/v0.2.0-send-notification.json"),
            r#"{"method":"SetConfig","params":null,"id":1}"#,
            r#"{"method":"SetConfig","id":3}"#,
            r#"{"method":"SendNotification","id":4}"#,
            r#"{"method":"getinfo","id":5}"#,
            "null\n",
        ])
        .await;
        assert_eq!(ended, Ended::Cleanly);
        insta::assert_snapshot!(heard, @r#"
        {"result":{"name":"A"},"id":1}
        {"error":"failed to set plugin config: {\"mode\":\"ok\",\"html\":\"\\u003ca\\u0026b\\u003e\",\"n\":1.50,\"z\":1,\"a\":2}","id":1}
        {"error":"no","id":2}
        {"id":1}
        {"error":"failed to set plugin config: unexpected end of JSON input","id":3}
        {"error":"failed to json.Unmarshal request: unexpected end of JSON input","id":4}
        {"error":"unknown method: \"getinfo\"","id":5}
        {"error":"unknown method: \"\"","id":0}
        "#);

        let (heard, ended) = converse(&[
            include_str!("../../../../../tests/fixtures/icinga/head-get-info.json"),
            include_str!("../../../../../tests/fixtures/icinga/head-set-config.json"),
            include_str!("../../../../../tests/fixtures/icinga/head-send-notification.json"),
            r#"{"jsonrpc":"2.0","method":"SetConfig","params":null,"id":1}"#,
            r#"{"jsonrpc":"2.0","method":"SetConfig","id":3}"#,
            r#"{"jsonrpc":"2.0","method":"SendNotification","id":"four"}"#,
            r#"{"jsonrpc":"2.0","method":"getinfo","id":5}"#,
            r#"{"jsonrpc":"2.0","method":"GetInfo"}"#,
        ])
        .await;
        assert_eq!(ended, Ended::Cleanly);
        insta::assert_snapshot!(heard, @r#"
        {"id":0,"result":{"name":"A"},"jsonrpc":"2.0"}
        {"id":0,"error":{"code":-32602,"message":"{\"mode\":\"ok\",\"n\":1.50}"},"jsonrpc":"2.0"}
        {"id":1,"error":{"code":-32603,"message":"no"},"jsonrpc":"2.0"}
        {"id":1,"result":null,"jsonrpc":"2.0"}
        {"id":3,"error":{"code":-32600,"message":"missing required parameters"},"jsonrpc":"2.0"}
        {"id":"four","error":{"code":-32600,"message":"missing required parameters"},"jsonrpc":"2.0"}
        {"id":5,"error":{"code":-32601,"message":"method not found"},"jsonrpc":"2.0"}
        {"id":0,"result":{"name":"A"},"jsonrpc":"2.0"}
        "#);
    }

    #[tokio::test]
    async fn replies_come_in_the_order_of_their_being_ready() {
        let info_asked = Arc::new(Notify::new());
        let handle = |call| {
            let info_asked = info_asked.clone();
            async move {
                match call {
                    Call::GetInfo => info_asked.notify_one(),
                    Call::SetConfig(_) => {}
                    Call::SendNotification(_) => info_asked.notified().await,
                }
                Ok(None)
            }
        };
        let (mut daemon, channel) = start(handle, Arc::default());
        daemon.say(
            r#"{"method":"SendNotification","params":{},"id":1}{"method":"GetInfo","params":null,"id":2}"#,
        );
        daemon.close();
        let (heard, _) = tokio::join!(daemon.hear(), channel);
        assert_eq!(heard, "{\"id\":2}\n{\"id\":1}\n");
    }

    #[tokio::test]
    async fn a_stop_lets_what_is_in_flight_finish() {
        let (stop, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handle = |_| {
            let (stop, go_on) = (stop.clone(), go_on.clone());
            async move {
                stop.notify_one();
                go_on.notified().await;
                Ok(None)
            }
        };
        let (mut daemon, channel) = start(handle, stop.clone());
        daemon.say(r#"{"method":"SendNotification","params":{},"id":1}"#);
        let late = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            go_on.notify_one();
        };
        let stdin = daemon.stdin.take();
        let (heard, ended, ()) = tokio::join!(daemon.hear(), channel, late);
        drop(stdin);
        assert_eq!((heard.as_str(), ended), ("{\"id\":1}\n", Ended::Cleanly));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_finish_in_time_is_answered_all_the_same() {
        let (mut daemon, channel) = start(|_| std::future::pending(), Arc::default());
        daemon.say(r#"{"jsonrpc":"2.0","method":"SendNotification","params":{},"id":1}"#);
        daemon.close();
        let (heard, ended) = tokio::join!(daemon.hear(), channel);
        assert_eq!(ended, Ended::Cleanly);
        assert_eq!(
            heard,
            "{\"id\":1,\"error\":{\"code\":-32603,\"message\":\"the channel was stopped before it had an answer\"},\
             \"jsonrpc\":\"2.0\"}\n"
        );
    }

    #[tokio::test]
    async fn a_daemon_that_stops_listening_ends_the_channel_without_a_fault() {
        let (mut daemon, channel) = start(at_once, Arc::default());
        daemon.say(r#"{"method":"GetInfo","params":null,"id":1}"#);
        drop(daemon.stdout);
        assert_eq!(channel.await, Ended::Cleanly);
    }

    #[tokio::test]
    async fn a_broken_stream_is_told_after_the_replies_to_what_came_before() {
        let (mut daemon, channel) = start(at_once, Arc::default());
        daemon.say(r#"{"method":"GetInfo","params":null,"id":1}garbage"#);
        let stdin = daemon.stdin.take();
        let (heard, ended) = tokio::join!(daemon.hear(), channel);
        drop(stdin);
        assert_eq!(heard, "{\"result\":{\"name\":\"A\"},\"id\":1}\n");
        let Ended::Broken { dialect: Dialect::Legacy, reason } = ended else { panic!("{ended:?}") };
        assert!(reason.starts_with("expected value"), "{reason}");
    }
}
