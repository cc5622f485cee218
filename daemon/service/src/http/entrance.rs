//! How the user's browser gets in: a one-time code becomes a cookie.
//!
//! A code works once, within [`CODE_LIFE`], and carries the path that it opens, so no URL names where to go next. A
//! cookie lasts as long as the daemon. Both lists are short; the oldest gives way.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::secret::Secret;

/// How long a code may be used.
pub(super) const CODE_LIFE: Duration = Duration::from_secs(60);

/// Open codes, at most.
const CODES: usize = 16;

/// Browsers let in, at most.
const SESSIONS: usize = 64;

#[derive(Default)]
pub(super) struct Entrance {
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    codes: VecDeque<Code>,
    sessions: VecDeque<Secret>,
}

struct Code {
    secret: Secret,
    path: String,
    until: Duration,
}

impl Entrance {
    /// Makes a code that opens `path`; `boot` is the present time since boot.
    pub(super) fn issue(&self, path: String, boot: Duration) -> anyhow::Result<String> {
        let (text, secret) = Secret::fresh()?;
        let until = boot.saturating_add(CODE_LIFE);
        push(&mut self.lock().codes, CODES, Code { secret, path, until });
        Ok(text)
    }

    /// Uses a code up: the cookie's value and the path to open, or `None` where it was used, has run out or never was.
    pub(super) fn redeem(&self, code: &str, boot: Duration) -> anyhow::Result<Option<(String, String)>> {
        let (cookie, session) = Secret::fresh()?;
        let mut lists = self.lock();
        lists.codes.retain(|code| boot < code.until);
        let Some(at) = lists.codes.iter().position(|open| open.secret.matches(code.as_bytes())) else {
            return Ok(None);
        };
        let Some(used) = lists.codes.remove(at) else {
            return Ok(None);
        };
        push(&mut lists.sessions, SESSIONS, session);
        Ok(Some((cookie, used.path)))
    }

    /// Whether a cookie of this value was given out.
    pub(super) fn admits(&self, cookie: &str) -> bool {
        self.lock()
            .sessions
            .iter()
            .any(|session| session.matches(cookie.as_bytes()))
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push<T>(list: &mut VecDeque<T>, most: usize, item: T) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(item);
}
