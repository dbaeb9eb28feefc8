"""Every stage that may have something to do gets a hint, also one that cannot say."""

from __future__ import annotations

import pytest

from lakehouse import signals
from lakehouse.errors import BadDefinition, Terminal, Transient
from lakehouse.settings import Settings
from lakehouse.stages import tick

SETTINGS = Settings(
    resolve_queue_url="resolve",
    aggregate_queue_url="aggregate",
    export_queue_url="export",
    books_queue_url="books",
)


def wrong(_):
    raise BadDefinition("s.yaml: where: not SQL")


def damaged(_):
    raise Terminal("s3://ops/outbound/x/1/run.json is damaged")


def away(_):
    raise ConnectionError("no route")


@pytest.mark.parametrize(
    ("resolve", "models", "export", "due", "hinted"),
    [
        (lambda _: False, lambda _: [], lambda _: False, [], ["resolve", "books"]),
        (lambda _: True, lambda _: [], lambda _: False, ["resolve"], ["resolve", "books"]),
        (
            lambda _: False,
            lambda _: ["core.orders"],
            lambda _: False,
            ["aggregate"],
            ["resolve", "aggregate", "books"],
        ),
        (
            away,
            lambda _: [],
            damaged,
            ["resolve", "export_segments"],
            ["resolve", "export", "books"],
        ),
        (lambda _: False, lambda _: [], wrong, ["export_segments"], ["resolve", "export", "books"]),
        (
            wrong,
            wrong,
            wrong,
            ["resolve", "aggregate", "export_segments"],
            ["resolve", "aggregate", "export", "books"],
        ),
    ],
)
def test_stages_with_something_to_do_get_a_hint(monkeypatch, resolve, models, export, due, hinted):
    """Books and resolve get one always; a wrong definition keeps no other stage from its hint."""
    sent = []
    monkeypatch.setattr(
        tick, "_PENDING_OF", {"resolve": resolve, "aggregate": models, "export_segments": export}
    )
    monkeypatch.setattr(signals, "send", lambda url, bodies, group=None: sent.append((url, bodies, group)))
    assert tick.tick(SETTINGS) == due
    assert [url for url, _, _ in sent] == hinted
    assert {(url, group) for url, _, group in sent if group} == {("books", "books")}


def test_a_queue_that_takes_no_hint_keeps_no_other_stage_from_its_own(monkeypatch):
    """It is raised at the end, so that the call counts as failed and is tried again."""
    always = dict.fromkeys(["resolve", "aggregate", "export_segments"], lambda _: True)
    monkeypatch.setattr(tick, "_PENDING_OF", always)
    sent = []

    def send(url, bodies, group=None):
        if url == "resolve":
            raise Transient("queue resolve did not take 1 messages")
        sent.append(url)

    monkeypatch.setattr(signals, "send", send)
    with pytest.raises(Transient, match="queue resolve"):
        tick.tick(SETTINGS)
    assert sent == ["aggregate", "export", "books"]
