//! Channels and their revisions.

use std::future::poll_fn;
use std::num::NonZeroU32;
use std::task::Poll;
use std::time::Duration;

use sandbell_domain::{ChannelId, ChannelPolicy, RetryPolicy};

use super::rig::{ada, draft, eve, log, make_channel, make_tenant, name, save, secret};
use crate::catalog::{CHANNELS_MAX, REVISIONS_MAX};
use crate::conformance::rig::{accept_many, all, at, delivered, delivery, lease_many, lease_one, settle};
use crate::{Catalog, ChannelDraft, Deleted, Enabled, Expect, Outbox, Saved};

pub(crate) async fn a_channel_comes_back_as_it_was_saved<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let acme = make_tenant(&one, "acme").await;
    let number = |number| NonZeroU32::new(number).unwrap();
    let full = ChannelDraft {
        secrets: vec![secret("password", "v1:a:p"), secret("token", "v1:a:t")],
        policy: ChannelPolicy {
            retry: RetryPolicy {
                wait_first: Duration::from_millis(1500),
                wait_max: Duration::from_secs(7),
                age_max: Duration::from_secs(8),
                attempts_max: number(9),
            },
            attempts_at_once_max: number(3),
            is_ordered: true,
            per_minute_max: Some(number(60)),
            disable_after: Some(number(4)),
        },
        enabled: Enabled::No { reason: "not yet".to_owned() },
        ..draft(acme, "ops")
    };
    let saved = save(&one, full.clone(), Expect::Nothing, at(5)).await;
    let ChannelDraft { id, tenant, name, plugin, settings, secrets, policy, enabled } = full;
    let want = crate::ChannelRecord {
        id,
        tenant,
        name: name.clone(),
        plugin,
        settings,
        secrets,
        policy,
        enabled,
        revision: 1,
        created_at: at(5),
        updated_at: at(5),
        updated_by: ada(),
    };
    assert_eq!(saved, want);
    assert_eq!(two.channel(acme, name).await, Ok(Some(want.clone())));
    assert_eq!(two.channel_of_id(acme, id).await, Ok(Some(want.clone())));
    assert_eq!(two.channels(acme).await, Ok(vec![want]));
}

pub(crate) async fn channels_are_listed_by_name<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let acme = make_tenant(&catalog, "acme").await;
    for of in ["b", "c", "a"] {
        save(&catalog, draft(acme, of), Expect::Nothing, at(0)).await;
    }
    let names: Vec<_> = catalog.channels(acme).await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, [name("a"), name("b"), name("c")]);
}

pub(crate) async fn a_save_keeps_the_id_and_the_previous_revision<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let first = make_channel(&catalog, "acme", "ops").await;
    let mut next = draft(first.tenant, "ops");
    next.id = ChannelId::of(&[b"another"]);
    next.plugin = "mail".to_owned();
    next.settings.clear();
    next.secrets.clear();
    let saved = catalog.save_channel(next, Expect::Revision(1), eve(), at(9)).await.unwrap();
    let Saved::Done(second) = saved else { panic!("{saved:?}") };
    assert_eq!((second.id, second.revision, second.plugin.as_str()), (first.id, 2, "mail"));
    assert_eq!((second.created_at, second.updated_at), (at(0), at(9)));
    assert_eq!(second.updated_by, eve());
    assert!(second.settings.is_empty() && second.secrets.is_empty());
    assert_eq!(catalog.revisions(first.tenant, first.id).await, Ok(vec![first.clone()]));
    assert_eq!(catalog.channel(first.tenant, name("ops")).await, Ok(Some(*second)));
}

pub(crate) async fn a_save_that_is_behind_changes_nothing<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let first = make_channel(&one, "acme", "ops").await;
    let ours = || draft(first.tenant, "ops");
    let saved = |expect| two.save_channel(ours(), expect, eve(), at(1));
    assert_eq!(saved(Expect::Nothing).await, Ok(Saved::Other(Some(1))));
    assert_eq!(saved(Expect::Revision(2)).await, Ok(Saved::Other(Some(1))));
    assert_eq!(saved(Expect::Revision(0)).await, Ok(Saved::Other(Some(1))));
    let nowhere = draft(first.tenant, "chat");
    assert_eq!(two.save_channel(nowhere, Expect::Revision(1), eve(), at(1)).await, Ok(Saved::Other(None)));
    // An id has one name: it is the address of what waits.
    let renamed = ChannelDraft { name: name("renamed"), ..ours() };
    assert_eq!(two.save_channel(renamed, Expect::Nothing, eve(), at(1)).await, Ok(Saved::Other(Some(1))));
    assert_eq!(one.channels(first.tenant).await, Ok(vec![first.clone()]));
    assert_eq!(one.revisions(first.tenant, first.id).await, Ok(Vec::new()));
}

