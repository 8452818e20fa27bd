//! Panics, with a message that would paint the terminal red.

use guest_kit::{Attack, Notification, Receipt, SendError, attack};

struct Panics;

impl Attack for Panics {
    const NAME: &'static str = "panics";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        panic!("\x1b[31mERROR root logged in\x1b[0m\n2026-01-01 00:00:00 INFO all is well");
    }
}

attack!(Panics);
