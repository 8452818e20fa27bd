//! Answers with an error of a megabyte that begins with terminal codes.

use guest_kit::{Attack, Notification, Receipt, SendError, attack, fail};

struct GiantError;

impl Attack for GiantError {
    const NAME: &'static str = "giant-error";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        fail(format!("\x1b[31m\n{}", "A".repeat(600_000)))
    }
}

attack!(GiantError);
