//! How the program ends: one table, shown by `--help` and in the manual.

/// An exit code and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    NotAllowed = 4,
    Conflict = 5,
    Dead = 6,
    Unreachable = 7,
    Later = 75,
    Interrupted = 130,
}

impl Exit {
    pub(crate) const ALL: [Self; 10] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::NotAllowed,
        Self::Conflict,
        Self::Dead,
        Self::Unreachable,
        Self::Later,
        Self::Interrupted,
    ];

    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Failed => "failed",
            Self::Usage => "the command line is wrong",
            Self::NotFound => "no such thing: plugin, channel, delivery, file",
            Self::NotAllowed => "not approved, or not allowed to this user or token",
            Self::Conflict => "something else is in the way; with `--exit-code`: there are differences",
            Self::Dead => "the delivery failed for good",
            Self::Unreachable => "no daemon answers",
            Self::Later => "the delivery failed, trying again can help (EX_TEMPFAIL)",
            Self::Interrupted => "interrupted",
        }
    }

    /// The table at the end of `--help`.
    pub(crate) fn table() -> String {
        let rows = Self::ALL.map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", rows.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn every_exit_code_has_a_meaning() {
        assert_snapshot!(Exit::table(), @r"
        Exit codes:
            0  done
            1  failed
            2  the command line is wrong
            3  no such thing: plugin, channel, delivery, file
            4  not approved, or not allowed to this user or token
            5  something else is in the way; with `--exit-code`: there are differences
            6  the delivery failed for good
            7  no daemon answers
           75  the delivery failed, trying again can help (EX_TEMPFAIL)
          130  interrupted
        ");
    }
}
