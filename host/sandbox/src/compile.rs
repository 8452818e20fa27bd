//! Compiles in a child process: this program, called with `compile-child`, a component on stdin, an artefact on stdout.
//!
//! A file can make a compiler work for hours, and wasmtime does not count that as a fault (`reference/security.md`
//! §§0.3, 3.6). So the child limits itself before it reads a byte, and the parent kills it when its time is over.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use crate::artefact::Artefact;
use crate::error::{COMPONENT_BYTES_MAX, foreign, reason};
use crate::{InspectError, engine, scan};

/// The argument that makes this program the compiler.
const ARGUMENT: &str = "compile-child";

/// Largest artefact; small modules can grow fiftyfold.
pub(crate) const ARTEFACT_BYTES_MAX: usize = 256 << 20;

const CPU_SECONDS_MAX: u64 = 30;
const WALL: Duration = Duration::from_mins(1);
const MEMORY_BYTES_MAX: u64 = 4 << 30;
const FILES_MAX: u64 = 16;
/// Compilers at the same time.
const AT_ONCE_MAX: usize = 2;
/// A refusal is a sentence.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// Exit codes of the child beside 0, an artefact.
const REFUSED: u8 = 3;
const BROKEN: u8 = 4;

static AT_ONCE: Semaphore = Semaphore::const_new(AT_ONCE_MAX);

/// What the program does when it is called with `compile-child`: a component on stdin, an artefact on stdout.
///
/// Exit code 3 means that stdout holds an [`InspectError`] as JSON instead.
pub fn compile_child() -> ExitCode {
    let output = limit_this_process().map_err(|error| InspectError::Compile { reason: error.to_string() });
    match output.and_then(|()| read_and_compile()) {
        Ok(artefact) => answer(&artefact, ExitCode::SUCCESS),
        Err(refusal) => match serde_json::to_vec(&refusal) {
            Ok(json) => answer(&json, ExitCode::from(REFUSED)),
            Err(_) => ExitCode::from(BROKEN),
        },
    }
}

fn answer(bytes: &[u8], code: ExitCode) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => code,
        Err(_) => ExitCode::from(BROKEN),
    }
}

/// Limits that cannot be raised again, set before the first byte of the component is read.
fn limit_this_process() -> Result<(), rustix::io::Errno> {
    // At the lower limit of CPU comes SIGXCPU, which says why; at the higher one SIGKILL.
    set_limit(Resource::Cpu, CPU_SECONDS_MAX, CPU_SECONDS_MAX + 1)?;
    let limits = [
        (Resource::As, MEMORY_BYTES_MAX),
        (Resource::Fsize, 0),
        (Resource::Nofile, FILES_MAX),
        (Resource::Core, 0),
        (Resource::Nproc, 0),
    ];
    for (resource, max) in limits {
        set_limit(resource, max, max)?;
    }
    rustix::thread::set_no_new_privs(true)
}

/// Only ever lowers a limit.
fn set_limit(resource: Resource, current: u64, maximum: u64) -> Result<(), rustix::io::Errno> {
    let have = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit { current: Some(current.min(have)), maximum: Some(maximum.min(have)) };
    rustix::process::setrlimit(resource, limit)
}

fn read_and_compile() -> Result<Vec<u8>, InspectError> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(COMPONENT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| InspectError::Compile { reason: error.to_string() })?;
    compile_here(&bytes)
}

/// Scans and compiles in this process. Only the child calls it.
fn compile_here(bytes: &[u8]) -> Result<Vec<u8>, InspectError> {
    scan::check(bytes)?;
    let engine =
        engine::for_compiling().map_err(|error| InspectError::Compile { reason: error.to_string() })?;
    engine.precompile_component(bytes).map_err(|error| InspectError::Compile { reason: reason(&error) })
}

