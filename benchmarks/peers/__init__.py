"""Other people's tools, each in an environment of its own, so that their pins do not meet ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_ENVIRONMENTS = Path(".bench/peers")
_PACKAGES = {"dlt_events": ["dlt[filesystem,pyiceberg]==1.31.0", "sqlalchemy>=2"]}


def run(script: str, *arguments: str) -> str:
    """Run a script of this folder with the packages it needs, installed first if need be; return what it printed."""
    python = _ENVIRONMENTS / script / "bin" / "python"
    uv = str(Path(sys.executable).with_name("uv"))
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, python.parent.parent], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", python, *_PACKAGES[script]]
        subprocess.run(install, check=True)
    command = [python, _HERE / f"{script}.py", *arguments]
    environment = dict(os.environ) | {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
