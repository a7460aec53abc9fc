//! How many are connected: in all, and from one address, so that one caller cannot take every place.
//!
//! Who speaks through a proxy has the proxy's address here: those that the settings trust are counted in all alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use crate::auth::limit::network;
use crate::config;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{HeldGauge, RefusedConnectionLabels};

/// Who is connected.
#[derive(Clone, Debug)]
pub(super) struct Crowd(Arc<CrowdState>);

#[derive(Debug)]
struct CrowdState {
    most: usize,
    most_of_one: usize,
    trusted: Vec<IpNet>,
    here: Mutex<Here>,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Here {
    all: usize,
    of_one: HashMap<IpAddr, usize>,
}

/// A place among them, until it is dropped.
#[derive(Debug)]
pub(super) struct CrowdPlace {
    crowd: Crowd,
    of: Option<IpAddr>,
    _counted: HeldGauge,
}

impl Crowd {
    /// Nobody yet. `most` is what the process can hold, whatever the settings say.
    pub(super) fn new(settings: &config::Server, most: usize, metrics: Arc<Metrics>) -> Self {
        let most = most.min(settings.max_connections as usize);
        let most_of_one = settings.max_connections_per_address as usize;
        let trusted = settings.trusted_proxies.0.clone();
        Self(Arc::new(CrowdState { most, most_of_one, trusted, here: Mutex::default(), metrics }))
    }

    /// A place for somebody from `address`; none: no more fit in, and it is counted.
    pub(super) fn enter(&self, address: IpAddr) -> Option<CrowdPlace> {
        let address = address.to_canonical();
        let is_proxy = self.0.trusted.iter().any(|network| network.contains(&address));
        let of = (!is_proxy).then(|| network(address));
        match self.take(of) {
            Ok(()) => Some(CrowdPlace { crowd: self.clone(), of, _counted: self.0.metrics.http_connections.hold() }),
            Err(full) => {
                self.0.metrics.http_refused_connections.get_or_create(&full).inc();
                None
            }
        }
    }

    fn take(&self, of: Option<IpAddr>) -> Result<(), RefusedConnectionLabels> {
        let mut here = self.here();
        if here.all >= self.0.most {
            return Err(RefusedConnectionLabels { full: "all" });
        }
        if let Some(of) = of {
            let count = here.of_one.entry(of).or_default();
            if *count >= self.0.most_of_one {
                return Err(RefusedConnectionLabels { full: "address" });
            }
            *count += 1;
        }
        here.all += 1;
        Ok(())
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        // No panic leaves these numbers half changed.
        self.0.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CrowdPlace {
    fn drop(&mut self) {
        let mut here = self.crowd.here();
        here.all -= 1;
        if let Some(of) = self.of
            && let Some(count) = here.of_one.get_mut(&of)
        {
            *count -= 1;
            if *count == 0 {
                here.of_one.remove(&of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(most: usize) -> (Crowd, Arc<Metrics>) {
        let mut settings = config::Settings::defaults("/nowhere").server;
        settings.max_connections = 4;
        settings.max_connections_per_address = 2;
        settings.trusted_proxies = config::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
        let metrics = Arc::new(Metrics::new());
        (Crowd::new(&settings, most, Arc::clone(&metrics)), metrics)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_does_not_take_every_place() {
        let (crowd, metrics) = crowd(100);
        let first = crowd.enter(address("192.0.2.1")).unwrap();
        let _second = crowd.enter(address("::ffff:192.0.2.1")).unwrap();
        assert!(crowd.enter(address("192.0.2.1")).is_none());
        let _other = crowd.enter(address("192.0.2.2")).unwrap();
        assert!(metrics.render().contains("taskloom_http_refused_connections_total{full=\"address\"} 1"));
        drop(first);
        let _again = crowd.enter(address("192.0.2.1")).unwrap();
        assert!(metrics.render().contains("taskloom_http_connections 3"));
    }

    #[test]
    fn a_trusted_proxy_is_counted_in_all_alone() {
        let (crowd, metrics) = crowd(100);
        let places: Vec<_> = (0..4).map(|_| crowd.enter(address("10.0.0.1")).unwrap()).collect();
        assert!(crowd.enter(address("10.0.0.1")).is_none());
        assert!(crowd.enter(address("192.0.2.1")).is_none());
        assert!(metrics.render().contains("taskloom_http_refused_connections_total{full=\"all\"} 2"));
        drop(places);
        assert!(crowd.here().of_one.is_empty() && crowd.here().all == 0);
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let (crowd, _) = crowd(100);
        let _places: Vec<_> = (1..=2).map(|n| crowd.enter(address(&format!("2001:db8::{n}"))).unwrap()).collect();
        assert!(crowd.enter(address("2001:db8::3")).is_none());
        assert!(crowd.enter(address("2001:db8:0:1::3")).is_some());
    }

    #[test]
    fn no_more_than_the_process_can_hold() {
        let (crowd, _) = crowd(1);
        let _only = crowd.enter(address("192.0.2.1")).unwrap();
        assert!(crowd.enter(address("192.0.2.2")).is_none());
    }
}
