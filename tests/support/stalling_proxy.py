"""Between a function and a service: hangs at a write, before the service hears of it or after it has done it."""

from __future__ import annotations

import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS = 0.02  # until the server hears that it is to end
_COMMIT = re.compile(r"/tables/[^/]+$")


def is_commit(method: str, path: str) -> bool:
    """Tell whether a request of an Iceberg REST catalog commits to a table."""
    return method == "POST" and _COMMIT.search(path) is not None


class StallingProxy:
    """Passes requests on as they are, signatures included; `stall` says at which moment of a write it hangs.

    `is_write` tells by method and path which requests are writes.
    """

    def __init__(self, target: str, is_write: Callable[[str, str], bool] = is_commit) -> None:
        self.target = urlsplit(target)
        self.is_write = is_write
        self.stall: Literal["", "before", "after"] = ""
        self.stalled = threading.Event()
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.proxy = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def hang(self, moment: Literal["", "before", "after"]) -> None:
        """Hang at the next write, at that moment."""
        self.stalled.clear()
        self._released.clear()
        self.stall = moment

    def release(self) -> None:
        """Let go of whoever hangs; the writes of before are never made."""
        self.stall = ""
        self._released.set()

    def wait_here(self) -> None:
        self.stalled.set()
        self._released.wait()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def _pass_on(self) -> None:
        proxy: StallingProxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        moment = proxy.stall if proxy.is_write(self.command, urlsplit(self.path).path) else ""
        if moment == "before":
            proxy.wait_here()
            self.close_connection = True
            return
        connection = http.client.HTTPConnection(proxy.target.hostname or "", proxy.target.port)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if moment == "after":
            proxy.wait_here()
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_HEAD = do_DELETE = do_PUT = _pass_on  # noqa: N815 - as the standard library names them

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
