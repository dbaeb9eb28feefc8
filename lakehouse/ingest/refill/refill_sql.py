"""SQL that takes values out of `extra` for the columns that the mapping names by now; nothing is run here."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.ingest.reading.minimise_sql import stored_sql
from lakehouse.ingest.reading.typing_sql import trimmed_sql, typed_sql
from lakehouse.sources.definition import SourceColumn

_MARKS = {"string": '"', "object": "{", "array": "["}  # what the JSON of each kind begins with


@dataclass(frozen=True)
class Find:
    """A key that some rows have in `extra`, and the column that it belongs to. A CSV's values are `trimmed`."""

    key: str
    column: SourceColumn
    duck_type: str
    trimmed: bool


def keys_sql(rows: str, wanted: Collection[str] | None) -> str:
    """Return the SELECT of those keys of `extra` that are wanted among the rows of a query; None wants them all."""
    keys = (
        f"SELECT DISTINCT k FROM (SELECT unnest(json_keys(extra)) AS k FROM ({rows}) WHERE extra IS NOT NULL)"
    )
    return keys if wanted is None else f"{keys} WHERE list_contains({literals(sorted(wanted))}, k)"


def counts_sql(rows: str, finds: Sequence[Find]) -> str:
    """Return the SELECT of one row: how many rows change, then for each find how many values move and how many stay."""
    moves = [f"count(*) FILTER (_m{n}), count(*) FILTER (_h{n} AND NOT _m{n})" for n in range(len(finds))]
    some = " OR ".join(f"_m{n}" for n in range(len(finds)))
    return f"{_moves(rows, finds)} SELECT count(*) FILTER ({some}), {', '.join(moves)} FROM moves"


def refilled_sql(rows: str, finds: Sequence[Find]) -> str:
    """Return the SELECT of the same rows with what fits moved from `extra` to its columns.

    A row that nothing moves in stays as it is, to the letter.
    """
    values: dict[str, list[str]] = {}
    gone = []
    for n, find in enumerate(finds):
        values.setdefault(find.column.name, []).append(f"WHEN _m{n} THEN {stored_sql(find.column, f'_v{n}')}")
        gone.append(f"CASE WHEN _m{n} THEN {literal(json.dumps(find.key) + ':null')} END")
    patch = f"'{{' || concat_ws(',', {', '.join(gone)}) || '}}'"
    some = " OR ".join(f"_m{n}" for n in range(len(finds)))
    replaced = [
        f"CASE {' '.join(cases)} ELSE {identifier(name)} END AS {identifier(name)}"
        for name, cases in values.items()
    ]
    rest = f"nullif(CAST(json_merge_patch(extra, {patch}) AS VARCHAR), '{{}}')"
    replaced.append(f"CASE WHEN {some} THEN {rest} ELSE extra END AS extra")
    ours = [f"_{mark}{n}" for n in range(len(finds)) for mark in "trhvm"]
    return f"{_moves(rows, finds)} SELECT * EXCLUDE ({', '.join(ours)}) REPLACE ({', '.join(replaced)}) FROM moves"


def _moves(rows: str, finds: Sequence[Find]) -> str:
    """Return the WITH of `moves`: rows, and for find n its JSON _r, is it there _h, text _t, value _v, does it move _m.

    It stays where ingest would have set the row aside, and where the column has a value already.
    """
    raw, texts, values, moves = [], [], [], []
    for n, find in enumerate(finds):
        kind = "JSON" if find.column.json_type else "VARCHAR"
        taken = f"TRY(from_json(extra, {literal(json.dumps({find.key: kind}))})).{identifier(find.key)}"
        raw.append(f"CAST({taken} AS VARCHAR) AS _r{n}")
        raw.append(f"coalesce(list_contains(json_keys(extra), {literal(find.key)}), false) AS _h{n}")
        texts.append(f"nullif({_text(find, n)}, '') AS _t{n}")
        values.append(f"{typed_sql(find.column, f'_t{n}', find.duck_type)} AS _v{n}")
        fits = [f"_h{n}", f"{identifier(find.column.name)} IS NULL", f"(_t{n} IS NULL OR _v{n} IS NOT NULL)"]
        if mark := _MARKS.get(find.column.json_type or ""):
            fits.append(f"(_r{n} IS NULL OR starts_with(_r{n}, {literal(mark)}))")
        if find.column.allowed:
            fits.append(f"(_v{n} IS NULL OR list_contains({literals(list(find.column.allowed))}, _v{n}))")
        moves.append(f"({' AND '.join(fits)}) AS _m{n}")
    return (
        f"WITH raw AS (SELECT *, {', '.join(raw)} FROM ({rows})), texts AS (SELECT *, {', '.join(texts)} FROM raw), "
        f"typed AS (SELECT *, {', '.join(values)} FROM texts), moves AS (SELECT *, {', '.join(moves)} FROM typed)"
    )


def _text(find: Find, n: int) -> str:
    if find.column.json_type == "string":
        return f"json_extract_string(_r{n}, '$')"
    return trimmed_sql(f"_r{n}") if find.trimmed else f"_r{n}"
