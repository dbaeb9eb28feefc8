"""What is true about the sample, collected while it is written, so that tests can score against it.

`truth.json` has one entry a customer, the counts of everything planted, and every bad row by file, row
(1 is the first data row or line) and code.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lakehouse.sample.purchases.links import Links

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lakehouse.sample.purchases.files import SampleFile
    from lakehouse.sample.purchases.people import Person

Status = Literal["granted", "denied", "not_opted_out"]
AS_OF = "1998-06-30"
NOTES = {
    "people": "One entry a customer: ids of its records, clean e-mails and phones (E.164) those carry.",
    "consent": "The newest granted or denied statement (denied on a tie); not_opted_out, the default of "
    "Salesforce, grants nothing. In statements: source, record id, status, day.",
    "linked": "Sets of records that share a shop id, e-mail or phone, written alike: the most that exact "
    "rules can find. stray: sets without a shop customer. merged: households seen as one customer.",
    "bad": "Rows that cannot load: file, row (1 is the first data row or line), code.",
}


class Statement(NamedTuple):
    """What a record says about e-mail marketing, on a day (ISO 8601)."""

    source: str
    record_id: str
    status: Status
    day: str


class Record(NamedTuple):
    """A CRM record and the clean identifiers it carries (None: missing or malformed)."""

    source: str
    record_id: str
    email: str | None
    phone: str | None
    shop_id: str | None

    @property
    def node(self) -> str:
        """The record's name among those of all sources."""
        return f"{self.source}:{self.record_id}"


class BadRow(NamedTuple):
    """A row that must end in quarantine: `row` counts from 1, without the header."""

    file: str
    row: int
    code: str


@dataclass(slots=True)
class Known:
    """What the files tell of one person."""

    records: dict[str, list[str]] = field(default_factory=lambda: {"hubspot": [], "salesforce": []})
    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    statements: list[Statement] = field(default_factory=list)

    @property
    def consent(self) -> str:
        """`granted`, `denied` or `unknown`; see the note on consent."""
        said = [s for s in self.statements if s.status != "not_opted_out"]
        if not said:
            return "unknown"
        return max(said, key=lambda s: (s.day, s.status == "denied")).status

    def as_json(self, shop_id: str, identified: bool) -> dict[str, Any]:
        """Return the entry of this person without what is empty."""
        entry = {
            "shop": shop_id,
            **self.records,
            "emails": sorted(self.emails),
            "phones": sorted(self.phones),
            "identified": identified,
            "consent": self.consent,
            "statements": self.statements,
        }
        return {key: value for key, value in entry.items() if value}


class Truth:
    """The books of the generator."""

    def __init__(self, seed: int, people: Sequence[Person]) -> None:
        self.seed = seed
        self.people = people
        self.known = {person.shop_id: Known() for person in people}
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.bad: list[BadRow] = []
        self._links = Links()

    def record(self, person: Person, record: Record) -> None:
        """Note a CRM record of a person."""
        self.known[person.shop_id].records[record.source].append(record.record_id)
        self._tie(record.node, person, record.email, record.phone)
        if record.shop_id:
            self._links.join(record.node, [f"shop:{record.shop_id}"])

    def identify(self, person: Person, *, email: str | None, phone: str | None) -> None:
        """Note that the web says these belong to the person's shop id."""
        self._tie(f"shop:{person.shop_id}", person, email, phone)

    def _tie(self, node: str, person: Person, email: str | None, phone: str | None) -> None:
        known = self.known[person.shop_id]
        if email:
            known.emails.add(email)
            self._links.join(node, [f"email:{email}"])
        if phone:
            known.phones.add(phone)
            self._links.join(node, [f"phone:{phone}"])

    def state(self, person: Person, statement: Statement) -> None:
        """Note what a record says about consent."""
        self.known[person.shop_id].statements.append(statement)

    def count(self, group: str, name: str, by: int = 1) -> None:
        """Add to the count `name` of a group such as `hubspot`."""
        self.counts[group][name] += by

    def bad_rows(self, file: str, codes: Iterable[str | None]) -> None:
        """Note which rows of a file are bad, given the code (or None) of each row in order."""
        self.bad.extend(BadRow(file, row, code) for row, code in enumerate(codes, start=1) if code)

    def linked(self) -> dict[str, int]:
        """Count the sets of records that share identifiers; see the note on `linked`."""
        shops: Counter[str] = Counter(self._links.find(f"shop:{p.shop_id}") for p in self.people)
        records = {
            self._links.find(f"{source}:{record_id}")
            for known in self.known.values()
            for source, ids in known.records.items()
            for record_id in ids
        }
        stray = len(records - shops.keys())
        return {"customers": len(shops) + stray, "stray": stray, "merged": shops.total() - len(shops)}

    def write(self, path: Path, files: Sequence[SampleFile]) -> None:
        """Write everything as one JSON file, an entry a line."""
        bad = Counter((row.file, row.code) for row in self.bad)
        told = {
            file.path.name: {
                "entity": f"{file.source}/{file.entity}",
                "rows": file.rows,
                "bad": {code: n for (name, code), n in bad.items() if name == file.path.name},
            }
            for file in files
        }
        households = sorted(
            (p.relative, p.shop_id) for p in self.people if p.relative and p.relative < p.shop_id
        )
        head = {
            "seed": self.seed,
            "as_of": AS_OF,
            "notes": NOTES,
            "files": told,
            "bad": self.bad,
            "counts": {"customers": len(self.people), **self.counts, "linked": self.linked()},
            "households": households,
        }
        entries = (_compact(self.known[p.shop_id].as_json(p.shop_id, p.identified)) for p in self.people)
        people = ",\n".join(entries)
        path.write_text(
            f'{_compact(head)[:-1]},\n"people":[\n{people}\n]}}\n', encoding="utf-8", newline="\n"
        )


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
