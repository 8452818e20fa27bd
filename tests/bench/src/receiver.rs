//! A receiver that reads requests and answers `ok`, and does nothing else, so that it is not what is measured.
//!
//! One thread waits for all connections at once: a thread for each would cost both sides a switch for every request.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio_util::task::TaskTracker;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok";

pub(crate) fn start() -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = Builder::new_current_thread().enable_io().build()?;
    std::thread::spawn(move || runtime.block_on(accept(listener)));
    Ok(address)
}

/// Serves everybody who comes, until the process ends.
async fn accept(listener: std::net::TcpListener) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let connections = TaskTracker::new();
    loop {
        let (stream, _) = listener.accept().await?;
        connections.spawn(serve(stream));
    }
}

/// Answers until the other side is gone, or says what is no request with a length.
async fn serve(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            read(&mut stream, &mut buffer).await?;
        };
        let text = std::str::from_utf8(&buffer[..head]).ok()?.to_ascii_lowercase();
        let length: usize = text.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
        while buffer.len() < head + length {
            read(&mut stream, &mut buffer).await?;
        }
        buffer.drain(..head + length);
        stream.write_all(ANSWER).await.ok()?;
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    stream.read_buf(buffer).await.ok().filter(|read| *read > 0)
}
