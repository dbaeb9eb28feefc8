"""HubSpot: batch upsert of contacts by e-mail, clearing of properties by record id; tasks, tickets and notes by key.

Rows are matched by the trace id that we give them and HubSpot gives back, never by their position. A batch
that HubSpot refuses as a whole (400, 409) is split until the row that spoils it stands alone. Removals find
the record first and then update: an upsert would bring back a contact that was deleted in the CRM.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from lakehouse import telemetry
from lakehouse.batching import batches
from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import Answer, Declared, NotSent
from lakehouse.outbound.destinations.definition import Definition, Rate
from lakehouse.outbound.destinations.delivery import is_sendable, requests
from lakehouse.outbound.destinations.exchange import Refused
from lakehouse.outbound.destinations.hubspot_answers import answers_of_batch
from lakehouse.outbound.destinations.hubspot_api import Account, Api
from lakehouse.outbound.destinations.hubspot_lists import Lists, without_lists
from lakehouse.outbound.destinations.hubspot_objects import KeyedRecords, with_kept
from lakehouse.outbound.destinations.hubspot_properties import Properties, missing_of
from lakehouse.outbound.destinations.hubspot_records import Found, find_records, read_records
from lakehouse.outbound.guarded import changed_of, divide
from lakehouse.outbound.policy import RequestPolicy
from lakehouse.outbound.record_kinds import KINDS, MEMBER, RECORD_ID
from lakehouse.secrets import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lakehouse.outbound.destinations.limits import Limit
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

BATCH_LIMIT: Final = 100  # inputs that HubSpot takes in one batch request
_CONFLICT: Final = "CONFLICT"  # the address is another contact's, perhaps a secondary one
# Of a private app of a Professional account; 429 says when an account has less.
DECLARED: Final = Declared(BATCH_LIMIT, Rate(requests=190, seconds=10), idempotent=True, removal="clear")


class HubSpot:
    """A HubSpot account, reached with a private app's token. Sending a row twice changes nothing."""

    declared = DECLARED
    idempotent = True

    def __init__(self, account: Account, clock: Callable[[], float] = time.monotonic) -> None:
        self.account = account
        self._api = Api(account, clock)
        self._clock = clock
        self._has_written = False

    @property
    def limit(self) -> Limit:
        """What the account allows all workers together."""
        return self._api.limit

    @limit.setter
    def limit(self, limit: Limit) -> None:
        self._api.limit = limit

    @property
    def api(self) -> Api:
        """The account's API."""
        return self._api

    def send(self, chunk: Chunk, rows: Sequence[Row]) -> dict[int, Answer]:
        """Deliver rows of a chunk and return an answer for each, by its number; errors as in `Destination`."""
        deadline = self._clock() + RequestPolicy.chunk_seconds
        unsendable = {row.row: Answer("failed", "BAD_ID") for row in rows if not is_sendable(row)}
        writes = [row for row in rows if row.action == "upsert" and row.row not in unsendable]
        leavers = [row for row in rows if row.action == "remove" and row.row not in unsendable]
        self._has_written = False
        self._api = self._api.of(chunk.object)
        send = self._send_records if chunk.object in KINDS else self._send_contacts
        try:
            return unsendable | send(chunk, leavers, writes, deadline)
        except NotSent as error:
            if self._has_written:
                raise Transient(str(error)) from None
            raise

    def _send_records(
        self, chunk: Chunk, leavers: Sequence[Row], writes: Sequence[Row], deadline: float
    ) -> dict[int, Answer]:
        if writes:
            self._ensure_properties(chunk, deadline)
        records = KeyedRecords(self._api, KINDS[chunk.object], chunk.id_property, self._batch)
        answers = records.remove(chunk, leavers, deadline)
        return answers | records.upsert(writes, deadline)

    def _send_contacts(
        self, chunk: Chunk, leavers: Sequence[Row], writes: Sequence[Row], deadline: float
    ) -> dict[int, Answer]:
        if writes and chunk.create is not None:
            self._ensure_properties(chunk, deadline)
        lists = Lists(self._api)
        lists.check([row for row in writes if MEMBER in row.properties.values()], deadline)
        answers = self._remove([without_lists(row) for row in leavers], chunk.id_property, deadline)
        answers |= self._upsert([without_lists(row) for row in writes], chunk.id_property, deadline)
        return lists.settle([*leavers, *writes], answers, deadline)

    def _ensure_properties(self, chunk: Chunk, deadline: float) -> None:
        key = chunk.id_property if chunk.object in KINDS else ""
        made = Properties(self._api).ensure(
            chunk.create or {}, key, may_create=chunk.create is not None, deadline=deadline
        )
        if made:
            telemetry.info("properties were created in HubSpot", sync=chunk.sync, count=len(made))

    def _upsert(self, rows: Sequence[Row], id_property: str, deadline: float) -> dict[int, Answer]:
        answers = self._upsert_once(rows, id_property, deadline)
        taken = [
            replace(row, id=answers[row.row].crm_id)
            for row in rows
            if id_property not in row.properties and _is_taken(answers.get(row.row))
        ]
        # by record: HubSpot knows the address as a secondary one of that, and makes no second contact
        return answers | (self._upsert_once(taken, RECORD_ID, deadline) if taken else {})

    def _upsert_once(self, rows: Sequence[Row], id_property: str, deadline: float) -> dict[int, Answer]:
        answers: dict[int, Answer] = {}
        kept: dict[int, tuple[str, ...]] = {}
        if id_property == RECORD_ID or any(row.guards for row in rows):
            rows, kept, answers = self._guarded(rows, id_property, deadline)
        for some in requests(rows, BATCH_LIMIT):
            named = {} if id_property == RECORD_ID else {"idProperty": id_property}
            path = "/batch/update" if id_property == RECORD_ID else "/batch/upsert"
            inputs = {row.row: {"id": row.id, **named, "properties": row.properties} for row in some}
            answers |= self._batch(path, inputs, "sent", deadline)
        return {number: with_kept(answer, kept.get(number, ())) for number, answer in answers.items()}

    def _guarded(
        self, rows: Sequence[Row], id_property: str, deadline: float
    ) -> tuple[list[Row], dict[int, tuple[str, ...]], dict[int, Answer]]:
        """Read contacts first; return the rows to write without what a person holds, that, and rows that are settled.

        A contact that is known by its record id, or that has only blanks to fill, is not made where it is not there.
        """
        names = sorted({name for row in rows for name in row.guards})
        by = "" if id_property == RECORD_ID else id_property
        found = read_records(self._api, {row.id for row in rows}, by, names, deadline)
        to_write, kept, settled = [], {}, {}
        for row in rows:
            record = found[row.id]
            if record.code:
                settled[row.row] = Answer("failed", record.code)
            elif not record.record_id and (not by or set(row.properties) == set(row.guards)):
                settled[row.row] = Answer("failed", "NO_RECORD")
            else:
                written, of_person = divide(row.properties, row.guards, record.properties)
                kept[row.row] = tuple(of_person)
                if written:
                    to_write.append(replace(row, properties=written))
                else:
                    settled[row.row] = Answer("sent", crm_id=record.record_id)
        return to_write, kept, settled

    def _remove(self, rows: Sequence[Row], id_property: str, deadline: float) -> dict[int, Answer]:
        """Clear properties of the contacts that are still there; one that is gone has nothing to clear."""
        found = find_records(self._api, rows, id_property, deadline)
        answers = {row.row: settled for row in rows if (settled := _settled(row, found[row.row])) is not None}
        of_row = {row.row: _record_ids(found[row.row]) for row in rows if row.row not in answers}
        read = self._read_guarded(rows, of_row, deadline)
        answers |= _unread(read)
        of_row = {number: records for number, records in of_row.items() if number not in answers}
        kept = {row.row: _of_persons(row, read[row.row]) for row in rows if row.row in read}
        updated = self._clear(_cleared_by_record(rows, of_row, kept), deadline)
        for number, records in of_row.items():
            joined = _joined([updated.get(record, Answer("removed")) for record in records], records)
            answers[number] = with_kept(joined, kept.get(number, ()))
        return answers

    def _read_guarded(
        self, rows: Sequence[Row], of_row: Mapping[int, Sequence[str]], deadline: float
    ) -> dict[int, list[Found]]:
        """Return by number of the rows that guard properties their records, with what stands in these now."""
        guarded_rows = [row for row in rows if row.guards and row.row in of_row]
        names = sorted({name for row in guarded_rows for name in row.guards})
        records = {record for row in guarded_rows for record in of_row[row.row]}
        found = read_records(self._api, records, "", names, deadline)
        return {row.row: [found[record] for record in of_row[row.row]] for row in guarded_rows}

    def _clear(self, cleared: Mapping[str, dict[str, str]], deadline: float) -> dict[str, Answer]:
        """Write these properties into these records; return an answer for each of which anything is written."""
        inputs = [
            {"id": record, "properties": properties} for record, properties in cleared.items() if properties
        ]
        updated: dict[str, Answer] = {}
        for some in batches(inputs, count=BATCH_LIMIT):
            answered = self._batch("/batch/update", dict(enumerate(some)), "removed", deadline)
            updated |= {str(some[number]["id"]): answer for number, answer in answered.items()}
        return updated

    def _batch(
        self,
        path: str,
        inputs: Mapping[int, dict[str, Any]],
        done: Literal["sent", "removed"],
        deadline: float,
    ) -> dict[int, Answer]:
        """Post rows by number; split a batch that is refused, so that only the row which spoils it fails.

        A row that fails after a try whose answer was lost may have been written by that.
        """
        if not inputs:
            return {}
        traced = [{**row, "objectWriteTraceId": str(number)} for number, row in inputs.items()]
        numbers = list(inputs)
        try:
            reply = self._api.post(path, {"inputs": traced}, deadline)
        except Refused as refused:
            self._has_written = self._has_written or refused.after_lost
            if len(numbers) == 1:
                failed = Answer("failed", refused.code, refused.existing, uncertain=refused.after_lost)
                return {numbers[0]: failed}
            halves = (numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :])
            answers: dict[int, Answer] = {}
            for half in halves:
                answers |= self._batch(path, {number: inputs[number] for number in half}, done, deadline)
            return _may_be_written(answers) if refused.after_lost else answers
        self._has_written = True
        answered = answers_of_batch(reply.value, numbers, done)
        return _may_be_written(answered) if reply.after_lost else answered