pub(crate) async fn of_many_saves_at_once_one_is_done<S: Catalog>(open: impl AsyncFn() -> S) {
    let handles = [open().await, open().await];
    let first = make_channel(&handles[0], "acme", "ops").await;
    let answers = all((0..20).map(|number| {
        let ours = draft(first.tenant, "ops");
        handles[number % 2].save_channel(ours, Expect::Revision(1), ada(), at(1))
    }))
    .await;
    let done = answers.iter().filter(|answer| matches!(answer, Ok(Saved::Done(_)))).count();
    let behind = answers.iter().filter(|answer| **answer == Ok(Saved::Other(Some(2)))).count();
    assert_eq!((done, behind), (1, 19), "{answers:?}");
}

pub(crate) async fn ten_earlier_revisions_are_kept<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let first = make_channel(&catalog, "acme", "ops").await;
    for revision in 1..15 {
        let next = draft(first.tenant, "ops");
        save(&catalog, next, Expect::Revision(revision), at(i64::from(revision))).await;
    }
    let kept = catalog.revisions(first.tenant, first.id).await.unwrap();
    let numbers: Vec<_> = kept.iter().map(|record| record.revision).collect();
    assert_eq!(numbers, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5]);
    assert_eq!(numbers.len(), REVISIONS_MAX);
    assert!(kept.iter().all(|record| record.secrets == first.secrets && record.id == first.id));
    // Their secrets go with them: eleven revisions of one secret.
    let places = catalog.sealed(0, crate::conformance::rig::count(100)).await.unwrap();
    assert_eq!(places.len(), REVISIONS_MAX + 1);
}

pub(crate) async fn a_tenant_has_so_many_channels_and_no_more<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let acme = make_tenant(&catalog, "acme").await;
    let saves = (0..CHANNELS_MAX).map(|number| {
        catalog.save_channel(draft(acme, &format!("ops{number}")), Expect::Nothing, ada(), at(0))
    });
    let answers = all(saves).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Saved::Done(_)))));
    let more = |of| catalog.save_channel(draft(acme, of), Expect::Nothing, ada(), at(1));
    assert_eq!(more("more").await, Ok(Saved::TooMany));
    save(&catalog, draft(acme, "ops0"), Expect::Revision(1), at(1)).await;
    let id = draft(acme, "ops0").id;
    assert_eq!(catalog.delete_channel(acme, id, ada(), at(2)).await, Ok(Deleted::Done));
    assert!(matches!(more("more").await, Ok(Saved::Done(_))));
    let theirs = make_tenant(&catalog, "theirs").await;
    save(&catalog, draft(theirs, "ops"), Expect::Nothing, at(3)).await;
}

pub(crate) async fn enabling_makes_no_revision_and_says_who<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let first = make_channel(&one, "acme", "ops").await;
    let off = Enabled::No { reason: "failed 3 times in a row".to_owned() };
    let (tenant, id) = (first.tenant, first.id);
    assert_eq!(one.enable_channel(tenant, id, off.clone(), eve(), at(4)).await, Ok(true));
    let stopped = crate::ChannelRecord { enabled: off, updated_at: at(4), updated_by: eve(), ..first };
    assert_eq!(two.channel(tenant, name("ops")).await, Ok(Some(stopped)));
    assert_eq!(two.enable_channel(tenant, id, Enabled::Yes, ada(), at(5)).await, Ok(true));
    let record = one.channel(tenant, name("ops")).await.unwrap().unwrap();
    assert_eq!((record.enabled, record.revision, record.updated_at), (Enabled::Yes, 1, at(5)));
    let unknown = ChannelId::of(&[b"unknown"]);
    assert_eq!(one.enable_channel(tenant, unknown, Enabled::Yes, ada(), at(6)).await, Ok(false));
}

