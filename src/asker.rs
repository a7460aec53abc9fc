//! Whether whoever asked still waits. What is begun for a request and cannot be dropped with it, such as a statement that
//! a thread of the database's driver works at, looks here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task_local;

task_local! {
    static ASKER: Asker;
}

/// Who waits for an answer; says nothing once it has gone.
#[derive(Clone, Debug, Default)]
pub struct Asker(Arc<AtomicBool>);

impl Asker {
    /// Whether nobody waits any longer.
    #[must_use]
    pub fn has_gone(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits for `work`; dropped before its end, whatever looks for its asker finds that it has gone.
pub async fn wait_for<F: Future>(work: F) -> F::Output {
    let leaves = Leaves(Asker::default());
    ASKER.scope(leaves.0.clone(), work).await
}

/// Goes on with `work` for the same asker elsewhere.
pub async fn as_of<F: Future>(asker: Option<Asker>, work: F) -> F::Output {
    match asker {
        Some(asker) => ASKER.scope(asker, work).await,
        None => work.await,
    }
}

/// Who waits for what is done here; nobody does for what the server does by itself.
#[must_use]
pub fn current() -> Option<Asker> {
    ASKER.try_with(Asker::clone).ok()
}

/// Goes when it is dropped.
struct Leaves(Asker);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{current, wait_for};

    #[tokio::test]
    async fn whoever_is_dropped_has_gone() {
        assert!(current().is_none());
        let (tell, told) = tokio::sync::oneshot::channel();
        let asked = tokio::spawn(wait_for(async {
            let asker = current().unwrap();
            assert!(!asker.has_gone());
            tell.send(asker).unwrap();
            std::future::pending::<()>().await;
        }));
        let asker = told.await.unwrap();
        asked.abort();
        asked.await.unwrap_err();
        assert!(asker.has_gone());
    }
}
