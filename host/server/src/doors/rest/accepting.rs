//! From a request to what is on the disk, and to its answer.
//!
//! Invariant: a request that comes again under its key gives the same notifications, and makes nothing new.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use sandbell_domain::{Contact, Delivery, Name, NotificationId, Target, TenantId};
use sandbell_store::catalog::Claimed;
use sandbell_store::{Catalog as _, KeyClaim, Outbox as _, State, Status};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

use super::Shared;
use super::deliveries::shown;
use super::extract;
use super::form::{self, Content, DeliveryForm, Given, NotificationForm, Pointer, Wait};
use super::limits::{KEPT_BYTES_MAX, KEY_BYTES_MAX, WAITERS_MAX};
use super::problem::{self, Problem};
use crate::dice;
use crate::intake::IntakeError;

/// The header that makes sending again harmless.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set on the answer to a request that came before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What became of what was handed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(super) struct AcceptedForm {
    /// One for each contact.
    notifications: Vec<AcceptedNotification>,
}

/// A notification that is on the disk, and who delivers it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AcceptedNotification {
    #[schema(schema_with = form::notification_id)]
    pub(super) id: NotificationId,
    pub(super) deliveries: Vec<DeliveryForm>,
}

/// One entry of what was handed in, checked.
pub(super) struct Item {
    at: Pointer,
    channels: Option<Vec<Name>>,
    contacts: Vec<Contact>,
    content: Content,
    payload: String,
}

impl Item {
    pub(super) fn checked(form: NotificationForm, at: Pointer, bytes: &[u8]) -> Result<Self, Problem> {
        let (channels, contacts, content) = form.checked(&at)?;
        let payload = String::from_utf8_lossy(bytes.trim_ascii()).into_owned();
        let kept_bytes = payload.len().saturating_mul(contacts.len().max(1));
        if kept_bytes > KEPT_BYTES_MAX {
            return Err(extract::too_large(KEPT_BYTES_MAX)
                .at(&at.then("contacts"))
                .hint("a notification is kept once for each contact; send several with fewer contacts"));
        }
        Ok(Self { at, channels, contacts, content, payload })
    }
}

/// What a request is about, whatever its form.
pub(super) struct Request {
    pub(super) node: Shared,
    pub(super) tenant: TenantId,
    pub(super) wait: Option<Wait>,
    pub(super) bytes: Bytes,
}

/// Which notifications a request becomes, and when it came first.
struct Identity {
    first: NotificationId,
    at: Timestamp,
    is_replayed: bool,
}

impl Request {
    pub(super) async fn accept(self, headers: &HeaderMap, items: Vec<Item>) -> Result<Response, Problem> {
        let wait = self.wait_limit()?;
        // Names first: a key that was taken for a request that names nobody would keep the corrected one out.
        let targets = self.targets(&items).await?;
        let Identity { first, at, is_replayed } = self.identity(headers).await?;
        let mut pointers = Vec::new();
        let mut accepting = Vec::new();
        for (Item { at: pointer, channels: _, contacts, content, payload }, target) in
            items.into_iter().zip(targets)
        {
            let contacts = if contacts.is_empty() { vec![Contact::default()] } else { contacts };
            for contact in contacts {
                let id = nth(first, accepting.len());
                let given = Given { id, tenant: self.tenant, now: at, payload: payload.clone() };
                accepting.push((content.clone().into_notification(contact, given), target.clone()));
                pointers.push(pointer.clone());
            }
        }
        let accepted = self.node.intake.accept(self.tenant, accepting).await;
        let accepted = accepted.map_err(|error| match error {
            IntakeError::Route { index, error } => {
                let pointer = pointers.get(index).cloned().unwrap_or_default();
                problem::of_route(&error, &pointer)
            }
            IntakeError::Store(error) => error.into(),
        })?;
        let deliveries = accepted.deliveries;
        let is_read = wait.is_some() || is_replayed;
        if let Some(limit) = wait {
            self.wait_for(&deliveries, limit).await?;
        }
        let mut notifications = Vec::with_capacity(deliveries.len());
        for (index, deliveries) in deliveries.iter().enumerate() {
            let id = nth(first, index);
            let statuses = if is_read {
                self.node.store.of_notification(self.tenant, id).await?
            } else {
                deliveries.iter().map(|delivery| as_accepted(delivery, at)).collect()
            };
            notifications.push(Standing { id, statuses });
        }
        self.answer(notifications, wait.is_some(), is_replayed).await
    }

    /// Until all are settled, the wait is over, or the host stops.
    async fn wait_for(&self, deliveries: &[Vec<Delivery>], limit: Duration) -> Result<(), Problem> {
        let Self { node, tenant, .. } = self;
        let _waiter = waiter(node)?;
        let ids: Vec<_> = deliveries.iter().flatten().map(|delivery| delivery.id).collect();
        tokio::select! {
            waited = node.intake.wait(*tenant, &ids, limit) => drop(waited?),
            () = node.stop.cancelled() => {}
        }
        Ok(())
    }

    fn wait_limit(&self) -> Result<Option<Duration>, Problem> {
        let wait_max = self.node.settings().limits.wait_max;
        match self.wait {
            Some(Wait(wait)) if wait > wait_max => {
                let detail = format!("parameter `wait`: is longer than {}", Wait(wait_max));
                Err(Problem::invalid("invalid-parameter", detail)
                    .hint("wait less, and ask `GET /api/v1/notifications/{id}` later"))
            }
            wait => Ok(wait.map(|Wait(wait)| wait)),
        }
    }

