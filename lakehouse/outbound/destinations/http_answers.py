"""Reads what an API's answer says of each row, as its template tells; whatever an answer lacks, nothing is assumed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import Answer
from lakehouse.outbound.destinations.client import at, code_or, json_of, json_or_none
from lakehouse.outbound.destinations.delivery import done
from lakehouse.outbound.destinations.exchange import AskAgain, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from lakehouse.outbound.destinations.template import Answers, Find, Test
    from lakehouse.outbound.records import Row


@dataclass(frozen=True, slots=True)
class Asked:
    """The rows of a request, and the id by which an answer names each, by its number."""

    rows: Sequence[Row]
    ids: dict[int, str]


def read_answer(says: Answers, response: httpx.Response, asked: Asked, who: str) -> dict[int, Answer]:
    """Return what a 2xx says of each row; a row that it says nothing of is left out.

    Raises Refused, AskAgain or Terminal where the body says that the request was not carried out.
    """
    body = json_or_none(response) if says.rows is None and says.accepted is None else json_of(response)
    if says.accepted is not None and not _fits(says.accepted, body):
        return _not_accepted(says, body, asked, who)
    if says.rows is None:
        return _all_taken(says, body, asked)
    parts = at(body, says.rows)
    if not isinstance(parts, list):
        return {}
    found = _by_id(says, parts, asked) if says.match else _by_position(parts, asked)
    return {row.row: _of_row(says, found[row.row], row) for row in asked.rows if row.row in found}


def _all_taken(says: Answers, body: Any, asked: Asked) -> dict[int, Answer]:
    record = code_or(at(body, says.id), "") if says.id and len(asked.rows) == 1 else ""
    return {row.row: Answer(done(row.action), crm_id=record) for row in asked.rows}


def read_found(find: Find, response: httpx.Response, row: Row) -> str:
    """Return the id of the record that a search found for a row, "" for none; Refused where there are several."""
    parts = at(json_of(response), find.rows)
    found = parts if isinstance(parts, list) else []
    if find.match:
        found = [part for part in found if str(at(part, find.match)).casefold() == row.id.casefold()]
    records = {code_or(at(part, find.id), "") for part in found} - {""}
    if len(records) > 1:
        raise Refused("SEVERAL_RECORDS")
    return records.pop() if records else ""


def _not_accepted(says: Answers, body: Any, asked: Asked, who: str) -> dict[int, Answer]:
    """Return or raise what it means that a body does not say that it was accepted."""
    code = code_or(at(body, says.code), "")
    if code in map(str, says.later):
        raise AskAgain(f"asks to wait ({code})", done=False)
    if code in map(str, says.denied):
        raise Terminal(f"{who} refuses the credentials ({code}): look at the secret")
    if not code:  # it says neither yes nor no
        return {}
    if len(asked.rows) == 1 and _is_gone(says, code, asked.rows[0]):
        return {asked.rows[0].row: Answer("removed", "GONE")}
    raise Refused(code)


def _by_position(parts: list[Any], asked: Asked) -> dict[int, Any]:
    """Return each row's part of an answer that has the order of the request; nothing where there are more or fewer."""
    if len(parts) != len(asked.rows):
        return {}
    return {row.row: part for row, part in zip(asked.rows, parts, strict=True)}


def _by_id(says: Answers, parts: list[Any], asked: Asked) -> dict[int, Any]:
    """Return each row's part by the id that it names; of an id that is named twice nobody knows which part is whose."""
    named = [(str(at(part, says.match)).casefold(), part) for part in parts]
    times = Counter(name for name, _ in named)
    by_name = {name: part for name, part in named if times[name] == 1}
    return {
        number: by_name[name.casefold()] for number, name in asked.ids.items() if name.casefold() in by_name
    }


def _of_row(says: Answers, part: Any, row: Row) -> Answer:
    record = code_or(at(part, says.id), "") if says.id else ""
    if says.success is None or _fits(says.success, part):
        return Answer(done(row.action), crm_id=record)
    code = code_or(at(part, says.row_code), "FAILED")
    return Answer("removed", "GONE") if _is_gone(says, code, row) else Answer("failed", code)


def _is_gone(says: Answers, code: str, row: Row) -> bool:
    return row.action == "remove" and code in map(str, says.gone)


def _fits(test: Test, value: Any) -> bool:
    return str(at(value, test.path)) in map(str, test.values)