def _cleared_by_record(
    rows: Sequence[Row], of_row: Mapping[int, Sequence[str]], kept: Mapping[int, tuple[str, ...]]
) -> dict[str, dict[str, str]]:
    """Return by record what is cleared there: HubSpot refuses a batch in which a record stands twice."""
    by_record: dict[str, dict[str, str]] = {}
    for row in rows:
        of_person = kept.get(row.row, ())
        cleared = {name: value for name, value in row.properties.items() if name not in of_person}
        for record in of_row.get(row.row, ()):
            by_record.setdefault(record, {}).update(cleared)
    return by_record


def _is_taken(answer: Answer | None) -> bool:
    """Return whether a contact that HubSpot names has the address already."""
    return answer is not None and answer.code == _CONFLICT and bool(answer.crm_id)


def _unread(read: Mapping[int, Sequence[Found]]) -> dict[int, Answer]:
    """Return the answers of rows whose records could not be read: what stands in them is not known, and stays."""
    codes = {number: next((one.code for one in found if one.code), "") for number, found in read.items()}
    return {number: Answer("failed", code) for number, code in codes.items() if code}


def _of_persons(row: Row, found: Sequence[Found]) -> tuple[str, ...]:
    """Return the guarded properties of a row in which a person's value stands, in one of its records."""
    changed = (changed_of(row.guards, one.properties) for one in found if one.record_id)
    return tuple(sorted({name for names in changed for name in names}))


