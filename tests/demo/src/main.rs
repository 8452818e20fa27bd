//! `cargo xtask demo`: the main job end to end, against real servers, in tables.
//!
//! Four channels are driven as Icinga's daemon drives a channel, in both dialects, and hostile channels try what they must
//! not; then a host serves a tenant through failures, and is killed. With `--all`: every channel of the repository once.

mod every; // every channel once
mod host; // the program
mod icinga; // channels under the daemon, and hostile ones
mod peer; // who a channel talks to
mod serving; // a serving host
mod table; // rows of text

use anyhow::{Result, bail, ensure};
use sandbell_peers::Built;

use crate::host::Host;
use crate::table::{print_table, say};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dir = tempfile::tempdir()?;
    let host = Host::new(Built::of_this_binary()?, dir.path());
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let rows = icinga::show(&host, dir.path())?;
            print_table(["who", "does", "what came of it", "what arrived"], &rows);
            let rows = serving::show(&host)?;
            print_table(["who", "does", "what came of it", "what arrived"], &rows);
        }
        ["--all"] => {
            let (rows, failed) = every::show(&host)?;
            print_table(["channel", "sent", "what arrived", "verdict"], &rows);
            ensure!(failed == 0, "{failed} of {} channels failed", rows.len());
        }
        _ => bail!("`{}` is not known", arguments.join(" ")),
    }
    say("\nEverything above ran against real sockets; nothing of it is left behind.");
    Ok(())
}
