//! Calls itself until the stack ends.

use guest_kit::{Attack, Notification, Receipt, SendError, attack, report};

struct Recursion;

#[expect(unconditional_recursion, reason = "this is the attack")]
fn deeper(depth: u64) -> u64 {
    let frame = [depth; 64];
    std::hint::black_box(&frame);
    deeper(depth + 1) + frame[63]
}

impl Attack for Recursion {
    const NAME: &'static str = "recursion";

    fn send(_: Notification) -> Result<Receipt, SendError> {
        report(deeper(0).to_string())
    }
}

attack!(Recursion);
