"""Keeps the texts of others out of a function's log where no handler can: while it is imported, and beside it.

An error while a handler's module is imported (the init phase) is logged by the runtime itself; so are the warnings of
libraries, and errors of threads and finalizers, which Python prints. All of them may quote data or a secret. The
package `functions` calls `install` before it imports any handler.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, TextIO

from lakehouse import error_text

_RUNTIME = "awslambdaric"  # AWS's own client of the runtime; on a laptop it is absent
_OWN_LOGGER = "lakehouse"
_PLAIN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "aws_request_id",
    "tenant_id",
}


def install(package: str) -> None:
    """Guard the imports of a package's modules and, in a process of AWS Lambda, what others write to its log."""
    sys.meta_path.insert(0, _GuardedModules(package))
    if _RUNTIME in sys.modules:
        guard_log()


def guard_log() -> None:
    """Reduce what libraries log and what Python prints of errors and warnings to type, place and template."""
    warnings.showwarning = _show_warning
    threading.excepthook = _log_thread_error
    sys.unraisablehook = _log_unraisable
    for handler in logging.getLogger().handlers:
        handler.addFilter(withhold_texts)


class _GuardedModules(MetaPathFinder):
    """Finds the modules of a package as Python does, and has errors of their import told without their text."""

    def __init__(self, package: str) -> None:
        self._prefix = f"{package}."

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(self._prefix):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _GuardedLoader(spec.loader.name, spec.loader.path)
        return spec


class _GuardedLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        try:
            super().exec_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module raises while it is imported
            failure = error_text.withheld(error)
        else:
            return
        raise failure  # outside of the handler: the error that it stands for is not its context


def withhold_texts(record: logging.LogRecord) -> bool:
    """Take out of another's log record what may hold data; the template that it was made from is code, and stays."""
    if record.name == _OWN_LOGGER:
        return True
    what = str(record.msg) if record.args else "text withheld"
    caught = record.exc_info[1] if record.exc_info else None
    because = f" because of {error_text.summary(caught)}" if caught else ""
    record.msg = f"{record.name}:{record.lineno} {what}{because}"
    record.args, record.exc_info, record.exc_text, record.stack_info = None, None, None, None
    for name in vars(record).keys() - _PLAIN_FIELDS:
        delattr(record, name)
    return True


def _show_warning(
    message: Warning | str,  # noqa: ARG001 - it may hold anything
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - as Python calls it
    line: str | None = None,  # noqa: ARG001 - as Python calls it
) -> None:
    own = logging.getLogger(_OWN_LOGGER)
    own.warning("a library warns: %s at %s:%d", category.__name__, filename, lineno)


def _log_thread_error(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
        _log_error("a thread ended", arguments.exc_value)


def _log_unraisable(unraisable: Any) -> None:
    if unraisable.exc_value is not None:
        _log_error("an error that nobody could catch", unraisable.exc_value)


def _log_error(what: str, error: BaseException) -> None:
    logging.getLogger(_OWN_LOGGER).error("%s: %s", what, error_text.summary(error))
