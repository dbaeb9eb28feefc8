"""What tests need of Node: the packages that tests/e2e/clients locks, installed once, and a browser to drive.

Tests are skipped where the machine has no Node or no Chromium; `make browser` installs the latter.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parents[1] / "e2e/clients"
_INSTALLED = Path(__file__).parents[2] / ".clients"
_LOCKED = ("package.json", "package-lock.json", ".npmrc")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def node() -> str | None:
    """Return where Node is; None where it or npm is missing."""
    return shutil.which("node") if shutil.which("npm") else None


def chromium() -> str | None:
    """Return where Chromium is, or a browser made of it; None where there is none, or nothing to drive it."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None) if node() else None


def modules() -> Path:
    """Return the folder of the packages, for `NODE_PATH`; they are installed where the lock is new."""
    digest = hashlib.sha256(b"".join((CLIENTS / name).read_bytes() for name in _LOCKED)).hexdigest()[:16]
    folder = _INSTALLED / digest
    _INSTALLED.mkdir(exist_ok=True)
    with (_INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (folder / "complete").exists():
            folder.mkdir(exist_ok=True)
            for name in _LOCKED:
                shutil.copy(CLIENTS / name, folder)
            done = subprocess.run(
                ["npm", "ci", "--silent"],
                cwd=folder,
                check=False,
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert done.returncode == 0, f"npm ci: {done.stdout}{done.stderr}"
            (folder / "complete").touch()
    return folder / "node_modules"


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a script of tests/e2e/clients; what it keeps goes to `home`."""
    folder = Path(shutil.which("node") or "node").parent
    return {"NODE_PATH": str(modules()), "PATH": f"{folder}:/usr/bin:/bin", "HOME": str(home)}


@contextmanager
def running(script: str, arguments: dict[str, Any], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a script of tests/e2e/clients until the block ends; its input stays open, what it prints goes to `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["node", str(CLIENTS / script), json.dumps(arguments)],
            env=environment(log.parent),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
        )
    assert process.stdin is not None
    try:
        yield process
        process.stdin.close()
        assert process.wait(60) == 0, log.read_text()[-2000:]
    finally:
        process.stdin.close()
        if process.poll() is None:
            process.kill()
            process.wait(30)
