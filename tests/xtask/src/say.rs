//! What `cargo xtask` says on the terminal, and the only file that prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program speaks on the terminal"
)]

use std::time::Duration;

/// A part of the work begins.
pub(crate) fn step(text: &str) {
    eprintln!("── {text}");
}

/// Something a reader should know, and nothing has to be done about it.
pub(crate) fn note(text: &str) {
    eprintln!("   {text}");
}

/// The command about to be run, as it could be typed.
pub(crate) fn command(line: &str) {
    eprintln!("   $ {line}");
}

/// A line of another program's, passed on as it is.
pub(crate) fn pass_on(line: &str) {
    eprintln!("{line}");
}

/// The end of a verb that failed.
pub(crate) fn failed(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// A table for people; the first row is the head.
pub(crate) fn table(rows: &[Vec<String>]) {
    print!("{}", laid_out(rows));
}

/// Seconds with one digit, minutes from 60 s on: `4.2 s`, `3 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// Columns as wide as their widest cell; cells of digits stand to the right.
fn laid_out(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| {
                if cell.starts_with(|c: char| c.is_ascii_digit()) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
        if index == 0 {
            let rule: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
            text.push_str(&rule.join("  "));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;

    use super::{duration, laid_out};

    #[test]
    fn a_table_lines_up() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let rows = [row(["channel", "size"]), row(["slack", "91 KiB"]), row(["rocketchat", "102 KiB"])];
        assert_snapshot!(laid_out(&rows), @r"
        channel     size
        ──────────  ───────
        slack        91 KiB
        rocketchat  102 KiB
        ");
    }

    #[test]
    fn durations_are_short() {
        let check = |millis, want| assert_eq!(duration(Duration::from_millis(millis)), want);
        check(140, "0.1 s");
        check(59_400, "59.4 s");
        check(185_000, "3 min 05 s");
    }
}
