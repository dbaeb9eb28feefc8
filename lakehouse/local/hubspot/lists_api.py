"""The lists of the HubSpot simulator: static ones, whose members are put there by hand or by request."""

from __future__ import annotations

from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from lakehouse.local.hubspot.api import Answer, Refused, invalid
from lakehouse.local.hubspot.faults import error_body

if TYPE_CHECKING:
    from lakehouse.local.hubspot.contact_store import ContactStore

LISTS: Final = "/crm/v3/lists/"
_TYPES: Final = frozenset({"MANUAL", "SNAPSHOT", "DYNAMIC"})
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS lists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, kind TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS list_members (list INTEGER, record INTEGER, PRIMARY KEY (list, record));
"""


class ListsApi:
    """Lists of contacts, and who is on them."""

    def __init__(self, store: ContactStore) -> None:
        self._store = store
        store.connection.executescript(_SCHEMA)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        """Answer a request to `path` below `LISTS`."""
        try:
            with self._store.batch():
                return self._answer(method, path.strip("/"), body)
        except Refused as refused:
            return refused.answer

    def members(self, list_id: str) -> list[str]:
        """Return the ids of the contacts on a list; inside `batch`."""
        rows = self._rows("SELECT record FROM list_members WHERE list = ? ORDER BY record", list_id)
        return [str(record) for (record,) in rows]

    def _answer(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        if method == "POST" and not path:
            return self._make(body)
        list_id, _, rest = path.partition("/")
        found = self._rows("SELECT id, name, kind FROM lists WHERE id = ?", list_id)
        if not found:
            return Answer(HTTPStatus.NOT_FOUND, error_body("OBJECT_NOT_FOUND", "List does not exist"))
        said = {"listId": str(found[0][0]), "name": found[0][1], "processingType": found[0][2]}
        if method == "GET" and not rest:
            return Answer(HTTPStatus.OK, {"list": {**said, "objectTypeId": "0-1", "listVersion": 1}})
        if method == "PUT" and rest == "memberships/add-and-remove":
            if said["processingType"] == "DYNAMIC":
                raise invalid("The memberships of a DYNAMIC list cannot be changed")
            return self._change(list_id, body)
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, error_body("METHOD_NOT_ALLOWED", "not in the simulator"))

    def _make(self, body: dict[str, Any]) -> Answer:
        name, kind = body.get("name"), body.get("processingType")
        if not isinstance(name, str) or not name or kind not in _TYPES or body.get("objectTypeId") != "0-1":
            raise invalid("name, objectTypeId and processingType must be given")
        self._store.connection.execute("INSERT INTO lists (name, kind) VALUES (?, ?)", (name, kind))
        [(list_id,)] = self._rows("SELECT id FROM lists WHERE name = ?", name)
        said = {"listId": str(list_id), "name": name, "processingType": kind, "objectTypeId": "0-1"}
        return Answer(HTTPStatus.OK, {"list": {**said, "listVersion": 1}})

    def _change(self, list_id: str, body: dict[str, Any]) -> Answer:
        added, removed = (body.get(name, []) for name in ("recordIdsToAdd", "recordIdsToRemove"))
        if not isinstance(added, list) or not isinstance(removed, list):
            raise invalid("recordIdsToAdd and recordIdsToRemove are lists of ids")
        missing = [str(record) for record in added if self._store.find(str(record)) is None]
        before = set(self.members(list_id))
        enters = [str(record) for record in added if str(record) not in {*missing, *before}]
        leaves = [str(record) for record in removed if str(record) in before]
        for record in enters:
            self._store.connection.execute("INSERT INTO list_members VALUES (?, ?)", (list_id, record))
        for record in leaves:
            sql = "DELETE FROM list_members WHERE list = ? AND record = ?"
            self._store.connection.execute(sql, (list_id, record))
        said = {"recordsIdsAdded": enters, "recordIdsRemoved": leaves, "recordIdsMissing": missing}
        return Answer(HTTPStatus.OK, said)

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with closing(self._store.connection.execute(sql, values)) as cursor:
            return cursor.fetchall()
