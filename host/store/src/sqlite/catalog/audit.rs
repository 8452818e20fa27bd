//! The audit log: entries are added and read, and nothing else.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sandbell_domain::TenantId;

use crate::sqlite::desk::{Desk, moment};
use crate::sqlite::fault::Fault;
use crate::{Actor, AuditEntry, AuditPage, Cursor};

/// What a command of the catalog did; `tenant` is the number of whom it concerns, absent for the host.
pub(super) struct Deed<'a> {
    pub(super) tenant: Option<i64>,
    pub(super) action: &'a str,
    pub(super) object: &'a str,
    pub(super) detail: &'a str,
}

pub(super) fn record(desk: &Desk<'_>, deed: &Deed<'_>, by: &Actor, at: Timestamp) -> Result<(), Fault> {
    let Deed { tenant, action, object, detail } = *deed;
    desk.run(
        "INSERT INTO audit (tenant, at, by, action, object, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![tenant, at.as_microsecond(), by.0, action, object, detail],
    )?;
    Ok(())
}

pub(super) fn add(desk: &Desk<'_>, entry: &AuditEntry) -> Result<(), Fault> {
    let AuditEntry { tenant, at, by, action, object, detail } = entry;
    let tenant = tenant.map(|tenant| desk.tenant(tenant)).transpose()?;
    record(desk, &Deed { tenant, action, object, detail }, by, *at)
}

pub(super) fn page(
    connection: &Connection,
    tenant: Option<TenantId>,
    after: Option<Cursor>,
    count_max: NonZeroUsize,
) -> Result<AuditPage, Fault> {
    let number = match tenant {
        None => None,
        Some(id) => {
            let known: Option<i64> = connection
                .prepare_cached("SELECT seq FROM outbox_tenant WHERE id = ?1")?
                .query_row([id.as_bytes()], |row| row.get(0))
                .optional()?;
            let Some(known) = known else { return Ok(AuditPage { entries: Vec::new(), next: None }) };
            Some(known)
        }
    };
    let limit = i64::try_from(count_max.get()).unwrap_or(i64::MAX - 1);
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, by, action, object, detail FROM audit
         WHERE tenant IS ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
    )?;
    let rows =
        statement.query_map(params![number, after.map_or(i64::MAX, Cursor::get), limit + 1], |row| {
            let by = Actor(row.get(2)?);
            Ok((row.get::<_, i64>(0)?, row.get(1)?, by, row.get(3)?, row.get(4)?, row.get(5)?))
        })?;
    let mut found = Vec::new();
    for row in rows {
        let (seq, at, by, action, object, detail) = row?;
        found.push((seq, AuditEntry { tenant, at: moment(at)?, by, action, object, detail }));
    }
    let has_more = found.len() > count_max.get();
    found.truncate(count_max.get());
    let next = found.last().filter(|_| has_more).map(|(seq, _)| Cursor::new(*seq));
    Ok(AuditPage { entries: found.into_iter().map(|(_, entry)| entry).collect(), next })
}
