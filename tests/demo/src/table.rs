//! What is shown: lines, and a table for a terminal.

use sandbell_peers::Request;

/// Who, what they do, what came of it, what arrived.
pub(crate) type Row = [String; 4];

/// What is done now.
#[expect(clippy::print_stdout, reason = "a demo is there to be seen")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// A request, or enough of it to see what it is.
pub(crate) fn seen(request: &Request) -> String {
    beginning(&format!("{} {} {}", request.method, request.target, request.body_text()))
}

/// Enough of a text to see what it is.
pub(crate) fn beginning(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    let shown: String = text.chars().take(CHARS_MAX).collect();
    if shown.len() < text.len() { format!("{shown} …") } else { shown }
}

/// Prints rows under a head, each column as wide as its widest cell up to a limit; longer cells go on below.
#[expect(clippy::print_stdout, reason = "a demo is there to be seen")]
pub(crate) fn print_table<const N: usize>(head: [&str; N], rows: &[[String; N]]) {
    const WIDTH_MAX: usize = 52;
    let cell_lines = |cell: &str| -> Vec<String> {
        cell.lines()
            .flat_map(|line| {
                let chars: Vec<char> = line.chars().collect();
                chars.chunks(WIDTH_MAX).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>()
            })
            .collect()
    };
    let width = |column: usize| {
        let cells = rows.iter().flat_map(|row| cell_lines(&row[column]));
        cells.map(|line| line.chars().count()).max().unwrap_or(0).max(head[column].len())
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let rule = || println!("+{}", widths.map(|width| "-".repeat(width + 2) + "+").concat());
    rule();
    println!(
        "|{}",
        std::array::from_fn::<_, N, _>(|column| format!(" {:<1$} |", head[column], widths[column])).concat()
    );
    for row in rows {
        rule();
        let cells: [Vec<String>; N] = std::array::from_fn(|column| cell_lines(&row[column]));
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let text = |column: usize| cells[column].get(line).map_or("", String::as_str);
            println!(
                "|{}",
                std::array::from_fn::<_, N, _>(|column| format!(" {:<1$} |", text(column), widths[column]))
                    .concat()
            );
        }
    }
    rule();
}
