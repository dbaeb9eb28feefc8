"""A world of each destination: itself, a simulator, and a wire between them on which faults happen."""

from __future__ import annotations

import httpx
import pytest
import stamina

from lakehouse.outbound.destinations import hubspot_api
from tests.support.destination_worlds import World
from tests.support.hubspot_crm import Crm


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Make a world by its name; nothing waits in it."""
    with stamina.set_testing(True, attempts=4):
        yield lambda name: World(name, tmp_path, monkeypatch)


@pytest.fixture
def crm(tmp_path, monkeypatch):
    made = Crm(tmp_path)
    client = httpx.Client(base_url="http://hubspot.test", transport=made.wire)
    monkeypatch.setattr(hubspot_api, "http_client", lambda _: client)
    yield made
    made.store.close()
