//! Which tokens may open a connection now.
//!
//! The core admits a token after a proven knock exchange, for some seconds. The receive path asks on every Initial,
//! from whatever thread the socket runs on; nothing here waits. A token whose connection stands is spent.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use twocan_core::ids::Token;

/// The admitted tokens, each with the moment at which it stops working.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    until: Mutex<HashMap<Token, Instant>>,
}

impl Admissions {
    /// Lets Initials for `token` pass for a while.
    pub(super) fn admit(&self, token: Token, valid_for: Duration) {
        let now = Instant::now();
        let mut tokens = self.lock();
        tokens.retain(|_, until| *until > now);
        if let Some(until) = now.checked_add(valid_for) {
            tokens.insert(token, until);
        }
    }

    /// Takes an admission back.
    pub(super) fn revoke(&self, token: &Token) {
        self.lock().remove(token);
    }

    /// Whether `token` may open a connection now.
    pub(super) fn admitted(&self, token: &Token) -> bool {
        self.lock().get(token).is_some_and(|until| *until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Token, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_works_until_it_expires_or_is_revoked() {
        let admissions = Admissions::default();
        let (first, second) = (Token([1; 16]), Token([2; 16]));
        admissions.admit(first, Duration::from_secs(60));
        admissions.admit(second, Duration::ZERO);
        assert!(admissions.admitted(&first));
        assert!(!admissions.admitted(&second));
        admissions.revoke(&first);
        assert!(!admissions.admitted(&first));
    }
}
