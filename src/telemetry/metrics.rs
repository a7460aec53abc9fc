//! Every metric, named once. Others hold a [`Metrics`] and move its handles; labels have few values by their type.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use super::loud::Loud;
use super::process::Process;

/// The route by its pattern, never the path as sent: a caller must not be able to make new series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The method; `other` for those nobody has heard of.
    pub method: &'static str,
    /// The pattern of the route; empty where there was none.
    pub route: String,
    /// The status code.
    pub status: u16,
}

/// The route alone: status and method would make too many histograms.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Route {
    /// The pattern of the route; empty where there was none.
    pub route: String,
}

/// How an attempt ended: the name of its state in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// `successful`, `failed`, `timed_out`, `canceled`, `lost`.
    pub outcome: &'static str,
}

/// How a task ended: the name of its state in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TaskStateLabels {
    /// `successful`, `failed`, `canceled`, `rolled_back`.
    pub state: &'static str,
}

/// What a write of a lost attempt would have written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Write {
    /// `outcome`, `log`, `report`.
    pub write: &'static str,
}

/// What is removed: by its age, or because it was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct What {
    /// `events`, `vsphere_events`, `audit`, `workers`, `sessions`, `tasks`, `vsphere_tasks`, `result_sets`, `deleted`.
    pub what: &'static str,
}

/// Where no connection fits in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusedConnectionLabels {
    /// `all`, `address`.
    pub full: &'static str,
}

/// How many there are of something that ends by being dropped.
#[derive(Clone, Debug, Default)]
pub struct OpenGauge(Gauge);

/// One of them.
#[derive(Debug)]
pub struct HeldGauge(Gauge);

impl OpenGauge {
    /// Counts one for as long as it is held.
    #[must_use]
    pub fn hold(&self) -> HeldGauge {
        self.0.inc();
        HeldGauge(self.0.clone())
    }
}

impl Drop for HeldGauge {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Seconds, in buckets from a millisecond to a minute.
#[derive(Clone, Debug)]
pub struct Seconds(Histogram);

/// Makes the histograms of a family.
#[derive(Clone, Debug)]
pub struct Buckets;

impl MetricConstructor<Seconds> for Buckets {
    fn new_metric(&self) -> Seconds {
        Seconds::default()
    }
}

impl Default for Seconds {
    fn default() -> Self {
        const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];
        Self(Histogram::new(BOUNDS))
    }
}

impl Seconds {
    /// Counts one.
    pub fn observe(&self, duration: Duration) {
        self.0.observe(duration.as_secs_f64());
    }
}

