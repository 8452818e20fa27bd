//! `cargo xtask`: everything that is done to this repository, one verb per file.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

// what every verb stands on
mod files;
mod house;
mod offence;
mod run;
mod say;
mod tools;

// reading the tree
mod fmt;
mod layers;
mod tidy;
mod typos;

// building and checking it
mod channels;
mod codegen;
mod deps;
mod docs;
mod guests;
mod lint;
mod schemathesis;
mod test;

// using it
mod bench;
mod ci;
mod crash;
mod demo;
mod dist;
mod new;
mod setup;
mod soak;

use house::House;

/// Everything that is done to this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Demo(demo::Demo),
    Test(test::Test),
    Ci(ci::Ci),
    Fmt(fmt::Fmt),
    Lint(lint::Lint),
    Layers(layers::Layers),
    Tidy(tidy::Tidy),
    Typos(typos::Typos),
    Docs(docs::Docs),
    Deps(deps::Deps),
    Channels(channels::Channels),
    Guests(guests::Guests),
    Codegen(codegen::Codegen),
    New(new::New),
    Bench(bench::Bench),
    Dist(dist::Dist),
    Crash(crash::Crash),
    Soak(soak::Soak),
    Setup(setup::Setup),
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failed(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let house = House::find()?;
    match &cli.verb {
        Verb::Demo(verb) => verb.run(&house),
        Verb::Test(verb) => verb.run(&house),
        Verb::Ci(verb) => verb.run(&house),
        Verb::Fmt(verb) => verb.run(&house),
        Verb::Lint(verb) => verb.run(&house),
        Verb::Layers(verb) => verb.run(&house),
        Verb::Tidy(verb) => verb.run(&house),
        Verb::Typos(verb) => verb.run(&house),
        Verb::Docs(verb) => verb.run(&house),
        Verb::Deps(verb) => verb.run(&house),
        Verb::Channels(verb) => verb.run(&house),
        Verb::Guests(verb) => verb.run(&house),
        Verb::Codegen(verb) => verb.run(&house),
        Verb::New(verb) => verb.run(&house),
        Verb::Bench(verb) => verb.run(&house),
        Verb::Dist(verb) => verb.run(&house),
        Verb::Crash(verb) => verb.run(&house),
        Verb::Soak(verb) => verb.run(&house),
        Verb::Setup(verb) => verb.run(&house),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_verbs_are_well_formed() {
        Cli::command().debug_assert();
    }
}
