//! Connections: how many there may be, how long they may say nothing, and who is at the other end.
//!
//! Stopping closes what is idle at once and lets each answer that was begun end.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

/// A connection that has sent no whole request head by then is closed, be it its first or its next.
const HEAD_READ: Duration = Duration::from_secs(10);
/// From the connection to the end of the first request's head; a little longer, so that a slow head is told why.
const FIRST_REQUEST: Duration = HEAD_READ.saturating_add(Duration::from_secs(2));

/// A TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Bytes that are held of a request head.
const HEAD_BYTES_MAX: u16 = 16 * 1024;
const HEADERS_MAX: usize = 64;

/// Requests at the same time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;

/// After `accept` failed, e.g. because there are no file handles left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Who is at the other end; in the extensions of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A process of this machine, and whose it is.
    Unix {
        uid: u32,
    },
    Tcp(SocketAddr),
}

impl Peer {
    /// Whether it is root, or whoever this process is.
    pub(crate) fn is_own(self) -> bool {
        match self {
            Self::Unix { uid } => uid == 0 || uid == rustix::process::geteuid().as_raw(),
            Self::Tcp(_) => false,
        }
    }
}

/// Whom the file system lets connect to a socket. Who is at the other end is asked for all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    ToOwner,
    ToAll,
}

/// TLS as it is now; it can change while connections are made.
pub(crate) type Tls = watch::Receiver<Option<Arc<ServerConfig>>>;

/// What every listener is given.
#[derive(Clone)]
pub(crate) struct Listening {
    pub(crate) router: Router,
    permits: Arc<Semaphore>,
    stop: CancellationToken,
    tracker: TaskTracker,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error("{what} cannot listen on `{address}`: {error}; is another program there? set `[listen] {what}`")]
    Tcp { what: &'static str, address: SocketAddr, error: io::Error },
    #[error("the socket `{path}` cannot be made: {error}; set `[listen] socket`")]
    Socket { path: PathBuf, error: io::Error },
}

impl Listening {
    pub(crate) fn new(
        router: Router,
        connections_max: usize,
        stop: CancellationToken,
        tracker: TaskTracker,
    ) -> Self {
        Self { router, permits: Arc::new(Semaphore::new(connections_max)), stop, tracker }
    }

    /// Serves a TCP address; returns the one that was taken.
    pub(crate) async fn tcp(
        self,
        what: &'static str,
        address: SocketAddr,
        tls: Tls,
    ) -> Result<SocketAddr, ListenError> {
        let failed = |error| ListenError::Tcp { what, address, error };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let taken = listener.local_addr().map_err(failed)?;
        self.tracker.clone().spawn(async move {
            while let Some(permit) = self.permit().await {
                let accepted = tokio::select! {
                    () = self.stop.cancelled() => break,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, peer)) => self.start_tcp(stream, peer, tls.borrow().clone(), permit),
                    Err(error) => refused(what, &error).await,
                }
            }
        });
        Ok(taken)
    }

    /// Serves a Unix socket. What lies in its place is replaced: the caller holds the lock of the state directory.
    pub(crate) fn unix(self, path: &Path, open: Open) -> Result<(), ListenError> {
        let listener =
            bind_unix(path, open).map_err(|error| ListenError::Socket { path: path.to_owned(), error })?;
        self.tracker.clone().spawn(async move {
            while let Some(permit) = self.permit().await {
                let accepted = tokio::select! {
                    () = self.stop.cancelled() => break,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, _)) => self.start_unix(stream, permit),
                    Err(error) => refused("socket", &error).await,
                }
            }
        });
        Ok(())
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            () = self.stop.cancelled() => None,
            permit = Arc::clone(&self.permits).acquire_owned() => permit.ok(),
        }
    }

    fn start_tcp(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        permit: OwnedSemaphorePermit,
    ) {
        let this = self.clone();
        let _ = stream.set_nodelay(true);
        self.tracker.spawn(async move {
            let peer_address = Peer::Tcp(peer);
            match tls {
                None => this.serve(stream, peer_address).await,
                Some(config) => match timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
                    Ok(Ok(stream)) => this.serve(stream, peer_address).await,
                    Ok(Err(error)) => debug!("{peer} did not finish its TLS handshake: {error}"),
                    Err(_) => debug!("{peer} did not finish its TLS handshake in time"),
                },
            }
            drop(permit);
        });
    }

    fn start_unix(&self, stream: UnixStream, permit: OwnedSemaphorePermit) {
        let this = self.clone();
        self.tracker.spawn(async move {
            match stream.peer_cred() {
                Ok(credentials) => this.serve(stream, Peer::Unix { uid: credentials.uid() }).await,
                Err(error) => warn!("nobody can say who is at the other end of the socket: {error}"),
            }
            drop(permit);
        });
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let (router, asked) = (self.router.clone(), CancellationToken::new());
        let has_asked = asked.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            has_asked.cancel();
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request.map(Body::new))
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_READ)
            .max_buf_size(usize::from(HEAD_BYTES_MAX))
            .max_headers(HEADERS_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(u32::from(HEAD_BYTES_MAX))
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(HEAD_READ);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = silence(&asked) => {
                debug!(?peer, "a connection asked for nothing in time");
                return;
            }
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            debug!(?peer, "a connection ended early: {error}");
        }
    }
}

/// Resolves if nothing is asked for in time. The limit of hyper begins with the first byte, so that one who sends none
/// would stay for ever.
async fn silence(asked: &CancellationToken) {
    if timeout(FIRST_REQUEST, asked.cancelled()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

async fn refused(what: &str, error: &io::Error) {
    warn!("{what} cannot take another connection: {error}");
    sleep(ACCEPT_AGAIN).await;
}

fn bind_unix(path: &Path, open: Open) -> io::Result<UnixListener> {
    let (dir_mode, mode) = match open {
        Open::ToOwner => (0o700, 0o600),
        Open::ToAll => (0o755, 0o666),
    };
    if let Some(dir) = path.parent().filter(|dir| !dir.exists()) {
        fs::DirBuilder::new().recursive(true).mode(dir_mode).create(dir)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(listener)
}
