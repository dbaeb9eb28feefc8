"""One sandbox of AWS Lambda: a function in a process of its own under AWS's runtime client, and the API that it asks.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 150.0  # on a busy machine
_POLL_SECONDS = 0.02  # of a server that is to end: its own half second, sixty times, is half a minute
NOWHERE = "/dev/null/home"  # a home that can be neither read nor made, as Lambda's


class FunctionError(Exception):
    """The function raised; `error` is what its client told the Runtime API."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("errorMessage"))
        self.error = error


class TimedOut(Exception):  # noqa: N818 - what happened to the call
    """The call's time was up, and its process was killed."""


class RuntimeApi(BaseHTTPRequestHandler):
    """The Runtime API: hands out the one event that waits, and takes its answer, an error, or an error of init."""

    server: Any

    def do_GET(self) -> None:
        box: Sandbox = self.server.sandbox
        box.reports.put(("ready", None))
        event, deadline = box.events.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": box.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:us-east-1:123456789012:function:{box.name}",
            "Content-Type": "application/json",
        }
        self._answer(200, json.dumps(event).encode(), headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = {"response": "answer", "error": "init" if "/init/" in self.path else "error"}
        self.server.sandbox.reports.put((kind[self.path.rsplit("/", 1)[1]], json.loads(body)))
        self._answer(202, b"{}", {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        with suppress(ConnectionError):  # it was killed, or did not wait for this
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Sandbox:
    """Starts a function; `invoke` calls it, one call at a time, and kills it when its time is up."""

    def __init__(
        self, handler: str, folder: Path, env: Mapping[str, str], memory_mb: int, task_root: Path = ROOT
    ) -> None:
        self.name = handler.split(".")[1]
        self.events: queue.Queue[tuple[Any, float]] = queue.Queue()
        self.reports: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.request_id = ""
        self.peak_mb = self.init_cpu_seconds = 0.0
        self._log = folder / f"{self.name}-{uuid.uuid4().hex[:8]}.log"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
        self._server.daemon_threads = True
        self._server.sandbox = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        environment = self._environment(handler, env, memory_mb, task_root)
        began = time.monotonic()
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "awslambdaric", handler]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
        kind, report = self._report(PATIENCE_SECONDS)
        self.init_seconds = time.monotonic() - began
        with suppress(psutil.NoSuchProcess):
            times = psutil.Process(self.process.pid).cpu_times()
            self.init_cpu_seconds = times.user + times.system
        self.init_error = report if kind == "init" else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._note_memory()
        self.process.kill()
        self.process.wait()
        self._server.shutdown()
        self._server.server_close()

    def begin(self, event: Any, timeout: float = 300) -> None:
        """Hand an event over."""
        self.request_id = str(uuid.uuid4())
        self.events.put((event, time.time() + timeout))

    def answer(self, timeout: float = PATIENCE_SECONDS) -> Any:
        """Return the answer to the event that was handed over; FunctionError, or TimedOut after `timeout` seconds."""
        try:
            kind, report = self._report(timeout)
            if kind == "ready":  # after an error, which its client may not survive
                kind, report = self._report(timeout)
        except queue.Empty:
            self._note_memory()
            self.process.kill()
            self.process.wait()
            raise TimedOut(self.name) from None
        self._note_memory()
        if kind != "answer":
            raise FunctionError(report)
        self._report(PATIENCE_SECONDS)  # it asks for the next event
        return report

    def invoke(self, event: Any, timeout: float = PATIENCE_SECONDS) -> Any:
        """Call the function."""
        self.begin(event, timeout)
        return self.answer(timeout)

    def log(self) -> str:
        """Return what the process has written, that is what CloudWatch would keep."""
        return self._log.read_text("utf-8", errors="replace")

    def _report(self, timeout: float) -> tuple[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.reports.get(timeout=min(0.2, max(deadline - time.monotonic(), 0.01)))
            except queue.Empty:
                if self.process.poll() is not None and self.reports.empty():
                    raise AssertionError(f"{self.name} ended: {self.log()[-2000:]}") from None
                if time.monotonic() > deadline:
                    raise

    def _note_memory(self) -> None:
        """Keep the most memory that the process has held (VmHWM); what Lambda counts against MemorySize."""
        if self.process.poll() is None:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
            self.peak_mb = max(self.peak_mb, int(line.split()[1]) / 1024)

    def _environment(
        self, handler: str, env: Mapping[str, str], memory_mb: int, task_root: Path
    ) -> dict[str, str]:
        inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        return {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "HOME": NOWHERE,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(task_root), *inherited])),
            "LAMBDA_TASK_ROOT": str(task_root),
            "_HANDLER": handler,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            "AWS_LAMBDA_LOG_GROUP_NAME": "group",
            **env,
        }
