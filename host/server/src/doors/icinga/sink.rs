//! Lines out: one thread writes each stream, so that a reader that stalls stops nothing but its own stream.

use std::io::Write;
use std::thread;

use tokio::sync::{mpsc, oneshot};

/// Lines that wait to be written; more log lines are dropped, more replies wait (as in the Go library).
const WAITING_MAX: usize = 64;

/// A stream's queue. The stream ends when every sender is gone and everything is written.
pub(super) struct Sink {
    pub(super) lines: mpsc::Sender<Vec<u8>>,
    /// Resolves when the last line is written, or when the stream refuses one.
    pub(super) done: oneshot::Receiver<()>,
}

/// Starts the stream's writer. A line that cannot be written ends it: nobody reads there any more.
pub(super) fn spawn(name: &str, mut stream: impl Write + Send + 'static) -> Sink {
    let (lines, mut queue) = mpsc::channel::<Vec<u8>>(WAITING_MAX);
    let (done_sender, done) = oneshot::channel();
    let write = move || {
        while let Some(line) = queue.blocking_recv() {
            if stream.write_all(&line).and_then(|()| stream.flush()).is_err() {
                break;
            }
        }
        drop(queue);
        let _ = done_sender.send(());
    };
    // Without a writer the queue is closed, which is the same as a stream that refuses.
    let _ = thread::Builder::new().name(name.to_owned()).spawn(write);
    Sink { lines, done }
}
