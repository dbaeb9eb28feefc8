"""What a run would change: the next one, or one with other definitions over the same marts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lakehouse.segments import comparison, refresh
from lakehouse.segments.comparison import BEFORE, Difference, Side
from lakehouse.segments.definition import Segments
from lakehouse.tables import past, views
from lakehouse.tables.contracts import SEGMENT_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lakehouse.segments.definition import Segment
    from lakehouse.segments.read_only import Lake
    from lakehouse.segments.willing import Asked


def of_next_run(lake: Lake, asked: Callable[[str], Iterable[Asked]], most: int) -> list[Difference]:
    """Return what the next run would change in the members that there are, segment by segment.

    Why somebody enters is asked of the marts that the members were computed from, as long as these are kept.
    """
    wrong = lake.fulfil(lake.segments)
    lake.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {BEFORE} AS SELECT segment, customer_id FROM {SEGMENT_MEMBERS.name}"
    )
    defined = _by_name(lake.segments)
    known = {name for (name,) in lake.rows(f"SELECT DISTINCT segment FROM {BEFORE}")}
    # one that is not defined any more stood there before; one without a member may have, and says nothing of itself
    silent, scans = _marts_before(lake)
    before = Side(defined, {}, silent, partial(put_in_place, lake, scans))
    after = Side(defined, wrong)
    return comparison.compare(lake, {*defined, *known, *wrong}, before, after, asked, most)


def of_definitions(
    lake: Lake, others: Segments, asked: Callable[[str], Iterable[Asked]], most: int
) -> list[Difference]:
    """Return what other definitions would change, both asked of the marts as they are now."""
    wrong_before = lake.fulfil(lake.segments)
    lake.con.execute(f"ALTER TABLE fulfilling RENAME TO {BEFORE}")
    wrong_after = lake.fulfil(others)
    before = Side(
        _by_name(lake.segments), {name: f"was wrong before: {why}" for name, why in wrong_before.items()}
    )
    after = Side(_by_name(others), wrong_after)
    names = {*before.defined, *after.defined, *wrong_before, *wrong_after}
    return comparison.compare(lake, names, before, after, asked, most)


def _by_name(segments: Segments) -> dict[str, Segment]:
    return {segment.name: segment for segment in segments.defined}


def _marts_before(lake: Lake) -> tuple[str, dict[str, str]]:
    """Return why the marts are gone that the members were computed from ("": they are kept), and how to read them."""
    members = lake.tables.get(SEGMENT_MEMBERS.name)
    heads = refresh.computed_from(members) if members is not None else {}
    if not heads:
        return "members were never computed before", {}
    return marts_of(lake, heads, lake.segments.defined)


def marts_of(lake: Lake, heads: dict[str, str], segments: Iterable[Segment]) -> tuple[str, dict[str, str]]:
    """Return why tables of these heads cannot be read any more ("": they can), and the SELECT that reads each.

    They are those that customers' rows are made of, and that the segments ask besides.
    """
    scans: dict[str, str] = {}
    asking = tuple(segments)
    lake.show_tables_of(Segments(asking))
    asked = (name for name in refresh.tables_asked(asking) if heads.get(name))
    for name in (*refresh.INPUTS, *asked):
        table = lake.tables.get(name)
        snapshot = past.snapshot_of(table, heads.get(name, "")) if table is not None else None
        if table is None or snapshot is None:
            since = past.oldest(table) if table is not None else None
            oldest = f"; the oldest that is kept is of {since:%Y-%m-%d %H:%M} UTC" if since else ""
            return f"the snapshot {heads.get(name, '')} of {name} has expired{oldest}", {}
        scans[name] = views.scan_sql(table, snapshot.snapshot_id)
    return "", scans


def put_in_place(lake: Lake, scans: dict[str, str]) -> None:
    """Let the marts be what these SELECTs read."""
    for name, scan in scans.items():
        lake.con.execute(f"CREATE OR REPLACE VIEW {name} AS {scan}")
