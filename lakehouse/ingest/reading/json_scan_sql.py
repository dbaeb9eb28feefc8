"""SQL that takes a piece of JSON lines apart: one row a line that is not blank, each column's value as text."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.ingest.reading import csv_rejects
from lakehouse.ingest.reading.json_text_sql import (
    has_no_number_sql,
    is_doubtful_sql,
    marked_sql,
    repaired_sql,
    same_container_sql,
    unmarked_sql,
)
from lakehouse.ingest.reading.line_ends import NO_DELIMITER
from lakehouse.ingest.reading.minimise_sql import key_condition_sql, stored_sql, without_keys_sql
from lakehouse.ingest.reading.policy import UnknownKeyPolicy
from lakehouse.ingest.reading.scan_sql import RowFault, Scan, names_with_rule
from lakehouse.sources import non_records

if TYPE_CHECKING:
    import duckdb

    from lakehouse.sources.definition import Source, SourceColumn

Keys = tuple[str, ...]  # on the way to a value within objects, the outermost first

_FIRST_CHARACTER = {"string": '"', "object": "{", "array": "["}  # of a value of this JSON type
_WITH_ARTICLE = {"string": "a string", "object": "an object", "array": "an array"}
_IS_OBJECT = "_kind = 'OBJECT'"


@dataclass(frozen=True)
class _Cell:
    """The SQL of a column's value in a line: as JSON, and as text.

    `json` holds only where the column asks for a JSON type; elsewhere nobody reads it.
    """

    json: str
    text: str


def json_scan(con: duckdb.DuckDBPyConnection, source: Source, path: Path) -> Scan:
    """Return how to read a piece of JSON lines; those of which its `reread` holds belong to `doubtful_json_scan`.

    Each line is parsed twice: once for all values, once for the number of its keys. Only where a line has more keys
    than values were found is it asked which ones nobody mapped.
    """
    left_out = _count_unknown_keys(con, source, path) if source.strict else 0
    return _JsonScan(source).scan(path, left_out)


def doubtful_json_scan(source: Source, path: Path, rows_sql: str) -> Scan:
    """Return how to read the lines that DuckDB would change (see `json_text_sql`), whose numbers a query has."""
    return _JsonScan(source, doubtful_rows=rows_sql).scan(path, 0)


class _JsonScan:
    """How the lines of a source are read: as they are, or only those that a query has the numbers of, and marked."""

    def __init__(self, source: Source, doubtful_rows: str | None = None) -> None:
        self._source = source
        self._doubtful_rows = doubtful_rows
        self._is_marked = doubtful_rows is not None
        self._outer_keys = {keys[0] for column in source.columns if (keys := nested_keys(column.origin))}

    def scan(self, path: Path, left_out: int) -> Scan:
        source = self._source
        cells = {column.name: self._cell(column) for column in source.stored}
        original = _quarantined_line(source) if source.guarded else "_raw_line"
        is_doubtful = is_doubtful_sql("_raw_line", "_kind", anywhere=bool(self._outer_keys))
        return Scan(
            query=self._query(path),
            texts={column.name: _text(column, cells[column.name]) for column in source.stored},
            extra=self._shown(_extra(source, self._outer_keys)),
            original=self._shown(original) if source.guarded else original,
            faults=(
                *_line_faults(source, is_marked=self._is_marked),
                _repeated_key_fault(source, self._outer_keys),
                *(
                    _json_type_fault(column, cells[column.name])
                    for column in source.stored
                    if column.json_type
                ),
            ),
            left_out=left_out,
            reread=None if self._is_marked else is_doubtful,
        )

    def _query(self, path: Path) -> str:
        """Return the query of the lines with `_keys`, those of the record itself."""
        lines = self._lines(path)
        return f"SELECT *, CASE WHEN {_IS_OBJECT} THEN json_keys(_line) END AS _keys FROM ({lines})"

    def _lines(self, path: Path) -> str:
        shredded = _shredded(self._source, self._outer_keys)
        if not self._is_marked:
            return json_rows(path, shredded)
        marked = marked_sql(repaired_sql("_raw_line"))
        doubtful = (
            f"SELECT _n, _raw_line, {marked} AS _line FROM ({_lines(path)}) "
            f"WHERE _n IN ({self._doubtful_rows})"
        )
        return _with_kind(f"SELECT *, TRY({shredded}) AS _s FROM ({doubtful})")

    def _cell(self, column: SourceColumn) -> _Cell:
        cell = _cell(column, self._outer_keys)
        return _Cell(cell.json, self._shown(cell.text))

    def _shown(self, text_sql: str) -> str:
        return unmarked_sql(text_sql) if self._is_marked else text_sql


def json_rows(path: Path, shredded_sql: str) -> str:
    """Return the query of the lines of a JSON piece that are not blank: `_n`, `_raw_line`, `_line`, `_s`, `_kind`.

    `shredded_sql` is the SQL of `_s` from `_line`, null where it fails; `_kind` is the line's JSON type, null for none.
    """
    return _with_kind(
        f"SELECT _n, _raw_line, _line, TRY({shredded_sql}) AS _s FROM ("
        f"SELECT *, _raw_line AS _line FROM ({_lines(path)}) WHERE CASE WHEN starts_with(_raw_line, '{{') THEN true "
        "ELSE trim(coalesce(_raw_line, ''), ' \t\r') <> '' END)"
    )


def _lines(path: Path) -> str:
    return (
        f"SELECT row_number() OVER () AS _n, _line AS _raw_line FROM read_csv({literal(str(path))}, "
        f"auto_detect=false, header=false, delim={literal(NO_DELIMITER)}, quote='', escape='', strict_mode=false, "
        f"columns={{'_line': 'VARCHAR'}}, {csv_rejects.reader_options()})"
    )


def _with_kind(rows: str) -> str:
    """Return the query of lines with `_kind`.

    What begins with a brace and could be shredded is an object; the rest, few lines, may take their time.
    """
    return (
        "SELECT *, CASE WHEN starts_with(_line, '{') AND _s IS NOT NULL THEN 'OBJECT' "
        f"ELSE TRY(json_type(_line)) END AS _kind FROM ({rows})"
    )


def nested_keys(origin: str) -> Keys:
    """Return the keys on the way to a value within objects; none for a value of the record itself."""
    keys = tuple(origin.split("."))
    return keys if len(keys) > 1 and all(keys) else ()


def json_pointer(*keys: str) -> str:
    """Return the JSON pointer (RFC 6901) of a key of the topmost object, or of one within objects."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def merge_patch_without(paths: Iterable[Keys]) -> dict[str, Any]:
    """Return the merge patch (RFC 7396) that takes the values at the ends of these paths out of an object."""
    patch: dict[str, Any] = {}
    for path in sorted(paths, key=len, reverse=True):  # an outer value takes those within it along
        inner = patch
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = None
    return patch


