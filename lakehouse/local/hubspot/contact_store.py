"""The contacts of the HubSpot simulator: an SQLite file that outlives the process."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MERGED = "hs_merged_object_ids"
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT COLLATE NOCASE UNIQUE,
    properties TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    writes INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS secondary_addresses (email TEXT COLLATE NOCASE PRIMARY KEY, id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS archivals (id INTEGER PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS merged_records (id INTEGER PRIMARY KEY, into_id INTEGER NOT NULL);
"""


class Conflict(Exception):  # noqa: N818 - HubSpot's own category
    """A write would give two contacts the same e-mail; HubSpot refuses all rows of the batch."""


class BadRow(Exception):  # noqa: N818 - a verdict on a row, not a failure of the store
    """HubSpot refuses this row and writes the others."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as HubSpot keeps it; times are ISO-8601 in UTC."""

    id: str
    properties: dict[str, str]
    created_at: str
    updated_at: str

    def as_json(self, names: list[str] | None = None) -> dict[str, Any]:
        """Return the contact as the API shows it: the named properties, or all of them."""
        always = {"hs_object_id": self.id, "createdate": self.created_at, "lastmodifieddate": self.updated_at}
        shown = {name: v for name, v in self.properties.items() if names is None or name in names}
        return {
            "id": self.id,
            "properties": {**shown, **always},
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "archived": False,
        }


