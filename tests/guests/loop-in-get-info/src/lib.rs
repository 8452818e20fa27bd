//! Never comes back from get-info, which the host asks before anything is approved.

use guest_kit::{Attack, Info, Notification, Receipt, SendError, attack};

struct LoopInGetInfo;

impl Attack for LoopInGetInfo {
    const NAME: &'static str = "loop-in-get-info";

    fn get_info() -> Info {
        loop {
            std::hint::spin_loop();
        }
    }

    fn send(_: Notification) -> Result<Receipt, SendError> {
        unreachable!("get-info never ends")
    }
}

attack!(LoopInGetInfo);
