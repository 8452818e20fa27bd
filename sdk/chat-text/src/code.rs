//! Foreign text as code, for markup that has no way to escape, or that finds mentions behind a backslash too.

/// Code within a line; blanks keep a backquote at an end apart from those around it.
pub fn code_span(text: &str) -> String {
    let quotes = "`".repeat(longest_run(text) + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{quotes}{blank}{text}{blank}{quotes}")
}

/// Lines of code in a block; empty text needs none.
pub fn code_block(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let fence = code_fence(text);
    format!("{fence}text\n{text}\n{fence}")
}

/// What stands before and after a block of this text: longer than anything in it.
pub fn code_fence(text: &str) -> String {
    "`".repeat(longest_run(text).max(2) + 1)
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_whatever_it_holds() {
        for (text, want) in
            [("a", "`a`"), ("a`b", "``a`b``"), ("`a``", "``` `a`` ```"), ("@**all**", "`@**all**`")]
        {
            assert_eq!(code_span(text), want);
        }
        for (text, want) in [("", ""), ("a", "```text\na\n```"), ("a\n```\nb", "````text\na\n```\nb\n````")] {
            assert_eq!(code_block(text), want);
        }
    }
}
