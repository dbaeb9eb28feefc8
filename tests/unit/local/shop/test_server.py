"""The shop's server: its pages are there, and what is no request of its own pages is refused."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime

import httpx
import pytest

from lakehouse.errors import Terminal, Transient
from lakehouse.local.policy import ShopPolicy
from lakehouse.local.shop import server
from lakehouse.local.shop.office import Office

JSON = {"Content-Type": "application/json"}


def known(device):
    if device == "busy":
        raise Transient("the store is busy")
    if device == "broken":
        raise KeyError("ada@shop.example")
    return {"events": [], "customer": None, "timeline": [], "device": device}


@pytest.fixture
def shop(tmp_path):
    office = Office(tmp_path, lambda _: None, lambda: datetime(2026, 11, 30, tzinfo=UTC))
    running = server.start(server.Shop("http://127.0.0.1:9", "key", "timeline CUSTOMER", office, known))
    with httpx.Client(base_url=running.url) as client:
        yield client
    running.stop()


@pytest.mark.parametrize(
    "path", ["/", "/products/assam", "/basket", "/account", "/whatever?x=1", "/../secrets.json"]
)
def test_every_path_is_the_page(shop, path):
    """Which page it is the browser sees by the path; no path leads out of the shop's files."""
    answer = shop.get(path)
    assert (answer.status_code, "Tea shop" in answer.text) == (200, True)


def test_all_that_the_page_names_is_there(shop, monkeypatch, tmp_path):
    """Scripts and styles are the shop's own, and the SDK where it was installed: none is fetched from elsewhere."""
    pages = shutil.copytree(server._PAGES, tmp_path / "pages")
    (pages / "analytics.js").write_text("// as npm has it")
    monkeypatch.setattr(server, "_PAGES", pages)
    named = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', shop.get("/").text)
    files = [name for name in named if "." in name]
    assert len(files) == 5
    for name in files:
        assert name.startswith("/")
        answer = shop.get(name)
        assert "Tea shop" not in answer.text
        assert re.match("text/(javascript|css)", answer.headers["content-type"])


def test_without_the_sdk_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    """Before a stack is started: a shop without it would show nothing."""
    monkeypatch.setattr(server, "_SDK", tmp_path / "analytics.js")
    with pytest.raises(Terminal, match="make shop"):
        server.check_sdk()
    (tmp_path / "analytics.js").touch()
    server.check_sdk()


def test_the_browser_may_reach_the_collector_and_nobody_else(shop):
    """Whatever the SDK would like to load: the demo works without a network."""
    policy = shop.get("/").headers["content-security-policy"]
    assert policy == "default-src 'self'; connect-src 'self' http://127.0.0.1:9; img-src 'self' data:"


def test_somebody_signs_in_and_buys(shop):
    """The two calls of the page."""
    user = shop.post("/sign-in", json={"email": "ada@shop.example"}).json()["userId"]
    order = shop.post("/orders", json={"userId": user, "lines": {"assam": 2}})
    assert (order.status_code, order.json()["cents"]) == (200, 1_780)


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/sign-in", JSON, b"{", 400),
        ("/sign-in", JSON, b"[]", 400),
        ("/sign-in", JSON, b"\xff", 400),
        ("/sign-in", JSON, b"[" * 10_000, 400),
        ("/sign-in", JSON, b'{"email": "nobody"}', 400),
        ("/orders", JSON, b"{}", 400),
        ("/elsewhere", JSON, b"{}", 404),
        ("/sign-in", {"Content-Type": "text/plain"}, b"{}", 415),
        ("/sign-in", {}, b"{}", 415),
        ("/sign-in", JSON, b" " * (ShopPolicy.body_bytes + 1), 413),
        ("/sign-in", JSON | {"Host": "shop.example"}, b"{}", 403),
        ("/sign-in", JSON | {"Host": "127.0.0.1.shop.example"}, b"{}", 403),
    ],
)
def test_a_request_that_is_none_is_refused(shop, path, headers, body, status):
    """With a message; a page of another origin cannot send JSON without being asked, nor under another name."""
    answer = shop.post(path, content=body, headers=headers)
    assert (answer.status_code, list(answer.json())) == (status, ["message"])


def test_another_name_reads_nothing(shop):
    """DNS rebinding: a name that somebody points here is not the shop's."""
    assert shop.get("/known?anonymousId=a", headers={"Host": "evil.example:80"}).status_code == 403


def test_a_length_that_is_none_is_refused(shop):
    """Before anything is read."""
    assert shop.post("/sign-in", headers=JSON, content=iter([b"{}"])).status_code == 411


def test_what_is_known_of_a_device_is_told(shop):
    """And what fails is said without what the error holds."""
    assert shop.get("/known?anonymousId=a%26b").json()["device"] == "a&b"
    busy, broken = (shop.get(f"/known?anonymousId={device}") for device in ("busy", "broken"))
    assert (busy.status_code, busy.json()) == (503, {"message": "the store is busy"})
    assert (broken.status_code, broken.json()) == (503, {"message": "the shop failed: see the log"})


def test_a_second_shop_takes_another_port(shop, tmp_path):
    """The port is wanted, not needed."""
    other = server.start(
        server.Shop("http://127.0.0.1:9", "key", "", Office(tmp_path, print, datetime.now), known)
    )
    try:
        config = httpx.get(f"{other.url}config.js").text
    finally:
        other.stop()
    assert json.loads(config.removeprefix("const SHOP = ").removesuffix(";\n"))["writeKey"] == "key"
