//! `cargo xtask setup`: installs everything the other verbs need.

use anyhow::Result;

use crate::{house::House, say, schemathesis, tools};

/// Install everything the other verbs need; what is there is left alone.
///
/// Each verb installs what it needs by itself; this is for those who want to wait once.
#[derive(clap::Args)]
pub(crate) struct Setup {}

impl Setup {
    #[expect(clippy::unused_self, reason = "every verb is called alike")]
    pub(crate) fn run(&self, house: &House) -> Result<()> {
        tools::ensure_guest_target()?;
        let mut rows = vec![vec!["tool".to_owned(), "version".to_owned(), "at".to_owned()]];
        for tool in tools::TOOLS {
            let path = tool.ensure(house)?;
            rows.push(vec![tool.name.to_owned(), tool.version.to_owned(), path.display().to_string()]);
        }
        schemathesis::ensure(house)?;
        tools::ensure_debian_packages()?;
        say::table(&rows);
        Ok(())
    }
}
