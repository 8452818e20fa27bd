//! Following a tenant among many others.

use std::num::NonZeroUsize;

use rusqlite::Connection;
use sandbell_domain::TenantId;

use super::{Rig, delivery, now, settle_all};
use crate::{Cursor, Outbox};

#[tokio::test]
async fn a_step_looks_at_so_many_tries_of_others_and_no_more() {
    let rig = Rig::new();
    let store = rig.open().unwrap();
    store.accept(vec![delivery(1, "")], now()).await.unwrap();
    settle_all(&store).await;
    Connection::open(rig.path())
        .unwrap()
        .execute_batch(
            "INSERT INTO delivery (seq, id, tenant, channel, notification, contact, due_at, since)
             VALUES (1000, randomblob(16), 77, 77, 77, '{}', 0, 0);
             INSERT INTO attempt (delivery, claim, redrive, number, leased_at, settled_at, record)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
             SELECT 1000, i, 0, 1, 0, 0, '{}' FROM n;
             UPDATE clock SET attempts = (SELECT max(seq) FROM attempt);",
        )
        .unwrap();
    store.accept(vec![delivery(2, "")], now()).await.unwrap();
    settle_all(&store).await;
    let (mut next, mut steps, mut found) = (Cursor::new(1), 0, Vec::new());
    loop {
        let step = store.follow(TenantId::local(), Some(next), NonZeroUsize::MAX).await.unwrap();
        (next, steps) = (step.next, steps + 1);
        found.extend(step.tries.into_iter().map(|tried| tried.delivery));
        if !step.has_more {
            break;
        }
    }
    assert_eq!((steps, found), (3, vec![delivery(2, "").id]));
}
