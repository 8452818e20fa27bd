//! Keys of two kinds: those that make a request repeatable, and those that secrets are sealed with.

use std::num::NonZeroUsize;

use jiff::Timestamp;
use sandbell_domain::{NotificationId, TenantId};

use super::rig::{ada, draft, make_channel, make_tenant, save, secret};
use crate::conformance::rig::{all, at, count};
use crate::{Catalog, Claimed, Expect, KeyClaim};

fn claim(request: u8, notification: &str, now: Timestamp) -> KeyClaim {
    let notification = NotificationId::of(&[notification.as_bytes()]);
    KeyClaim { fingerprint: [request; 32], notification, now }
}

pub(crate) async fn a_key_means_one_request<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let acme = make_tenant(&one, "acme").await;
    assert_eq!(one.claim_key(acme, "k".to_owned(), claim(1, "first", at(0))).await, Ok(Claimed::New));
    let same = Claimed::Same { notification: NotificationId::of(&[b"first"]), at: at(0) };
    assert_eq!(two.claim_key(acme, "k".to_owned(), claim(1, "second", at(5))).await, Ok(same));
    assert_eq!(two.claim_key(acme, "k".to_owned(), claim(2, "first", at(5))).await, Ok(Claimed::Other));
    // Another tenant's key of the same text is another key.
    let theirs = make_tenant(&one, "theirs").await;
    assert_eq!(one.claim_key(theirs, "k".to_owned(), claim(2, "x", at(5))).await, Ok(Claimed::New));
    assert_eq!(one.claim_key(acme, "K".to_owned(), claim(2, "x", at(5))).await, Ok(Claimed::New));
}

pub(crate) async fn a_key_is_kept_for_a_day<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let acme = make_tenant(&catalog, "acme").await;
    let day = 24 * 3600;
    for key in 0..10 {
        let claimed = catalog.claim_key(acme, key.to_string(), claim(1, "old", at(0))).await;
        assert_eq!(claimed, Ok(Claimed::New));
    }
    let asked = |key: u32, request, now| catalog.claim_key(acme, key.to_string(), claim(request, "new", now));
    let same = Claimed::Same { notification: NotificationId::of(&[b"old"]), at: at(0) };
    assert_eq!(asked(3, 1, at(day - 1)).await, Ok(same));
    // Then it may be taken for anything, whichever key is looked at first.
    for key in (0..10).rev() {
        assert_eq!(asked(key, 2, at(day)).await, Ok(Claimed::New), "{key}");
        assert_eq!(asked(key, 1, at(day + 1)).await, Ok(Claimed::Other), "{key}");
    }
}

pub(crate) async fn of_many_at_once_one_has_the_key<S: Catalog>(open: impl AsyncFn() -> S) {
    let handles = [open().await, open().await];
    let acme = make_tenant(&handles[0], "acme").await;
    let answers = all((0..40).map(|number| {
        let request = claim(1, &number.to_string(), at(0));
        handles[number % 2].claim_key(acme, "k".to_owned(), request)
    }))
    .await;
    let new: Vec<_> = answers.iter().enumerate().filter(|(_, answer)| **answer == Ok(Claimed::New)).collect();
    assert_eq!(new.len(), 1, "{answers:?}");
    let notification = NotificationId::of(&[new[0].0.to_string().as_bytes()]);
    let same = answers.iter().filter(|answer| **answer == Ok(Claimed::Same { notification, at: at(0) }));
    assert_eq!(same.count(), 39, "{answers:?}");
}

pub(crate) async fn the_key_check_is_the_one_that_was_set<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    assert_eq!(one.key_check().await, Ok(None));
    for sealed in ["v1:a:x", "v1:b:y"] {
        one.set_key_check(sealed.to_owned()).await.unwrap();
        assert_eq!(two.key_check().await, Ok(Some(sealed.to_owned())));
    }
}

/// Every place, two at a time.
async fn places<S: Catalog>(catalog: &S) -> Vec<crate::SealedPlace> {
    let (mut places, two): (Vec<crate::SealedPlace>, NonZeroUsize) = (Vec::new(), count(2));
    loop {
        let after = places.last().map_or(0, |last| last.place);
        let page = catalog.sealed(after, two).await.unwrap();
        if page.is_empty() {
            return places;
        }
        places.extend(page);
    }
}

pub(crate) async fn every_sealed_secret_has_a_place<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let first = make_channel(&catalog, "acme", "ops").await;
    let theirs = make_tenant(&catalog, "theirs").await;
    let mut other = draft(theirs, "chat");
    other.secrets = vec![secret("password", "v1:a:p"), secret("user", "v1:a:u")];
    save(&catalog, other, Expect::Nothing, at(1)).await;
    let mut again = draft(first.tenant, "ops");
    again.secrets = vec![secret("token", "v1:a:second")];
    save(&catalog, again, Expect::Revision(1), at(2)).await;
    let found = places(&catalog).await;
    let words: Vec<(TenantId, &str, &str)> =
        found.iter().map(|place| (place.tenant, place.option.as_str(), place.sealed.as_str())).collect();
    assert_eq!(
        words,
        [
            (first.tenant, "token", "v1:a:sealed"),
            (theirs, "password", "v1:a:p"),
            (theirs, "user", "v1:a:u"),
            (first.tenant, "token", "v1:a:second"),
        ]
    );
    assert_eq!(found[0].channel, first.id);
}

pub(crate) async fn a_secret_is_resealed_if_nobody_was_quicker<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let ops = make_channel(&catalog, "acme", "ops").await;
    let place = places(&catalog).await.remove(0).place;
    let reseal = |from: &str, to: &str| catalog.reseal(place, from.to_owned(), to.to_owned());
    assert_eq!(reseal("v1:a:sealed", "v1:b:new").await, Ok(true));
    assert_eq!(reseal("v1:a:sealed", "v1:b:other").await, Ok(false));
    assert_eq!(catalog.reseal(place + 9, "v1:b:new".to_owned(), "x".to_owned()).await, Ok(false));
    let record = catalog.channel_of_id(ops.tenant, ops.id).await.unwrap().unwrap();
    // It is the same secret, set when it was set, in the same revision.
    assert_eq!(record, crate::ChannelRecord { secrets: vec![secret("token", "v1:b:new")], ..ops });
}

pub(crate) async fn a_place_is_never_given_twice<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let ops = make_channel(&catalog, "acme", "ops").await;
    let last = places(&catalog).await.remove(0).place;
    catalog.delete_channel(ops.tenant, ops.id, ada(), at(1)).await.unwrap();
    assert!(places(&catalog).await.is_empty());
    save(&catalog, draft(ops.tenant, "ops"), Expect::Nothing, at(2)).await;
    assert!(places(&catalog).await[0].place > last);
}
