//! Who did what, and when.

use sandbell_domain::{Tenant, TenantId};

use super::rig::{ada, deeds, draft, eve, log, make_channel, make_tenant, name, save, secret, token};
use crate::conformance::rig::at;
use crate::{AuditEntry, Catalog, ChannelDraft, Enabled, Expect};

pub(crate) async fn every_change_is_recorded_with_who_and_when<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let ops = make_channel(&one, "acme", "ops").await;
    let (acme, ci) = (ops.tenant, token(Some(ops.tenant), "ci", 1));
    one.create_token(ci.clone(), ada()).await.unwrap();
    one.create_token(token(None, "root", 2), ada()).await.unwrap();
    let off = Enabled::No { reason: "noisy".to_owned() };
    one.enable_channel(acme, ops.id, off, eve(), at(3)).await.unwrap();
    one.enable_channel(acme, ops.id, Enabled::Yes, ada(), at(4)).await.unwrap();
    one.revoke_token(Some(acme), ci.id, eve(), at(5)).await.unwrap();
    one.delete_channel(acme, ops.id, eve(), at(6)).await.unwrap();
    one.suspend_tenant(acme, true, eve(), at(7)).await.unwrap();
    one.suspend_tenant(acme, false, ada(), at(8)).await.unwrap();
    assert_eq!(
        deeds(&two, Some(acme)).await,
        [
            "channel.save ops by uid 1000",
            "token.create ci by uid 1000",
            "channel.disable ops by token eve (tok_1)",
            "channel.enable ops by uid 1000",
            "token.revoke ci by token eve (tok_1)",
            "channel.delete ops by token eve (tok_1)",
        ]
    );
    assert_eq!(
        deeds(&two, None).await,
        [
            "tenant.create acme by uid 1000",
            "token.create root by uid 1000",
            "tenant.suspend acme by token eve (tok_1)",
            "tenant.resume acme by uid 1000",
        ]
    );
    let moments: Vec<_> = log(&two, None, 9).await.iter().map(|entry| entry.at).collect();
    assert_eq!(moments, [at(8), at(7), at(2), at(0)]);
}

pub(crate) async fn what_changes_nothing_is_not_recorded<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let ops = make_channel(&catalog, "acme", "ops").await;
    let acme = ops.tenant;
    catalog.create_token(token(Some(acme), "ci", 1), ada()).await.unwrap();
    catalog.revoke_token(Some(acme), token(None, "ci", 1).id, ada(), at(1)).await.unwrap();
    let before = (deeds(&catalog, Some(acme)).await, deeds(&catalog, None).await);
    catalog.create_tenant(Tenant::new(name("acme"), at(2)), eve()).await.unwrap();
    catalog.suspend_tenant(acme, false, eve(), at(2)).await.unwrap();
    catalog.create_token(token(Some(acme), "other", 1), eve()).await.unwrap();
    catalog.revoke_token(Some(acme), token(None, "ci", 1).id, eve(), at(2)).await.unwrap();
    catalog.save_channel(draft(acme, "ops"), Expect::Nothing, eve(), at(2)).await.unwrap();
    catalog.enable_channel(acme, ops.id, Enabled::Yes, eve(), at(2)).await.unwrap();
    let unknown = sandbell_domain::ChannelId::of(&[b"unknown"]);
    catalog.delete_channel(acme, unknown, eve(), at(2)).await.unwrap();
    assert_eq!((deeds(&catalog, Some(acme)).await, deeds(&catalog, None).await), before);
}

pub(crate) async fn an_entry_names_what_changed_and_no_value<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let ops = make_channel(&catalog, "acme", "ops").await;
    let mut next = ChannelDraft {
        plugin: "mail".to_owned(),
        secrets: vec![secret("password", "v1:a:p"), secret("token", "v1:a:other")],
        enabled: Enabled::No { reason: "noisy".to_owned() },
        ..draft(ops.tenant, "ops")
    };
    next.settings.remove("retries");
    next.settings.insert("url".to_owned(), "https://internal.example.com".into());
    next.policy.is_ordered = true;
    save(&catalog, next.clone(), Expect::Revision(1), at(1)).await;
    save(&catalog, next, Expect::Revision(2), at(2)).await;
    let details: Vec<_> =
        log(&catalog, Some(ops.tenant), 9).await.into_iter().map(|entry| entry.detail).collect();
    assert_eq!(
        details,
        [
            "revision 3: nothing changed",
            "revision 2: plugin mail, settings.retries, settings.url, secrets.password, secrets.token, policy, \
             disabled: noisy",
            "revision 1: new, with plugin slack",
        ]
    );
}

pub(crate) async fn other_deeds_can_be_added<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let acme = make_tenant(&catalog, "acme").await;
    let entry = |tenant| AuditEntry {
        tenant,
        at: at(5),
        by: eve(),
        action: "plugin.approve".to_owned(),
        object: "slack".to_owned(),
        detail: "http to hooks.slack.com".to_owned(),
    };
    catalog.audit(entry(None)).await.unwrap();
    catalog.audit(entry(Some(acme))).await.unwrap();
    assert_eq!(log(&catalog, None, 9).await[0], entry(None));
    assert_eq!(log(&catalog, Some(acme), 9).await, [entry(Some(acme))]);
    // Another tenant's log is another log.
    let theirs = make_tenant(&catalog, "theirs").await;
    assert!(log(&catalog, Some(theirs), 9).await.is_empty());
    assert!(log(&catalog, Some(TenantId::of(&[b"nobody"])), 9).await.is_empty());
}

pub(crate) async fn the_log_is_read_in_pages_newest_first<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let acme = make_tenant(&catalog, "acme").await;
    for number in 0..7 {
        save(&catalog, draft(acme, &format!("ops{number}")), Expect::Nothing, at(number)).await;
        make_tenant(&catalog, &format!("other{number}")).await;
    }
    for page in [1, 2, 7, 100] {
        let objects: Vec<_> =
            log(&catalog, Some(acme), page).await.into_iter().map(|entry| entry.object).collect();
        assert_eq!(objects, ["ops6", "ops5", "ops4", "ops3", "ops2", "ops1", "ops0"], "{page}");
    }
}
