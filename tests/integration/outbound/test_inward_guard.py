"""The guard on real connections: a server on this machine is inside, and nothing reaches it that was not allowed."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import stamina

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import client, credentials, open_destination
from lakehouse.outbound.records import Chunk, Row
from lakehouse.settings import Settings

ROW = Row(0, "c0", "a@x.org", "upsert", {"tier": "gold"})
CHUNK = Chunk("news", "00000001", "abc-0001", "mine", "contacts", "email", "marketing", "email", [ROW])


@pytest.fixture
def inside():
    """A server on loopback that notes who asked it, by the Host header, and answers a redirect for /moved."""

    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["Host"])
            self.send_response(302 if "/moved" in self.path else 200)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1], asked
    client.close_clients()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def send(tmp_path, monkeypatch):
    """Deliver a row to a destination at a URL."""
    monkeypatch.setattr(credentials, "secret", lambda _: {"mine": {"token": "t"}})
    (tmp_path / "destinations").mkdir()

    def deliver(url: str, inward_hosts: str = ""):
        text = f"name: mine\nkind: http\nurl: {url}\ntemplate: own_crm\n"
        (tmp_path / "destinations" / "mine.yaml").write_text(text, "utf-8")
        settings = Settings(definitions=tmp_path, inward_hosts=inward_hosts)
        with stamina.set_testing(True, attempts=1):
            return open_destination(settings, "mine").send(CHUNK, [ROW])

    return deliver


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_reaches_a_server_inside(inside, send, scheme, host):
    """However it is written."""
    port, asked = inside
    with pytest.raises(Terminal, match=r"destinations/mine\.yaml: url: "):
        send(f"{scheme}://{host}:{port}")
    assert asked == []


def test_a_name_that_turns_inward_after_it_was_looked_at_reaches_nobody(inside, send, monkeypatch):
    """Rebinding: outside at the first look, this machine at the second; whatever is connected to was looked at."""
    port, asked = inside
    looks = []

    def rebinding(host, port, *_, **__):
        text = host.decode() if isinstance(host, bytes) else host
        if text == "rebind.test":
            looks.append(text)
            address = "203.0.113.1" if len(looks) == 1 else "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
        raise AssertionError(f"{text} is not to be looked up")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(Terminal, match="leads to an address inside"):  # 203.0.113.0/24 is nobody's
        send(f"https://rebind.test:{port}")
    with pytest.raises(Terminal, match="leads to an address inside"):
        send(f"https://rebind.test:{port}")
    assert (asked, len(looks)) == ([], 2)


def test_a_host_that_is_allowed_is_reached_by_its_name(inside, send):
    """The setting names host and port."""
    port, asked = inside
    assert send(f"http://localhost:{port}", f"localhost:{port}")[0].status == "sent"
    assert asked == [f"localhost:{port}"]
    with pytest.raises(Terminal):
        send(f"http://localhost:{port}", f"localhost:{port + 1}")


def test_a_redirect_is_not_followed(inside, send):
    """Not even from an allowed host."""
    port, asked = inside
    with pytest.raises(Terminal, match="redirect"):
        send(f"http://localhost:{port}/moved", "localhost")
    assert len(asked) == 1
