//! Times as people say them: `12 s ago`, `in 5 min`.

use jiff::{SignedDuration, Timestamp};

/// A moment, seen from `now`; `-` if there is none.
pub(super) fn when(time: Option<Timestamp>, now: Timestamp) -> String {
    let Some(time) = time else { return "-".to_owned() };
    let ago = now.duration_since(time);
    if ago.as_secs() == 0 {
        return "now".to_owned();
    }
    let text = span(ago.abs());
    if ago.is_positive() { format!("{text} ago") } else { format!("in {text}") }
}

/// The largest unit that fits, rounded down.
pub(super) fn span(span: SignedDuration) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = span.as_secs();
    // A span of one unit is told in the next smaller one, where it says more: `90 min`, not `1 h`.
    let (length, unit) = UNITS.into_iter().find(|(length, _)| seconds >= 2 * length).unwrap_or((1, "s"));
    format!("{} {unit}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_as_people_do() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let check = |seconds: i64, want: &str| {
            assert_eq!(when(Some(Timestamp::from_second(1_000_000 - seconds).unwrap()), now), want);
        };
        check(0, "now");
        check(1, "1 s ago");
        check(12, "12 s ago");
        check(119, "119 s ago");
        check(120, "2 min ago");
        check(7_199, "119 min ago");
        check(7_200, "2 h ago");
        check(500_000, "5 d ago");
        check(-30, "in 30 s");
        check(-3_600, "in 60 min");
        assert_eq!(when(None, now), "-");
    }
}
