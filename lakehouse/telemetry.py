"""Logs and metrics. Only the fields on the list leave the process: no customer's data is in a log."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lakehouse import error_text

FIELDS = frozenset(
    {
        "attempt", "batch", "bucket", "bytes", "chunk", "code", "count", "destination", "duplicates", "errno",
        "error", "file_id", "files", "function", "key", "loaded", "message_id", "model", "received", "quarantined",
        "path", "queue", "reason", "region", "request_id", "rows", "run", "seconds", "segment", "snapshot_id", "stage",
        "status", "sync", "table", "url_path", "version", "withheld", "sent", "failed",
    }
)  # fmt: skip

# What a disk says that takes no more.
_NAMED_IN_TEXT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)

T = TypeVar("T")
_logger = Logger(service="lakehouse", log_uncaught_exceptions=False)
metrics = Metrics(namespace="Lakehouse", service="lakehouse")
_COUNTING = Lock()  # Powertools reads a metric, adds to it and puts it back


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
    """Log a failure by its type and, where no `reason` is given, its place; its text may quote a row and stays out.

    What the system said of it does not: its error number, and the file it was about.
    """
    reason = {} if "reason" in fields else {"reason": error_text.summary(error)}
    details = {**system_error(error), **fields, **reason, "error": type(error).__name__}
    _logger.error(what, extra=_allowed(details))


def system_error(error: BaseException) -> dict[str, str]:
    """Return `errno` and `path` of the system's error behind an error, as far as there is one and it says so."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            path = {"path": cause.filename} if isinstance(cause.filename, str) else {}
            return {"errno": _named(cause.errno)} | path
        for number in _NAMED_IN_TEXT:  # libraries that are not Python say it in words
            if os.strerror(number) in str(cause):
                return {"errno": _named(number)}
        cause = cause.__cause__ or cause.__context__
    return {}


def _named(number: int) -> str:
    return f"{errno.errorcode.get(number, number)}: {os.strerror(number)}"


def count(name: str, value: float = 1) -> None:
    """Add to a metric (CloudWatch's embedded format, written by the handler's decorator)."""
    with _COUNTING:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def observed(handler: Callable[[Any, Any], T]) -> Callable[[Any, Any], T]:
    """Decorate a function's handler: its metrics are written when it ends, and no error's text leaves it.

    The runtime logs what a handler raises. So an error that is not ours is raised as `WithheldError`, which says its
    type, its place and the request's id, by which the log line of the failure is found; none has a cause any more.
    """

    @wraps(handler)
    def call(event: Any, context: Any) -> T:
        try:
            return handler(event, context)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is raised again, below
            request_id = str(getattr(context, "aws_request_id", ""))
            failed("the call failed", error, reason=error_text.safe_text(error), request_id=request_id)
            failure = error_text.withheld(error, request_id)
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()
        raise failure  # outside of the handler above: what it stands for is not its context

    return call
