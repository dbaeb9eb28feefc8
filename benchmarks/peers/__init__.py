"""Other people's tools, each in an environment of its own, so that their pins do not meet ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_ENVIRONMENTS = Path(".bench/peers")
_PACKAGES = {
    "dlt_events": ["dlt[filesystem,pyiceberg,s3]==1.31.0", "sqlalchemy>=2", "pyiceberg-core>=0.10,<0.11"]
}


def run(script: str, *arguments: str, **more: str) -> str:
    """Run a script of this folder with the packages it needs, installed first if need be; return what it printed.

    `more` goes into its environment.
    """
    python = _ENVIRONMENTS / script / "bin" / "python"
    uv = str(Path(sys.executable).with_name("uv"))
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, python.parent.parent], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", python, *_PACKAGES[script]]
        subprocess.run(install, check=True)
    command = [python, _HERE / f"{script}.py", *arguments]
    environment = (
        dict(os.environ) | {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"} | more
    )
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
