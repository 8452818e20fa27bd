//! What an upgrade would want anew, and what it no longer wants.

use sandbell_domain::Want;

/// One line of the difference between two lists of wants. A changed reason alone is no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Added(Want),
    Removed(Want),
    Kept(Want),
}

/// Every want of either list once: those of `new` in their order, then those that are gone.
pub(crate) fn changes(old: &[Want], new: &[Want]) -> Vec<Change> {
    let is_in = |list: &[Want], want: &Want| {
        list.iter().any(|other| other.capability == want.capability && other.target == want.target)
    };
    let current = new
        .iter()
        .map(|want| if is_in(old, want) { Change::Kept(want.clone()) } else { Change::Added(want.clone()) });
    let gone = old.iter().filter(|want| !is_in(new, want)).map(|want| Change::Removed(want.clone()));
    current.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::want;
    use super::*;

    #[test]
    fn an_upgrade_shows_what_is_new_and_what_is_gone() {
        let old = [want("POST {url}", "to send"), want("GET {url}", "to ask")];
        let new = [want("POST {url}", "to deliver"), want("POST https://x.example/", "to count")];
        assert_eq!(
            changes(&old, &new),
            [Change::Kept(new[0].clone()), Change::Added(new[1].clone()), Change::Removed(old[1].clone())]
        );
        assert_eq!(changes(&[], &[]), []);
    }
}
