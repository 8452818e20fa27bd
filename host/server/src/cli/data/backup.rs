//! `sandbell backup FILE` and `sandbell restore FILE`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sandbell_store::{backup_file, restore_file};
use serde_json::json;

use super::super::exit::Exit;
use super::super::output::{Output, confirm, size};
use super::super::problem::Problem;
use super::super::run::{Context, Done};
use super::super::serve;
use super::{Backup, Local, Restore};

pub(in crate::cli) fn backup(context: &Context, args: &Backup) -> Done {
    let local = Local::open(context, &args.settings)?;
    let bytes = backup_file(&local.existing_database()?, &args.file)?;
    context.output.result(
        || {
            format!(
                "{} is written to {}\nhint: the key of the secrets is not in it; keep {} elsewhere\n",
                size(bytes),
                args.file.display(),
                local.state.dir().join("sandbell.key").display()
            )
        },
        || json!({ "file": args.file, "bytes": bytes }),
    );
    Ok(Exit::Ok)
}

pub(in crate::cli) fn restore(context: &Context, args: &Restore) -> Done {
    let local = Local { state: context.app.state_or_create()?, settings: serve::settings(&args.settings)? };
    let _lock = local.lock()?;
    let (from, to) = (&args.file, local.database());
    if !from.exists() {
        return Err(Problem::new(
            Exit::NotFound,
            "no_backup",
            format!("there is no file `{}`", from.display()),
        ));
    }
    if to.exists() && !args.yes {
        confirm(
            &format!("Replace {} by {}? What was accepted since is lost.", to.display(), from.display()),
            "`--yes` replaces without asking",
        )?;
    }
    let kept = keep(&to, context.app.clock.now())?;
    if let Err(error) = restore_file(from, &to) {
        // Nothing was replaced, so the other name is of no use.
        if let Some(kept) = kept {
            let _ = fs::remove_file(kept);
        }
        return Err(error.into());
    }
    if let Some(kept) = &kept {
        Output::note(&format!("what was there before is kept in {}", kept.display()));
    }
    context.output.result(
        || {
            let (to, from) = (to.display(), from.display());
            format!("{to} is what {from} holds\nhint: `sandbell doctor` tries the key on it\n")
        },
        || json!({ "database": to, "from": from, "kept": kept }),
    );
    Ok(Exit::Ok)
}

/// Gives the database that is there a second name, under which it stays when another comes in its place.
fn keep(to: &Path, now: Timestamp) -> Result<Option<PathBuf>, Problem> {
    if !to.exists() {
        return Ok(None);
    }
    let mut name = OsString::from(to);
    name.push(format!(".{}", now.strftime("%Y-%m-%dT%H-%M-%SZ")));
    let kept = PathBuf::from(name);
    fs::hard_link(to, &kept).map_err(|error| Problem::file(&kept, "make", &error))?;
    Ok(Some(kept))
}
