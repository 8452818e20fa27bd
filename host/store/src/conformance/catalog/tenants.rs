//! Who there is.

use sandbell_domain::{Tenant, TenantId};

use super::rig::{ada, draft, eve, make_channel, make_tenant, name, save};
use crate::conformance::rig::at;
use crate::{Catalog, Created, Expect, Outbox, StoreError};

pub(crate) async fn making_a_tenant_twice_makes_one<S: Catalog>(open: impl AsyncFn() -> S) {
    let (one, two) = (open().await, open().await);
    let id = make_tenant(&one, "acme").await;
    assert_eq!(two.suspend_tenant(id, true, ada(), at(1)).await, Ok(true));
    let again = two.create_tenant(Tenant::new(name("acme"), at(2)), eve()).await;
    assert_eq!(again, Ok(Created::Before));
    let kept = Tenant { is_suspended: true, ..Tenant::new(name("acme"), at(0)) };
    assert_eq!(one.tenant(name("acme")).await, Ok(Some(kept.clone())));
    assert_eq!(two.tenants().await, Ok(vec![kept]));
}

pub(crate) async fn tenants_are_listed_by_name<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    assert_eq!(catalog.tenants().await, Ok(Vec::new()));
    for of in ["zeta", "acme", "local"] {
        make_tenant(&catalog, of).await;
    }
    let names: Vec<_> = catalog.tenants().await.unwrap().into_iter().map(|tenant| tenant.name).collect();
    assert_eq!(names, [name("acme"), name("local"), name("zeta")]);
    assert_eq!(catalog.tenant(name("nobody")).await, Ok(None));
}

pub(crate) async fn a_tenant_that_deliveries_named_can_be_made<S: Catalog + Outbox>(
    open: impl AsyncFn() -> S,
) {
    let store = open().await;
    let early = crate::conformance::rig::delivery("acme", "chat", "disk");
    store.accept(vec![early], at(0)).await.unwrap();
    assert_eq!(store.tenants().await, Ok(Vec::new()));
    let id = make_tenant(&store, "acme").await;
    assert_eq!(id, TenantId::of(&[b"acme"]));
}

pub(crate) async fn nobody_knows_a_tenant_that_was_not_made<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let nobody = TenantId::of(&[b"nobody"]);
    assert_eq!(catalog.suspend_tenant(nobody, true, ada(), at(0)).await, Ok(false));
    let refused = catalog.save_channel(draft(nobody, "ops"), Expect::Nothing, ada(), at(0)).await;
    assert_eq!(refused, Err(StoreError::UnknownTenant(nobody)));
    let token = super::rig::token(Some(nobody), "ci", 1);
    assert_eq!(catalog.create_token(token, ada()).await, Err(StoreError::UnknownTenant(nobody)));
    assert_eq!(catalog.channels(nobody).await, Ok(Vec::new()));
}

pub(crate) async fn a_tenant_finds_nothing_of_another<S: Catalog>(open: impl AsyncFn() -> S) {
    let catalog = open().await;
    let ours = make_channel(&catalog, "ours", "ops").await;
    let theirs = make_tenant(&catalog, "theirs").await;
    assert_eq!(catalog.channel(theirs, name("ops")).await, Ok(None));
    assert_eq!(catalog.channel_of_id(theirs, ours.id).await, Ok(None));
    assert_eq!(catalog.channels(theirs).await, Ok(Vec::new()));
    assert_eq!(catalog.revisions(theirs, ours.id).await, Ok(Vec::new()));
    let off = crate::Enabled::No { reason: "theirs".to_owned() };
    assert_eq!(catalog.enable_channel(theirs, ours.id, off, eve(), at(1)).await, Ok(false));
    assert_eq!(catalog.delete_channel(theirs, ours.id, eve(), at(1)).await, Ok(crate::Deleted::Unknown));
    assert_eq!(catalog.channel(ours.tenant, name("ops")).await, Ok(Some(ours.clone())));
    // The same name and even the same id are two channels.
    let twin = save(&catalog, draft(theirs, "ops"), Expect::Nothing, at(2)).await;
    assert_eq!((twin.id, twin.tenant, twin.revision), (ours.id, theirs, 1));
    assert_eq!(catalog.delete_channel(theirs, twin.id, eve(), at(3)).await, Ok(crate::Deleted::Done));
    assert_eq!(catalog.channel(ours.tenant, name("ops")).await, Ok(Some(ours)));
}
