//! What callers of the API may use up, where the configuration does not say it. Those of connections are the listener's.

use std::time::Duration;

/// The largest component that can be installed, in bytes (DESIGN §9).
pub(super) const COMPONENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a component may take to arrive.
pub(super) const COMPONENT_READ: Duration = Duration::from_mins(2);

/// What one accepted request may put on the disk: a notification is kept once for each of its contacts.
pub(super) const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The longest `Idempotency-Key`, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 255;

/// Callers that wait for their deliveries, or watch, at the same time.
pub(super) const WAITERS_MAX: usize = 1_024;

/// Entries of a page, and how many there are if nobody says.
pub(super) const PAGE_MAX: usize = 1_000;
pub(super) const PAGE_DEFAULT: usize = 100;

/// Tokens that do not open anything, from one address in a minute.
pub(super) const REFUSALS_PER_MINUTE: u32 = 30;
