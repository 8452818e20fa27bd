//! Channels: saved as revisions, enabled and disabled, deleted.

use jiff::Timestamp;
use rusqlite::params;
use sandbell_domain::{ChannelId, TenantId};

use super::audit::{self, Deed};
use super::change;
use super::form::PolicyV1;
use super::{record, tenant};
use crate::catalog::{CHANNELS_MAX, REVISIONS_MAX};
use crate::sqlite::channel::set_pace;
use crate::sqlite::desk::Desk;
use crate::sqlite::fault::Fault;
use crate::{Actor, ChannelDraft, Deleted, Enabled, Expect, Pace, Saved, StoreError};

/// A draft as its rows; made by the caller, so that the writer only writes.
pub(super) struct Prepared {
    draft: ChannelDraft,
    settings: String,
    policy: String,
}

pub(super) fn prepare(draft: ChannelDraft) -> Prepared {
    let settings = serde_json::to_string(&draft.settings);
    let policy = serde_json::to_string(&PolicyV1::from(draft.policy.clone()));
    Prepared {
        settings: settings.expect("a JSON object always serialises"),
        policy: policy.expect("numbers always serialise"),
        draft,
    }
}

pub(super) fn save(
    desk: &mut Desk<'_>,
    prepared: &Prepared,
    expect: Expect,
    by: &Actor,
    now: Timestamp,
) -> Result<Result<Saved, StoreError>, Fault> {
    desk.tick(now)?;
    let draft = &prepared.draft;
    let Some(tenant) = tenant::number(desk, draft.tenant)? else {
        return Ok(Err(StoreError::UnknownTenant(draft.tenant)));
    };
    let before = record::of_name(desk.connection(), draft.tenant, &draft.name)?;
    let current = before.as_ref().map(|before| before.revision);
    match (expect, current) {
        (Expect::Nothing, None) => {
            if let Some(other) = record::of_id(desk.connection(), draft.tenant, draft.id)? {
                return Ok(Ok(Saved::Other(Some(other.revision))));
            }
            if count(desk, tenant)? >= CHANNELS_MAX {
                return Ok(Ok(Saved::TooMany));
            }
        }
        (Expect::Revision(expected), Some(current)) if expected == current => {}
        (Expect::Nothing | Expect::Revision(_), current) => return Ok(Ok(Saved::Other(current))),
    }
    let id = before.as_ref().map_or(draft.id, |before| before.id);
    let revision = current.unwrap_or(0).saturating_add(1);
    let seq = desk.channel(draft.tenant, id)?.channel;
    if before.is_none() {
        desk.run(
            "INSERT INTO channel (seq, tenant, name, revision, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![seq, tenant, draft.name.as_str(), revision, now.as_microsecond()],
        )?;
    } else {
        desk.run("UPDATE channel SET revision = ?2 WHERE seq = ?1", params![seq, revision])?;
    }
    keep(desk, seq, revision, prepared, by, now)?;
    let was_enabled = before.as_ref().is_none_or(|before| before.enabled == Enabled::Yes);
    follow(desk, id, prepared, was_enabled, now)?;
    let detail = change::sentence(before.as_ref(), draft, revision);
    let deed =
        Deed { tenant: Some(tenant), action: "channel.save", object: draft.name.as_str(), detail: &detail };
    audit::record(desk, &deed, by, now)?;
    let saved = record::of_id(desk.connection(), draft.tenant, id)?;
    Ok(Ok(Saved::Done(Box::new(saved.ok_or(Fault::Value("a channel that was saved and is not there"))?))))
}

