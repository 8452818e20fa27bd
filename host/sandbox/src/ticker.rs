//! The clock that interrupts guests: a thread of its own that advances the engine's epoch while any guest runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

use crate::SandboxError;

/// Between two epochs: how late a guest without an end is noticed (`reference/security.md` §3.4: 1–5 ms).
const TICK: Duration = Duration::from_millis(2);

/// Ticks without a guest before the thread goes to sleep, so that a burst of attempts does not wake it each time.
const IDLE_TICKS_MAX: u32 = 50;

/// Ticks while a [`Running`] exists; sleeps otherwise, so that an idle host costs nothing.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    stopped: AtomicBool,
}

/// Held while a guest runs. The ticks go on for it even when the ticker is dropped: a guest that nobody waits for any
/// more still has to be interrupted to end.
pub(crate) struct Running(Arc<Shared>);

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> Result<Self, SandboxError> {
        let shared = Arc::new(Shared::default());
        let (engine, of_thread) = (engine.weak(), Arc::clone(&shared));
        let handle = std::thread::Builder::new()
            .name("sandbox-ticker".to_owned())
            .spawn(move || tick(&engine, &of_thread))
            .map_err(|error| SandboxError::Engine(error.to_string()))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    pub(crate) fn enter(&self) -> Running {
        if self.shared.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(engine: &EngineWeak, shared: &Shared) {
    let mut idle_ticks = 0;
    loop {
        if shared.running.load(Ordering::SeqCst) > 0 {
            idle_ticks = 0;
        } else if shared.stopped.load(Ordering::SeqCst) {
            return;
        } else {
            idle_ticks += 1;
        }
        if idle_ticks > IDLE_TICKS_MAX {
            // An `unpark` between the test and this line is remembered: `park` then returns at once.
            std::thread::park();
            continue;
        }
        std::thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
    }
}
