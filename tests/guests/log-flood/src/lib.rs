//! Fills the log through all three ways out, with lines that forge others.

use guest_kit::{Attack, Notification, Receipt, SendError, attack, log, report};

struct LogFlood;

impl Attack for LogFlood {
    const NAME: &'static str = "log-flood";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        for line in 0..300 {
            log::write(log::Level::Error, &format!("\x1b[2J{line}\n{}", "x".repeat(1024)), &[]);
        }
        println!("\x1b[31mout\r\nof line");
        eprintln!("err\u{202e}or");
        report("flooded")
    }
}

attack!(LogFlood);
