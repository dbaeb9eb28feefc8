"""SQL of what the table keeps of a value: the one rule for `collect`, at ingest, in quarantine and at refill."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lakehouse.engine.escape import literal, literals
from lakehouse.engine.keyed_hash import hmac_sql

if TYPE_CHECKING:
    from lakehouse.sources.definition import SourceColumn

_V4 = r"(\d{1,3}\.){3}\d{1,3}"
_V6_GROUP = "[0-9a-f]{1,4}"
_V6_GROUPS = f"{_V6_GROUP}(:{_V6_GROUP}){{0,6}}"
_V6 = f"{_V6_GROUP}(:{_V6_GROUP}){{7}}|({_V6_GROUPS})?::({_V6_GROUPS})?"


def stored_sql(column: SourceColumn, value_sql: str) -> str:
    """Return the SQL of what is stored of a value of a column, which `valid_sql` has let through; null of null.

    `value_sql` is used more than once: it should be a column's name. Raises ValueError for a dropped column.
    """
    rule = column.collect
    if rule is None:
        return value_sql
    if rule.hash:
        text = _text_sql(column, value_sql)
        return hmac_sql(f"lower({text})" if rule.hash == "lower" else text)
    if rule.without:
        return without_keys_sql(value_sql, key_condition_sql(rule.without))
    if rule.truncate:
        return _truncated_sql(column, value_sql, rule.truncate)
    raise ValueError(f"{column.name} is dropped: there is nothing to store")


def without_keys_sql(json_sql: str, condition_sql: str) -> str:
    """Return the SQL of an object's text less the keys for which a condition on `k` holds; null for no object.

    Of a key that an object has several times, all are gone.
    """
    keys = f"list_filter(json_keys({json_sql}), lambda k: {condition_sql})"
    nulls = f"list_transform({keys}, lambda k: CAST(to_json(k) AS VARCHAR) || ':null')"
    patch = f"'{{' || array_to_string({nulls}, ',') || '}}'"
    return (
        f"CASE WHEN json_type({json_sql}) = 'OBJECT' "
        f"THEN CAST(json_merge_patch({json_sql}, {patch}) AS VARCHAR) END"
    )


def key_condition_sql(names: Iterable[str]) -> str:
    """Return the condition on a JSON key `k` that it is one of these, in whatever case, blanks around it or none."""
    lower_names = sorted({name.strip().lower() for name in names})
    return f"list_contains({literals(lower_names)}, lower(trim(k)))"


def _text_sql(column: SourceColumn, value_sql: str) -> str:
    """Return the SQL of a value as the text that is hashed: of a moment, as clocks show it in UTC."""
    if column.type == "string":
        return value_sql
    value = _utc_sql(value_sql) if column.type == "timestamptz" else value_sql
    return f"CAST({value} AS VARCHAR)"


def _truncated_sql(column: SourceColumn, value_sql: str, to: int | str) -> str:
    """Return the SQL of a value's first `to` characters, of its network, or of the start of its month, year, …."""
    if isinstance(to, int):
        return f"left({value_sql}, {to})"
    if to == "network":
        return _network_sql(value_sql)
    if column.type == "timestamptz":
        return _utc_sql(f"date_trunc({literal(to)}, {_utc_sql(value_sql)})")
    return f"CAST(date_trunc({literal(to)}, {value_sql}) AS {column.duck_type})"


def _utc_sql(moment_sql: str) -> str:
    """Return the SQL of a moment as clocks show it in UTC, or the moment of such a clock: whatever zone is set."""
    return f"timezone('UTC', {moment_sql})"


def _network_sql(text_sql: str) -> str:
    """Return the SQL of the first 24 bits of an IPv4 address, the first 48 of an IPv6 one; null for what is none."""
    lower = f"lower({text_sql})"
    v4_network = f"regexp_replace({text_sql}, '\\d+$', '0') || '/24'"
    return (
        f"CASE WHEN regexp_full_match({text_sql}, {literal(_V4)}) THEN {v4_network} "
        f"WHEN regexp_full_match({lower}, {literal(_V6)}) THEN {_v6_network_sql(lower)} END"
    )


def _v6_network_sql(address_sql: str) -> str:
    """Return the SQL of the first three groups of an IPv6 address as RFC 5952 writes them, and `::/48`."""
    before = _v6_groups_sql(f"split_part({address_sql}, '::', 1)")
    behind = _v6_groups_sql(f"split_part({address_sql}, '::', 2)")
    zeros = f"list_transform(range(8 - len({before}) - len({behind})), lambda n: '0')"
    first_three = f"({before} || {zeros} || {behind})[1:3]"
    short_groups = f"list_transform({first_three}, lambda g: coalesce(nullif(ltrim(g, '0'), ''), '0'))"
    return f"regexp_replace(array_to_string({short_groups}, ':'), '(^|:)0(:0)*$', '') || '::/48'"


def _v6_groups_sql(address_part_sql: str) -> str:
    return f"list_filter(string_split({address_part_sql}, ':'), lambda g: g <> '')"
