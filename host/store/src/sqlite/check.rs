//! Whether a file is whole: what `SQLite` can tell, and what always holds in ours.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::fault::Fault;
use super::migrate::{self, STEPS};
use super::open::open_to_look;
use crate::StoreError;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Every page and every row; seconds for a gigabyte.
    Quick,
    /// Also every index against its table, and whether every JSON text is one.
    Whole,
}

/// Findings of `SQLite` that are told; the first says enough.
const FINDINGS_MAX: u32 = 20;

/// Rows that break what always holds: what they are called, and how they are counted.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "deliveries without a notification",
        "SELECT count(*) FROM delivery d WHERE NOT EXISTS (SELECT 1 FROM notification n WHERE n.seq = d.notification)",
    ),
    (
        "notifications without a delivery",
        "SELECT count(*) FROM notification n WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.notification = n.seq)",
    ),
    (
        "deliveries without a channel of their tenant",
        "SELECT count(*) FROM delivery d WHERE NOT EXISTS
         (SELECT 1 FROM outbox_channel c JOIN outbox_tenant t ON t.seq = c.tenant
          WHERE c.seq = d.channel AND t.seq = d.tenant)",
    ),
    (
        "attempts without a delivery",
        "SELECT count(*) FROM attempt a WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.seq = a.delivery)",
    ),
    (
        "attempts with a number that will be given again",
        "SELECT count(*) FROM attempt WHERE seq > (SELECT attempts FROM clock)",
    ),
    (
        "deliveries in a state that cannot be",
        "SELECT count(*) FROM delivery WHERE CASE state
         WHEN 0 THEN settled_at IS NOT NULL
         WHEN 1 THEN claim IS NULL OR lease_until IS NULL OR settled_at IS NOT NULL
         WHEN 2 THEN settled_at IS NULL OR claim IS NOT NULL
         WHEN 3 THEN settled_at IS NULL OR claim IS NOT NULL OR dead_reason IS NULL
         ELSE 1 END",
    ),
    (
        "leases with a claim that will be given again",
        "SELECT count(*) FROM delivery WHERE claim > (SELECT turn FROM clock)",
    ),
    (
        "channels with deliveries that nobody will look for",
        "SELECT count(*) FROM outbox_channel c JOIN outbox_tenant t ON t.seq = c.tenant
         WHERE NOT c.is_disabled AND NOT t.is_suspended AND c.first = 0 AND c.later = 0 AND c.wake_at IS NULL
         AND EXISTS (SELECT 1 FROM delivery d WHERE d.channel = c.seq AND d.state = 0)",
    ),
    (
        "channels that are ready in a tenant that is not",
        "SELECT count(*) FROM outbox_channel c JOIN outbox_tenant t ON t.seq = c.tenant
         WHERE c.first > t.first OR c.later > t.later",
    ),
    (
        "tenants that the outbox does not know",
        "SELECT count(*) FROM tenant t WHERE NOT EXISTS (SELECT 1 FROM outbox_tenant o WHERE o.seq = t.seq)",
    ),
    (
        "tokens of nobody",
        "SELECT count(*) FROM token k WHERE tenant IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM tenant t WHERE t.seq = k.tenant)",
    ),
    (
        "channels that the outbox does not know",
        "SELECT count(*) FROM channel c WHERE NOT EXISTS
         (SELECT 1 FROM outbox_channel o JOIN tenant t ON t.seq = o.tenant WHERE o.seq = c.seq AND o.tenant = c.tenant)",
    ),
    (
        "channels that the outbox does not follow",
        "SELECT count(*) FROM channel c JOIN outbox_channel o ON o.seq = c.seq
         LEFT JOIN channel_revision r ON r.channel = c.seq AND r.revision = c.revision
         WHERE r.plugin IS NULL OR o.is_disabled <> (r.disabled_reason IS NOT NULL)",
    ),
    (
        "revisions without a channel",
        "SELECT count(*) FROM channel_revision r
         WHERE NOT EXISTS (SELECT 1 FROM channel c WHERE c.seq = r.channel AND c.revision >= r.revision)",
    ),
    (
        "secrets without a revision",
        "SELECT count(*) FROM secret s WHERE NOT EXISTS
         (SELECT 1 FROM channel_revision r WHERE r.channel = s.channel AND r.revision = s.revision)",
    ),
];

/// Texts that are read as JSON.
const FORMS: &[(&str, &str)] = &[
    ("notifications that cannot be read", "SELECT count(*) FROM notification WHERE NOT json_valid(body)"),
    ("attempts that cannot be read", "SELECT count(*) FROM attempt WHERE NOT json_valid(record)"),
    (
        "deliveries that cannot be read",
        "SELECT count(*) FROM delivery WHERE NOT json_valid(contact) OR NOT ifnull(json_valid(failure), 1)",
    ),
    (
        "revisions that cannot be read",
        "SELECT count(*) FROM channel_revision WHERE NOT json_valid(settings) OR NOT json_valid(policy)",
    ),
];

/// What is wrong with a file, in words; nothing if it is whole. Nothing is changed.
///
/// For a file that no program has open; one that a program has open is looked at as it is at this moment.
pub fn check_file(path: &Path, depth: Depth) -> Result<Vec<String>, StoreError> {
    let explain = |fault: Fault| fault.into_error(path);
    let connection = open_to_look(path, Duration::from_secs(5))?;
    let found = migrate::check(&connection, path, STEPS)?;
    if found == 0 {
        return Ok(vec![
            "there is no store in it: what was written may be in a `-wal` beside another copy".to_owned(),
        ]);
    }
    if (found as usize) < STEPS.len() {
        // An older one is brought up when it is opened, and has other things that always hold.
        return engine(&connection, depth).map_err(explain);
    }
    check(&connection, depth).map_err(explain)
}

pub(super) fn check(connection: &Connection, depth: Depth) -> Result<Vec<String>, Fault> {
    let mut findings = engine(connection, depth)?;
    // Counting rows of a damaged file says nothing more.
    if findings.is_empty() {
        findings.extend(broken(connection, INVARIANTS)?);
        if depth == Depth::Whole {
            findings.extend(broken(connection, FORMS)?);
        }
    }
    Ok(findings)
}

fn engine(connection: &Connection, depth: Depth) -> Result<Vec<String>, Fault> {
    let pragma = match depth {
        Depth::Quick => "quick_check",
        Depth::Whole => "integrity_check",
    };
    let sql = format!("PRAGMA {pragma}({FINDINGS_MAX})");
    let findings = connection.prepare(&sql).and_then(|mut statement| {
        statement.query_map((), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()
    });
    match findings {
        Ok(findings) => Ok(findings.into_iter().filter(|finding| finding != "ok").collect()),
        // Too damaged to be looked at any further.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(vec![error.to_string()])
        }
        Err(error) => Err(error.into()),
    }
}

fn broken(connection: &Connection, invariants: &[(&str, &str)]) -> Result<Vec<String>, Fault> {
    let mut findings = Vec::new();
    for (what, sql) in invariants {
        let count: i64 = connection.query_row(sql, (), |row| row.get(0))?;
        if count > 0 {
            findings.push(format!("{what}: {count}"));
        }
    }
    Ok(findings)
}
