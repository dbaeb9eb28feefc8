"""What people ask of a segment: who is in it and may be written to, why somebody is, what a change would do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.engine.escape import identifier
from lakehouse.errors import Terminal
from lakehouse.outbound.preview import masked
from lakehouse.segments import definition, differences, parameters, willing
from lakehouse.segments.control import in_control_sql
from lakehouse.segments.effect import buying_share
from lakehouse.segments.known import CUSTOMERS_SQL, known_of
from lakehouse.segments.policy import EffectPolicy, SegmentPolicy
from lakehouse.segments.question import WrongQuestionError, question_of, text_of
from lakehouse.segments.read_only import open_lake, segment_named, with_those_named
from lakehouse.segments.trace import Line, trace
from lakehouse.segments.uplift import visible_from
from lakehouse.stages.sync_consent import asking_syncs
from lakehouse.tables.contracts import SEGMENT_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lakehouse.segments.comparison import Difference
    from lakehouse.segments.definition import Segment
    from lakehouse.segments.read_only import Lake
    from lakehouse.segments.willing import Asked
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class Preview:
    """Who would be in a segment now: how many, how many lack consent by `purpose/channel`, and some, names masked.

    `members` are those that it has since the last run. `wrong` says why a run would keep them ("": it would not).
    `control` of those who would be in it would be its control group; `visible_from` is the smallest difference between
    the shares that buy which groups of these sizes show in four cases of five, None where there is no such group or
    none of them can be told (`effect` of `lakehouse segments`, `EffectPolicy.days`).
    """

    segment: str
    title: str
    doc: str
    where: str
    parameters: dict[str, Any]
    as_of: Any
    size: int
    members: int
    lacking: dict[str, int]
    control: int
    visible_from: float | None
    sample: tuple[dict[str, Any], ...]
    wrong: str


@dataclass(frozen=True)
class Why:
    """Why a customer is in a segment or is not: `since` when it is (None: it is not), and the definition's lines now.

    `fulfils` says whether a run would have it in now. `wrong` says why a run keeps the members that there are.
    """

    segment: str
    customer: str
    since: Any
    as_of: Any
    fulfils: bool
    lines: tuple[Line, ...]
    include: dict[str, bool]
    exclude: dict[str, bool]
    wrong: str


def preview(settings: Settings, name: str, set_to: Mapping[str, str] | None = None) -> Preview:
    """Return who would be in a segment now; nothing is written. `set_to` are its parameters that are set otherwise.

    Raises `Terminal` for a segment or a parameter that there is not, and for a value that the parameter does not take.
    """
    with open_lake(settings) as lake:
        segment = segment_named(lake.segments, name)
        try:
            values = parameters.given(segment.parameters, set_to or {})
        except ValueError as error:
            raise Terminal(f"segment {name}: {error}") from None
        wrong = lake.fulfil(with_those_named(lake.segments, name), {name: set_to or {}})
        ((size, as_of),) = lake.rows(
            "SELECT count(*), (SELECT max(as_of) FROM marts.customer_360) FROM fulfilling WHERE segment = ?",
            [name],
        )
        ((members,),) = lake.rows(f"SELECT count(*) FROM {SEGMENT_MEMBERS.name} WHERE segment = ?", [name])
        in_it = f"SELECT customer_id FROM fulfilling WHERE segment = '{name}'"
        lacking = willing.count_lacking(lake, in_it, consents_asked(settings.definitions, name))
        return Preview(
            name,
            segment.title,
            " ".join(segment.doc.split()),
            text_of(segment),
            {each: _plain(value) for each, value in values.items()},
            as_of,
            int(size),
            int(members),
            lacking,
            *_comparison(lake, segment, in_it, int(size)),
            tuple(_sample(lake, segment, set_to or {}, is_wrong=name in wrong)),
            wrong.get(name, ""),
        )


def _comparison(lake: Lake, segment: Segment, in_it: str, size: int) -> tuple[int, float | None]:
    """Return how many would be in the control group, and which difference would show."""
    drawn = in_control_sql(segment.name, "customer_id", segment.control_share)
    ((control,),) = lake.rows(f"SELECT count(*) FROM ({in_it}) WHERE {drawn}")
    share = buying_share(lake, in_it, EffectPolicy.days) if control else None
    visible = visible_from(share, size - control, control) if share is not None else None
    return int(control), visible


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _sample(
    lake: Lake, segment: Segment, set_to: Mapping[str, str], *, is_wrong: bool
) -> list[dict[str, Any]]:
    """Return some of a segment's customers: who they are is masked, what the condition asks of them is not."""
    columns: tuple[str, ...] = ()
    if not is_wrong:
        with suppress(WrongQuestionError):
            columns = question_of(segment, known_of(lake.con), set_to).columns
    names = [name for name in columns if name != "customer_id"]
    shown = ", ".join(f"c.{identifier(name)}" for name in names)
    rows = lake.rows(
        f"""SELECT f.customer_id, p.name, p.email{", " if shown else ""}{shown}
        FROM (SELECT customer_id FROM fulfilling WHERE segment = ? ORDER BY 1 LIMIT ?) AS f
        JOIN ({CUSTOMERS_SQL}) AS c USING (customer_id) LEFT JOIN core.customers AS p USING (customer_id)
        ORDER BY 1""",
        [segment.name, SegmentPolicy.sample_rows],
    )
    return [
        {
            "customer": customer,
            "name": f"{person[:1]}…" if person else "",
            "email": masked(email) if email else "",
            "values": dict(zip(names, map(_hidden, values), strict=True)),
        }
        for customer, person, email, *values in rows
    ]


