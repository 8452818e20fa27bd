//! A filter as terms of SQL: words from here, values apart.

use rusqlite::types::Value;
use sandbell_domain::DeadReason;

use crate::{Filter, StateKind};

/// Terms that each end in `AND`, for a table `d` of deliveries, and their values in the same order.
pub(super) fn terms(filter: &Filter) -> (String, Vec<Value>) {
    let Filter { channel, state, reason, failure_code, settled_from, settled_until } = filter;
    let mut sql = String::new();
    let mut values = Vec::new();
    // A number in the text and not a value: only so can SQLite choose an index of that state.
    if let Some(state) = state {
        sql.push_str(match state {
            StateKind::Waiting => "d.state = 0 AND ",
            StateKind::Leased => "d.state = 1 AND ",
            StateKind::Delivered => "d.state = 2 AND ",
            StateKind::Dead => "d.state = 3 AND ",
        });
    }
    let mut term = |text: &str, value: Option<Value>| {
        if let Some(value) = value {
            sql.push_str(text);
            sql.push_str(" AND ");
            values.push(value);
        }
    };
    term(
        "d.channel IN (SELECT seq FROM outbox_channel WHERE id = ?)",
        channel.map(|channel| Value::Blob(channel.as_bytes().to_vec())),
    );
    term("d.dead_reason = ?", reason.map(|reason: DeadReason| Value::Text(reason.as_str().to_owned())));
    term("d.failure_code = ?", failure_code.clone().map(Value::Text));
    term("d.settled_at >= ?", settled_from.map(|at| Value::Integer(at.as_microsecond())));
    term("d.settled_at < ?", settled_until.map(|at| Value::Integer(at.as_microsecond())));
    (sql, values)
}
