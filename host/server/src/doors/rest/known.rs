//! Tokens that were looked up, so that not every request reads the catalog.
//!
//! Whoever revokes one says so by [`Known::forget`]; one process serves a state directory, so nobody else does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbell_domain::Token;

use crate::kept::Kept;

/// Tokens in memory; those used longest ago go first.
const TOKENS_MAX: usize = 4_096;

/// The SHA-256 of a token's text.
pub(super) type Hash = [u8; 32];

pub(super) struct Known {
    tokens: Mutex<Kept<Hash, Token>>,
    /// Counts what was forgotten, so that what was read before is not kept after.
    forgotten: AtomicU64,
}

/// The moment before a token was looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before(u64);

impl Known {
    pub(super) fn new() -> Self {
        Self { tokens: Mutex::new(Kept::new(TOKENS_MAX)), forgotten: AtomicU64::new(0) }
    }

    pub(super) fn find(&self, hash: &Hash) -> Result<Token, Before> {
        let before = Before(self.forgotten.load(Ordering::Acquire));
        self.lock().get(hash).cloned().ok_or(before)
    }

    /// Keeps what was looked up, unless something was forgotten meanwhile.
    pub(super) fn keep(&self, token: &Token, Before(before): Before) {
        let mut tokens = self.lock();
        if self.forgotten.load(Ordering::Acquire) == before {
            tokens.insert(token.hash, token.clone());
        }
    }

    /// To be called after each change of a token.
    pub(super) fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.lock().clear();
    }

    /// What is behind the lock is replaced as a whole, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Kept<Hash, Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use sandbell_domain::TokenId;

    use super::*;

    fn token() -> Token {
        Token {
            id: TokenId::of(&[b"t"]),
            tenant: None,
            name: "ci".parse().unwrap(),
            scopes: Vec::new(),
            hash: [7; 32],
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "uid 0".to_owned(),
            expires_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn what_was_looked_up_before_a_revocation_is_not_kept_after_it() {
        let known = Known::new();
        let before = known.find(&[7; 32]).unwrap_err();
        known.keep(&token(), before);
        assert_eq!(known.find(&[7; 32]).unwrap(), token());
        known.forget();
        let late = before;
        known.keep(&token(), late);
        assert!(known.find(&[7; 32]).is_err());
    }
}
