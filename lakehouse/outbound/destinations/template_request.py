"""Makes requests of rows as a template says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations.client import Request
from lakehouse.outbound.destinations.exchange import Refused
from lakehouse.outbound.destinations.template import OF_ROW, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakehouse.outbound.destinations.credentials import Credentials
    from lakehouse.outbound.destinations.template import Call
    from lakehouse.outbound.records import Chunk, Row


@dataclass(frozen=True)
class Names:
    """What the names of a template stand for: in the part of one row, or in a request (`row` None where of several)."""

    chunk: Chunk
    secrets: Credentials
    key: str
    row: Row | None = None
    rows: list[Any] | None = None

    def __call__(self, name: str) -> Any:
        """Return a name's value; Terminal for a secret that is not there, or what only one row has."""
        first, _, rest = name.partition(".")
        if first in OF_ROW:
            return self._of_row(first, rest)
        if first == "secret":
            return self.secrets[rest]
        return {
            "object": self.chunk.object,
            "id_property": self.chunk.id_property,
            "sync": self.chunk.sync,
            "key": self.key,
            "rows": self.rows,
        }[first]

    def _of_row(self, first: str, rest: str) -> Any:
        if self.row is None:
            raise Terminal(f"{{{first}}} is of one row, and the request has several")
        return {
            "id": self.row.id,
            "customer_id": self.row.customer_id,
            "crm_id": self.row.crm_id,
            "row_key": request_key(self.chunk, [self.row]),
            "property": self.row.properties.get(rest, ""),
            "properties": dict(self.row.properties),
        }[first]


def make_request(
    call: Call, headers: Mapping[str, str], chunk: Chunk, rows: Sequence[Row], secrets: Credentials
) -> Request:
    """Return the request that sends these rows; Refused for a value that no path can hold."""
    key = request_key(chunk, rows)
    parts = [render(call.row, Names(chunk, secrets, key, row)) for row in rows]
    names = Names(chunk, secrets, key, rows[0] if len(rows) == 1 else None, parts)
    body = render(call.body, names) if call.body is not None else None
    return Request(
        call.method,
        str(render(call.path, names, _path_part)),
        json=None if call.form else body,
        form={name: _text(value) for name, value in body.items()} if call.form and body else None,
        headers={name: str(render(text, names)) for name, text in headers.items()},
        query={name: _text(render(text, names)) for name, text in call.query.items()},
    )


def _path_part(text: str) -> str:
    """Return a text as a part of a path; Refused for one that leads elsewhere: empty, or nothing but dots."""
    if text in {"", ".", ".."}:
        raise Refused("NO_PATH")
    return quote(text, safe="")


def request_key(chunk: Chunk, rows: Sequence[Row]) -> str:
    """Return what names a request of a chunk for certain rows: the same whenever it is sent again."""
    named = [chunk.sync, chunk.run, chunk.chunk, *(f"{row.row}:{row.action}" for row in rows)]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:32]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