pub(crate) async fn a_channel_in_use_is_not_deleted<S: Catalog + Outbox>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let ops = make_channel(&one, "acme", "ops").await;
    accept_many(&one, "acme", "ops", 2, at(1)).await;
    let lease = lease_many(&one, 1, at(2)).await.remove(0);
    let delete = |now| two.delete_channel(ops.tenant, ops.id, ada(), now);
    assert_eq!(delete(at(3)).await, Ok(Deleted::InUse { deliveries: 2 }));
    settle(&one, &lease, delivered(), sandbell_domain::Verdict::Delivered, at(4)).await;
    assert_eq!(delete(at(5)).await, Ok(Deleted::InUse { deliveries: 1 }));
    let waiting = lease_one(&one, at(6)).await;
    settle(&one, &waiting, delivered(), sandbell_domain::Verdict::Delivered, at(7)).await;
    assert_eq!(delete(at(8)).await, Ok(Deleted::Done));
    assert_eq!(delete(at(9)).await, Ok(Deleted::Unknown));
    assert_eq!(one.channel(ops.tenant, name("ops")).await, Ok(None));
    assert_eq!(one.sealed(0, crate::conformance::rig::count(9)).await, Ok(Vec::new()));
    // What was delivered is still shown, and the name is free.
    assert!(one.status(ops.tenant, lease.lease.delivery.id).await.unwrap().is_some());
    let again = save(&one, draft(ops.tenant, "ops"), Expect::Nothing, at(10)).await;
    assert_eq!((again.revision, again.created_at), (1, at(10)));
}

pub(crate) async fn what_comes_for_a_deleted_channel_does_not_wait_for_ever<S: Catalog + Outbox>(
    open: impl AsyncFn() -> S,
) {
    let store = open().await;
    let ops = make_channel(&store, "acme", "ops").await;
    let off = Enabled::No { reason: "to be deleted".to_owned() };
    store.enable_channel(ops.tenant, ops.id, off, ada(), at(1)).await.unwrap();
    assert_eq!(store.delete_channel(ops.tenant, ops.id, ada(), at(2)).await, Ok(Deleted::Done));
    store.accept(vec![delivery("acme", "ops", "late")], at(3)).await.unwrap();
    assert_eq!(lease_one(&store, at(4)).await.lease.delivery.channel, ops.id);
}

pub(crate) async fn uses_of_a_plugin_are_counted_over_all_tenants<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let ours = make_channel(&catalog, "ours", "ops").await;
    make_channel(&catalog, "theirs", "ops").await;
    let uses = |plugin: &str| catalog.uses_of_plugin(plugin.to_owned());
    assert_eq!((uses("slack").await, uses("mail").await), (Ok(2), Ok(0)));
    // An earlier revision is no use.
    let moved = ChannelDraft { plugin: "mail".to_owned(), ..draft(ours.tenant, "ops") };
    save(&catalog, moved, Expect::Revision(1), at(1)).await;
    assert_eq!((uses("slack").await, uses("mail").await), (Ok(1), Ok(1)));
    catalog.delete_channel(ours.tenant, ours.id, ada(), at(2)).await.unwrap();
    assert_eq!(uses("mail").await, Ok(0));
}

pub(crate) async fn a_save_whose_future_was_dropped_is_whole_or_not_there<S: Catalog>(
    open: impl AsyncFn() -> S,
) {
    let catalog = open().await;
    let acme = make_tenant(&catalog, "acme").await;
    for number in 0..50 {
        let one = draft(acme, &format!("ops{number}"));
        let mut save = Box::pin(catalog.save_channel(one, Expect::Nothing, ada(), at(1)));
        // Begun, and given up at its first await.
        let begun = poll_fn(|context| Poll::Ready(save.as_mut().poll(context))).await;
        drop(begun);
    }
    // What was begun before this is done or will never be.
    save(&catalog, draft(acme, "last"), Expect::Nothing, at(2)).await;
    let channels = catalog.channels(acme).await.unwrap();
    assert!(channels.iter().all(|channel| channel.secrets.len() == 1 && channel.revision == 1));
    assert_eq!(log(&catalog, Some(acme), 100).await.len(), channels.len());
}
