//! What a component of an ordinary tool chain finds of WASI: no files, no environment, no network, a frozen clock.
//!
//! Linked interface by interface (`reference/hosts.md` §5.9). Sockets are linked because interpreters import them, and
//! refuse because nothing allows them. `wasi:http` is linked so that a component that carries it can be loaded; the
//! first call ends the attempt, because the contract's own `http` is the way out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::io::AsyncWrite;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, HasData, Linker, ResourceTable, ResourceType};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock, WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings;
use wasmtime_wasi::random::{WasiRandom, WasiRandomView as _};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{OutputStream, StreamResult};

use crate::log::{Log, Stream};
use crate::state::{State, Stop};

/// Random bytes of one call.
const RANDOM_BYTES_MAX: u64 = 64 << 10;
/// Both clocks show no more: a finer one measures caches (`reference/security.md` §1.4 K5).
const CLOCK_RESOLUTION: Duration = Duration::from_millis(1);
/// How much of stdout a guest may write at once. It can also make the host allocate this much.
const WRITE_BYTES_MAX: usize = 64 << 10;

const WASI_HTTP: &str = "wasi:http/";

/// Resources that `wasi:http` takes from `wasi:io`; the linker has them already.
const BORROWED_RESOURCES: [&str; 5] = ["input-stream", "output-stream", "pollable", "io-error", "error"];

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links everything but `wasi:http`.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use bindings::{cli, clocks, filesystem, random, sockets};
    use wasmtime_wasi_io::bindings::wasi::io;
    let l = linker;
    io::error::add_to_linker::<State, Io>(l, State::table)?;
    io::poll::add_to_linker::<State, Io>(l, State::table)?;
    io::streams::add_to_linker::<State, Io>(l, State::table)?;
    cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    random::random::add_to_linker::<State, WasiRandom>(l, State::random)?;
    random::insecure::add_to_linker::<State, WasiRandom>(l, State::random)?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(l, State::random)?;
    filesystem::types::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    filesystem::preopens::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<State, WasiSockets>(l, &options, State::sockets)?;
    sockets::instance_network::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::tcp::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::udp::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::udp_create_socket::add_to_linker::<State, WasiSockets>(l, State::sockets)
}

/// Gives the component a `wasi:http` whose every function ends the attempt, if it imports one.
pub(crate) fn link_http_refusals(linker: &mut Linker<State>, component: &Component) -> wasmtime::Result<()> {
    let engine = linker.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        if let (true, ComponentItem::ComponentInstance(instance)) = (name.starts_with(WASI_HTTP), import.ty) {
            refuse(linker, name, &instance)?;
        }
    }
    Ok(())
}

fn refuse(linker: &mut Linker<State>, name: &str, instance: &ComponentInstance) -> wasmtime::Result<()> {
    struct Refused;
    let engine = linker.engine().clone();
    let mut refusals = linker.instance(name)?;
    for (name, export) in instance.exports(&engine) {
        match export.ty {
            ComponentItem::ComponentFunc(_) => {
                refusals.func_new(name, |_, _, _, _| Err(Stop::WasiHttp.into()))?;
            }
            ComponentItem::Resource(_) if !BORROWED_RESOURCES.contains(&name) => {
                refusals.resource(name, ResourceType::host::<Refused>(), |_, _| Ok(()))?;
            }
            ComponentItem::Resource(_)
            | ComponentItem::Type(_)
            | ComponentItem::CoreFunc(_)
            | ComponentItem::Module(_)
            | ComponentItem::Component(_)
            | ComponentItem::ComponentInstance(_) => {}
        }
    }
    Ok(())
}

/// The empty context: stdin closed, no arguments, no environment, no directory, no address.
pub(crate) fn context(log: &Arc<Mutex<Log>>) -> WasiCtx {
    let output = |stream| Output { log: Arc::clone(log), stream };
    WasiCtx::builder()
        .stdout(output(Stream::Stdout))
        .stderr(output(Stream::Stderr))
        .max_random_size(RANDOM_BYTES_MAX)
        .wall_clock(Frozen(since_1970()))
        .monotonic_clock(Coarse(Instant::now()))
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

#[expect(clippy::disallowed_methods, reason = "a guest is shown the time; the host decides nothing by it")]
fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Stands still while the attempt runs.
struct Frozen(Duration);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        CLOCK_RESOLUTION
    }

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.as_millis()).unwrap_or_default())
    }
}

struct Coarse(Instant);

impl HostMonotonicClock for Coarse {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        let millis = u64::try_from(self.0.elapsed().as_millis()).unwrap_or_default();
        millis.saturating_mul(1_000_000)
    }
}

/// stdout or stderr of a guest: bytes go to the attempt's log, which is capped; what is too much is counted.
struct Output {
    log: Arc<Mutex<Log>>,
    stream: Stream,
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Self { log: Arc::clone(&self.log), stream: self.stream })
    }

    /// Only WASI 0.3 asks for this one, and it is not linked.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

/// Always ready, never blocks, keeps nothing: `AsyncWriteStream` buffers what a guest writes
/// (`reference/security.md` §2.2, GHSA-5m8g).
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}
