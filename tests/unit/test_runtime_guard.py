"""What Python, libraries and the import of a handler would write to a function's log says no data."""

from __future__ import annotations

import importlib
import logging
import subprocess
import sys
import textwrap
import threading
import traceback
import warnings

import pytest

from lakehouse import runtime_guard
from lakehouse.error_text import WithheldError
from lakehouse.errors import Terminal

EMAIL = "erin.planted@example.org"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a maker of modules of a guarded package."""
    folder = tmp_path / "guarded_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    runtime_guard.install("guarded_package")

    def make(name: str, code: str) -> str:
        (folder / f"{name}.py").write_text(textwrap.dedent(code))
        importlib.invalidate_caches()
        return f"guarded_package.{name}"

    yield make
    for name in [name for name in sys.modules if name.startswith("guarded_package")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (f"raise ValueError({EMAIL!r})", WithheldError),
        (
            f"try:\n    int({EMAIL!r})\nexcept ValueError as e:\n    raise RuntimeError({EMAIL!r}) from e",
            WithheldError,
        ),
        (f"raise SystemExit({EMAIL!r})", WithheldError),
        (f"raise ImportError({EMAIL!r})", ImportError),
        ("import no_such_module", ImportError),
        (f"from lakehouse.errors import Terminal\nraise Terminal('no key {EMAIL}')", Terminal),
    ],
)
def test_an_error_of_init_is_told_by_type_and_place(package, code, kind):
    """The runtime logs it before any handler could see to it."""
    with pytest.raises(kind) as raised:
        importlib.import_module(package("failing", code))
    text = "".join(traceback.format_exception(raised.value)).replace(code.splitlines()[-1].strip(), "")
    assert EMAIL not in str(raised.value)
    assert EMAIL not in text.replace(repr(EMAIL), "")
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    assert "guarded_package.failing" not in sys.modules


def test_a_module_that_imports_is_as_it_would_be(package):
    """Its names, its file, its spec; also a second copy of it, as the local sandbox makes."""
    name = package("fine", "VALUE = 3")
    module = importlib.import_module(name)
    assert (module.VALUE, module.__name__, module.__file__.endswith("fine.py")) == (3, name, True)
    spec = importlib.util.find_spec(name)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    assert copy.VALUE == 3
    with pytest.raises(ModuleNotFoundError, match=r"guarded_package\.absent"):
        importlib.import_module("guarded_package.absent")


@pytest.mark.parametrize(
    ("write", "stays"),
    [
        (lambda log: log.warning("retrying %s", EMAIL), "retrying %s"),
        (lambda log: log.warning(f"row {EMAIL}"), "text withheld"),  # noqa: G004 - as libraries do
        (lambda log: log.error("x", extra={"arguments": EMAIL}), "text withheld"),
        (lambda log: log.error("failed: %s", ValueError(EMAIL), exc_info=ValueError(EMAIL)), "ValueError"),
        (lambda log: log.error({"row": EMAIL}), "text withheld"),
        (lambda log: log.warning("here", stack_info=True), "text withheld"),
    ],
)
def test_a_library_s_record_keeps_its_place_and_its_template(write, stays):
    """The template is code; arguments, extra fields and tracebacks may hold anything."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    log, handler = logging.getLogger("a.library"), Keep()
    handler.addFilter(runtime_guard.withhold_texts)
    log.addHandler(handler)
    try:
        write(log)
    finally:
        log.removeHandler(handler)
    (record,) = records
    shown = logging.Formatter("%(message)s").format(record) + repr(vars(record))
    assert EMAIL not in shown
    assert stays in record.getMessage()
    assert record.getMessage().startswith("a.library:")


def test_our_own_records_stay(caplog):
    """Their fields are on a list already."""
    record = logging.makeLogRecord({"name": "lakehouse", "msg": "x %s", "args": ("y",), "table": "raw.x"})
    assert runtime_guard.withhold_texts(record)
    assert (record.getMessage(), record.table) == ("x y", "raw.x")


def test_python_s_own_prints_are_guarded():
    """A thread that dies, a finalizer that fails, a warning: in a process of its own, all at once."""
    code = f"""
        import logging, sys, threading, warnings
        from lakehouse import runtime_guard
        logging.basicConfig(stream=sys.stdout, format="%(message)s")
        runtime_guard.guard_log()
        def die(): raise ValueError({EMAIL!r} + "1")
        thread = threading.Thread(target=die); thread.start(); thread.join()
        class Bad:
            def __del__(self): raise ValueError({EMAIL!r} + "2")
        Bad()
        warnings.warn({EMAIL!r} + "3", UserWarning)
        logging.getLogger("lib").warning({EMAIL!r} + "4")
    """
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert EMAIL not in done.stdout + done.stderr
    assert done.stderr == ""
    assert [line.split(" at ")[0] for line in done.stdout.splitlines()] == [
        "a thread ended: ValueError",
        "an error that nobody could catch: ValueError",
        "a library warns: UserWarning",
        "lib:12 text withheld",
    ]


def test_on_a_laptop_logs_are_left_alone(monkeypatch):
    """Only a process of AWS Lambda has its hooks changed."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = (warnings.showwarning, threading.excepthook, sys.unraisablehook)
    runtime_guard.install("nobody")
    assert (warnings.showwarning, threading.excepthook, sys.unraisablehook) == before
