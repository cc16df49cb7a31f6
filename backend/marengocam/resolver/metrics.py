"""What the resolver counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)


class ResolverMetrics:
    """Counters of one resolver process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.decisions = Counter(
            "marengocam_resolver_decisions", "Tracks decided on, by what came of it.", ["outcome"], registry=registry
        )
        self.events = Counter("marengocam_resolver_events", "Events written, by type.", ["type"], registry=registry)
        self.decision_s = Histogram(
            "marengocam_resolver_decision_seconds",
            "Seconds to decide on one track, reading and writing included.",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.turn_wait_s = Histogram(
            "marengocam_resolver_turn_wait_seconds",
            "Seconds from asking for a turn to holding its tracks.",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.backlog = Gauge(
            "marengocam_resolver_backlog", "Changed tracks that wait for a decision.", registry=registry
        )
