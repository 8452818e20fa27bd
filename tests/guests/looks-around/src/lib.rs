//! Looks for files, environment, arguments and sockets, and tells what it found.

use std::net::{TcpStream, UdpSocket};

use guest_kit::{Attack, Notification, Receipt, SendError, attack, report};

struct LooksAround;

fn found<T>(what: &str, result: std::io::Result<T>) -> String {
    format!("{what}: {}", if result.is_ok() { "FOUND" } else { "nothing" })
}

impl Attack for LooksAround {
    const NAME: &'static str = "looks-around";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        report(
            [
                found("/etc/passwd", std::fs::read("/etc/passwd")),
                found("/", std::fs::read_dir("/")),
                found("a file of its own", std::fs::write("loot", "x")),
                found("tcp", TcpStream::connect("127.0.0.1:22")),
                found("udp", UdpSocket::bind("127.0.0.1:0")),
                found("dns", std::net::ToSocketAddrs::to_socket_addrs("localhost:80")),
                format!("environment: {}", std::env::vars().count()),
                format!("arguments: {}", std::env::args().count()),
                format!("stdin: {}", std::io::read_to_string(std::io::stdin()).map_or(0, |text| text.len())),
            ]
            .join(", "),
        )
    }
}

attack!(LooksAround);
