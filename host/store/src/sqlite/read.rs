//! Reading, beside the writer and without waiting for it.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use sandbell_domain::{ChannelId, DeadReason, DeliveryId, NotificationId, TenantId, Verdict};
use tokio::sync::Semaphore;

use super::desk::{moment, uuid};
use super::fault::Fault;
use super::filter;
use super::form::{AttemptV1, FailureV1, VerdictV1};
use super::open::{Settings, open_reader};
use crate::{AttemptRecord, Cursor, Filter, Page, State, Status, StoreError};

/// Connections that only read, opened when they are needed.
#[derive(Clone)]
pub(super) struct Readers {
    settings: Arc<Settings>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(settings: Settings) -> Self {
        let permits = Arc::new(Semaphore::new(settings.readers_max.max(1)));
        Self { settings: Arc::new(settings), idle: Arc::default(), permits }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Runs `query` on a thread that may block.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let Self { settings, idle, permits: _ } = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = connection.map_or_else(|| open_reader(&settings), Ok)?;
            let answer = query(&connection).map_err(|fault| settings.explain(fault));
            // One that failed may be in any state: the next reader opens another.
            if answer.is_ok() {
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            drop(permit);
            answer
        });
        read.await.map_err(|_| StoreError::Closed)?
    }
}

const STATUS: &str = "SELECT d.seq, d.id, t.id, c.id, n.id, n.accepted_at, d.state, d.later, d.due_at,
    d.lease_until, d.settled_at, d.dead_reason, d.tries, d.redrives, d.lapses, d.failure, d.since
    FROM delivery d JOIN outbox_tenant t ON t.seq = d.tenant JOIN outbox_channel c ON c.seq = d.channel
    JOIN notification n ON n.seq = d.notification";

pub(super) fn status(
    connection: &Connection,
    tenant: TenantId,
    delivery: DeliveryId,
) -> Result<Option<Status>, Fault> {
    let sql = format!("{STATUS} WHERE t.id = ?1 AND d.id = ?2");
    let row = connection
        .prepare_cached(&sql)?
        .query_row(params![tenant.as_bytes(), delivery.as_bytes()], columns)
        .optional()?;
    Ok(row.as_ref().map(to_status).transpose()?.map(|(_, status)| status))
}

pub(super) fn of_notification(
    connection: &Connection,
    tenant: TenantId,
    notification: NotificationId,
) -> Result<Vec<Status>, Fault> {
    let sql = format!("{STATUS} WHERE t.id = ?1 AND n.id = ?2 ORDER BY d.seq");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![tenant.as_bytes(), notification.as_bytes()], columns)?;
    rows.map(|row| Ok(to_status(&row?)?.1)).collect()
}

pub(super) fn list(
    connection: &Connection,
    tenant: TenantId,
    filter: &Filter,
    after: Option<Cursor>,
    count_max: NonZeroUsize,
) -> Result<Page, Fault> {
    let limit = i64::try_from(count_max.get()).unwrap_or(i64::MAX - 1);
    let (terms, mut values) = filter::terms(filter);
    values.extend([
        Value::Blob(tenant.as_bytes().to_vec()),
        Value::Integer(after.map_or(i64::MAX, Cursor::get)),
        Value::Integer(limit + 1),
    ]);
    let sql = format!(
        "{STATUS} WHERE {terms} d.tenant = (SELECT seq FROM outbox_tenant WHERE id = ?) AND d.seq < ?
         ORDER BY d.seq DESC LIMIT ?"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), columns)?;
    let mut found: Vec<(i64, Status)> = rows.map(|row| to_status(&row?)).collect::<Result<_, _>>()?;
    let has_more = found.len() > count_max.get();
    found.truncate(count_max.get());
    let next = found.last().filter(|_| has_more).map(|(seq, _)| Cursor::new(*seq));
    Ok(Page { deliveries: found.into_iter().map(|(_, status)| status).collect(), next })
}

pub(super) fn attempts(
    connection: &Connection,
    tenant: TenantId,
    delivery: DeliveryId,
) -> Result<Vec<AttemptRecord>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT a.redrive, a.number, a.leased_at, a.settled_at, a.record
         FROM attempt a JOIN delivery d ON d.seq = a.delivery JOIN outbox_tenant t ON t.seq = d.tenant
         WHERE t.id = ?1 AND d.id = ?2 ORDER BY a.seq",
    )?;
    let mut rows = statement.query(params![tenant.as_bytes(), delivery.as_bytes()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(attempt(row)?);
    }
    Ok(records)
}

