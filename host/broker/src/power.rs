//! What every call of one channel has in common.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use sandbell_domain::Limits;
use secrecy::SecretString;

use crate::scrub::Scrubber;
use crate::template::Secrets;

#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) scrubber: Arc<Scrubber>,
    pub(crate) limits: Limits,
    pub(crate) now: fn() -> Timestamp,
}

impl Common {
    /// For an attempt that holds tokens: they are placed and masked as the channel's own secrets are.
    pub(crate) fn with_tokens(&self, tokens: &[(String, SecretString)]) -> Cow<'_, Self> {
        if tokens.is_empty() {
            return Cow::Borrowed(self);
        }
        let secrets = self.secrets.with(tokens);
        let scrubber = Arc::new(Scrubber::new(&secrets));
        Cow::Owned(Self { secrets: Arc::new(secrets), scrubber, limits: self.limits.clone(), now: self.now })
    }
}
