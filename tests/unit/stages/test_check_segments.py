"""What is wrong with segments is told before one runs: all of it, with file, field, line and nearest name."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from lakehouse.segments import definition
from lakehouse.segments.new_segment import FORMS, new_segment
from lakehouse.segments.policy import SegmentPolicy
from lakehouse.settings import Settings
from lakehouse.stages import check_segments as stage
from lakehouse.stages.check_segments import check_over_lake, check_segments

HEAD = "name: big\ntitle: T\ndoc: D\n"
SYNC = """name: mine
destination: hubspot
id: {property: email, from: email}
purpose: marketing
channel: email
segments: [big]
properties: {a: segments}
"""


@pytest.fixture
def check(tmp_path):
    """Write segments and syncs by name, check all, and return what is told as `file: field: message (line)`."""

    def run(syncs: dict[str, str] | None = None, **texts: str | bytes) -> list[str]:
        for folder, files in (("segments", texts), ("syncs", syncs or {})):
            (tmp_path / "own" / folder).mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                content = text if isinstance(text, bytes) else text.encode()
                (tmp_path / "own" / folder / f"{name.replace('__', '.')}").write_bytes(content)
        number, found = check_segments(Settings(scratch=tmp_path, definitions=tmp_path / "own"))
        assert number == len(definition.files(tmp_path / "own"))
        assert {each.level for each in found} <= {"error"}
        return [f"{each.file}: {each.field}: {each.message} ({each.line})" for each in found]

    return run


def test_what_ships_is_right(check):
    """Each file and each sync."""
    assert check() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "where: revenu > 1 AND ordrs > 2",
            ["where: there is no column revenu; did you mean revenue? (4)",
             "where: there is no column ordrs; did you mean orders? (4)"],
            id="each unknown column",
        ),
        pytest.param("where: orders > 1\nexlude: [x]", ["exlude: unknown name; did you mean exclude? (5)"],
                     id="a field"),
        pytest.param("where: orders > 1\ninclude: [high_valu]",
                     ["include: there is no segment high_valu; did you mean high_value? (5)"], id="another segment"),
        pytest.param("where: orders > 1\nexclude: [big]", ["exclude: it names itself: big → big (5)"], id="a circle"),
        pytest.param("where: orders > 1\ninclude: [high_value]\nexclude: [high_valu]",
                     ["exclude: there is no segment high_valu; did you mean high_value? (6)"], id="one of two lists"),
        pytest.param("where: no_such(orders) > 1", ["where: Catalog Error: Scalar Function with name no_such"],
                     id="a function"),
        pytest.param("where: orders > DATE '2026-01-01'", ["where: "], id="a type"),
        pytest.param('where: "true); DROP TABLE marts.rfm; --"', ["where: not"], id="it writes"),
        pytest.param("where: customer_id IN (SELECT * FROM '/etc/passwd')", ["where: '/etc/passwd' cannot be read"],
                     id="it reads files"),
        pytest.param(
            "where: (WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n FROM t) SELECT max(n) FROM t) > 0",
            ["where: WITH RECURSIVE may never end"], id="it never ends",
        ),
        pytest.param("where: error('stop') IS NULL", ["where: "], id="it fails"),
        pytest.param("where: regexp_matches(customer_id, '(')", ["where: "], id="a pattern"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_where_it_stands(check, text, told):
    """Before anything runs."""
    found = check(big__yaml=HEAD + text)
    assert len(found) == len(told), found
    for line, start in zip(found, told, strict=True):
        assert line.startswith(f"segments/big.yaml: {start}"), line


def test_a_file_that_is_none_is_told(check):
    """No UTF-8, no YAML, another's name, two of one name."""
    found = check(
        a__yaml=b"\xff\xfe", b__yaml="name: [b", c__yaml=HEAD + "where: orders > 1", d__yaml="", d__yml=""
    )
    starts = ["a.yaml: the whole file: not UTF-8", "b.yaml: the whole file: not YAML",
              "c.yaml: name: 'big' must be the file's own name (1)", "d.yml: the whole file: "]  # fmt: skip
    assert [any(line.startswith(f"segments/{start}") for line in found) for start in starts] == [True] * 4, (
        found
    )
    twice = check(a__yaml="", b__yaml="", c__yaml="", d__yaml="", big__yaml=HEAD + "where: orders > 1",
                  big__yml=HEAD + "where: orders > 1")  # fmt: skip
    assert "segments/big.yml: the whole file: big is defined by big.yaml too (0)" in twice


