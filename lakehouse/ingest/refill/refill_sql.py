"""SQL that takes values out of `extra` for the columns that the mapping names by now; nothing is run here.

A query is built in steps that are named by WITH. For move number n they add these columns to the rows:

- `_raw<n>`: the JSON that `extra` has under the key, as text;
- `_present<n>`: whether `extra` has the key at all;
- `_text<n>`: the value's text, null for an empty one;
- `_cast<n>`: what it reads as, null where it cannot be read;
- `_value<n>`: the value that the column may hold, null where the text says none;
- `_moves<n>`: whether the value moves.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.ingest.reading.minimise_sql import stored_sql
from lakehouse.ingest.reading.money_sql import agrees_or_names_none_sql
from lakehouse.ingest.reading.typing_sql import cast_sql, trimmed_sql, valid_sql
from lakehouse.sources.definition import SourceColumn
from lakehouse.sources.money_columns import MoneyColumn

_ADDED_COLUMNS = ("_raw", "_present", "_text", "_cast", "_value", "_moves")
_FIRST_CHARACTERS = {"string": '"', "object": "{", "array": "["}  # what the JSON of each kind begins with


@dataclass(frozen=True)
class Move:
    """A key that some rows have in `extra`, and the column that its values belong to. A CSV's values are `trimmed`.

    `zone` is that of times without one. `money` says in which currency the row's amount is: one in another stays.
    """

    key: str
    column: SourceColumn
    zone: str
    trimmed: bool
    money: tuple[MoneyColumn, ...] = ()


def keys_sql(rows: str, names: Collection[str] | None) -> str:
    """Return the SELECT of the keys that the rows of a query have in `extra`, of those named; None for all keys."""
    keys = (
        f"SELECT DISTINCT k FROM (SELECT unnest(json_keys(extra)) AS k FROM ({rows}) WHERE extra IS NOT NULL)"
    )
    return keys if names is None else f"{keys} WHERE list_contains({literals(sorted(names))}, k)"


def counts_sql(rows: str, moves: Sequence[Move]) -> str:
    """Return the SELECT of one row: how many rows change, then for each move how many values move and how many stay."""
    counts = [f"count(*) FILTER ({_any_moves(moves)})"]
    for number in range(len(moves)):
        counts.append(f"count(*) FILTER (_moves{number})")
        counts.append(f"count(*) FILTER (_present{number} AND NOT _moves{number})")
    return f"{_with_moves(rows, moves)} SELECT {', '.join(counts)} FROM moves"


def refilled_sql(rows: str, moves: Sequence[Move]) -> str:
    """Return the SELECT of the same rows with what fits moved from `extra` to its columns.

    A row that nothing moves in stays as it is, to the letter.
    """
    replaced = [*_replaced_columns(moves), _replaced_extra(moves)]
    added = [f"{name}{number}" for number in range(len(moves)) for name in _ADDED_COLUMNS]
    return (
        f"{_with_moves(rows, moves)} "
        f"SELECT * EXCLUDE ({', '.join(added)}) REPLACE ({', '.join(replaced)}) FROM moves"
    )


def _replaced_columns(moves: Sequence[Move]) -> list[str]:
    """Return the columns with the values that move to them; several keys may belong to one column."""
    cases: dict[str, list[str]] = {}
    for number, move in enumerate(moves):
        value = stored_sql(move.column, f"_value{number}")
        cases.setdefault(move.column.name, []).append(f"WHEN _moves{number} THEN {value}")
    return [
        f"CASE {' '.join(column_cases)} ELSE {identifier(name)} END AS {identifier(name)}"
        for name, column_cases in cases.items()
    ]


def _replaced_extra(moves: Sequence[Move]) -> str:
    """Return `extra` without the keys whose values move: a merge patch (RFC 7396) that sets them to null."""
    removed = []
    for number, move in enumerate(moves):
        removed.append(f"CASE WHEN _moves{number} THEN {literal(json.dumps(move.key) + ':null')} END")
    patch = f"'{{' || concat_ws(',', {', '.join(removed)}) || '}}'"
    patched = f"nullif(CAST(json_merge_patch(extra, {patch}) AS VARCHAR), '{{}}')"
    return f"CASE WHEN {_any_moves(moves)} THEN {patched} ELSE extra END AS extra"


def _any_moves(moves: Sequence[Move]) -> str:
    return " OR ".join(f"_moves{number}" for number in range(len(moves)))


def _with_moves(rows: str, moves: Sequence[Move]) -> str:
    """Return the WITH of `moves`: the rows, and the columns that say of each move what its value is."""
    raw, texts, casts, values, decisions = [], [], [], [], []
    for number, move in enumerate(moves):
        raw.append(f"CAST({_json_value(move)} AS VARCHAR) AS _raw{number}")
        raw.append(
            f"coalesce(list_contains(json_keys(extra), {literal(move.key)}), false) AS _present{number}"
        )
        texts.append(f"nullif({_text(move, number)}, '') AS _text{number}")
        casts.append(f"{cast_sql(move.column, f'_text{number}', move.zone)} AS _cast{number}")
        values.append(f"{valid_sql(move.column, f'_cast{number}', f'_text{number}')} AS _value{number}")
        decisions.append(f"({_fits(move, number)}) AS _moves{number}")
    return (
        f"WITH raw AS (SELECT *, {', '.join(raw)} FROM ({rows})), "
        f"texts AS (SELECT *, {', '.join(texts)} FROM raw), "
        f"casts AS (SELECT *, {', '.join(casts)} FROM texts), "
        f"typed AS (SELECT *, {', '.join(values)} FROM casts), "
        f"moves AS (SELECT *, {', '.join(decisions)} FROM typed)"
    )


def _json_value(move: Move) -> str:
    kind = "JSON" if move.column.json_type else "VARCHAR"
    structure = literal(json.dumps({move.key: kind}))
    return f"TRY(from_json(extra, {structure})).{identifier(move.key)}"


def _text(move: Move, number: int) -> str:
    if move.column.json_type == "string":
        return f"json_extract_string(_raw{number}, '$')"
    return trimmed_sql(f"_raw{number}") if move.trimmed else f"_raw{number}"


def _fits(move: Move, number: int) -> str:
    """Return whether a value moves: not where ingest would set the row aside, nor where the column has one already."""
    raw, text, value = f"_raw{number}", f"_text{number}", f"_value{number}"
    conditions = [
        f"_present{number}",
        f"{identifier(move.column.name)} IS NULL",
        f"({text} IS NULL OR {value} IS NOT NULL)",
    ]
    first_character = _FIRST_CHARACTERS.get(move.column.json_type or "")
    if first_character is not None:
        conditions.append(f"({raw} IS NULL OR starts_with({raw}, {literal(first_character)}))")
    if move.column.allowed:
        allowed = literals(list(move.column.allowed))
        conditions.append(f"({value} IS NULL OR list_contains({allowed}, {value}))")
    conditions += [agrees_or_names_none_sql(each, move.zone, text) for each in move.money]
    return " AND ".join(conditions)
