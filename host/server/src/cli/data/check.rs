//! `sandbell db check`: reads all of the database and says what is wrong.

use sandbell_store::Depth;
use serde_json::json;

use super::super::exit::Exit;
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use super::args::DatabaseVerb;
use super::local::checked;
use super::{Database, Local};

pub(in crate::cli) fn run(context: &Context, args: &Database) -> Done {
    let DatabaseVerb::Check { file } = &args.verb;
    let path = match file {
        Some(file) => file.clone(),
        None => Local::open(context, &args.settings)?.existing_database()?,
    };
    let problems = checked(&path, Depth::Whole)?;
    if problems.is_empty() {
        context
            .output
            .result(|| format!("{} is whole\n", path.display()), || json!({ "file": path, "problems": [] }));
        return Ok(Exit::Ok);
    }
    if context.output.is_json {
        context.output.result(String::new, || json!({ "file": path, "problems": problems }));
        return Ok(Exit::Failed);
    }
    let what = format!("{} is damaged", path.display());
    Err(Problem::new(Exit::Failed, "damaged", what)
        .because(problems.join("\n"))
        .hint("`sandbell restore FILE` goes back to a backup; stop the daemon first"))
}
