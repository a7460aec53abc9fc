//! What collectors of every kind have in common: one for each system that tasks are collected from, on one server at a
//! time, under a lease that it keeps; rounds, and growing pauses between those that break; why it does not go on.
//!
//! What a system is, and what a round of it sees, is for the kind of collector to say. Whatever one of them does, it
//! ends neither another nor this loop.

mod end;
mod kind;
mod run;

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(super) use self::end::{Again, RoundEnd, Trouble};
pub(super) use self::kind::{Claims, Collector, CollectorLease, LEASE};
use crate::supervise;

/// How often systems without a collector are looked for.
const LOOK: Duration = Duration::from_secs(2);

/// Collects until `stop`. Dropped before that, it takes its collectors with it.
pub(super) async fn run(mut claims: impl Claims, stop: CancellationToken) {
    let mut collectors = JoinSet::new();
    while !stop.is_cancelled() {
        match claims.claim().await {
            Ok(claimed) => {
                for collector in claimed {
                    collectors.spawn(run::run(collector, stop.child_token()));
                }
            }
            Err(error) => tracing::warn!(error = ?error, "collections cannot be looked for: trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
            // Nobody renews its lease any more: it is taken anew as soon as that has stood for too long.
            Some(ended) = collectors.join_next() => {
                if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
                    supervise::failed("collector", panic.as_ref());
                }
            }
        }
    }
    while collectors.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

    use super::*;
    use crate::error::Result;

    #[derive(Debug, thiserror::Error)]
    #[error("the cloud is away")]
    struct Away;

    impl Trouble for Away {
        fn word(&self) -> &'static str {
            "AWAY"
        }

        fn again(&self) -> Again {
            Again::AtOnce
        }
    }

    /// A kind of collector that says what is asked of it. Its first round breaks, the second follows for ever.
    #[derive(Clone)]
    struct Cloud(UnboundedSender<String>, u8);

    impl Cloud {
        fn new() -> (Self, UnboundedReceiver<String>) {
            let (said, heard) = unbounded_channel();
            (Self(said, 0), heard)
        }

        fn say(&self, what: &str) {
            let _ = self.0.send(what.to_owned());
        }
    }

    impl Claims for Cloud {
        type Collector = Self;

        async fn claim(&mut self) -> Result<Vec<Self>> {
            self.1 += 1;
            Ok(if self.1 == 1 { vec![Self(self.0.clone(), 0)] } else { vec![] })
        }
    }

    impl Collector for Cloud {
        type Trouble = Away;
        type Lease = Self;

        fn name(&self) -> &str {
            "cloud"
        }

        fn lease(&self) -> Self {
            self.clone()
        }

        async fn round(&mut self) -> RoundEnd<Away> {
            self.1 += 1;
            self.say(&format!("round {}", self.1));
            if self.1 > 1 { pending().await } else { RoundEnd::Theirs(Away) }
        }

        fn follows(&self) -> bool {
            true
        }

        async fn show(&mut self, (word, sentence): (String, String)) -> Result<(), RoundEnd<Away>> {
            self.say(&format!("{word}: {sentence}"));
            Ok(())
        }

        async fn part(&mut self) {
            self.say("part");
        }
    }

    impl CollectorLease for Cloud {
        async fn renew(&self, _: Duration) -> Result<bool> {
            Ok(true)
        }

        async fn release(&self) -> Result<()> {
            self.say("release");
            Ok(())
        }
    }

    #[tokio::test]
    async fn another_kind_needs_no_loop_of_its_own() {
        let (claims, mut heard) = Cloud::new();
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(claims, stop.clone()));
        for said in ["round 1", "AWAY: the cloud is away", "round 2"] {
            assert_eq!(heard.recv().await.as_deref(), Some(said));
        }
        stop.cancel();
        running.await.unwrap();
        assert_eq!([heard.recv().await, heard.recv().await], ["part", "release"].map(|said| Some(said.to_owned())));
        assert_eq!(heard.recv().await, None, "nobody holds anything any more");
    }
}
