"""What an error says of a person reaches no log, whoever would write it: our code, the runtime's client, a library."""

from __future__ import annotations

import shutil
from textwrap import indent
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.lambda_runtime import ROOT, FunctionError, Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

EMAIL = "erin.planted@example.org"
# The address is made at run time: a traceback shows lines of code, and what stands there is no data.
ADDRESS = "'erin.planted' + chr(64) + 'example.org'"
PLANTED = {
    "error": f"raise ValueError({ADDRESS})",
    "cause": f"""
try:
    int({ADDRESS})
except ValueError as error:
    raise KeyError({ADDRESS}) from error
""",
    "exit": f"import sys; sys.exit({ADDRESS})",
    "import": f"raise ImportError({ADDRESS})",
    "group": f"raise ExceptionGroup({ADDRESS}, [OSError(28, {ADDRESS})])",
    "own": f"from lakehouse.errors import Terminal; raise Terminal('no consent of ' + {ADDRESS})",
    "aside": f"""
import logging, threading, warnings
def die(): raise ValueError({ADDRESS})
thread = threading.Thread(target=die); thread.start(); thread.join()
class Bad:
    def __del__(self): raise ValueError({ADDRESS})
Bad()
warnings.warn({ADDRESS})
logging.getLogger("a.library").warning("retrying %s", {ADDRESS}, extra={{"arguments": {ADDRESS}}})
logging.getLogger("a.library").error("failed", exc_info=ValueError({ADDRESS}))
raise KeyError({ADDRESS})
""",
}


CALLED = {name: code for name, code in PLANTED.items() if name != "exit"} | {"exit": PLANTED["exit"]}


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize("planted", PLANTED)
def test_nothing_of_an_error_s_text_is_logged_of_init(tmp_path: Path, planted: str, log_format: str) -> None:
    """Its type and place are; whatever it is, whatever caused it, and whoever else would print it."""
    task = _task(tmp_path, PLANTED[planted].strip())
    with Sandbox("functions.planted.handler.handler", tmp_path, _env(log_format), 128, task) as sandbox:
        _check(planted, sandbox.log(), sandbox.init_error)


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_nothing_of_an_error_s_text_is_logged_of_a_call(tmp_path: Path, log_format: str) -> None:
    """One after the other; the one that ends the process comes last."""
    functions = "\n".join(
        f"def fail_by_{name}():\n{indent(code.strip(), '    ')}" for name, code in CALLED.items()
    )
    called = "@observed\ndef handler(event, context):\n    globals()[event['planted']]()"
    task = _task(tmp_path, f"from lakehouse.telemetry import observed\n{functions}\n{called}")
    with Sandbox("functions.planted.handler.handler", tmp_path, _env(log_format), 128, task) as sandbox:
        for planted in CALLED:
            log_before = len(sandbox.log())
            with pytest.raises(FunctionError) as raised:
                sandbox.invoke({"planted": f"fail_by_{planted}"})
            _check(planted, sandbox.log()[log_before:], raised.value.error)


def _check(planted: str, log: str, error: Any) -> None:
    assert EMAIL not in log + str(error)
    assert "handler.py:" in error["errorMessage"] or planted == "own"
    assert error["errorMessage"] in log


def _env(log_format: str) -> dict[str, str]:
    return {"AWS_LAMBDA_LOG_FORMAT": log_format, "AWS_REGION": "us-east-1"}


def _task(folder: Path, code: str) -> Path:
    """Return a folder of functions in which one more is this code."""
    task = folder / "task"
    shutil.copytree(ROOT / "functions", task / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    (task / "lakehouse").symlink_to(ROOT / "lakehouse")
    planted = task / "functions" / "planted"
    planted.mkdir()
    (planted / "__init__.py").write_text("")
    (planted / "handler.py").write_text(code)
    return task
