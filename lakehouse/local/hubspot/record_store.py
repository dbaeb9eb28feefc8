"""The tasks, tickets and notes of the HubSpot simulator, and the properties that objects have: in its SQLite file."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    object TEXT NOT NULL,
    properties TEXT NOT NULL,
    contacts TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    writes INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS unique_values (
    object TEXT, name TEXT, value TEXT COLLATE NOCASE, id INTEGER NOT NULL, PRIMARY KEY (object, name, value)
);
CREATE TABLE IF NOT EXISTS properties (object TEXT, name TEXT, said TEXT NOT NULL, PRIMARY KEY (object, name));
CREATE TABLE IF NOT EXISTS property_groups (object TEXT, name TEXT, label TEXT NOT NULL, PRIMARY KEY (object, name));
"""


class TakenError(Exception):
    """Another record has this value of a property that must be unique."""


@dataclass(frozen=True, slots=True)
class Record:
    """One task, ticket or note as HubSpot keeps it; times are ISO-8601 in UTC, `contacts` those that it is about."""

    id: str
    object: str
    properties: dict[str, str]
    contacts: tuple[str, ...]
    created_at: str
    updated_at: str

    def as_json(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Return the record as the API shows it: the named properties, or all of them."""
        always = {
            "hs_object_id": self.id,
            "hs_createdate": self.created_at,
            "hs_lastmodifieddate": self.updated_at,
        }
        wanted = None if names is None else set(names)
        shown = {name: v for name, v in self.properties.items() if wanted is None or name in wanted}
        return {
            "id": self.id,
            "properties": {**shown, **always},
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "archived": False,
        }


class RecordStore:
    """Records and properties on the connection of the contacts; every method runs inside its `batch`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(SCHEMA)

    def find(self, kind: str, value: str, id_property: str | None = None) -> Record | None:
        """Return the record with this id, or this value of a unique property; None where it is archived."""
        if id_property is None:
            found = self._rows(
                "SELECT * FROM records WHERE object = ? AND id = ? AND NOT archived", kind, value
            )
        else:
            found = self._rows(
                "SELECT r.* FROM unique_values AS u JOIN records AS r ON r.id = u.id "
                "WHERE u.object = ? AND u.name = ? AND u.value = ? AND NOT r.archived",
                kind,
                id_property,
                value,
            )
        return _record(found[0]) if found else None

    def page(self, kind: str, after: int = 0, limit: int = 1000) -> list[Record]:
        """Return up to `limit` records whose id is above `after`, by id."""
        sql = "SELECT * FROM records WHERE object = ? AND id > ? AND NOT archived ORDER BY id LIMIT ?"
        return [_record(row) for row in self._rows(sql, kind, after, limit)]

    def create(
        self, kind: str, properties: Mapping[str, str], unique: Iterable[str], contacts: Iterable[str]
    ) -> Record:
        """Make a record. Raises TakenError for a value of a unique property that another has."""
        now = _now()
        stored = {name: value for name, value in properties.items() if value != ""}
        sql = "INSERT INTO records (object, properties, contacts, created_at, updated_at) VALUES (?, ?, ?, ?, ?)"
        row = (kind, json.dumps(stored), json.dumps(list(contacts)), now, now)
        with closing(self._connection.execute(sql, row)) as cursor:
            record = Record(str(cursor.lastrowid), kind, stored, tuple(contacts), now, now)
        self._note_unique(record, unique)
        return record

    def update(self, record: Record, properties: Mapping[str, str], unique: Iterable[str]) -> Record:
        """Write properties over a record's; an empty value clears. Raises as `create`."""
        merged = {**record.properties, **properties}
        stored = {name: value for name, value in merged.items() if value != ""}
        changed = Record(record.id, record.object, stored, record.contacts, record.created_at, _now())
        sql = "UPDATE records SET properties = ?, updated_at = ?, writes = writes + 1 WHERE id = ?"
        self._connection.execute(sql, (json.dumps(stored), changed.updated_at, int(record.id)))
        self._note_unique(changed, unique)
        return changed

    def archive(self, kind: str, record_id: str) -> None:
        """Hide a record and free its unique values; an unknown id is no error."""
        self._connection.execute(
            "UPDATE records SET archived = 1 WHERE object = ? AND id = ?", (kind, record_id)
        )
        self._connection.execute("DELETE FROM unique_values WHERE object = ? AND id = ?", (kind, record_id))

    def count(self) -> dict[str, int]:
        """Return how many records there are of each kind that has any."""
        return dict(self._rows("SELECT object, count(*) FROM records WHERE NOT archived GROUP BY object"))

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties that were made, by name."""
        rows = self._rows("SELECT name, said FROM properties WHERE object = ?", kind)
        return {name: json.loads(said) for name, said in rows}

    def make_property(self, kind: str, said: Mapping[str, Any]) -> None:
        """Make a property; whoever calls has looked whether there is one."""
        self._connection.execute(
            "INSERT INTO properties VALUES (?, ?, ?)", (kind, said["name"], json.dumps(dict(said)))
        )

    def groups(self, kind: str) -> dict[str, str]:
        """Return the labels of the groups of properties that were made, by name."""
        return dict(self._rows("SELECT name, label FROM property_groups WHERE object = ?", kind))

    def make_group(self, kind: str, name: str, label: str) -> None:
        """Make a group of properties."""
        self._connection.execute("INSERT INTO property_groups VALUES (?, ?, ?)", (kind, name, label))

    def _note_unique(self, record: Record, unique: Iterable[str]) -> None:
        for name in unique:
            value = record.properties.get(name)
            taken = self._rows(
                "SELECT id FROM unique_values WHERE object = ? AND name = ? AND value = ? AND id <> ?",
                record.object,
                name,
                value,
                int(record.id),
            )
            if taken:
                raise TakenError(name)
            self._connection.execute(
                "DELETE FROM unique_values WHERE object = ? AND name = ? AND id = ?",
                (record.object, name, int(record.id)),
            )
            if value:
                self._connection.execute(
                    "INSERT INTO unique_values VALUES (?, ?, ?, ?)",
                    (record.object, name, value, int(record.id)),
                )

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with closing(self._connection.execute(sql, values)) as cursor:
            return cursor.fetchall()


def _record(row: tuple[Any, ...]) -> Record:
    return Record(str(row[0]), row[1], json.loads(row[2]), tuple(json.loads(row[3])), row[4], row[5])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
