//! Waiting: for something that comes true, never for time to pass. The only place of the tests that sleeps, between two
//! looks; that nothing happens is shown by something later that does.

use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Asks again until there is an answer, at most so long.
pub(crate) async fn until_within<T>(limit: Duration, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    match attempt_within(limit, &mut ask).await {
        Some(answer) => answer,
        None => panic!("{what}: not within {limit:?}"),
    }
}

/// The same, without an answer in the end.
pub(crate) async fn attempt_within<T>(limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let answer = ask().await;
        if answer.is_some() || begun.elapsed() >= limit {
            return answer;
        }
        tokio::time::sleep(LOOK).await;
    }
}
