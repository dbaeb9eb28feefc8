"""Where functions log on a laptop: a file, since the screen belongs to the person. Metrics go nowhere."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import EphemeralMetrics

from lakehouse import error_text, telemetry
from lakehouse.local.services.processes import rotate

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
    """Send what `lakehouse.telemetry` logs to a file, and drop metrics; the returned function undoes it.

    What libraries log or warn of, and the errors that end a thread, go there too, each as one line of JSON.
    """
    rotate(path)
    file = LineFile(path)
    stream: Any = file
    streams_before = [(handler, handler.setStream(stream)) for handler in _stream_handlers()]
    libraries = _library_handler(file)
    logging.getLogger().addHandler(libraries)
    logging.captureWarnings(True)
    hooks_before = threading.excepthook, sys.unraisablehook
    threading.excepthook = _thread_ended
    sys.unraisablehook = _unraisable
    provider = telemetry.metrics.provider
    telemetry.metrics.provider = _NoMetrics(namespace=provider.namespace, service=provider.service)

    def undo() -> None:
        telemetry.metrics.provider = provider
        threading.excepthook, sys.unraisablehook = hooks_before
        logging.captureWarnings(False)
        for handler, before in streams_before:
            if before is not None:
                handler.setStream(before)
        logging.getLogger().removeHandler(libraries)
        file.close()

    return undo


class LineFile:
    """A log of lines, each of which is written in full or not at all; a full disk stops nobody who logs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._complained = False

    def write(self, text: str) -> int:
        """Append a line, with its end. What cannot be written is lost; the first time, standard error hears of it."""
        line = text.encode("utf-8", "replace")
        try:
            self._append(line)
        except (OSError, ValueError) as error:  # ValueError: it is closed, and a call under way logs on
            self._complain(error)
        return len(text)

    def flush(self) -> None:
        """Do nothing: no line waits."""

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def _append(self, line: bytes) -> None:
        written = self._file.write(line) or 0
        if written == len(line):
            return
        try:
            while written < len(line):
                written += self._file.write(line[written:]) or 0
        except OSError:
            size = os.fstat(self._file.fileno()).st_size
            os.truncate(
                self._file.fileno(), max(size - written, 0)
            )  # half a line would spoil the next one, too
            raise

    def _complain(self, error: Exception) -> None:
        if not self._complained and isinstance(error, OSError):
            self._complained = True
            sys.stderr.write(f"{self._path} cannot be written, and lacks lines: {error.strerror}\n")


class _JsonFormatter(logging.Formatter):
    """Words a library's record as the lines of `lakehouse.telemetry`; of an error its type, and where it was."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "level": record.levelname,
            "location": f"{record.name}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": self.formatTime(record),
            "service": _LOGGER,
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line |= {"error": type(error).__name__, "reason": reason(error)}
        return json.dumps(line, ensure_ascii=False)


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        name = ended.thread.name if ended.thread is not None else "unknown"
        why = reason(ended.exc_value)
        telemetry.failed(f"thread {name} was ended by an error", ended.exc_value, reason=why)


def _unraisable(ignored: Any) -> None:
    if ignored.exc_value is not None:
        telemetry.failed("an error was ignored", ignored.exc_value, reason=reason(ignored.exc_value))


def _stream_handlers() -> list[logging.StreamHandler[Any]]:
    """Return the handlers that write what `lakehouse.telemetry` logs."""
    handlers = logging.getLogger(_LOGGER).handlers
    return [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]


def _library_handler(file: LineFile) -> logging.Handler:
    """Return a handler of the warnings of libraries, which would go to the screen otherwise."""
    stream: Any = file
    handler: logging.Handler = logging.StreamHandler(stream)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_JsonFormatter())
    handler.addFilter(lambda record: record.name != _LOGGER)
    return handler


def reason(error: BaseException) -> str:
    """Return why a call failed, without a customer's data: see `error_text`."""
    return error_text.safe_text(error)