def test_a_sync_that_names_no_segment_is_told(check):
    """With the nearest; of a segment whose file is wrong it is told once."""
    assert check({"mine.yaml": SYNC, "bad.yaml": "name: [bad"}, big__yaml=HEAD + "where: orders > 1") == [
        "syncs/bad.yaml: the whole file: not YAML: did not find expected ',' or ']' (line 2) (0)"
    ]
    assert check({"mine.yaml": SYNC, "bad.yaml": SYNC.replace("mine", "bad").replace("[big]", "[bigg]")}) == [
        "syncs/bad.yaml: segments: there is no segment bigg; did you mean big? (0)"
    ]


def test_a_condition_that_never_ends_is_ended(check, monkeypatch):
    """Rows that a query makes itself need no customer."""
    monkeypatch.setattr(SegmentPolicy, "longest_seconds", 0.2)
    endless = (
        "(SELECT count(*) FROM (SELECT unnest(range(100000)) AS a), (SELECT unnest(range(100000)) AS b), "
        "(SELECT unnest(range(100000)) AS c) WHERE a + b + c < 0) = orders"
    )
    [found] = check(big__yaml=HEAD + f"where: {endless}")
    assert "it takes longer than 0.2 seconds" in found


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_new_segment_passes(check, tmp_path, form):
    """As it is written, and with each condition of `who` that stands in its comments."""
    path = new_segment(tmp_path / "own", "quiet_regulars", form)
    assert check() == []
    path.write_text(
        path.read_text("utf-8").replace("\n#   - ", "\n    - ").replace("\n#       - ", "\n        - "),
        "utf-8",
    )
    assert check() == []


def test_what_is_said_without_sql_is_checked_where_it_stands(check):
    """Over all tables that there may be, filled or not; also rules and parameters."""
    text = """who:
  all:
    - {field: revenue, at_least: 1}
    - {field: churn_risk.churn_probabilty, at_least: 1}
"""
    [found] = check(big__yaml=HEAD + text)
    assert found == (
        "segments/big.yaml: who.all.1.field: marts.churn_risk has no column churn_probabilty; "
        "did you mean churn_probability? (7)"
    )
    [found] = check(big__yaml=HEAD + "where: orders > 1\ntrigger: win_bak\n")
    assert found == "segments/big.yaml: trigger: there is no trigger win_bak; did you mean win_back? (5)"
    [found] = check(big__yaml=HEAD + "select: SELECT customer_id, orders FROM marts.customer_360\n")
    assert "select: it must give one column, customer_id, and gives customer_id, orders (4)" in found
    assert (
        check(big__yaml=HEAD + "who: {count: events, that: {field: properties.plan, is: a}, at_least: 1}")
        == []
    )


def test_comments_of_a_new_segment_are_right_too(check, tmp_path):
    """Whoever takes away the # finds a segment that passes."""
    path = new_segment(tmp_path / "own", "quiet_regulars")
    lines = path.read_text().splitlines()
    first = lines.index("# include: [high_value]")
    fields = [line.removeprefix("# ") for line in lines[first:] if ":" in line]
    path.write_text("\n".join([*lines[:first], *fields]))
    assert check() == []
    assert definition.load(tmp_path / "own").defined[2].guard_rails.most_members == 50_000


def test_over_a_lake_a_destination_that_may_not_be_reached_is_told(tmp_path, monkeypatch):
    """Before anything is to be sent: also where no marts are computed yet."""

    @contextmanager
    def open_lake(_):
        yield SimpleNamespace(tables={})

    monkeypatch.setattr(stage, "open_lake", open_lake)
    monkeypatch.setattr(stage, "unreachable", lambda _: {"mine": "destinations/crm.yaml: url: inward"})
    [found] = check_over_lake(Settings(scratch=tmp_path))
    assert (found.level, found.file, found.field) == ("error", "syncs/mine.yaml", "destination")
    assert found.message == "destinations/crm.yaml: url: inward"
