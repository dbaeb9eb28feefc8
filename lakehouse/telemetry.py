"""Logs and metrics. Only the fields on the list leave the process: no customer's data is in a log."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

FIELDS = frozenset(
    {
        "attempt", "batch", "bucket", "bytes", "chunk", "code", "count", "destination", "duplicates", "error",
        "file_id", "files", "function", "key", "loaded", "message_id", "model", "received", "quarantined",
        "queue", "reason", "region", "rows", "run", "seconds", "segment", "snapshot_id", "stage",
        "status", "sync", "table", "url_path", "version", "withheld", "sent", "failed",
    }
)  # fmt: skip

T = TypeVar("T")
_logger = Logger(service="lakehouse", log_uncaught_exceptions=False)
metrics = Metrics(namespace="Lakehouse", service="lakehouse")


def _allowed(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = fields.keys() - FIELDS
    if unknown:
        raise ValueError(f"log field not on the list in lakehouse/telemetry.py: {', '.join(sorted(unknown))}")
    return fields


def info(what: str, **fields: Any) -> None:
    """Log that `what` happened; `fields` must be on the list."""
    _logger.info(what, extra=_allowed(fields))


def warn(what: str, **fields: Any) -> None:
    """Log something that a person should look at some day."""
    _logger.warning(what, extra=_allowed(fields))


def failed(what: str, error: BaseException, **fields: Any) -> None:
    """Log a failure by its type; the error's own text stays out, since it may quote a row."""
    _logger.error(what, extra=_allowed({**fields, "error": type(error).__name__}))


def count(name: str, value: float = 1) -> None:
    """Add to a metric (CloudWatch's embedded format, written by the handler's decorator)."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def observed(handler: Callable[[Any, Any], T]) -> Callable[[Any, Any], T]:
    """Decorate a function's handler: its metrics are written when it ends, however it ends."""

    @wraps(handler)
    def call(event: Any, context: Any) -> T:
        try:
            return handler(event, context)
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()

    return call
