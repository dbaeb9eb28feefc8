"""What an error says of a person reaches no log, whoever would write it: our code, the runtime's client, a library."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

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


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize("planted", PLANTED)
def test_nothing_of_an_error_s_text_is_logged_of_init_or_of_a_call(
    tmp_path: Path, planted: str, log_format: str
) -> None:
    """Its type and place are; whatever it is, whatever caused it, and whoever else would print it."""
    task = tmp_path / "task"
    shutil.copytree(ROOT / "functions", task / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    (task / "lakehouse").symlink_to(ROOT / "lakehouse")
    lines = PLANTED[planted].strip().splitlines()
    body = "\n".join(f"    {line}" for line in lines)
    _plant(task, "at_init", "\n".join(lines))
    _plant(
        task,
        "at_call",
        f"from lakehouse.telemetry import observed\n@observed\ndef handler(event, context):\n{body}",
    )
    env = {"AWS_LAMBDA_LOG_FORMAT": log_format, "AWS_REGION": "us-east-1"}
    with Sandbox("functions.at_init.handler.handler", tmp_path, env, 128, task) as sandbox:
        init_log, init_error = sandbox.log(), sandbox.init_error
    with Sandbox("functions.at_call.handler.handler", tmp_path, env, 128, task) as sandbox:
        with pytest.raises(FunctionError) as raised:
            sandbox.invoke({})
        call_log = sandbox.log()
    for log, error in ((init_log, init_error), (call_log, raised.value.error)):
        assert EMAIL not in log + str(error)
        assert "handler.py:" in error["errorMessage"] or planted == "own"
        assert error["errorMessage"] in log


def _plant(task: Path, name: str, code: str) -> None:
    folder = task / "functions" / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "handler.py").write_text(code)