class ContactStore:
    """Contacts by id and by e-mail. Every method is one transaction; threads take turns."""

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        self._turn = Lock()
        # Whether a contact is neither written nor found by a secondary e-mail, as people report of HubSpot.
        self.refuses_secondary = False

    @property
    def connection(self) -> sqlite3.Connection:
        """Return the connection, for what else stands in the file; used inside `batch`."""
        return self._connection

    def close(self) -> None:
        """Close the file; what was written stays."""
        with self._turn:
            self._connection.close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make what happens inside one transaction: a `Conflict` undoes all of it."""
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def find(self, value: str, id_property: str | None = None) -> Contact | None:
        """Return the contact with this e-mail (`id_property` "email") or record id (None).

        As HubSpot does, it finds a contact by a secondary e-mail, and by the id of a record merged into it.
        """
        sql = "SELECT id, properties, created_at, updated_at FROM contacts WHERE NOT archived AND "
        if id_property == "email" and self.refuses_secondary:
            sql += "email = ?1"
        elif id_property == "email":
            sql += "(email = ?1 OR id = (SELECT id FROM secondary_addresses WHERE email = ?1)) ORDER BY email <> ?1"
        else:
            sql += "id = coalesce((SELECT into_id FROM merged_records WHERE id = ?1), ?1)"
        with closing(self._connection.execute(sql, (value,))) as cursor:
            row = cursor.fetchone()
        return _contact(row) if row else None

    def page(self, after: int, limit: int) -> list[Contact]:
        """Return up to `limit` contacts whose id is above `after`, by id."""
        sql = (
            "SELECT id, properties, created_at, updated_at FROM contacts"
            " WHERE id > ? AND NOT archived ORDER BY id LIMIT ?"
        )
        with self._turn, closing(self._connection.execute(sql, (after, limit))) as cursor:
            return [_contact(row) for row in cursor.fetchall()]

    def upsert(self, email: str, properties: Mapping[str, str]) -> tuple[Contact, bool]:
        """Write the contact with this e-mail, inside `batch`; the flag says whether it is new.

        Raises `BadRow` for an invalid e-mail and `Conflict` when `properties` would take another's e-mail.
        """
        if not _EMAIL.fullmatch(email):
            raise BadRow("INVALID_EMAIL", f"Email address {email} is invalid")
        existing = self.find(email, "email")
        if existing is not None:
            return self.update(existing, properties), False
        taken = self._connection.execute(
            "SELECT s.id FROM secondary_addresses AS s JOIN contacts AS c USING (id) "
            "WHERE s.email = ? AND NOT c.archived",
            (email,),
        ).fetchone()
        if taken:
            raise Conflict(f"Contact already exists. Existing ID: {taken[0]}")
        now = _now()
        stored = {"email": email.lower(), **_without_empty(properties)}
        sql = "INSERT INTO contacts (email, properties, created_at, updated_at) VALUES (?, ?, ?, ?)"
        row = (stored["email"], json.dumps(stored), now, now)
        with closing(self._connection.execute(sql, row)) as cursor:
            return Contact(str(cursor.lastrowid), stored, now, now), True

    def update(self, contact: Contact, properties: Mapping[str, str]) -> Contact:
        """Write properties over a contact's, inside `batch`; an empty value clears. Raises as `upsert`."""
        email = properties.get("email", contact.properties["email"])
        if not _EMAIL.fullmatch(email):
            raise BadRow("INVALID_EMAIL", f"Email address {email} is invalid")
        merged = {**contact.properties, **properties, "email": email.lower()}
        changed = Contact(contact.id, _without_empty(merged), contact.created_at, _now())
        sql = (
            "UPDATE contacts SET email = ?, properties = ?, updated_at = ?, writes = writes + 1 WHERE id = ?"
        )
        row = (
            changed.properties["email"],
            json.dumps(changed.properties),
            changed.updated_at,
            int(contact.id),
        )
        try:
            self._connection.execute(sql, row)
        except sqlite3.IntegrityError as error:
            raise Conflict("Contact already exists") from error
        return changed

    def all(self) -> list[Contact]:
        """Return every contact that is not archived."""
        return self.page(0, -1)

    def archived(self) -> list[tuple[Contact, str]]:
        """Return the archived contacts by id, each with when it was archived."""
        sql = (
            "SELECT c.id, properties, created_at, updated_at, at FROM contacts AS c JOIN archivals USING (id)"
            " WHERE archived ORDER BY c.id"
        )
        with self._turn, closing(self._connection.execute(sql)) as cursor:
            return [(_contact(row), row[4]) for row in cursor.fetchall()]

    def archive(self, contact_id: str) -> None:
        """Hide a contact and free its e-mail, inside `batch`; an unknown id is no error."""
        self._connection.execute(
            "INSERT OR IGNORE INTO archivals SELECT id, ? FROM contacts WHERE id = ?", (_now(), contact_id)
        )
        self._connection.execute("UPDATE contacts SET archived = 1, email = NULL WHERE id = ?", (contact_id,))

    def forget(self, contact: Contact) -> None:
        """Delete a contact for good, inside `batch`."""
        self._connection.execute("DELETE FROM contacts WHERE id = ?", (contact.id,))

    def add_secondary(self, contact: Contact, email: str) -> None:
        """Let a contact be found by another e-mail too, inside `batch`."""
        self._connection.execute(
            "INSERT OR REPLACE INTO secondary_addresses VALUES (?, ?)", (email, int(contact.id))
        )

    def merge(self, primary: Contact, other: Contact) -> Contact:
        """Merge `other` into `primary`, inside `batch`: its address and its id lead there from now on."""
        moved = (int(primary.id), int(other.id))
        self._connection.execute("UPDATE secondary_addresses SET id = ? WHERE id = ?", moved)
        self._connection.execute("UPDATE merged_records SET into_id = ? WHERE into_id = ?", moved)
        self._connection.execute("INSERT INTO merged_records VALUES (?, ?)", moved[::-1])
        self.forget(other)
        self.add_secondary(primary, other.properties["email"])
        merged = [primary.properties.get(MERGED, ""), other.properties.get(MERGED, ""), other.id]
        ids = {MERGED: ";".join(filter(None, merged))}
        return self.update(primary, {**other.properties, **primary.properties, **ids})

    def count(self) -> int:
        """Return how many contacts there are."""
        sql = "SELECT count(*) FROM contacts WHERE NOT archived"
        with self._turn, closing(self._connection.execute(sql)) as cursor:
            return int(cursor.fetchone()[0])

    def writes(self) -> dict[str, int]:
        """Return how often each contact was written, by e-mail."""
        sql = "SELECT email, writes FROM contacts WHERE NOT archived"
        with self._turn, closing(self._connection.execute(sql)) as cursor:
            return dict(cursor.fetchall())


def _without_empty(properties: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if value != ""}


def _contact(row: tuple[Any, ...]) -> Contact:
    return Contact(str(row[0]), json.loads(row[1]), row[2], row[3])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
