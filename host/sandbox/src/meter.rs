//! CPU of a guest, by the clock of the thread that runs it.
//!
//! A guest runs only while its future is polled, and a poll stays on one thread. So the time on CPU of its polls is
//! what it used: neither a busy neighbour nor a slow answer is charged to it.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

thread_local! {
    /// On this thread's CPU clock, when the guest that is polled now would have started if it had never paused.
    static STARTED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A future that knows how much CPU it took; gives its output with that.
pub(crate) struct Metered<F> {
    future: Pin<Box<F>>,
    used: Duration,
}

impl<F: Future> Metered<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Box::pin(future), used: Duration::ZERO }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = (F::Output, Duration);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let started = thread_time().saturating_sub(self.used);
        let outer = STARTED.replace(started);
        let poll = self.future.as_mut().poll(context);
        STARTED.set(outer);
        self.used = thread_time().saturating_sub(started);
        poll.map(|output| (output, self.used))
    }
}

/// CPU that the metered future running on this thread has used so far.
pub(crate) fn used() -> Duration {
    thread_time().saturating_sub(STARTED.get())
}

fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_charged_and_waiting_is_not() {
        let ((), used) = Metered::new(async {
            while used() < Duration::from_millis(20) {}
            tokio::time::sleep(Duration::from_millis(200)).await;
            while used() < Duration::from_millis(30) {}
        })
        .await;
        assert!(used >= Duration::from_millis(30), "{used:?}");
        assert!(used < Duration::from_millis(150), "{used:?}");
    }
}
