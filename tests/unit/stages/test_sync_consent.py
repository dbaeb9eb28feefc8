"""A sync asks consent for what it says, or its segments do; where they disagree nothing is sent."""

from __future__ import annotations

import pytest

from lakehouse.outbound.definition import Sync
from lakehouse.segments.definition import Segment, Segments
from lakehouse.settings import Settings
from lakehouse.stages import sync_orders
from lakehouse.stages.check_segments import check_segments
from lakehouse.stages.sync_consent import asking_syncs, with_consent

SYNC = "destination: hubspot\nid: {property: email, from: email}\nproperties: {a: segments}\n"


def segment(name: str, **said: str) -> Segment:
    return Segment.model_validate({"name": name, "title": "T", "doc": "D", "where": "true", **said})


def sync(**said: object) -> Sync:
    content = {"name": "mine", "destination": "hubspot", "id": {"property": "email", "from": "email"},
               "segments": ["a", "b"], "properties": {"p": "segments"}}  # fmt: skip
    return Sync.model_validate({**content, **said})


@pytest.mark.parametrize(
    ("own", "a", "b", "purpose", "says"),
    [
        ("marketing", "", "", "marketing", ""),
        ("", "marketing", "", "marketing", ""),
        ("", "marketing", "marketing", "marketing", ""),
        ("marketing", "marketing", "", "marketing", ""),
        ("service", "", "marketing", "", "purpose: it says service, and its segment b says marketing; they must agree"),
        ("", "service", "marketing", "",
         "purpose: its segment a says service, and b says marketing; make it two syncs"),
        ("", "", "", "", "purpose: neither it nor one of its segments says a purpose"),
    ],
)  # fmt: skip
def test_what_is_asked_is_said_once(own, a, b, purpose, says):
    """By the sync or by its segments; those whose members it leaves out have no say."""
    named = [segment(name, **({"purpose": said} if said else {})) for name, said in (("a", a), ("b", b))]
    others = [segment("c", purpose="other", channel="other")]
    asked = {"channel": "email", "suppress": ["c"], **({"purpose": own} if own else {})}
    found, problem = with_consent(sync(**asked), Segments((*named, *others)))
    assert problem.startswith(says)
    assert bool(problem) == bool(says)
    if not says:
        assert (found.purpose, found.channel) == (purpose, "email")


def test_a_sync_without_an_answer_is_held_and_told(tmp_path, monkeypatch):
    """By check, and by whoever plans; nobody guesses what somebody has agreed to."""
    monkeypatch.setattr(sync_orders.retired, "last_definition", lambda *_: None)
    for folder, name, text in (
        ("segments", "a", "title: T\ndoc: D\nwhere: orders > 1\npurpose: marketing\nchannel: sms\n"),
        ("syncs", "inherits", f"{SYNC}segments: [a]\n"),
        ("syncs", "conflicts", f"{SYNC.replace('{a:', '{b:')}segments: [a]\nchannel: email\n"),
        ("syncs", "silent", f"{SYNC.replace('{a:', '{c:')}segments: [high_value]\n"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.yaml").write_text(f"name: {name}\n{text}")
    settings = Settings(definitions=tmp_path, scratch=tmp_path)
    asked = {each.name: (each.purpose, each.channel) for each in asking_syncs(tmp_path)}
    assert asked["inherits"] == ("marketing", "sms")
    assert asked.keys().isdisjoint({"conflicts", "silent"})
    held = sync_orders.wrong(settings, ["a", "high_value", "new_this_month", "sleeping_regulars"])
    assert set(held) == {"conflicts", "silent"}
    assert "channel: it says email, and its segment a says sms" in held["conflicts"]
    told = {finding.file: (finding.field, finding.message) for finding in check_segments(settings)[1]}
    assert told["syncs/conflicts.yaml"][0] == "channel"
    assert told["syncs/silent.yaml"][0] == "purpose"
    assert set(told) == {"syncs/conflicts.yaml", "syncs/silent.yaml"}