def _shredded(source: Source, outer_keys: Collection[str]) -> str:
    """Return the SQL of a struct of a line's values by key: text, or JSON where its type or parts are asked for."""
    value_types = {column.origin: "JSON" if column.json_type else "VARCHAR" for column in source.columns}
    value_types |= dict.fromkeys(sorted(outer_keys), "JSON")
    return f"from_json(_line, {literal(json.dumps(value_types))})"


def _line_faults(source: Source, *, is_marked: bool) -> list[RowFault]:
    withheld = csv_rejects.WITHHELD if source.guarded else ""
    words = " OR ".join(
        f"regexp_matches(lower(trim(_line)), {literal(pattern)})"
        for pattern in (non_records.TOTAL_PATTERN, non_records.FOOTER_PATTERN, non_records.RULE_PATTERN)
    )
    faults = [
        RowFault(
            non_records.CODE, f"{non_records.REASON}{withheld}", f"CASE WHEN _kind IS NULL THEN {words} END"
        ),
        RowFault("invalid_json", f"the line is not JSON{withheld}", "_kind IS NULL"),
        RowFault("not_an_object", f"the line is JSON but no object{withheld}", "_kind <> 'OBJECT'"),
    ]
    if is_marked:
        reason = f"the line is not JSON: NaN or Infinity stands for a number{withheld}"
        faults.insert(0, RowFault("invalid_json", reason, has_no_number_sql("_raw_line")))
    return faults


