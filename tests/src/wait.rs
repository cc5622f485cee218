//! Waiting for facts.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Between two looks at a fact that no event announces.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until `look` finds something, and gives it.
///
/// # Panics
/// If nothing is found within `within`; says `what` was waited for.
pub async fn until<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {within:?} in vain: {what}");
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