/// Handles of all metrics; cheap to clone, shared by their registry.
#[derive(Debug)]
pub struct Metrics {
    /// Answered requests.
    pub http_requests: Family<RequestLabels, Counter>,
    /// From the first byte of a request to the head of its answer.
    pub http_request_duration: Family<Route, Seconds, Buckets>,
    /// Open connections.
    pub http_connections: OpenGauge,
    /// Connections that found no place.
    pub http_refused_connections: Family<RefusedConnectionLabels, Counter>,
    /// Reads of strangers that were refused.
    pub refused_strangers: Counter,
    /// Accepted tasks.
    pub tasks_submitted: Counter,
    /// Ended tasks.
    pub tasks_finished: Family<TaskStateLabels, Counter>,
    /// Ended attempts.
    pub attempts_finished: Family<Outcome, Counter>,
    /// From claim to end.
    pub attempt_duration: Seconds,
    /// Subtasks that run here now.
    pub subtasks_running: Gauge,
    /// Subtasks that could run here at a time.
    pub worker_slots: Gauge,
    /// Attempts taken back from a worker that gave no sign of life.
    pub leases_lost: Counter,
    /// Transactions of the engine.
    pub engine_commits: Counter,
    /// How long they took.
    pub engine_commit_duration: Seconds,
    /// From the end of an attempt to its record.
    pub engine_wait: Seconds,
    /// Writes of attempts that were lost.
    pub refused_writes: Family<Write, Counter>,
    /// Records that cannot be written or read for what is in them.
    pub unfit_records: Counter,
    /// From wanting a transaction to having it.
    pub database_wait: Seconds,
    /// Rows that were removed for their age, or because what they belong to was deleted.
    pub removed_rows: Family<What, Counter>,
    /// Removals that did not get through.
    pub removal_failures: Family<What, Counter>,
    /// Open subscriptions.
    pub event_subscribers: OpenGauge,
    /// Events read from the log and handed to the hub.
    pub events_delivered: Counter,
    /// vCenters that are collected here.
    pub vsphere_collectors: OpenGauge,
    /// New and changed tasks of vCenters that were written here.
    pub vsphere_changes: Counter,
    /// Tasks of vCenters that could not be read as they were told, or not be kept.
    pub vsphere_unreadable: Counter,
    /// Bytes of attempts' logs, as the processes wrote them.
    pub log_bytes: Counter<u64, AtomicU64>,
    registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry with every metric at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        registry.register_collector(Box::new(Loud));
        registry.register("taskloom_build", "What is running", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let ours = &mut registry;
        Self {
            http_requests: put(ours, "taskloom_http_requests", "Answered requests"),
            http_request_duration: keep(
                ours,
                "taskloom_http_request_duration_seconds",
                "From a request to the head of its answer",
                Family::new_with_constructor(Buckets),
            ),
            http_connections: put(ours, "taskloom_http_connections", "Open connections"),
            http_refused_connections: put(
                ours,
                "taskloom_http_refused_connections",
                "Connections that found no place, in all or for their address",
            ),
            refused_strangers: put(ours, "taskloom_refused_strangers", "Reads of strangers that were refused"),
            tasks_submitted: put(ours, "taskloom_tasks_submitted", "Accepted tasks"),
            tasks_finished: put(ours, "taskloom_tasks_finished", "Ended tasks by state"),
            attempts_finished: put(ours, "taskloom_attempts_finished", "Ended attempts by outcome"),
            attempt_duration: put(ours, "taskloom_attempt_duration_seconds", "From the claim of an attempt to its end"),
            subtasks_running: put(ours, "taskloom_subtasks_running", "Subtasks that run here now"),
            worker_slots: put(ours, "taskloom_worker_slots", "Subtasks that could run here at a time"),
            leases_lost: put(
                ours,
                "taskloom_leases_lost",
                "Attempts taken back from a worker that gave no sign of life",
            ),
            engine_commits: put(ours, "taskloom_engine_commits", "Transactions of the engine"),
            engine_commit_duration: put(
                ours,
                "taskloom_engine_commit_duration_seconds",
                "Duration of the engine's transactions",
            ),
            engine_wait: put(ours, "taskloom_engine_wait_seconds", "From the end of an attempt to its record"),
            refused_writes: put(ours, "taskloom_engine_refused_writes", "Writes of attempts that were lost"),
            unfit_records: put(
                ours,
                "taskloom_engine_unfit_records",
                "Records that cannot be written or read for what is in them",
            ),
            database_wait: put(ours, "taskloom_database_wait_seconds", "From wanting a transaction to having it"),
            removed_rows: put(ours, "taskloom_removed_rows", "Rows removed for their age or with what was deleted"),
            removal_failures: put(ours, "taskloom_removal_failures", "Removals that did not get through"),
            event_subscribers: put(ours, "taskloom_event_subscribers", "Open subscriptions"),
            events_delivered: put(ours, "taskloom_events_delivered", "Events handed to the hub"),
            vsphere_collectors: put(ours, "taskloom_vsphere_collectors", "vCenters that are collected here"),
            vsphere_changes: put(
                ours,
                "taskloom_vsphere_changes",
                "New and changed tasks of vCenters that were written here",
            ),
            vsphere_unreadable: put(ours, "taskloom_vsphere_unreadable", "Unreadable tasks of vCenters"),
            log_bytes: put(ours, "taskloom_log_bytes", "Bytes that attempts wrote to their logs"),
            registry,
        }
    }

    /// All metrics in the OpenMetrics text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        text::encode(&mut text, &self.registry).expect("invariant: writing to a String does not fail");
        text
    }
}

/// The suffixes `_total` and `_info` are added when metrics are written.
fn put<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    keep(registry, name, help, M::default())
}

fn keep<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

mod encode {
    use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
    use prometheus_client::metrics::{MetricType, TypedMetric};

    use super::{OpenGauge, Seconds};

    impl EncodeMetric for OpenGauge {
        fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
            self.0.encode(encoder)
        }

        fn metric_type(&self) -> MetricType {
            self.0.metric_type()
        }
    }

    impl TypedMetric for Seconds {
        const TYPE: MetricType = MetricType::Histogram;
    }

    impl EncodeMetric for Seconds {
        fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
            self.0.encode(encoder)
        }

        fn metric_type(&self) -> MetricType {
            self.0.metric_type()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Metrics, Outcome, RequestLabels, Route};
    use std::time::Duration;

    #[test]
    fn names_follow_the_conventions() {
        let metrics = Metrics::new();
        metrics.tasks_submitted.inc();
        metrics.attempts_finished.get_or_create(&Outcome { outcome: "failed" }).inc();
        metrics.http_requests.get_or_create(&RequestLabels { method: "GET", route: "/x".into(), status: 200 }).inc();
        let route = Route { route: "/x".into() };
        metrics.http_request_duration.get_or_create(&route).observe(Duration::from_millis(3));
        let text = metrics.render();
        for line in [
            "taskloom_tasks_submitted_total 1",
            "taskloom_attempts_finished_total{outcome=\"failed\"} 1",
            "taskloom_http_requests_total{method=\"GET\",route=\"/x\",status=\"200\"} 1",
            "taskloom_http_request_duration_seconds_bucket{le=\"0.005\",route=\"/x\"} 1",
            "taskloom_engine_commits_total 0",
            "taskloom_subtasks_running 0",
            "taskloom_event_subscribers 0",
            "taskloom_log_bytes_total 0",
            "taskloom_log_messages_total{level=\"error\"} 0",
            concat!("taskloom_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing from\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
        let memory = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
        assert!(memory.parse::<u64>().unwrap() > 1 << 20, "{memory}");
    }
}
