//! A table for a terminal.

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
