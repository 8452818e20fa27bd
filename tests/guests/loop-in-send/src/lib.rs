//! Never comes back from send-notification.

use guest_kit::{Attack, Notification, Receipt, SendError, attack};

struct LoopInSend;

impl Attack for LoopInSend {
    const NAME: &'static str = "loop-in-send";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        loop {
            std::hint::spin_loop();
        }
    }
}

attack!(LoopInSend);
