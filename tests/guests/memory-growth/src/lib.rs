//! Takes memory until there is no more, and touches all of it.

use guest_kit::{Attack, Notification, Receipt, SendError, attack};

struct MemoryGrowth;

impl Attack for MemoryGrowth {
    const NAME: &'static str = "memory-growth";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        let mut hoard = Vec::new();
        loop {
            hoard.push(vec![hoard.len() as u8; 1 << 20]);
        }
    }
}

attack!(MemoryGrowth);
