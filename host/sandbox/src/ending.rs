//! How a guest's call ended, in words that an operator understands.
//!
//! Codes are stable. wasmtime's own text is only ever a detail of ours, escaped, and backtraces go to the log alone.

use std::time::Duration;

use sandbell_domain::{Failure, FailureKind};
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::error::{Failed, root};
use crate::limits::{MemoryLimits, Refused};
use crate::state::Stop;

/// When to try again if the node is full.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// When to try again after a panic of the host: not soon, it may well repeat.
const HOST_BUG_RETRY_AFTER: Duration = Duration::from_mins(1);

/// What the guest was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Start,
    GetInfo,
    SetConfig,
    Send,
}

impl Phase {
    const fn words(self) -> &'static str {
        match self {
            Self::Start => "while it started",
            Self::GetInfo => "in `get-info`",
            Self::SetConfig => "in `set-config`",
            Self::Send => "in `send-notification`",
        }
    }
}

/// Why a call of a guest gave no answer.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The guest, or the host on its behalf, raised an error.
    Error(wasmtime::Error),
    /// Wall clock.
    Timeout(Duration),
}

impl Ending {
    pub(crate) fn failure(&self, phase: Phase, limits: &MemoryLimits, memory_bytes_max: usize) -> Failure {
        match self {
            Self::Error(error) => of_error(error, phase, limits, memory_bytes_max),
            Self::Timeout(limit) => timed_out(
                "timeout",
                format!("the plugin did not finish within {} ({})", seconds(*limit), phase.words()),
            ),
        }
    }

    /// The functions that the guest was in, outermost last, in the guest's own words: escape them.
    pub(crate) fn backtrace(&self) -> Option<String> {
        let Self::Error(error) = self else { return None };
        let backtrace = error.downcast_ref::<WasmBacktrace>()?;
        let frames: Vec<_> = backtrace
            .frames()
            .iter()
            .map(|frame| {
                let name = frame
                    .func_name()
                    .map_or_else(|| format!("function {}", frame.func_index()), str::to_owned);
                frame.module_offset().map_or_else(|| name.clone(), |offset| format!("{name} at {offset:#x}"))
            })
            .collect();
        (!frames.is_empty()).then(|| frames.join(", called by "))
    }
}

pub(crate) fn busy(what: &str) -> Failure {
    Failure {
        kind: FailureKind::Transient,
        code: "busy".to_owned(),
        detail: format!("{what} is running as many attempts as it may; try again later"),
        retry_after: Some(BUSY_RETRY_AFTER),
    }
}

/// The message of the panic is in the program's own log, where somebody reads it.
pub(crate) fn host_bug() -> Failure {
    Failure {
        kind: FailureKind::Transient,
        code: "host-bug".to_owned(),
        detail: "the host broke down while the plugin ran; this is a bug of the host, see its log".to_owned(),
        retry_after: Some(HOST_BUG_RETRY_AFTER),
    }
}

pub(crate) fn failed(failure: Failure) -> Failed {
    let Failure { kind: _, code, detail, retry_after: _ } = failure;
    Failed { code, detail }
}

fn of_error(
    error: &wasmtime::Error,
    phase: Phase,
    limits: &MemoryLimits,
    memory_bytes_max: usize,
) -> Failure {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return of_stop(*stop, phase);
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return trapped(
            "exit",
            format!("the plugin called `exit` with code {code} {} instead of answering", phase.words()),
        );
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return busy("this host");
    }
    let trap = error.downcast_ref::<Trap>().copied();
    if trap == Some(Trap::StackOverflow) {
        return trapped(
            "stack",
            format!(
                "the plugin called itself too deep {}; look for a recursion without an end",
                phase.words()
            ),
        );
    }
    // A guest that gets no memory gives up a moment later, in a way of its own.
    match limits.refused() {
        Some(Refused::Memory { bytes }) => {
            return trapped(
                "memory",
                format!(
                    "the plugin asked for {} MiB of memory {}; it may have {}, more can be approved",
                    bytes.div_ceil(1 << 20),
                    phase.words(),
                    mebibytes(memory_bytes_max)
                ),
            );
        }
        Some(Refused::Table { elements }) if trap.is_none() => {
            return trapped(
                "memory",
                format!("the plugin asked for {elements} table elements {}, too many", phase.words()),
            );
        }
        Some(Refused::Table { .. }) | None => {}
    }
    if let Some(trap) = trap {
        return trapped("trap", format!("the plugin broke down {}: {}", phase.words(), in_words(trap)));
    }
    if error.is::<ResourceTableError>() || error.root_cause().to_string().contains(HANDLE_LIMIT) {
        return trapped(
            "handles",
            format!("the plugin holds too many handles, or one that is not its own, {}", phase.words()),
        );
    }
    if error.root_cause().to_string().contains(FUEL_LIMIT) {
        return trapped(
            "result-too-large",
            format!("the plugin handed over more data in one call than it may {}", phase.words()),
        );
    }
    trapped("trap", format!("the plugin broke a rule {}: {}", phase.words(), root(error)))
}

