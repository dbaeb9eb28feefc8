"""Finds the records of contacts whose properties are to be cleared: by the id that HubSpot gave, and by the address.

A contact's address may have been changed in the CRM, or be a secondary one, which HubSpot answers by the contact's
first; a record may have been merged into another, which HubSpot then answers by that one's id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lakehouse.batching import batches
from lakehouse.outbound.destinations.exchange import Refused
from lakehouse.outbound.destinations.hubspot_answers import missing_ids, records_of
from lakehouse.outbound.record_kinds import RECORD_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lakehouse.outbound.destinations.hubspot_api import Api
    from lakehouse.outbound.records import Row

_READ_LIMIT: Final = 100  # inputs that HubSpot takes in one batch read


@dataclass(frozen=True, slots=True)
class Found:
    """The record that an id or address leads to; "" when there is none. `code`: why that cannot be told.

    `properties` are those that were asked for and are not empty.
    """

    record_id: str = ""
    code: str = ""
    properties: dict[str, str] = field(default_factory=dict)


def find_records(api: Api, rows: Sequence[Row], id_property: str, deadline: float) -> dict[int, list[Found]]:
    """Return what each row's record id and its address lead to, by its number; of a stray row its record id alone.

    Both are asked: a contact may have got another address, and the address another contact, which an attempt whose
    answer was lost may have written. Raises NotSent, Transient and Terminal as `Api.post`.
    """
    by_id = read_records(api, {row.crm_id for row in rows if row.crm_id}, "", (), deadline)
    if id_property == RECORD_ID:
        of_rows = read_records(api, {row.id for row in rows}, "", (), deadline)
        return {row.row: [of_rows[row.id]] for row in rows}
    addresses = {row.id.lower() for row in rows if not row.stray}
    by_address = read_records(api, addresses, id_property, (), deadline)
    found: dict[int, list[Found]] = {}
    for row in rows:
        of_id = [by_id[row.crm_id]] if row.crm_id else []
        of_address = [] if row.stray else [by_address[row.id.lower()]]
        found[row.row] = [*of_id, *of_address]
    return found


def read_records(
    api: Api, names: Iterable[str], by: str, properties: Sequence[str], deadline: float
) -> dict[str, Found]:
    """Read records by their property `by` ("": by record id), with properties, as many at once as HubSpot takes."""
    found: dict[str, Found] = {}
    for some in batches(sorted(names), count=_READ_LIMIT):
        found |= _read(api, some, by, properties, deadline)
    return found


def _read(
    api: Api, names: Sequence[str], by: str, properties: Sequence[str], deadline: float
) -> dict[str, Found]:
    wanted = [*([by] if by else []), *properties]
    body: dict[str, Any] = {"properties": wanted, "inputs": [{"id": name} for name in names]}
    if by:
        body["idProperty"] = by
    try:
        answer = api.post("/batch/read", body, deadline).value
    except Refused as refused:
        if len(names) == 1:
            return {names[0]: Found(code=refused.code)}
        middle = len(names) // 2
        halves = (names[:middle], names[middle:])
        first, second = (_read(api, half, by, properties, deadline) for half in halves)
        return first | second
    found = _explained(answer, names, by)
    unexplained = [name for name in names if name not in found]
    if len(names) == 1:
        return found | dict.fromkeys(unexplained, Found(code="NOT_FOUND_BY_ID"))
    for name in unexplained:
        found |= _read(api, [name], by, properties, deadline)
    return found


def _explained(answer: dict[str, Any], names: Sequence[str], by: str) -> dict[str, Found]:
    """Return what an answer says of names: the records that it has, and those that it says are not there."""
    records = {name: Found(record_id, "", said) for name, (record_id, said) in records_of(answer, by).items()}
    if len(names) == 1 and len(records) == 1:  # it is this one's, whatever HubSpot calls it
        return dict.fromkeys(names, *records.values())
    missing = missing_ids(answer)
    found: dict[str, Found] = {}
    for name in names:
        if records.get(name, Found()).record_id:
            found[name] = records[name]
        elif name.lower() in missing:
            found[name] = Found()
    return found