def _settled(row: Row, found: Sequence[Found]) -> Answer | None:
    """Return the answer for a removal of which nothing is to be cleared, or which cannot be found; else None."""
    code = next((one.code for one in found if one.code), "")
    if code:
        return Answer("failed", code)
    if not _record_ids(found):
        return Answer("removed", "GONE")
    if row.stray and row.crm_id not in _record_ids(found):  # merged into the record that the address leads to
        return Answer("removed", "MERGED")
    return None


def _record_ids(found: Sequence[Found]) -> list[str]:
    return sorted({one.record_id for one in found if one.record_id})


def _joined(answers: Sequence[Answer], records: Sequence[str]) -> Answer:
    """Return the answer for a row whose properties stood in these records: removed when all are cleared."""
    worst = next((answer for answer in answers if answer.status == "failed"), answers[0])
    is_uncertain = any(answer.status == "removed" or answer.uncertain for answer in answers)
    return replace(worst, crm_id=",".join(records), uncertain=worst.status == "failed" and is_uncertain)


def _may_be_written(answers: dict[int, Answer]) -> dict[int, Answer]:
    return {
        number: replace(answer, uncertain=True) if answer.status == "failed" else answer
        for number, answer in answers.items()
    }


def chunk_rows(_: Definition) -> int:
    """Return how many rows a chunk has at most."""
    return BATCH_LIMIT


def open_destination(settings: Settings, _: Definition) -> HubSpot:
    """Return HubSpot as the settings and the secret say. Terminal when the secret holds no token."""
    name = settings.hubspot_secret
    token = secret(name).get("token")
    if not isinstance(token, str) or not token:
        raise Terminal(f'secret {name} has no token; write {{"token": "…"}} into it')
    return HubSpot(Account(settings.hubspot_url, token, name))


def properties_to_make(settings: Settings, kind: str, wanted: Iterable[str], key: str) -> list[str]:
    """Return which properties of a kind of objects are not in HubSpot; it is asked. Raises as `Api.ask`."""
    account = open_destination(settings, Definition(name="hubspot", kind="hubspot")).account
    deadline = time.monotonic() + RequestPolicy.chunk_seconds
    known = Properties(Api(account, time.monotonic, kind)).known(deadline)
    return missing_of(wanted, known, key)
