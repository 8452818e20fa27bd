//! Did you mean: the word that is nearest to one that nobody knows.

/// The nearest of `words`, if it is near: at most a third of its letters are wrong.
pub(crate) fn nearest<'a>(wrong: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |word: &&str| distance(wrong, word) <= word.chars().count().div_ceil(3);
    words.into_iter().filter(near).min_by_key(|word| distance(wrong, word))
}

/// Letters to change, to add or to leave out, or neighbours to swap.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_meant() {
        let words = ["attempt", "attempts_max", "listen", "api", "ops"];
        let check = |wrong: &str, want: Option<&str>| assert_eq!(nearest(wrong, words), want, "{wrong}");
        check("atempts_max", Some("attempts_max"));
        check("attmept", Some("attempt"));
        check("listne", Some("listen"));
        check("ap", Some("api"));
        check("severity", None);
        check("", None);
    }
}