/// An attempt from the first five columns: redrive, number, lease, settlement and record.
pub(super) fn attempt(row: &Row<'_>) -> Result<AttemptRecord, Fault> {
    let form: AttemptV1 = serde_json::from_str(&row.get::<_, String>(4)?)?;
    let verdict = match form.verdict {
        VerdictV1::Delivered => Verdict::Delivered,
        VerdictV1::RetryAt(at) => Verdict::RetryAt(moment(at)?),
        VerdictV1::Dead(reason) => Verdict::Dead(reason),
    };
    Ok(AttemptRecord {
        redrive: row.get(0)?,
        number: NonZeroU32::new(row.get(1)?).ok_or(Fault::Value("an attempt without a number"))?,
        leased_at: moment(row.get(2)?)?,
        settled_at: moment(row.get(3)?)?,
        attempt: form.into_attempt(),
        verdict,
    })
}

/// A row of [`STATUS`].
struct Columns {
    seq: i64,
    ids: [[u8; 16]; 4],
    accepted_at: i64,
    state: i64,
    is_later: bool,
    due_at: i64,
    lease_until: Option<i64>,
    settled_at: Option<i64>,
    dead_reason: Option<String>,
    counts: [u32; 3],
    failure: Option<String>,
    since: i64,
}

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok(Columns {
        seq: row.get(0)?,
        ids: [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
        accepted_at: row.get(5)?,
        state: row.get(6)?,
        is_later: row.get(7)?,
        due_at: row.get(8)?,
        lease_until: row.get(9)?,
        settled_at: row.get(10)?,
        dead_reason: row.get(11)?,
        counts: [row.get(12)?, row.get(13)?, row.get(14)?],
        failure: row.get(15)?,
        since: row.get(16)?,
    })
}

fn to_status(columns: &Columns) -> Result<(i64, Status), Fault> {
    let [delivery, tenant, channel, notification] = columns.ids;
    let [attempts, redrives, lapses] = columns.counts;
    let failure: Option<FailureV1> = columns.failure.as_deref().map(serde_json::from_str).transpose()?;
    let status = Status {
        delivery: DeliveryId::from_uuid(uuid(delivery)),
        tenant: TenantId::from_uuid(uuid(tenant)),
        channel: ChannelId::from_uuid(uuid(channel)),
        notification: NotificationId::from_uuid(uuid(notification)),
        state: state(columns)?,
        accepted_at: moment(columns.accepted_at)?,
        attempts,
        redrives,
        lapses,
        last_failure: failure.map(Into::into),
    };
    Ok((columns.seq, status))
}

fn state(columns: &Columns) -> Result<State, Fault> {
    let settled = || columns.settled_at.ok_or(Fault::Value("settled at no time")).and_then(moment);
    Ok(match columns.state {
        0 => {
            State::Waiting { due_at: moment(if columns.is_later { columns.due_at } else { columns.since })? }
        }
        1 => {
            State::Leased { expires_at: moment(columns.lease_until.ok_or(Fault::Value("leased for ever"))?)? }
        }
        2 => State::Delivered { at: settled()? },
        3 => {
            let reason = columns.dead_reason.as_deref().and_then(DeadReason::from_word);
            State::Dead { reason: reason.ok_or(Fault::Value("dead for no reason"))?, at: settled()? }
        }
        _ => return Err(Fault::Value("a state without a name")),
    })
}
