"""The demo's steps: what each reports, and when it gives up."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lakehouse.errors import Transient
from lakehouse.local import demo
from lakehouse.local.data_folder import DataFolder
from lakehouse.local.policy import DemoPolicy
from lakehouse.outbound.definition import load_syncs, wrong_syncs
from lakehouse.segments import definition as segment_definition
from lakehouse.settings import Settings
from lakehouse.stages import status, tick


class Steps:
    """Notes the progress that is reported."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, int]] = []

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        assert step in demo.STEPS
        self.heard.append((step, done, total))


@pytest.fixture
def steps() -> Steps:
    return Steps()


def test_every_stage_that_may_be_due_is_a_step() -> None:
    """So that each can be shown."""
    assert set(tick._PENDING_OF) <= set(demo.STEPS)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A loop that has files in flight and due stages as a test says, one look after the other."""
    state = SimpleNamespace(in_flight=[0], due=[[]], busy=[False], hinted=[])

    def next_of(values: list[Any]) -> Any:
        return values.pop(0) if len(values) > 1 else values[0]

    monkeypatch.setattr(
        status, "status", lambda _: {"ingest": {"files": 5, "in_flight": next_of(state.in_flight)}}
    )
    monkeypatch.setattr(tick, "pending", lambda _: next_of(state.due))
    monkeypatch.setattr(tick, "hint", lambda _, stages: state.hinted.append(list(stages)))
    monkeypatch.setattr(demo, "has_messages", lambda _: next_of(state.busy))
    monkeypatch.setattr(DemoPolicy, "poll_seconds", 0.0)
    return state


def test_the_loop_is_settled_when_no_file_and_no_stage_is_left(loop: Any, steps: Steps) -> None:
    """Files are counted; the first stage that is due is under way."""
    loop.in_flight, loop.due = [2, 0], [["resolve", "aggregate"], ["aggregate"], []]
    looks: list[int] = []
    demo.settle(Settings(), steps, lambda: looks.append(1))
    assert steps.heard == [
        ("ingest", 3, 5),
        ("ingest", 0, 0),
        ("ingest", 5, 5),
        ("resolve", 0, 0),
        ("ingest", 5, 5),
        ("aggregate", 0, 0),
        ("ingest", 5, 5),
    ]
    assert len(looks) == 4
    assert loop.hinted == [["ingest"], ["resolve", "aggregate"], ["aggregate"]]  # nobody waits for `tick`


def test_while_queues_have_messages_tables_are_looked_at_now_and_then(
    loop: Any, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first, and when it is time: a message that comes back later keeps nobody waiting."""
    loop.due = [["resolve"], ["aggregate"], []]
    loop.busy = [True, False, True, False]
    demo.settle(Settings(), steps, lambda: None)
    assert steps.heard == [
        ("ingest", 5, 5),
        ("resolve", 0, 0),
        ("resolve", 0, 0),
        ("ingest", 5, 5),
        ("aggregate", 0, 0),
        ("ingest", 5, 5),
    ]
    assert loop.hinted == [["aggregate"]]  # `resolve` had its message
    steps.heard.clear()
    loop.due, loop.busy = [["resolve"], []], [True]
    monkeypatch.setattr(DemoPolicy, "look_seconds", 0.0)
    demo.settle(Settings(), steps, lambda: None)
    assert steps.heard == [("ingest", 5, 5), ("resolve", 0, 0), ("ingest", 5, 5)]


def test_a_loop_that_does_not_settle_ends_the_demo(
    loop: Any, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how long it took and where to look."""
    monkeypatch.setattr(DemoPolicy, "settle_seconds", 0.0)
    with pytest.raises(Transient, match=r"within 0 s; see logs/functions\.log"):
        demo.settle(Settings(), steps, lambda: None)


def test_landing_counts_what_is_new(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second demo finds every file there."""
    monkeypatch.setattr(demo, "put", lambda _bucket, key, _path: SimpleNamespace(fresh=key == "shop/orders"))
    files = [("shop/orders", Path("a")), ("web/events", Path("b"))]
    assert demo.land(Settings(), files, steps) == (1, 1)
    assert steps.heard == [("land", 1, 2), ("land", 2, 2)]


def test_the_company_is_written_once_and_the_sample_reports_as_one_step(
    tmp_path: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was cut off, without `truth.json`, is written again."""

    def write_purchases(folder: Path, *, progress: Any) -> list[Any]:
        progress("shop/orders", 1, 2)
        progress("web/events", 2, 2)
        return [SimpleNamespace(source="shop", entity="orders", path=folder / "orders.csv")]

    def write_company(folder: Path, **_: Any) -> None:
        assert not folder.exists()
        (folder / "zoho" / "leads").mkdir(parents=True)
        (folder / "zoho" / "leads" / "a.csv").touch()
        (folder / "truth.json").touch()
        written.append(folder)

    written: list[Path] = []
    monkeypatch.setattr(demo.purchases, "write", write_purchases)
    monkeypatch.setattr(demo.company, "write", write_company)
    for _ in range(2):
        files = demo.write_sample(tmp_path, steps)
    folder = tmp_path / "sample"
    assert files == [
        ("shop/orders", folder / "orders.csv"),
        ("zoho/leads", folder / "company" / "zoho" / "leads" / "a.csv"),
    ]
    assert steps.heard == [("sample", 0, 0), ("sample", 1, 2), ("sample", 2, 2)] * 2
    (folder / "company" / "truth.json").unlink()
    demo.write_sample(tmp_path, steps)
    assert written == [folder / "company"] * 2


def test_its_own_definitions_are_sound_and_leave_people_s_alone(tmp_path: Path) -> None:
    """A segment with a control group, two syncs that share one cap; a file that somebody changed stays."""
    folder = DataFolder(tmp_path / "lake")
    demo.write_definitions(folder)
    segments, syncs = segment_definition.load(folder.definitions), load_syncs(folder.definitions)
    assert not segments.wrong
    assert not wrong_syncs(folder.definitions)
    contacting = {name: sync for name, sync in syncs.items() if sync.contact}
    assert set(contacting) == {"winback_mail", "invitation_mail"}
    asked = {name for sync in contacting.values() for name in sync.asked_segments}
    by_name = {segment.name: segment for segment in segments.defined}
    assert any(by_name[name].control_share for name in asked)
    changed = folder.definitions / "syncs" / "winback_mail.yaml"
    changed.write_text("name: winback_mail\nenabled: false\n", encoding="utf-8")
    demo.write_definitions(folder)
    assert "enabled: false" in changed.read_text("utf-8")