def _hidden(value: Any) -> Any:
    return masked(value) if isinstance(value, str) and "@" in value else value


def explain(settings: Settings, name: str, customer: str) -> Why:
    """Return why a customer is in a segment, or is not, by the marts as they are now.

    Raises `Terminal` where there is no such segment, and where nobody knows the customer.
    """
    with open_lake(settings) as lake:
        segment = segment_named(lake.segments, name)
        wrong = lake.fulfil(with_those_named(lake.segments, name))
        since = lake.rows(
            f"SELECT entered_on FROM {SEGMENT_MEMBERS.name} WHERE segment = ? AND customer_id = ?",
            [name, customer],
        )
        found = trace(lake.con, segment, customer)
        if found.as_of is None and not found.wrong and not since:
            raise Terminal(
                f"marts.customer_360 has no row of {customer}: `lakehouse identity explain` finds customers"
            )
    return Why(
        name,
        customer,
        since[0][0] if since else None,
        found.as_of,
        found.fulfils,
        found.lines,
        found.include,
        found.exclude,
        wrong.get(name, ""),
    )


def diff(settings: Settings, name: str | None, folder: Path | None, most: int) -> list[Difference]:
    """Return what the next run would change, or the definitions of another folder: of one segment, or of all.

    Raises `Terminal` for a segment that is in neither, and for a folder that holds no definitions of segments.
    """
    if folder is not None and not (folder / "segments").is_dir():
        raise Terminal(
            f"{folder} has no folder `segments`: name the folder of definitions, not a file or what is below"
        )
    with open_lake(settings) as lake:
        if folder is None:
            found = differences.of_next_run(lake, _asked(settings.definitions), most)
        else:
            found = differences.of_definitions(lake, definition.load(folder), _asked(folder), most)
        if name is None:
            return found
        of_name = [each for each in found if each.segment == name]
        if not of_name:
            segment_named(lake.segments, name)
        return of_name


def _asked(folder: Path | None) -> Callable[[str], tuple[Asked, ...]]:
    return lambda name: consents_asked(folder, name)


def consents_asked(folder: Path | None, segment: str) -> tuple[Asked, ...]:
    """Return the purposes and channels for which syncs send a segment; of one that none sends, those of all syncs."""
    syncs = asking_syncs(folder)
    sending = [sync for sync in syncs if segment in sync.segments] or list(syncs)
    return tuple(sorted({(sync.purpose, sync.channel) for sync in sending}))