fn count(desk: &Desk<'_>, tenant: i64) -> Result<usize, Fault> {
    let count: i64 = desk
        .statement("SELECT count(*) FROM channel WHERE tenant = ?1")?
        .query_row([tenant], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Writes the revision with its secrets, and forgets the one that is too old.
fn keep(
    desk: &Desk<'_>,
    seq: i64,
    revision: u32,
    prepared: &Prepared,
    by: &Actor,
    now: Timestamp,
) -> Result<(), Fault> {
    let Prepared { draft, settings, policy } = prepared;
    desk.run(
        "INSERT INTO channel_revision
         (channel, revision, plugin, settings, policy, disabled_reason, updated_at, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            seq,
            revision,
            draft.plugin,
            settings,
            policy,
            disabled_reason(&draft.enabled),
            now.as_microsecond(),
            by.0,
        ],
    )?;
    for secret in &draft.secrets {
        desk.run(
            "INSERT INTO secret (channel, revision, option, sealed, set_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![seq, revision, secret.option, secret.sealed, secret.set_at.as_microsecond()],
        )?;
    }
    let oldest = i64::from(revision) - i64::try_from(REVISIONS_MAX).unwrap_or(i64::MAX);
    desk.run("DELETE FROM secret WHERE channel = ?1 AND revision < ?2", [seq, oldest])?;
    desk.run("DELETE FROM channel_revision WHERE channel = ?1 AND revision < ?2", [seq, oldest])?;
    Ok(())
}

/// Lets the outbox follow what was saved.
fn follow(
    desk: &mut Desk<'_>,
    id: ChannelId,
    prepared: &Prepared,
    was_enabled: bool,
    now: Timestamp,
) -> Result<(), Fault> {
    let draft = &prepared.draft;
    let pace = Pace { leases_max: draft.policy.attempts_at_once_max, is_ordered: draft.policy.is_ordered };
    set_pace(desk, draft.tenant, id, pace, now)?;
    let seq = desk.channel(draft.tenant, id)?.channel;
    let is_enabled = draft.enabled == Enabled::Yes;
    desk.run("UPDATE outbox_channel SET is_disabled = ?2 WHERE seq = ?1", params![seq, !is_enabled])?;
    if is_enabled && !was_enabled {
        desk.forget_failures(seq)?;
    }
    Ok(())
}

fn disabled_reason(enabled: &Enabled) -> Option<&str> {
    match enabled {
        Enabled::Yes => None,
        Enabled::No { reason } => Some(reason),
    }
}

pub(super) fn enable(
    desk: &mut Desk<'_>,
    tenant: TenantId,
    channel: ChannelId,
    enabled: &Enabled,
    by: &Actor,
    now: Timestamp,
) -> Result<bool, Fault> {
    desk.tick(now)?;
    let Some(Known { tenant, seq, name, disabled_reason: before }) = known(desk, tenant, channel)? else {
        return Ok(false);
    };
    if *enabled == Enabled::Yes {
        desk.forget_failures(seq)?;
    }
    let reason = disabled_reason(enabled);
    if reason == before.as_deref() {
        return Ok(true);
    }
    desk.run("UPDATE outbox_channel SET is_disabled = ?2 WHERE seq = ?1", params![seq, reason.is_some()])?;
    desk.run(
        "UPDATE channel_revision SET disabled_reason = ?2, updated_at = ?3, updated_by = ?4
         WHERE channel = ?1 AND revision = (SELECT revision FROM channel WHERE seq = ?1)",
        params![seq, reason, now.as_microsecond(), by.0],
    )?;
    desk.touch(seq, now);
    let action = if reason.is_some() { "channel.disable" } else { "channel.enable" };
    let deed = Deed { tenant: Some(tenant), action, object: &name, detail: reason.unwrap_or_default() };
    audit::record(desk, &deed, by, now)?;
    Ok(true)
}

pub(super) fn delete(
    desk: &mut Desk<'_>,
    tenant: TenantId,
    channel: ChannelId,
    by: &Actor,
    now: Timestamp,
) -> Result<Deleted, Fault> {
    desk.tick(now)?;
    let Some(Known { tenant, seq, name, disabled_reason: _ }) = known(desk, tenant, channel)? else {
        return Ok(Deleted::Unknown);
    };
    let unsettled: i64 = desk
        .statement(
            "SELECT (SELECT count(*) FROM delivery WHERE channel = ?1 AND state = 0)
                  + (SELECT count(*) FROM delivery WHERE channel = ?1 AND state = 1)",
        )?
        .query_row([seq], |row| row.get(0))?;
    if unsettled > 0 {
        return Ok(Deleted::InUse { deliveries: unsettled.unsigned_abs() });
    }
    desk.run("DELETE FROM secret WHERE channel = ?1", [seq])?;
    desk.run("DELETE FROM channel_revision WHERE channel = ?1", [seq])?;
    desk.run("DELETE FROM channel WHERE seq = ?1", [seq])?;
    // The outbox's row stays: settled deliveries name it. What is accepted for it in spite of all is found to have no
    // channel when it is tried, and not left to wait for ever.
    desk.run("UPDATE outbox_channel SET is_disabled = 0 WHERE seq = ?1", [seq])?;
    desk.forget_failures(seq)?;
    let detail = channel.to_string();
    let deed = Deed { tenant: Some(tenant), action: "channel.delete", object: &name, detail: &detail };
    audit::record(desk, &deed, by, now)?;
    Ok(Deleted::Done)
}

/// A channel that is there.
struct Known {
    tenant: i64,
    seq: i64,
    name: String,
    disabled_reason: Option<String>,
}

fn known(desk: &Desk<'_>, tenant: TenantId, channel: ChannelId) -> Result<Option<Known>, Fault> {
    desk.first(
        "SELECT c.tenant, c.seq, c.name, r.disabled_reason
         FROM outbox_tenant t JOIN outbox_channel o ON o.tenant = t.seq JOIN channel c ON c.seq = o.seq
         JOIN channel_revision r ON r.channel = c.seq AND r.revision = c.revision
         WHERE t.id = ?1 AND o.id = ?2",
        params![tenant.as_bytes(), channel.as_bytes()],
        |row| {
            Ok(Known {
                tenant: row.get(0)?,
                seq: row.get(1)?,
                name: row.get(2)?,
                disabled_reason: row.get(3)?,
            })
        },
    )
}
