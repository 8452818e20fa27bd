//! Tokens speak for a tenant, or for the host.

use sandbell_domain::Token;

use super::rig::{ada, eve, make_tenant, token};
use crate::conformance::rig::at;
use crate::{Catalog, Created};

pub(crate) async fn a_token_is_found_by_its_hash_with_its_tenant<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let acme = make_tenant(&one, "acme").await;
    let (ours, hosts) = (token(Some(acme), "ci", 1), token(None, "ci", 2));
    for token in [&ours, &hosts] {
        assert_eq!(one.create_token(token.clone(), ada()).await, Ok(Created::Done));
    }
    one.suspend_tenant(acme, true, ada(), at(5)).await.unwrap();
    let (found, tenant) = two.token_of_hash(ours.hash).await.unwrap().unwrap();
    assert_eq!(found, ours);
    assert!(tenant.is_some_and(|tenant| tenant.id == acme && tenant.is_suspended));
    assert_eq!(two.token_of_hash(hosts.hash).await, Ok(Some((hosts, None))));
    assert_eq!(two.token_of_hash([9; 32]).await, Ok(None));
}

pub(crate) async fn tokens_are_listed_newest_first_and_apart<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let (acme, other) = (make_tenant(&catalog, "acme").await, make_tenant(&catalog, "other").await);
    let all = [
        token(Some(acme), "one", 1),
        token(Some(other), "one", 2),
        token(None, "one", 3),
        token(Some(acme), "two", 4),
    ];
    for token in &all {
        assert_eq!(catalog.create_token(token.clone(), ada()).await, Ok(Created::Done));
    }
    let [one, theirs, hosts, two] = all;
    assert_eq!(catalog.tokens(Some(acme)).await, Ok(vec![two, one]));
    assert_eq!(catalog.tokens(Some(other)).await, Ok(vec![theirs]));
    assert_eq!(catalog.tokens(None).await, Ok(vec![hosts]));
}

pub(crate) async fn a_name_is_free_again_when_its_token_is_revoked<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let acme = Some(make_tenant(&one, "acme").await);
    assert_eq!(one.create_token(token(acme, "ci", 1), ada()).await, Ok(Created::Done));
    assert_eq!(two.create_token(token(acme, "ci", 2), ada()).await, Ok(Created::Before));
    assert_eq!(one.token_of_hash([2; 32]).await, Ok(None));
    assert_eq!(two.revoke_token(acme, token(acme, "ci", 1).id, ada(), at(7)).await, Ok(true));
    assert_eq!(one.create_token(token(acme, "ci", 2), ada()).await, Ok(Created::Done));
    // The first one is still shown, and refused by whoever looks at it.
    let found = two.token_of_hash([1; 32]).await.unwrap().unwrap().0;
    assert_eq!(found, Token { revoked_at: Some(at(7)), ..token(acme, "ci", 1) });
}

pub(crate) async fn revoking_twice_keeps_the_first_moment<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let (acme, other) = (make_tenant(&catalog, "acme").await, make_tenant(&catalog, "other").await);
    let ours = token(Some(acme), "ci", 1);
    catalog.create_token(ours.clone(), ada()).await.unwrap();
    assert_eq!(catalog.revoke_token(Some(other), ours.id, eve(), at(5)).await, Ok(false));
    assert_eq!(catalog.revoke_token(None, ours.id, eve(), at(5)).await, Ok(false));
    assert_eq!(catalog.revoke_token(Some(acme), ours.id, ada(), at(6)).await, Ok(true));
    assert_eq!(catalog.revoke_token(Some(acme), ours.id, eve(), at(9)).await, Ok(true));
    assert_eq!(catalog.tokens(Some(acme)).await.unwrap()[0].revoked_at, Some(at(6)));
}
