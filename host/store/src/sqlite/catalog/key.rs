//! Idempotency keys: what a request was taken for, for a day.

use rusqlite::params;
use sandbell_domain::{NotificationId, TenantId};

use crate::catalog::KEY_HOURS;
use crate::sqlite::desk::{Desk, moment, uuid};
use crate::sqlite::fault::Fault;
use crate::{Claimed, KeyClaim};

/// Keys that ran out and go when another is claimed: more than one, so that they become fewer.
const FORGOTTEN_MAX: i64 = 4;

pub(super) fn claim(
    desk: &Desk<'_>,
    tenant: TenantId,
    key: &str,
    claim: &KeyClaim,
) -> Result<Claimed, Fault> {
    let KeyClaim { fingerprint, notification, now } = claim;
    let tenant = desk.tenant(tenant)?;
    forget(desk, now.as_microsecond())?;
    let known: Option<([u8; 32], [u8; 16], i64)> = desk.first(
        "SELECT fingerprint, notification, at FROM idempotency_key WHERE tenant = ?1 AND key = ?2 AND at > ?3",
        params![tenant, key, oldest(now.as_microsecond())],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    match known {
        Some((same, notification, at)) if same == *fingerprint => {
            Ok(Claimed::Same { notification: NotificationId::from_uuid(uuid(notification)), at: moment(at)? })
        }
        Some(_) => Ok(Claimed::Other),
        None => {
            desk.run(
                "INSERT OR REPLACE INTO idempotency_key (tenant, key, fingerprint, notification, at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![tenant, key, fingerprint, notification.as_bytes(), now.as_microsecond()],
            )?;
            Ok(Claimed::New)
        }
    }
}

fn forget(desk: &Desk<'_>, now: i64) -> Result<(), Fault> {
    desk.run(
        "DELETE FROM idempotency_key WHERE (tenant, key) IN
         (SELECT tenant, key FROM idempotency_key WHERE at <= ?1 ORDER BY at LIMIT ?2)",
        [oldest(now), FORGOTTEN_MAX],
    )?;
    Ok(())
}

/// Keys of this moment and before have run out.
fn oldest(now: i64) -> i64 {
    now - i64::try_from(KEY_HOURS).unwrap_or(i64::MAX) * 3_600_000_000
}
