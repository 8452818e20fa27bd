//! What every call of one channel has in common.

use jiff::Timestamp;
use sandbell_domain::Limits;

use crate::scrub::Scrubber;
use crate::template::Secrets;

pub(crate) struct Common {
    pub(crate) secrets: Secrets,
    pub(crate) scrubber: Scrubber,
    pub(crate) limits: Limits,
    pub(crate) now: fn() -> Timestamp,
}
