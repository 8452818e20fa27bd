//! Calls the host without end.

use guest_kit::{Attack, Notification, Receipt, SendError, attack, log};

struct HostCallFlood;

impl Attack for HostCallFlood {
    const NAME: &'static str = "host-call-flood";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        loop {
            log::enabled(log::Level::Trace);
        }
    }
}

attack!(HostCallFlood);
