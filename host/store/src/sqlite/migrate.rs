//! Bringing a file to this program's schema, step by step.
//!
//! Steps only add. Each is one transaction, and its SHA-256 is kept in the file: a step that was changed after it ran is
//! a different schema under the same number, and is refused.

use std::fmt::Write;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::fault::Fault;
use crate::StoreError;

/// In order; a file's `user_version` is how many of them ran.
pub(super) const STEPS: &[&str] =
    &[include_str!("migrations/0001_outbox.sql"), include_str!("migrations/0002_catalog.sql")];

const HISTORY: &str = "CREATE TABLE IF NOT EXISTS schema_step (
    step INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL
) STRICT";

/// Two programs that open one new file at once wait for each other here.
pub(super) fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let explain = |fault: rusqlite::Error| Fault::from(fault).into_error(path);
    if version(connection).map_err(explain)? as usize == steps.len() {
        return check(connection, path, steps).map(|_| ());
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explain)?;
    transaction.execute_batch(HISTORY).map_err(explain)?;
    check(&transaction, path, steps)?;
    let done = version(&transaction).map_err(explain)? as usize;
    for (step, sql) in (1_u32..).zip(steps).skip(done) {
        run(&transaction, step, sql).map_err(explain)?;
    }
    transaction.commit().map_err(explain)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// How many steps ran; refuses a newer file and one whose steps were others.
pub(super) fn check(connection: &Connection, path: &Path, steps: &[&str]) -> Result<u32, StoreError> {
    let explain = |fault: rusqlite::Error| Fault::from(fault).into_error(path);
    let found = version(connection).map_err(explain)?;
    let known = u32::try_from(steps.len()).expect("there are few steps");
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    for (step, sql) in (1..=found).zip(steps) {
        let kept: Option<String> = connection
            .query_row("SELECT sha256 FROM schema_step WHERE step = ?1", [step], |row| row.get(0))
            .optional()
            .map_err(explain)?;
        if kept.as_deref() != Some(sha256(sql).as_str()) {
            return Err(StoreError::OtherSchema { path: path.to_owned(), step });
        }
    }
    Ok(found)
}

fn run(transaction: &Transaction<'_>, step: u32, sql: &str) -> rusqlite::Result<()> {
    transaction.execute_batch(sql)?;
    transaction.execute("INSERT INTO schema_step (step, sha256) VALUES (?1, ?2)", (step, sha256(sql)))?;
    transaction.pragma_update(None, "user_version", step)
}

fn sha256(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const ONE: &str = "CREATE TABLE a (x INTEGER) STRICT;";
    const TWO: &str = "ALTER TABLE a ADD COLUMN y INTEGER;";

    fn migrated(connection: &mut Connection, steps: &[&str]) -> Result<u32, String> {
        migrate(connection, Path::new("outbox.db"), steps).map_err(|error| error.to_string())?;
        Ok(version(connection).unwrap())
    }

    #[test]
    fn steps_run_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(migrated(&mut connection, &[ONE]), Ok(1));
        connection.execute("INSERT INTO a (x) VALUES (7)", ()).unwrap();
        assert_eq!(migrated(&mut connection, &[ONE, TWO]), Ok(2));
        assert_eq!(migrated(&mut connection, &[ONE, TWO]), Ok(2));
        let row: (i64, Option<i64>) =
            connection.query_row("SELECT x, y FROM a", (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(row, (7, None));
    }

    #[test]
    fn a_newer_file_and_a_changed_step_are_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(migrated(&mut connection, &[ONE, TWO]), Ok(2));
        assert_snapshot!(migrated(&mut connection, &[ONE]).unwrap_err(), @"`outbox.db` was written by a newer version (schema 2, this program knows 1); install that version again");
        let changed = "CREATE TABLE a (x TEXT) STRICT;";
        assert_snapshot!(migrated(&mut connection, &[changed, TWO]).unwrap_err(), @"step 1 of the schema of `outbox.db` is not the one of this program; install the version that wrote the file");
        assert_snapshot!(migrated(&mut connection, &[changed, TWO, ONE]).unwrap_err(), @"step 1 of the schema of `outbox.db` is not the one of this program; install the version that wrote the file");
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(migrated(&mut connection, &[ONE]), Ok(1));
        assert!(migrated(&mut connection, &[ONE, TWO, "CREATE TABLE a (x INTEGER);"]).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        assert_eq!(migrated(&mut connection, &[ONE, TWO]), Ok(2));
    }
}