/// Starts a child, feeds it `bytes` and takes what it made of them.
pub(crate) async fn compile(program: &Path, bytes: &[u8]) -> Result<Artefact, InspectError> {
    scan::header(bytes)?;
    let _permit = AT_ONCE.acquire().await.expect("the semaphore is never closed");
    let cannot_start = |error: std::io::Error| InspectError::Compiler {
        program: program.display().to_string(),
        reason: error.to_string(),
    };
    let mut child = Command::new(program)
        .arg(ARGUMENT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(cannot_start)?;
    match tokio::time::timeout(WALL, exchange(&mut child, bytes)).await {
        Ok(Ok((status, output))) => read_answer(program, status, output),
        Ok(Err(error)) => Err(cannot_start(error)),
        // Dropping the child kills it.
        Err(_) => Err(InspectError::CompileTime { seconds: WALL.as_secs() }),
    }
}

async fn exchange(child: &mut Child, bytes: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let stdout = child.stdout.take().expect("stdout is piped");
    let feed = async {
        // A child that refuses early, or dies, closes the pipe: its status tells why.
        let _ = stdin.write_all(bytes).await;
        drop(stdin);
    };
    let mut output = Vec::new();
    let mut stdout = stdout.take(ARTEFACT_BYTES_MAX as u64 + 1);
    let ((), read) = tokio::join!(feed, stdout.read_to_end(&mut output));
    read?;
    drop(stdout);
    Ok((child.wait().await?, output))
}

fn read_answer(program: &Path, status: ExitStatus, output: Vec<u8>) -> Result<Artefact, InspectError> {
    use std::os::unix::process::ExitStatusExt as _;
    if output.len() > ARTEFACT_BYTES_MAX {
        return Err(InspectError::CompileMemory { mebibytes: (ARTEFACT_BYTES_MAX >> 20) as u64 });
    }
    if status.success() && !output.is_empty() {
        return Ok(Artefact::vouched(output));
    }
    if status.code() == Some(i32::from(REFUSED))
        && output.len() <= REFUSAL_BYTES_MAX
        && let Ok(refusal) = serde_json::from_slice(&output)
    {
        return Err(refusal);
    }
    let signal = status.signal();
    if signal == Some(Signal::XCPU.as_raw()) || signal == Some(Signal::KILL.as_raw()) {
        return Err(InspectError::CompileTime { seconds: CPU_SECONDS_MAX });
    }
    // A failed allocation aborts.
    if signal == Some(Signal::ABORT.as_raw()) {
        return Err(InspectError::CompileMemory { mebibytes: MEMORY_BYTES_MAX >> 20 });
    }
    Err(InspectError::Compiler {
        program: program.display().to_string(),
        reason: foreign(&status.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn the_end_of_the_child_is_put_into_words() {
        let end = |raw: i32, output: &[u8]| {
            let answer = read_answer(Path::new("sandbell"), ExitStatus::from_raw(raw), output.to_vec());
            answer.map_or_else(
                |error| error.to_string(),
                |artefact| format!("{} bytes", artefact.bytes().len()),
            )
        };
        insta::assert_snapshot!(end(0, b"code"), @"4 bytes");
        insta::assert_snapshot!(end(3 << 8, &serde_json::to_vec(&InspectError::CoreModule).unwrap()), @"this is a core module; build it as a component, e.g. `cargo build --target wasm32-wasip2`");
        insta::assert_snapshot!(end(Signal::XCPU.as_raw(), b""), @"compiling takes more than 30 s; make the component smaller, or look for a function that is huge");
        insta::assert_snapshot!(end(Signal::ABORT.as_raw(), b""), @"compiling takes more than 4096 MiB of memory; make the component smaller");
        insta::assert_snapshot!(end(2 << 8, b"usage"), @"the compiler `sandbell` cannot be started: exit status: 2; it must be this program itself");
        insta::assert_snapshot!(end(3 << 8, b"no JSON"), @"the compiler `sandbell` cannot be started: exit status: 3; it must be this program itself");
    }

    #[test]
    fn what_the_child_compiles_can_be_loaded() {
        let bytes = wat::parse_str("(component)").unwrap();
        let artefact = Artefact::vouched(compile_here(&bytes).unwrap());
        artefact.load(&engine::for_running(2).unwrap()).unwrap();
    }
}
