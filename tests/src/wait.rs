//! Waiting for facts.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Between two looks at a fact that no event announces.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until `look` finds something, and gives it.
///
/// # Panics
/// If nothing is found within `within`; says `what` was waited for.
pub async fn until<T>(what: &str, within: Duration, look: impl AsyncFnMut() -> Option<T>) -> T {
    until_at_most(within, look)
        .await
        .unwrap_or_else(|| panic!("waited {within:?} in vain: {what}"))
}

/// Looks until `look` finds something, and gives it; `None` if nothing is found within `within`.
pub async fn until_at_most<T>(within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        sleep(LOOK).await;
    }
}

/// Gives what comes of `future`.
///
/// # Panics
/// If nothing comes within `within`; says `what` was waited for.
pub async fn at_most<F: IntoFuture>(what: &str, within: Duration, future: F) -> F::Output {
    tokio::time::timeout(within, future)
        .await
        .unwrap_or_else(|_| panic!("waited {within:?} in vain: {what}"))
}
