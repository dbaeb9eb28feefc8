"""Reads the JSON of HubSpot's batch answers, row by row; whatever an answer lacks, nothing is assumed. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.outbound.destinations import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODE = re.compile(r"[A-Za-z0-9_.]{1,80}")
_EXISTING = re.compile(r"\bExisting ID: (\d{1,20})\b")
_TRACE = "objectWriteTraceId"


def answers_of_batch(
    answer: dict[str, Any], numbers: Sequence[int], done: Literal["sent", "removed"]
) -> dict[int, Answer]:
    """Return what a 2xx answer says of each row; `done` is what a written row counts as.

    Rows named in `errors` failed. Trace ids are optional in `results`: an answer without any counts for all
    other rows when there are exactly as many results, and then nobody knows which record is whose. Of a row that is
    named nowhere nobody knows what became of it.
    """
    failed = _failed_rows(answer, numbers)
    results = _objects(answer, "results")
    crm_ids = {str(result.get(_TRACE)): str(result.get("id", "")) for result in results}
    others = [number for number in numbers if number not in failed]
    any_trace = any(_TRACE in result for result in results)
    all_written = not any_trace and len(results) == len(others)
    answers = dict(failed)
    for number in others:
        if all_written or str(number) in crm_ids:
            answers[number] = Answer(done, crm_id=crm_ids.get(str(number), ""))
        else:
            answers[number] = Answer("failed", "NOT_WRITTEN", uncertain=True)
    return answers


def records_of(answer: dict[str, Any], id_property: str = "") -> dict[str, tuple[str, dict[str, str]]]:
    """Return id and properties of each record that a read found, by its `id_property` in lower case, else by the id."""
    found = {}
    for record in _objects(answer, "results"):
        record_id = str(record.get("id", ""))
        properties = record.get("properties")
        values = properties if isinstance(properties, dict) else {}
        said = {str(name): str(value) for name, value in values.items() if value is not None}
        found[_property(record, id_property) if id_property else record_id] = (record_id, said)
    return found


def missing_ids(answer: dict[str, Any]) -> set[str]:
    """Return the ids or addresses, in lower case, of which a read says that there is no such contact."""
    not_found = [error for error in _objects(answer, "errors") if error.get("category") == "OBJECT_NOT_FOUND"]
    return {address.lower() for error in not_found for address in _context(error, "ids")}


def category_of(answer: Any, status: int) -> str:
    """Return HubSpot's category of an error that is about a whole request, `HTTP_<status>` where there is none."""
    return _code_or(_at(answer, "category"), f"HTTP_{status}")


def existing_of(answer: Any) -> str:
    """Return the id of the contact that has an address already, as a 409 names it in words; "" where it does not.

    "Contact already exists. Existing ID: 51": so also where the address is one of that contact's secondary ones.
    """
    found = _EXISTING.search(str(_at(answer, "message") or ""))
    return found[1] if found else ""


def is_of_day(answer: Any) -> bool:
    """Return whether a 429 says that the requests of the day are used up, not those of the last seconds."""
    return str(_at(answer, "policyName")) == "DAILY"


def _failed_rows(answer: dict[str, Any], numbers: Sequence[int]) -> dict[int, Answer]:
    """Return the rows that `errors` name, with the code of why they failed."""
    known = {str(number): number for number in numbers}
    failed: dict[int, Answer] = {}
    for error in _objects(answer, "errors"):
        for trace in _context(error, _TRACE):
            if trace in known:
                failed[known[trace]] = Answer("failed", _most_exact_code(error))
    return failed


def _most_exact_code(error: dict[str, Any]) -> str:
    """Return HubSpot's word for what is wrong with a row: a detail's before the sub-category before the category."""
    details = [detail.get("code") for detail in _objects(error, "errors")]
    codes = (_code_or(value, "") for value in (*details, error.get("subCategory"), error.get("category")))
    return next(filter(None, codes), "FAILED")


def _code_or(value: Any, otherwise: str) -> str:
    """Return a code if it is one; a text that could quote a person's data is none."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else otherwise


def _objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects of a list in JSON; empty where there is none."""
    return [item for item in _list_at(value, name) if isinstance(item, dict)]


def _context(error: dict[str, Any], name: str) -> list[str]:
    """Return the texts that an error's context lists under a name."""
    return [item for item in _list_at(error, "context", name) if isinstance(item, str)]


def _property(record: dict[str, Any], name: str) -> str:
    return str(_at(record, "properties", name) or "").lower()


def _list_at(value: Any, *path: str) -> list[Any]:
    items = _at(value, *path)
    return items if isinstance(items, list) else []


def _at(value: Any, *path: str) -> Any:
    """Return what stands at a path of names in JSON; None where there is no such path."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
