//! Completions, manual pages and the reference, all made from the command line itself.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;

use super::args::Cli;
use super::exit::Exit;
use super::output::Output;
use super::problem::Problem;
use super::run::{Context, Done};
use crate::doors::rest;

/// Shells that `codegen` writes completions for.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

pub(super) fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), crate::config::PROGRAM, &mut script);
    Output::bytes(&script);
}

pub(super) fn man(context: &Context, dir: &Path) -> Done {
    write_man(dir)?;
    say_where(context, dir);
    Ok(Exit::Ok)
}

/// `DIR/cli.md`, `DIR/openapi.json`, `DIR/man/*.1`, `DIR/completions/*`.
pub(super) fn all(context: &Context, dir: &Path) -> Done {
    write_man(&dir.join("man"))?;
    let completions = dir.join("completions");
    let failed = |error: std::io::Error| Problem::file(dir, "write into", &error);
    fs::create_dir_all(&completions).map_err(failed)?;
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut Cli::command(), crate::config::PROGRAM, &completions)
            .map_err(failed)?;
    }
    fs::write(dir.join("cli.md"), reference()).map_err(failed)?;
    fs::write(dir.join("openapi.json"), rest::document()).map_err(failed)?;
    say_where(context, dir);
    Ok(Exit::Ok)
}

fn say_where(context: &Context, dir: &Path) {
    context.output.result(|| format!("written to {}\n", dir.display()), || json!({ "dir": dir }));
}

fn write_man(dir: &Path) -> Result<(), Problem> {
    fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(|error| Problem::file(dir, "write into", &error))
}

/// The reference as Markdown: what `--help` says of each verb, in one page.
fn reference() -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut text =
        String::from("# The command line\n\nMade by `cargo xtask codegen` from `sandbell --help`.\n");
    describe(&command, &mut text);
    text
}

fn describe(command: &Command, text: &mut String) {
    let mut own = command.clone();
    let name = own.get_bin_name().unwrap_or(crate::config::PROGRAM).to_owned();
    let help = own.render_long_help().to_string();
    let lines: Vec<_> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        describe(verb, text);
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_reference_holds_every_verb_that_people_use() {
        let reference = reference();
        let headings: Vec<_> = reference.lines().filter(|line| line.starts_with("## ")).collect();
        assert_snapshot!(headings.join("\n"), @"
        ## sandbell
        ## sandbell serve
        ## sandbell config
        ## sandbell config default
        ## sandbell config check
        ## sandbell config schema
        ## sandbell config show
        ## sandbell status
        ## sandbell doctor
        ## sandbell inspect
        ## sandbell plugin
        ## sandbell plugin install
        ## sandbell plugin approve
        ## sandbell plugin list
        ## sandbell plugin show
        ## sandbell plugin remove
        ## sandbell channel
        ## sandbell channel list
        ## sandbell channel show
        ## sandbell channel create
        ## sandbell channel set
        ## sandbell channel unset
        ## sandbell channel test
        ## sandbell channel preview
        ## sandbell channel enable
        ## sandbell channel disable
        ## sandbell channel delete
        ## sandbell channel export
        ## sandbell channel apply
        ## sandbell channel diff
        ## sandbell secret
        ## sandbell secret set
        ## sandbell secret remove
        ## sandbell secret rotate-key
        ## sandbell secret list
        ## sandbell notify
        ## sandbell delivery
        ## sandbell delivery list
        ## sandbell delivery show
        ## sandbell delivery tail
        ## sandbell delivery redrive
        ## sandbell delivery cancel
        ## sandbell send
        ## sandbell tenant
        ## sandbell tenant create
        ## sandbell tenant list
        ## sandbell tenant suspend
        ## sandbell tenant resume
        ## sandbell token
        ## sandbell token create
        ## sandbell token list
        ## sandbell token revoke
        ## sandbell audit
        ## sandbell backup
        ## sandbell restore
        ## sandbell db
        ## sandbell db check
        ## sandbell icinga
        ## sandbell icinga link
        ## sandbell completions
        ## sandbell man
        ");
    }

    #[test]
    fn help_says_what_the_verbs_are_and_how_it_ends() {
        let help = Cli::command().term_width(100).render_long_help().to_string();
        assert_snapshot!(help, @"
        Hosts notification channels that are WebAssembly components.

        A plugin is installed from a file, an operator approves what it wants, and from then on it delivers
        notifications: through this command line or as a channel of Icinga Notifications.

        Usage: sandbell [OPTIONS] <COMMAND>

        Commands:
          serve        Accept notifications, keep them, and deliver them
          config       Look at what `sandbell.toml` can say and says
          status       Show how the daemon is
          doctor       Look at everything that can be wrong, and say what to do
          inspect      Show what a component is, what it can be set to and what it wants
          plugin       Install plugins and approve what they want
          channel      Configure channels, try them, and see how they fare
          secret       Set and remove the secrets of channels; no verb prints one
          notify       Hand a notification to the daemon, which delivers it
          delivery     See what became of what was accepted, and try again
          send         Deliver one notification now
          tenant       Make tenants, and suspend them
          token        Make tokens for programs, and revoke them
          audit        Show who did what, newest first
          backup       Copy the database, while the daemon runs or not
          restore      Go back to a backup; the daemon must not run
          db           Look after the database
          icinga       Serve Icinga Notifications
          completions  Print a completion script for a shell
          man          Write the manual pages into a directory

        Options:
              --json
                  Print JSON on stdout, errors included

          -o, --output <FORM>
                  How results are printed

                  Possible values:
                  - table: For people
                  - json:  As `--json`

          -v...
                  Log more to stderr; twice for debugging

          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

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

    #[test]
    fn help_of_send_says_what_the_files_hold() {
        let mut command = Cli::command().term_width(100);
        command.build();
        let help = command.find_subcommand_mut("send").unwrap().render_long_help().to_string();
        assert_snapshot!(help, @r#"
        Deliver one notification now

        The configuration is a JSON object (or TOML, if the file's name ends in `.toml`) of the plugin's
        options. The notification is either the params of Icinga's `SendNotification`, with or without the
        request around them, or, with `"version": 1`, in Sandbell's own words.

        Usage: sandbell send [OPTIONS] --config <FILE> --notification <FILE> <PLUGIN>

        Arguments:
          <PLUGIN>
                  What the plugin is called on this host

        Options:
              --config <FILE>
                  The options of the plugin

              --json
                  Print JSON on stdout, errors included

              --notification <FILE>
                  The notification, `-` for stdin

          -o, --output <FORM>
                  How results are printed

                  Possible values:
                  - table: For people
                  - json:  As `--json`

          -v...
                  Log more to stderr; twice for debugging

              --verbose
                  Show what was sent and what was answered, with secrets masked

              --dry-run
                  Show exactly what would be sent, with secrets masked, and send nothing

          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version
        "#);
    }
}
