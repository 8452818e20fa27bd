//! Tenants: made once, suspended and taken up again.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use sandbell_domain::{Name, Tenant, TenantId};

use super::audit::{self, Deed};
use super::form::name;
use crate::sqlite::desk::{Desk, moment, uuid};
use crate::sqlite::fault::Fault;
use crate::{Actor, Created};

pub(super) fn create(desk: &Desk<'_>, tenant: &Tenant, by: &Actor) -> Result<Created, Fault> {
    let Tenant { id, name, created_at, is_suspended } = tenant;
    let seq = desk.tenant(*id)?;
    let new = desk.run(
        "INSERT INTO tenant (seq, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![seq, name.as_str(), created_at.as_microsecond()],
    )?;
    if new == 0 {
        return Ok(Created::Before);
    }
    desk.run("UPDATE outbox_tenant SET is_suspended = ?2 WHERE seq = ?1", params![seq, is_suspended])?;
    let deed = Deed { tenant: None, action: "tenant.create", object: name.as_str(), detail: "" };
    audit::record(desk, &deed, by, *created_at)?;
    Ok(Created::Done)
}

pub(super) fn suspend(
    desk: &mut Desk<'_>,
    tenant: TenantId,
    is_suspended: bool,
    by: &Actor,
    now: Timestamp,
) -> Result<bool, Fault> {
    desk.tick(now)?;
    let found: Option<(i64, String, bool)> = desk.first(
        "SELECT t.seq, t.name, o.is_suspended FROM outbox_tenant o JOIN tenant t ON t.seq = o.seq WHERE o.id = ?1",
        [tenant.as_bytes()],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let Some((seq, name, was_suspended)) = found else { return Ok(false) };
    if is_suspended == was_suspended {
        return Ok(true);
    }
    desk.run("UPDATE outbox_tenant SET is_suspended = ?2 WHERE seq = ?1", params![seq, is_suspended])?;
    let channels: Vec<i64> = desk
        .statement("SELECT seq FROM outbox_channel WHERE tenant = ?1")?
        .query_map([seq], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for channel in channels {
        desk.touch(channel, now);
    }
    let action = if is_suspended { "tenant.suspend" } else { "tenant.resume" };
    audit::record(desk, &Deed { tenant: None, action, object: &name, detail: "" }, by, now)?;
    Ok(true)
}

/// The number of a tenant that was made, and not only named by a delivery.
pub(super) fn number(desk: &Desk<'_>, tenant: TenantId) -> Result<Option<i64>, Fault> {
    desk.first(
        "SELECT t.seq FROM outbox_tenant o JOIN tenant t ON t.seq = o.seq WHERE o.id = ?1",
        [tenant.as_bytes()],
        |row| row.get(0),
    )
}

const TENANT: &str = "SELECT o.id, t.name, t.created_at, o.is_suspended
    FROM tenant t JOIN outbox_tenant o ON o.seq = t.seq";

pub(super) fn of_name(connection: &Connection, name: &Name) -> Result<Option<Tenant>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{TENANT} WHERE t.name = ?1"))?;
    let mut rows = statement.query([name.as_str()])?;
    rows.next()?.map(|row| read(row, 0)).transpose()
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Tenant>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{TENANT} ORDER BY t.name"))?;
    let mut rows = statement.query(())?;
    let mut tenants = Vec::new();
    while let Some(row) = rows.next()? {
        tenants.push(read(row, 0)?);
    }
    Ok(tenants)
}

/// Id, name, moment of creation and suspension, from column `first` on.
pub(super) fn read(row: &Row<'_>, first: usize) -> Result<Tenant, Fault> {
    Ok(Tenant {
        id: TenantId::from_uuid(uuid(row.get(first)?)),
        name: name(&row.get::<_, String>(first + 1)?)?,
        created_at: moment(row.get(first + 2)?)?,
        is_suspended: row.get(first + 3)?,
    })
}
