"""What Prometheus reads: requests by route and status, texts and tokens by model, batches, the queue, memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from isogloss.serve.batching import Batch

if TYPE_CHECKING:
    from isogloss.serve.batching import Batcher

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
TOKENS = (16, 64, 256, 1024, 2048, 4096, 8192, 16_384)


class Metrics:
    """A registry of its own, so that two servers of one process do not count together."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter("isogloss_requests", "Requests answered", ["route", "status"], registry=self.registry)
        self._seconds = Histogram(
            "isogloss_request_seconds", "From a request to its answer", ["route"], buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self._queued = Histogram(
            "isogloss_queue_seconds", "From a request's acceptance to its first batch", buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self._texts = Counter("isogloss_texts", "Texts answered", ["model", "question"], registry=self.registry)
        self._tokens = Counter("isogloss_tokens", "Tokens run", ["model", "question"], registry=self.registry)
        self._batch_seconds = Histogram(
            "isogloss_batch_seconds", "Seconds of a batch", ["model", "question"], buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self._batch_tokens = Histogram(
            "isogloss_batch_tokens", "Tokens of a batch", ["model", "question"], buckets=TOKENS,
            registry=self.registry,
        )  # fmt: skip
        self.cancelled = Counter(
            "isogloss_cancelled", "Requests whose client left before the answer", registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def watch(self, batcher: Batcher, num_connections: Callable[[], int]) -> None:
        """Show the queue as it is whenever it is asked for."""
        for name, what, value in (
            ("isogloss_queue_requests", "Requests that wait or run", lambda: batcher.num_requests),
            ("isogloss_queue_tokens", "Tokens that wait or run", lambda: batcher.num_tokens),
            ("isogloss_tokens_per_second", "Rate of the last batches", lambda: batcher.tokens_per_second),
            ("isogloss_connections", "Open connections", num_connections),
        ):
            Gauge(name, what, registry=self.registry).set_function(value)

    def request(self, route: str, status: int, seconds: float, queue_seconds: float | None) -> None:
        """A request has been answered; `route` is one of ours, or "other"."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if queue_seconds is not None:
            self._queued.observe(queue_seconds)

    def batch(self, batch: Batch) -> None:
        """A batch has run."""
        labels = batch.parts[0].job.model.name, batch.parts[0].job.question
        self._texts.labels(*labels).inc(sum(len(part.items) for part in batch.parts))
        self._tokens.labels(*labels).inc(batch.num_tokens)
        self._batch_seconds.labels(*labels).observe(batch.seconds)
        self._batch_tokens.labels(*labels).observe(batch.num_tokens)

    def text(self) -> bytes:
        """In Prometheus's own format."""
        return generate_latest(self.registry)