    /// The channels' ids for their names.
    async fn targets(&self, items: &[Item]) -> Result<Vec<Target>, Problem> {
        let known = self.node.roster.channels(self.tenant).await?;
        let target = |item: &Item| {
            let Some(names) = &item.channels else { return Ok(Target::ByAddress) };
            let ids = names.iter().enumerate().map(|(index, name)| {
                known.named(name).map(|channel| channel.id).ok_or_else(|| {
                    Problem::invalid("no-channel", format!("there is no channel `{name}`"))
                        .at(&item.at.then("channels").then(index))
                        .hint("`GET /api/v1/channels` lists the channels")
                })
            });
            Ok(Target::Channels(ids.collect::<Result<_, Problem>>()?))
        };
        items.iter().map(target).collect()
    }

    async fn identity(&self, headers: &HeaderMap) -> Result<Identity, Problem> {
        // As precise as the store keeps it: a repetition must give the same content.
        let now = self.node.clock.now().as_microsecond();
        let now = Timestamp::from_microsecond(now).expect("a timestamp's own microseconds are one");
        let first = NotificationId::of(&[self.tenant.as_bytes(), &dice::bytes::<16>()]);
        let fresh = Identity { first, at: now, is_replayed: false };
        let Some(key) = key(headers)? else { return Ok(fresh) };
        let claim = KeyClaim { fingerprint: Sha256::digest(&self.bytes).into(), notification: first, now };
        match self.node.store.claim_key(self.tenant, key, claim).await? {
            Claimed::New => Ok(fresh),
            Claimed::Same { notification, at } => Ok(Identity { first: notification, at, is_replayed: true }),
            Claimed::Other => {
                Err(Problem::conflict("key-reused", "this `Idempotency-Key` came with another body before")
                    .hint("take a new key for a new notification"))
            }
        }
    }

    async fn answer(
        &self,
        notifications: Vec<Standing>,
        was_waited_for: bool,
        is_replayed: bool,
    ) -> Result<Response, Problem> {
        let channels = self.node.roster.channels(self.tenant).await?;
        let mut is_settled = was_waited_for;
        let mut form = AcceptedForm { notifications: Vec::with_capacity(notifications.len()) };
        for Standing { id, statuses } in notifications {
            is_settled &= statuses.iter().all(|status| status.state.is_settled());
            let deliveries = statuses.iter().map(|status| shown(&channels, status)).collect();
            form.notifications.push(AcceptedNotification { id, deliveries });
        }
        let status = if is_settled { StatusCode::OK } else { StatusCode::ACCEPTED };
        let mut response = (status, Json(form)).into_response();
        if is_replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }
}

struct Standing {
    id: NotificationId,
    statuses: Vec<Status>,
}

/// How a delivery stands that was accepted just now; whoever wants to know more asks again.
fn as_accepted(delivery: &Delivery, at: Timestamp) -> Status {
    Status {
        delivery: delivery.id,
        tenant: delivery.tenant,
        channel: delivery.channel,
        notification: delivery.notification.id,
        state: State::Waiting { due_at: at },
        accepted_at: at,
        attempts: 0,
        redrives: 0,
        lapses: 0,
        last_failure: None,
    }
}

/// The ids of a request follow from the first, so that a repetition makes nothing new.
fn nth(first: NotificationId, index: usize) -> NotificationId {
    match index {
        0 => first,
        index => NotificationId::of(&[first.as_bytes(), &(index as u64).to_be_bytes()]),
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let is_key =
        !text.is_empty() && text.len() <= KEY_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_key && values.next().is_none() {
        return Ok(Some(text.to_owned()));
    }
    Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-header", "`Idempotency-Key` is no single key")
        .hint(format!("write 1 to {KEY_BYTES_MAX} visible ASCII letters, e.g. a UUID")))
}

/// Whoever waits holds a connection, so there are not too many.
pub(super) fn waiter(node: &Shared) -> Result<OwnedSemaphorePermit, Problem> {
    let permit = Arc::clone(&node.waiters).try_acquire_owned();
    permit.map_err(|_| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-waiters",
            format!("{WAITERS_MAX} callers wait already"),
        )
        .retry_after(Duration::from_secs(5))
        .hint("send without `wait`, and ask later")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_request_follow_from_the_first() {
        let first = NotificationId::of(&[b"x"]);
        assert_eq!(nth(first, 0), first);
        assert_ne!(nth(first, 1), nth(first, 2));
        assert_eq!(nth(first, 2), nth(first, 2));
    }

    #[test]
    fn a_key_is_visible_ascii() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(KEY, HeaderValue::from_bytes(value).unwrap());
            }
            key(&headers).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"a-1"]), Ok(Some("a-1".to_owned())));
        assert_eq!(read(&[&[b'x'; 255]]), Ok(Some("x".repeat(255))));
        for bad in [&[b'x'; 256][..], b"", b"a b", b"\xff", b"a\tb"] {
            assert_eq!(read(&[bad]), Err(400), "{bad:?}");
        }
        assert_eq!(read(&[b"a", b"b"]), Err(400));
    }
}
