//! Exits with success before it has sent anything.

use guest_kit::{Attack, Notification, Receipt, SendError, attack};

struct Exits;

impl Attack for Exits {
    const NAME: &'static str = "exits";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        std::process::exit(0)
    }
}

attack!(Exits);
