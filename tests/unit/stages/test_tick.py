"""Every stage that may have something to do gets a hint, also one that cannot say."""

from __future__ import annotations

import pytest

from lakehouse import signals
from lakehouse.errors import BadDefinition
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


@pytest.mark.parametrize(
    ("resolve", "models", "export", "due", "hinted"),
    [
        (lambda _: False, lambda _: [], lambda _: False, [], ["aggregate", "books"]),
        (lambda _: True, lambda _: [], lambda _: False, ["resolve"], ["resolve", "aggregate", "books"]),
        (lambda _: False, lambda _: ["core.orders"], lambda _: False, ["aggregate"], ["aggregate", "books"]),
        (lambda _: False, lambda _: [], wrong, ["export_segments"], ["aggregate", "export", "books"]),
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
    """Books and aggregate get one always; a wrong definition keeps no other stage from its hint."""
    sent = []
    monkeypatch.setattr(
        tick, "_PENDING_OF", {"resolve": resolve, "aggregate": models, "export_segments": export}
    )
    monkeypatch.setattr(signals, "send", lambda url, bodies, group=None: sent.append((url, bodies, group)))
    assert tick.tick(SETTINGS) == due
    assert [url for url, _, _ in sent] == hinted
    assert {(url, group) for url, _, group in sent if group} == {("books", "books")}