def _repeated_key_fault(source: Source, outer_keys: Collection[str]) -> RowFault:
    """Return the fault of a record that says twice what a column takes from it: readers do not agree which one counts.

    Asked of records that have more keys than values were found, and of what a record wraps where that is not kept.
    """
    withheld = csv_rejects.WITHHELD if source.guarded else ""
    origins = {column.origin for column in source.columns}
    mapped_count = _mapped_count_sql(sorted(origins))
    names = origins | set(outer_keys)
    has_more = f"len(_keys) > {mapped_count}"
    repeated = [f"CASE WHEN {has_more} THEN {_repeats_sql('_keys', names)} ELSE false END"]
    nested = [keys for name in sorted(origins) if (keys := nested_keys(name)) and keys[0] not in origins]
    for path in sorted({keys[:-1] for keys in nested}):
        within = literal("$" + "".join("." + json.dumps(key, ensure_ascii=False) for key in path[1:]))
        inner_keys = f"json_keys(_s.{identifier(path[0])}, {within})"
        inner_names = {keys[len(path)] for keys in nested if keys[:-1] == path}
        repeated.append(
            f"list_transform([{inner_keys}], lambda listed: {_repeats_sql('listed', inner_names)})[1]"
        )
    return RowFault(
        "repeated_key",
        f"a key that a column is taken from stands in the record more than once{withheld}",
        f"CASE WHEN {_IS_OBJECT} THEN {' OR '.join(repeated)} END",
    )


def _repeats_sql(keys_sql: str, names: Collection[str]) -> str:
    """Return the condition that a list of keys has one of these names more than once; `keys_sql` is a name.

    Which key repeats is asked only where one does.
    """
    is_again = f"list_position({keys_sql}, key) <> place"
    is_named = f"list_contains({literals(sorted(names))}, key)"
    any_again = f"len(list_filter({keys_sql}, lambda key, place: {is_again})) > 0"
    named_again = f"len(list_filter({keys_sql}, lambda key, place: {is_again} AND {is_named})) > 0"
    return f"CASE WHEN {any_again} THEN {named_again} ELSE false END"


def _mapped_count_sql(origins: Iterable[str]) -> str:
    """Return the SQL of how many values of a line were found for these names of its keys."""
    return " + ".join(f"CAST(_s.{identifier(name)} IS NOT NULL AS TINYINT)" for name in origins)


def _json_type_fault(column: SourceColumn, cell: _Cell) -> RowFault:
    json_type = column.json_type or ""
    return RowFault(
        f"{column.name}_not_{json_type}",
        f"{column.origin} is not {_WITH_ARTICLE[json_type]}",
        f"NOT starts_with({cell.text}, {literal(_FIRST_CHARACTER[json_type])})",
    )


def _text(column: SourceColumn, cell: _Cell) -> str:
    """Return the SQL of a column's text, null where it is empty; a JSON string without quotes and escapes."""
    text = cell.text
    if column.json_type == "string":
        text = f"CASE WHEN contains({text}, '\\') THEN {cell.json}->>'$' ELSE {text}[2:-2] END"
    return f"nullif({text}, '')"


def _cell(column: SourceColumn, outer_keys: Collection[str]) -> _Cell:
    keys = nested_keys(column.origin)
    return _nested_cell(column, keys) if keys else _top_cell(column, outer_keys)


def _top_cell(column: SourceColumn, outer_keys: Collection[str]) -> _Cell:
    """Return the cell of a value of the record itself; one that others are within was shredded as JSON."""
    value = f"_s.{identifier(column.origin)}"
    if column.json_type is not None:
        return _Cell(value, _json_text(column, value))
    return _Cell(value, f"{value}->>'$'" if column.origin in outer_keys else value)


def _json_text(column: SourceColumn, json_sql: str) -> str:
    return same_container_sql(f"CAST({json_sql} AS VARCHAR)", column.json_type)


def _nested_cell(column: SourceColumn, keys: Keys) -> _Cell:
    """Return the cell of a value within objects; a key of the record that is called like its path comes first."""
    value = f"_s.{identifier(column.origin)}"
    outer = f"_s.{identifier(keys[0])}"
    inner_path = literal("$" + "".join("." + json.dumps(key, ensure_ascii=False) for key in keys[1:]))
    if column.json_type is None:
        return _Cell(value, f"coalesce({value}, {outer}->>{inner_path})")
    either = f"coalesce({value}, {outer}->{inner_path})"
    either = f"CASE WHEN json_type({either}) <> 'NULL' THEN {either} END"
    return _Cell(either, _json_text(column, either))


def _quarantined_line(source: Source) -> str:
    """Return the SQL of what quarantine may keep of a line: what is in `extra`, and of mapped columns what is kept."""
    members = ", ".join(f"{literal(column.origin)}, {_quarantined_value(column)}" for column in source.stored)
    return (
        f"CASE WHEN {_IS_OBJECT} THEN json_merge_patch(coalesce(extra, '{{}}'), json_object({members})) END"
    )


