"""What is to be done for each sync, by its file, its log and its neighbours."""

from __future__ import annotations

import pytest

from lakehouse.settings import Settings
from lakehouse.stages import sync_orders
from tests.unit.outbound.test_changes import SYNC

SETTINGS = Settings(ops_bucket="ops")


def sync(name: str, **more):
    return SYNC.model_copy(update={"name": name, **more})


@pytest.fixture
def given(monkeypatch):
    """Let there be syncs that are wanted, switched off and wrong, and logs."""

    def make(wanted=(), switched_off=(), wrong=(), logs=()):
        monkeypatch.setattr(sync_orders, "load_syncs", lambda _: {one.name: one for one in wanted})
        monkeypatch.setattr(sync_orders, "disabled_syncs", lambda _: {one.name: one for one in switched_off})
        monkeypatch.setattr(sync_orders, "wrong_syncs", lambda _: dict.fromkeys(wrong, "not YAML"))
        monkeypatch.setattr(sync_orders.log, "syncs", lambda _: list(logs))
        monkeypatch.setattr(sync_orders.retired, "last_definition", lambda _, name: sync(name))
        return [
            (order.name, order.kind, order.sync is not None, order.wrong is not None)
            for order in sync_orders.orders(SETTINGS, {"vip"})
        ]

    return make


def test_what_ended_comes_first(given):
    """Switched off or gone; nothing is to be done for one that never sent anything."""
    found = given([sync("a")], [sync("off"), sync("never")], (), ("a", "off", "gone"))
    assert found == [
        ("gone", "ended", True, False),
        ("off", "ended", True, False),
        ("a", "wanted", True, False),
    ]


def test_what_is_wrong_is_held_and_told(given):
    """A file that cannot be read is no file that is gone."""
    assert given([], [], ("a", "b"), ("a",)) == [("a", "held", True, True), ("b", "held", False, True)]


def test_an_unknown_segment_holds_its_sync_alone(given):
    """Nobody is in it, and everybody would be taken off."""
    assert given([sync("a", segments=("vpi",)), sync("b", properties={"other": "m"})]) == [
        ("a", "held", True, True), ("b", "wanted", True, False),
    ]  # fmt: skip
    assert "did you mean vip" in sync_orders.unknown_segment(sync("a", segments=("vpi",)), {"vip"})


def test_of_two_that_write_one_property_the_second_is_held(given):
    """They would fight over it."""
    assert given([sync("a"), sync("b")]) == [("a", "wanted", True, False), ("b", "held", True, True)]


@pytest.mark.parametrize(
    ("url", "inside", "told"),
    [
        ("http://127.0.0.1:8080", "", "destinations/crm.yaml: url: only https://"),
        ("https://127.0.0.1", "", "destinations/crm.yaml: url: 127.0.0.1 points inward"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", ""),
        ("https://crm.example.com", "", ""),
    ],
)
def test_a_destination_that_may_not_be_reached_is_told(tmp_path, url, inside, told):
    """Before anything is on its way, and with the setting that allows it; `status` and `segments check` ask this."""
    (tmp_path / "destinations").mkdir()
    (tmp_path / "syncs").mkdir()
    (tmp_path / "destinations" / "crm.yaml").write_text(
        f"name: crm\nkind: http\nurl: {url}\ntemplate: own_crm\n"
    )
    (tmp_path / "syncs" / "mine.yaml").write_text(
        "name: mine\ndestination: crm\nobject: people\nid: {property: email, from: email}\n"
        "purpose: marketing\nchannel: email\nsegments: [vip]\nproperties: {tier: segments}\n"
    )
    settings = Settings(ops_bucket="ops", definitions=tmp_path, inward_hosts=inside)
    found = sync_orders.wrong(settings, {"vip", "high_value", "new_this_month", "sleeping_regulars"})
    assert list(found) == (["mine"] if told else [])
    assert all(reason.startswith(told) for reason in found.values())
