"""HubSpot's tasks, tickets and notes: one for each key of ours, written only where nobody works on it.

The key is a property that HubSpot keeps unique, so that no crash, lost answer or second worker makes a second record:
what is there already is found by it. Every write is preceded by a read, and leaves alone what a person typed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lakehouse.batching import batches
from lakehouse.outbound import guarded
from lakehouse.outbound.destinations import Answer
from lakehouse.outbound.destinations.delivery import requests
from lakehouse.outbound.destinations.exchange import Refused
from lakehouse.outbound.destinations.hubspot_records import Found, read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal

    from lakehouse.outbound.destinations.hubspot_api import Api
    from lakehouse.outbound.record_kinds import RecordKind
    from lakehouse.outbound.records import Chunk, Row

    Answers = dict[int, Answer]
    Write = Callable[[str, Mapping[int, dict[str, Any]], Literal["sent", "removed"], float], Answers]

_LIMIT: Final = 100  # inputs that HubSpot takes in one batch request


class KeyedRecords:
    """Records of one kind in one account. `write` posts inputs by row number and answers for each."""

    def __init__(self, api: Api, kind: RecordKind, key: str, write: Write) -> None:
        self._api, self._kind, self._key, self._write = api, kind, key, write

    def upsert(self, rows: Sequence[Row], deadline: float) -> Answers:
        """Create what there is not, and update what there is, but for what a person changed."""
        answers: Answers = {}
        for some in requests(rows, _LIMIT):  # a key that comes twice is in a later one
            answers |= self._upsert(some, deadline)
        return answers

    def _upsert(self, rows: Sequence[Row], deadline: float) -> Answers:
        answers: Answers = {}
        found = self._find(rows, deadline)
        new, known = [], {}
        for row in rows:
            record = found[row.row]
            if record.code:
                answers[row.row] = Answer("failed", record.code)
            elif record.record_id:
                known[row.row] = (row, record)
            elif row.crm_id:  # somebody deleted it: it is not made again
                answers[row.row] = Answer("sent", guarded.GONE, row.crm_id, kept=tuple(row.properties))
            else:
                new.append(row)
        answers |= self._update(known, "sent", deadline)
        return answers | self._create(new, deadline)

    def remove(self, chunk: Chunk, rows: Sequence[Row], deadline: float) -> Answers:
        """Close or archive records whose cause is gone; of those that a person works on, nothing changes."""
        answers: Answers = {}
        found = self._find(rows, deadline)
        closing: dict[int, tuple[Row, Found]] = {}
        archiving: dict[int, Found] = {}
        for row in rows:
            record = found[row.row]
            if record.code:
                answers[row.row] = Answer("failed", record.code)
            elif not record.record_id:
                answers[row.row] = Answer("removed", guarded.GONE, row.crm_id)
            elif chunk.removal == "close":
                closing[row.row] = (row, record)
            elif changed := _changed(row, record):
                answers[row.row] = Answer("removed", guarded.KEPT, record.record_id, kept=changed)
            else:
                archiving[row.row] = record
        answers |= self._update(closing, "removed", deadline)
        return answers | self._archive(archiving, deadline)

    def _find(self, rows: Sequence[Row], deadline: float) -> dict[int, Found]:
        """Return the record of each row, with its properties: by the id that HubSpot gave, else by the key."""
        names = sorted({name for row in rows for name in (*row.properties, *row.guards)})
        by_id = read_records(self._api, {row.crm_id for row in rows if row.crm_id}, "", names, deadline)
        keys = {row.id for row in rows if not row.crm_id}
        by_key = read_records(self._api, keys, self._key, names, deadline)
        return {row.row: by_id[row.crm_id] if row.crm_id else by_key[row.id] for row in rows}

    def _update(
        self, known: Mapping[int, tuple[Row, Found]], done: Literal["sent", "removed"], deadline: float
    ) -> Answers:
        answers: Answers = {}
        inputs: dict[int, dict[str, Any]] = {}
        kept: dict[int, tuple[str, ...]] = {}
        for number, (said, record) in known.items():
            # found by the key alone: an attempt whose answer was lost made it, so what it would have said is ours
            row = said if said.crm_id else guarded.may_be_written(said)
            written, of_person = self._divide(row, record)
            kept[number] = tuple(of_person)
            if written:
                inputs[number] = {"id": record.record_id, "properties": written}
            else:
                answers[number] = with_kept(Answer(done, crm_id=record.record_id), kept[number])
        for some in batches(inputs, count=_LIMIT):
            batch = {number: inputs[number] for number in some}
            for number, answer in self._write("/batch/update", batch, done, deadline).items():
                named = replace(answer, crm_id=known[number][1].record_id)
                answers[number] = with_kept(named, kept[number])
        return answers

    def _divide(self, row: Row, record: Found) -> tuple[dict[str, str], list[str]]:
        """Return what of a row is written, and what a person holds: all of it, once somebody works on the record."""
        state = self._kind.state
        is_theirs = state in row.guards and state in guarded.changed_of(row.guards, record.properties)
        if is_theirs:
            return {}, sorted({*row.properties, state})
        return guarded.divide(row.properties, row.guards, record.properties)

    def _create(self, rows: Sequence[Row], deadline: float) -> Answers:
        """Create records; whatever the answer says, one that is there by its key is there, and brought up to date."""
        about = {row.about for row in rows if row.about}
        contacts = read_records(self._api.of("contacts"), about, "", (), deadline)
        inputs = {row.row: self._input(row, contacts.get(row.about, Found()).record_id) for row in rows}
        answers = self._write("/batch/create", inputs, "sent", deadline)
        doubtful = [row for row in rows if answers[row.row].status != "sent" or not answers[row.row].crm_id]
        if not doubtful:
            return answers
        found = self._find(
            doubtful, deadline
        )  # perhaps as another attempt made it: what that said is written over
        there = {row.row: (row, found[row.row]) for row in doubtful if found[row.row].record_id}
        return answers | self._update(there, "sent", deadline)

    def _input(self, row: Row, contact: str) -> dict[str, Any]:
        """Return what makes a record; it is about a contact, if that is there still."""
        properties = {name: value for name, value in row.properties.items() if value}
        made: dict[str, Any] = {"properties": {**properties, self._key: row.id}, "associations": []}
        if contact:
            types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": self._kind.to_contact}]
            made["associations"] = [{"to": {"id": contact}, "types": types}]
        return made

    def _archive(self, archiving: Mapping[int, Found], deadline: float) -> Answers:
        answers: Answers = {}
        for some in batches(archiving, count=_LIMIT):
            inputs = [{"id": archiving[number].record_id} for number in some]
            try:
                self._api.post("/batch/archive", {"inputs": inputs}, deadline)
            except Refused as refused:
                answers |= {number: Answer("failed", refused.code, uncertain=True) for number in some}
                continue
            answers |= {number: Answer("removed", crm_id=archiving[number].record_id) for number in some}
        return answers


def with_kept(answer: Answer, kept: tuple[str, ...]) -> Answer:
    """Return an answer that says which properties were not written, since a person holds them."""
    if not kept or answer.status == "failed":
        return answer
    return replace(answer, code=answer.code or guarded.KEPT, kept=kept)


def _changed(row: Row, record: Found) -> tuple[str, ...]:
    """Return the properties of a record that a person changed since we wrote it."""
    return guarded.changed_of(row.guards, record.properties)
