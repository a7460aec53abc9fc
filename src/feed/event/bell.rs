//! The doorbell: it says that something was committed, never what. Who is woken reads the log. A lost ring costs a
//! moment, since every waiter also looks by itself now and then.

use std::sync::Arc;

use tokio::sync::watch;

/// Rings for three rooms: those who read events, those who read events of vCenters, and the dispatcher that hands out work.
#[derive(Clone, Debug)]
pub struct Bell {
    events: Arc<watch::Sender<u64>>,
    vsphere: Arc<watch::Sender<u64>>,
    work: Arc<watch::Sender<u64>>,
}

impl Default for Bell {
    fn default() -> Self {
        let room = || Arc::new(watch::Sender::new(0));
        Self { events: room(), vsphere: room(), work: room() }
    }
}

impl Bell {
    /// Somebody outside of the engine committed: there may be events and work.
    pub fn ring(&self) {
        self.ring_events();
        self.work.send_modify(|count| *count += 1);
    }

    /// The engine committed: there are events; it knows of the work itself.
    pub fn ring_events(&self) {
        self.events.send_modify(|count| *count += 1);
    }

    /// A collector committed.
    pub fn ring_vsphere(&self) {
        self.vsphere.send_modify(|count| *count += 1);
    }

    /// To wait for events of vCenters.
    #[must_use]
    pub fn vsphere(&self) -> watch::Receiver<u64> {
        self.vsphere.subscribe()
    }

    /// To wait for events.
    #[must_use]
    pub fn events(&self) -> watch::Receiver<u64> {
        self.events.subscribe()
    }

    /// To wait for work.
    #[must_use]
    pub fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }
}