/// Errors that wasmtime 48 keeps private; `tests/hostile.rs` holds these words.
const FUEL_LIMIT: &str = "fuel allocated for hostcalls has been exhausted";
const HANDLE_LIMIT: &str = "store handle limit exceeded";

fn of_stop(stop: Stop, phase: Phase) -> Failure {
    match stop {
        Stop::Cpu(limit) => timed_out(
            "cpu",
            format!(
                "the plugin used up its {} of CPU {}; look for a loop without an end",
                seconds(limit),
                phase.words()
            ),
        ),
        Stop::HostCalls(max) => trapped(
            "host-calls",
            format!("the plugin called the host more than {max} times {}", phase.words()),
        ),
        Stop::WasiHttp => Failure {
            kind: FailureKind::Denied,
            code: "denied".to_owned(),
            detail:
                "the plugin called `wasi:http`, which is never granted; it must use `sandbell:channel/http`"
                    .to_owned(),
            retry_after: None,
        },
    }
}

fn in_words(trap: Trap) -> &'static str {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "wasmtime may add traps; all others belong to proposals that are off"
    )]
    match trap {
        Trap::UnreachableCodeReached => "it panicked or reached code that it takes for unreachable",
        Trap::MemoryOutOfBounds => "it read or wrote outside of its memory, or called itself too deep",
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => {
            "it called a function that is not there"
        }
        Trap::IntegerDivisionByZero => "it divided by zero",
        Trap::IntegerOverflow => "a number overflowed",
        Trap::BadConversionToInteger => "it converted a number that does not fit",
        Trap::CannotEnterComponent => "it was called while it was running",
        Trap::CannotLeaveComponent => "it called the host while it cleaned up",
        Trap::InvalidChar
        | Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer => "it handed over a value that is none",
        _ => "it trapped",
    }
}

fn trapped(code: &str, detail: String) -> Failure {
    Failure { kind: FailureKind::Trapped, code: code.to_owned(), detail, retry_after: None }
}

fn timed_out(code: &str, detail: String) -> Failure {
    Failure { kind: FailureKind::TimedOut, code: code.to_owned(), detail, retry_after: None }
}

fn seconds(limit: Duration) -> String {
    if limit.subsec_nanos() == 0 {
        format!("{} s", limit.as_secs())
    } else {
        format!("{} ms", limit.as_millis())
    }
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use wasmtime::Store;
    use wasmtime::component::{Component, Linker};

    use super::*;

    #[test]
    fn a_full_pool_is_busy_and_not_a_fault() {
        let engine = crate::engine::for_running(1).unwrap();
        let bytes = wat::parse_str("(component (core module $m) (core instance (instantiate $m)))").unwrap();
        let component = Component::from_binary(&engine, &bytes).unwrap();
        let linker = Linker::new(&engine);
        let (mut one, mut two) = (Store::new(&engine, ()), Store::new(&engine, ()));
        one.set_epoch_deadline(1);
        two.set_epoch_deadline(1);
        linker.instantiate(&mut one, &component).unwrap();
        let error = linker.instantiate(&mut two, &component).unwrap_err();
        let failure = Ending::Error(error).failure(Phase::Start, &MemoryLimits::new(0, 0), 0);
        assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Transient, "busy"));
        drop(one);
        linker.instantiate(&mut two, &component).unwrap();
    }

    #[test]
    fn durations_are_read_by_people() {
        assert_eq!(seconds(Duration::from_secs(30)), "30 s");
        assert_eq!(seconds(Duration::from_millis(500)), "500 ms");
    }
}
