//! Sleeps for a year: no instruction runs, so no instruction counter stops it.

use std::time::Duration;

use guest_kit::{Attack, Notification, Receipt, SendError, attack, report};

struct Sleeper;

impl Attack for Sleeper {
    const NAME: &'static str = "sleeper";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        std::thread::sleep(Duration::from_secs(365 * 86_400));
        report("slept well")
    }
}

attack!(Sleeper);