def _quarantined_value(column: SourceColumn) -> str:
    if column.collect:
        stored = stored_sql(column, identifier(column.name))
        return f"CAST({stored} AS JSON)" if column.json_type == "object" else stored
    value = f"json_extract(_line, {literal(json_pointer(column.origin))})"
    if keys := nested_keys(column.origin):
        return f"coalesce({value}, json_extract(_line, {literal(json_pointer(*keys))}))"
    return value


def _count_unknown_keys(con: duckdb.DuckDBPyConnection, source: Source, path: Path) -> int:
    """Return how many different keys the first lines have that no column maps."""
    known_keys = literals([(nested_keys(column.origin) or (column.origin,))[0] for column in source.columns])
    limit = UnknownKeyPolicy.sampled_lines
    lines = f"SELECT _line FROM ({json_rows(path, 'NULL')}) WHERE {_IS_OBJECT} LIMIT {limit}"
    keys = f"SELECT unnest(json_keys(_line)) AS k FROM ({lines})"
    counted = con.execute(
        f"SELECT count(DISTINCT k) FROM ({keys}) WHERE NOT list_contains({known_keys}, k)"
    ).fetchone()
    csv_rejects.clear(con)
    return int(counted[0]) if counted else 0


def _extra(source: Source, outer_keys: set[str]) -> str:
    """Return the SQL of a line's JSON less what is mapped, and less what is spelled like a column with a rule."""
    if source.strict:
        return "NULL"
    if outer_keys <= {column.origin for column in source.columns}:  # each is kept in a column of its own
        return _extra_of_flat(source)
    return _extra_of_nested(source, outer_keys)


def _extra_of_flat(source: Source) -> str:
    """Return the SQL of what no column names, where all are values of the record itself, or within one that is kept."""
    origins = [column.origin for column in source.columns]
    mapped_count = _mapped_count_sql(origins)
    ruled_names = names_with_rule(source)
    is_mapped = f"list_contains({literals(origins)}, k)"
    if ruled_names:
        is_mapped = f"({is_mapped} OR {key_condition_sql(ruled_names)})"
        rest = without_keys_sql("_line", is_mapped)
    else:
        patch = literal(json.dumps(dict.fromkeys(origins)))
        rest = f"CAST(json_merge_patch(_line, {patch}) AS VARCHAR)"
    unknown_keys = f"list_filter(_keys, lambda k: NOT {is_mapped})"
    return (
        f"CASE WHEN _kind IS NULL OR _kind <> 'OBJECT' OR len(_keys) = {mapped_count} THEN NULL "
        f"WHEN len({unknown_keys}) > 0 THEN {rest} END"
    )


def _extra_of_nested(source: Source, outer_keys: set[str]) -> str:
    """Return the SQL of what no column names, where columns name values within objects.

    Of such an object only what is named goes; one of which nothing is left goes too, and what is no object stays.
    """
    origins = {column.origin for column in source.columns}
    removed_values = [literal(f"{json.dumps(origin)}:null") for origin in sorted(origins)]
    thinned_objects = [_patch_member_of_object(key, origins) for key in sorted(outer_keys - origins)]
    patch = f"'{{' || concat_ws(',', {', '.join(removed_values + thinned_objects)}) || '}}'"
    rest = f"json_merge_patch(_line, {patch})"
    if ruled_names := names_with_rule(source):
        rest = without_keys_sql(rest, key_condition_sql(ruled_names))
    return f"CASE WHEN {_IS_OBJECT} THEN nullif(CAST({rest} AS VARCHAR), '{{}}') END"


def _patch_member_of_object(outer_key: str, origins: Collection[str]) -> str:
    """Return the SQL of the patch's member for an object of which some values are mapped; null where it is none."""
    nested = [nested_keys(origin) for origin in origins]
    inner_patch = json.dumps(
        merge_patch_without(keys[1:] for keys in nested if keys and keys[0] == outer_key)
    )
    value = f"_s.{identifier(outer_key)}"
    rest = f"CAST(json_merge_patch({value}, {literal(inner_patch)}) AS VARCHAR)"
    remove_all = literal(f"{json.dumps(outer_key)}:null")
    remove_mapped = literal(f"{json.dumps(outer_key)}:{inner_patch}")
    return (
        f"CASE WHEN {value} IS NULL OR {rest} = '{{}}' AND json_type({value}) = 'OBJECT' THEN {remove_all} "
        f"WHEN json_type({value}) = 'OBJECT' THEN {remove_mapped} END"
    )
