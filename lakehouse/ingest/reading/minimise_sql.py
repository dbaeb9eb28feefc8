"""SQL of what the table keeps of a value: the one rule for `collect`, at ingest, in quarantine and at refill."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lakehouse.engine.escape import literal, literals
from lakehouse.ingest.reading.hash_key import INNER, OUTER

if TYPE_CHECKING:
    from lakehouse.sources.definition import SourceColumn

_GROUP = "[0-9a-f]{1,4}"
_V4 = r"(\d{1,3}\.){3}\d{1,3}"
_V6 = f"{_GROUP}(:{_GROUP}){{7}}|({_GROUP}(:{_GROUP}){{0,6}})?::({_GROUP}(:{_GROUP}){{0,6}})?"


def stored(column: SourceColumn, value_sql: str) -> str:
    """Return the SQL of what is kept of a value of a column, which `kept` has let through; null of null.

    `value_sql` is used more than once: it should be a column's name. Raises ValueError for a dropped column.
    """
    rule = column.collect
    if rule is None:
        return value_sql
    if rule.hash:
        value = _utc(value_sql) if column.type == "timestamptz" else value_sql
        text = value if column.type == "string" else f"CAST({value} AS VARCHAR)"
        return _hashed(f"lower({text})" if rule.hash == "lower" else text)
    if rule.without:
        return without(value_sql, matching(rule.without))
    if rule.truncate:
        return _truncated(column, value_sql, rule.truncate)
    raise ValueError(f"{column.name} is dropped: there is nothing to store")


def without(json_sql: str, some: str) -> str:
    """Return the SQL of an object's text less the keys for which a condition on `k` holds; null for no object.

    Of a key that stands there several times, all are gone.
    """
    keys = f"list_filter(json_keys({json_sql}), lambda k: {some})"
    nulls = f"list_transform({keys}, lambda k: CAST(to_json(k) AS VARCHAR) || ':null')"
    patch = f"'{{' || array_to_string({nulls}, ',') || '}}'"
    return (
        f"CASE WHEN json_type({json_sql}) = 'OBJECT' "
        f"THEN CAST(json_merge_patch({json_sql}, {patch}) AS VARCHAR) END"
    )


def matching(names: Iterable[str]) -> str:
    """Return the condition on a JSON key `k` that it is one of these, in whatever case, blanks around it or none."""
    return f"list_contains({literals(sorted({name.strip().lower() for name in names}))}, lower(trim(k)))"


def _truncated(column: SourceColumn, value_sql: str, to: int | str) -> str:
    if isinstance(to, int):
        return f"left({value_sql}, {to})"
    if to == "network":
        return _network(value_sql)
    if column.type == "timestamptz":
        return _utc(f"date_trunc({literal(to)}, {_utc(value_sql)})")
    return f"CAST(date_trunc({literal(to)}, {value_sql}) AS {column.duck_type})"


def _utc(moment_sql: str) -> str:
    """Return the SQL of a moment as clocks show it in UTC, or the moment of such a clock: whatever zone is set."""
    return f"timezone('UTC', {moment_sql})"


def _hashed(text_sql: str) -> str:
    """Return the SQL of HMAC-SHA-256 (RFC 2104) of the UTF-8 text, as 64 hexadecimal digits."""
    inner = f"unhex(sha256(getvariable({literal(INNER)}) || encode({text_sql})))"
    return f"sha256(getvariable({literal(OUTER)}) || {inner})"


def _network(text_sql: str) -> str:
    """Return the SQL of the first 24 bits of an IPv4 address, the first 48 of an IPv6 one; null for what is none."""
    low = f"lower({text_sql})"
    left, right = (
        f"list_filter(string_split(split_part({low}, '::', {part}), ':'), lambda g: g <> '')"
        for part in (1, 2)
    )
    zeros = f"list_transform(range(8 - len({left}) - len({right})), lambda n: '0')"
    groups = f"list_transform(({left} || {zeros} || {right})[1:3], lambda g: coalesce(nullif(ltrim(g, '0'), ''), '0'))"
    first = f"regexp_replace(array_to_string({groups}, ':'), '(^|:)0(:0)*$', '')"
    return (
        f"CASE WHEN regexp_full_match({text_sql}, {literal(_V4)}) "
        f"THEN regexp_replace({text_sql}, '\\d+$', '0') || '/24' "
        f"WHEN regexp_full_match({low}, {literal(_V6)}) THEN {first} || '::/48' END"
    )
