//! What the handlers of this door share: the node, and limits that are the door's own.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;

use super::known::Known;
use super::limits::{REFUSALS_PER_MINUTE, WAITERS_MAX};
use crate::node::Node;

/// What each handler is given.
pub(super) type Shared = Arc<Door>;

pub(super) struct Door {
    node: Arc<Node>,
    /// Callers that wait or watch.
    pub(super) waiters: Arc<Semaphore>,
    /// Tokens that opened something.
    pub(super) known: Known,
    /// Tokens that opened nothing, by the address that they came from.
    pub(super) refusals: DefaultKeyedRateLimiter<IpAddr>,
}

impl Door {
    pub(super) fn new(node: Arc<Node>) -> Shared {
        let per_minute = NonZeroU32::new(REFUSALS_PER_MINUTE).unwrap_or(NonZeroU32::MIN);
        Arc::new(Self {
            node,
            waiters: Arc::new(Semaphore::new(WAITERS_MAX)),
            known: Known::new(),
            refusals: RateLimiter::keyed(Quota::per_minute(per_minute)),
        })
    }
}

impl Deref for Door {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}
