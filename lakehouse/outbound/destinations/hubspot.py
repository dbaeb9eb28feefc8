"""HubSpot's contacts: batch upsert by e-mail, and clearing of properties by record id.

Rows are matched by the trace id that we give them and HubSpot gives back, never by their position. A batch
that HubSpot refuses as a whole (400, 409) is split until the row that spoils it stands alone. Removals read
the record ids first and then update: an upsert would bring back a contact that was deleted in the CRM, and
HubSpot does not update contacts by e-mail.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Literal

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import Answer
from lakehouse.outbound.destinations.hubspot_answers import answers_of_batch, missing_ids, record_ids
from lakehouse.outbound.destinations.hubspot_api import Account, Api, Refused
from lakehouse.outbound.policy import HubSpotPolicy
from lakehouse.secrets import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

BATCH_LIMIT: Final = 100  # inputs that HubSpot takes in one batch request


class HubSpot:
    """A HubSpot account, reached with a private app's token. Sending a row twice changes nothing."""

    idempotent = True

    def __init__(self, account: Account, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(account, clock)
        self._clock = clock

    def send(self, chunk: Chunk, rows: Sequence[Row]) -> dict[int, Answer]:
        """Deliver rows of a chunk and return an answer for each, by its number; errors as in `Destination`."""
        deadline = self._clock() + HubSpotPolicy.chunk_seconds
        writes = [row for row in rows if row.action == "upsert"]
        leavers = [row for row in rows if row.action == "remove"]
        answers = self._upsert(writes, chunk.id_property, deadline)
        return answers | self._remove(leavers, chunk.id_property, deadline)

    def _upsert(self, rows: Sequence[Row], id_property: str, deadline: float) -> dict[int, Answer]:
        inputs = {
            row.row: {"id": row.id, "idProperty": id_property, "properties": row.properties} for row in rows
        }
        return self._batch("/batch/upsert", inputs, "sent", deadline)

    def _remove(self, rows: Sequence[Row], id_property: str, deadline: float) -> dict[int, Answer]:
        """Clear properties of the contacts that are still there; one that is gone has nothing to clear."""
        if not rows:
            return {}
        inputs = [{"id": row.id} for row in rows]
        body = {"idProperty": id_property, "properties": [id_property], "inputs": inputs}
        try:
            read = self._api.post("/batch/read", body, deadline)
        except Refused as refused:
            return {row.row: Answer("failed", refused.code) for row in rows}
        records, missing = record_ids(read, id_property), missing_ids(read)
        answers: dict[int, Answer] = {}
        updates: dict[int, dict[str, Any]] = {}
        for row in rows:
            address = row.id.lower()
            if records.get(address):
                updates[row.row] = {"id": records[address], "properties": row.properties}
            elif address in missing:
                answers[row.row] = Answer("removed", "GONE")
            else:
                answers[row.row] = Answer("failed", "NOT_FOUND_BY_ID")
        return answers | self._batch("/batch/update", updates, "removed", deadline)

    def _batch(
        self, path: str, inputs: dict[int, dict[str, Any]], done: Literal["sent", "removed"], deadline: float
    ) -> dict[int, Answer]:
        """Post rows by number; split a batch that is refused, so that only the row which spoils it fails."""
        if not inputs:
            return {}
        traced = [{**row, "objectWriteTraceId": str(number)} for number, row in inputs.items()]
        numbers = list(inputs)
        try:
            return answers_of_batch(self._api.post(path, {"inputs": traced}, deadline), numbers, done)
        except Refused as refused:
            if len(numbers) == 1:
                return {numbers[0]: Answer("failed", refused.code)}
        answers: dict[int, Answer] = {}
        middle = len(numbers) // 2
        for half in (numbers[:middle], numbers[middle:]):
            answers |= self._batch(path, {number: inputs[number] for number in half}, done, deadline)
        return answers


def open_destination(settings: Settings) -> HubSpot:
    """Return HubSpot as the settings and the secret say. Terminal when the secret holds no token."""
    name = settings.hubspot_secret
    token = secret(name).get("token")
    if not isinstance(token, str) or not token:
        raise Terminal(f'secret {name} has no token; write {{"token": "…"}} into it')
    return HubSpot(Account(settings.hubspot_url, token, name))
