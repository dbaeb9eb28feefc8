"""Where functions log on a laptop: a file, since the screen belongs to the person. Metrics go nowhere."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import EphemeralMetrics

from lakehouse import telemetry
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from collections.abc import Callable

_LOGGER = "lakehouse"  # Powertools names it after the service
_LARGE = 10 << 20  # bytes after which the next start sets the file aside
_FRAMES = 3


class _NoMetrics(EphemeralMetrics):
    """Keeps no metrics. Powertools' own collection is one dict that concurrent calls here would share."""

    def add_metric(self, *_: Any, **__: Any) -> None:
        """Forget it."""

    def flush_metrics(self, *_: Any, **__: Any) -> None:
        """There is nothing to print."""


def log_to(path: Path) -> Callable[[], None]:
    """Send what `lakehouse.telemetry` logs to a file, and drop metrics; the answer, when called, undoes it."""
    if path.exists() and path.stat().st_size > _LARGE:
        path.replace(path.with_suffix(".1.log"))
    file = path.open("a", encoding="utf-8")
    streams = [h for h in logging.getLogger(_LOGGER).handlers if isinstance(h, logging.StreamHandler)]
    before = [(handler, handler.setStream(file)) for handler in streams]
    others = logging.StreamHandler(file)  # libraries' warnings: they would go to the screen otherwise
    others.setLevel(logging.WARNING)
    others.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    others.addFilter(lambda record: record.name != _LOGGER)
    logging.getLogger().addHandler(others)
    provider = telemetry.metrics.provider
    telemetry.metrics.provider = _NoMetrics(namespace=provider.namespace, service=provider.service)

    def undo() -> None:
        telemetry.metrics.provider = provider
        for handler, stream in before:
            if stream is not None:
                handler.setStream(stream)
        logging.getLogger().removeHandler(others)
        file.close()

    return undo


def reason(error: BaseException) -> str:
    """Return why a call failed, without a customer's data: our own errors' text, of others the place alone."""
    if isinstance(error, LakehouseError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
