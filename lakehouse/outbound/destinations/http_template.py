"""Any HTTP API, by a template: Zoho CRM, 悟空CRM, a company's own CRM, SMS, e-mail, ad audiences.

What a template says must not be sent twice is not: a row whose answer was lost is then unknown, and told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import Answer, Declared
from lakehouse.outbound.destinations.client import Client, at, code_or
from lakehouse.outbound.destinations.credentials import Credentials, credentials
from lakehouse.outbound.destinations.delivery import RowSender
from lakehouse.outbound.destinations.delivery import chunk_rows as rows_within_rate
from lakehouse.outbound.destinations.exchange import Answered, until_answered
from lakehouse.outbound.destinations.http_answers import Asked, read_answer, read_found
from lakehouse.outbound.destinations.template import names_of, render
from lakehouse.outbound.destinations.template_request import Names, make_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakehouse.outbound.destinations.definition import HttpDefinition
    from lakehouse.outbound.destinations.exchange import Asking
    from lakehouse.outbound.destinations.template import Call, HttpTemplate
    from lakehouse.outbound.records import Chunk, Row
    from lakehouse.settings import Settings

_NOTHING_THERE = (httpx.codes.NOT_FOUND, httpx.codes.GONE)


class TemplatedApi(RowSender):
    """An HTTP API as a template describes it."""

    def __init__(
        self, client: Client, definition: HttpDefinition, secrets: Credentials, **timing: Callable[..., Any]
    ) -> None:
        super().__init__(**timing)
        self._client, self._secrets = client, secrets
        self._template = definition.template
        self._who = f"destination {definition.name}"
        self.declared = declared(self._template)

    @property
    def who(self) -> str:
        """Return how errors call it."""
        return self._who

    def upsert(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Write rows by one request; raises as `until_answered`."""
        if self._template.update is None:
            return self._ask(self._template.upsert, chunk, rows, asking)
        known = self._found(chunk, rows[0], asking)
        if known.crm_id:
            return self._ask(self._template.update, chunk, [known], asking)
        # A record is not made twice: where the answer is lost, the next attempt looks for it again.
        return self._ask(self._template.upsert, chunk, rows, replace(asking, may_repeat=False))

    def remove(self, chunk: Chunk, rows: Sequence[Row], asking: Asking) -> Answered[dict[int, Answer]]:
        """Take rows off by one request; those whose record has to be known and is not are looked for first."""
        call = self._template.remove
        if call is None:
            raise Terminal(f"{self.who} has no request to remove somebody by")
        if "crm_id" not in names_of((call.path, call.query, call.row, call.body)):
            return self._ask(call, chunk, rows, asking)
        answers: dict[int, Answer] = {}
        there: list[Row] = []
        for row in rows:
            known = row if row.crm_id else self._found(chunk, row, asking)
            if known.crm_id:
                there.append(known)
            else:
                is_looked_for = self._template.find is not None
                answers[row.row] = (
                    Answer("removed", "GONE") if is_looked_for else Answer("failed", "NO_RECORD_ID")
                )
        if not there:
            return Answered(answers)
        answered = self._ask(call, chunk, there, asking)
        return Answered(answers | answered.value, answered.after_lost)

    def _found(self, chunk: Chunk, row: Row, asking: Asking) -> Row:
        """Return a row with the id of its record; without one where there is no such record, or no way to find it."""
        find = self._template.find
        if find is None:
            return row
        request = make_request(find, self._template.headers, chunk, [row], self._secrets)

        def once() -> str:
            response = self._client.call(request, self._code, _NOTHING_THERE)
            return "" if response.status_code in _NOTHING_THERE else read_found(find, response, row)

        return replace(row, crm_id=until_answered(once, replace(asking, may_repeat=True)).value)

    def _ask(
        self, call: Call, chunk: Chunk, rows: Sequence[Row], asking: Asking
    ) -> Answered[dict[int, Answer]]:
        request = make_request(call, self._template.headers, chunk, rows, self._secrets)
        says = self._template.answer
        ids = {row.row: str(render(says.row_id, Names(chunk, self._secrets, "", row))) for row in rows}
        also = _NOTHING_THERE if len(rows) == 1 and rows[0].action == "remove" else ()

        def once() -> dict[int, Answer]:
            response = self._client.call(request, self._code, also)
            if response.status_code in also:
                return {rows[0].row: Answer("removed", "GONE")}
            return read_answer(says, response, Asked(rows, ids), self.who)

        return until_answered(once, asking)

    def _code(self, body: Any) -> str:
        return code_or(at(body, self._template.answer.code), "")


def declared(template: HttpTemplate) -> Declared:
    """Return what a template declares."""
    return Declared(template.batch, template.rate, template.idempotent, template.removal)


def chunk_rows(definition: HttpDefinition) -> int:
    """Return how many rows a chunk has at most."""
    return rows_within_rate(declared(definition.template))


def open_destination(settings: Settings, definition: HttpDefinition) -> TemplatedApi:
    """Return the API that a destination's file describes; Terminal as `Client` and `credentials`."""
    return TemplatedApi(Client(settings, definition), definition, credentials(settings, definition))
