"""Where functions log on a laptop: a file, since the screen belongs to the person. Metrics go nowhere."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from aws_lambda_powertools.metrics import EphemeralMetrics

from lakehouse import telemetry
from lakehouse.errors import LakehouseError
from lakehouse.local.policy import LogPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

_LOGGER = "lakehouse"  # Powertools names it after the service


class _NoMetrics(EphemeralMetrics):
    """Keeps no metrics. Powertools' own collection is one dict that concurrent calls here would share."""

    def add_metric(self, *_: Any, **__: Any) -> None:
        """Drop a metric."""

    def flush_metrics(self, *_: Any, **__: Any) -> None:
        """There is nothing to print."""


def log_to(path: Path) -> Callable[[], None]:
    """Send what `lakehouse.telemetry` logs to a file, and drop metrics; the returned function undoes it."""
    if path.exists() and path.stat().st_size > LogPolicy.rotate_bytes:
        path.replace(path.with_suffix(".1.log"))
    file = path.open("a", encoding="utf-8")
    streams_before = [(handler, handler.setStream(file)) for handler in _stream_handlers()]
    libraries = _library_handler(file)
    logging.getLogger().addHandler(libraries)
    provider = telemetry.metrics.provider
    telemetry.metrics.provider = _NoMetrics(namespace=provider.namespace, service=provider.service)

    def undo() -> None:
        telemetry.metrics.provider = provider
        for handler, stream in streams_before:
            if stream is not None:
                handler.setStream(stream)
        logging.getLogger().removeHandler(libraries)
        file.close()

    return undo


def _stream_handlers() -> list[logging.StreamHandler[Any]]:
    """Return the handlers that write what `lakehouse.telemetry` logs."""
    handlers = logging.getLogger(_LOGGER).handlers
    return [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]


def _library_handler(file: TextIO) -> logging.Handler:
    """Return a handler of the warnings of libraries, which would go to the screen otherwise."""
    handler = logging.StreamHandler(file)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    handler.addFilter(lambda record: record.name != _LOGGER)
    return handler


def reason(error: BaseException) -> str:
    """Return why a call failed, without a customer's data.

    Of our own errors their text; of others only where they came from, as text may quote a row.
    """
    if isinstance(error, LakehouseError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-LogPolicy.error_frames :]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
