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
    """What the files say of one person: ids of records by source, clean e-mails and phones, statements."""

    records: dict[str, list[str]] = field(default_factory=lambda: {"hubspot": [], "salesforce": []})
    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    statements: list[Statement] = field(default_factory=list)

    @property
    def nodes(self) -> list[str]:
        """The names of the person's records among those of all sources."""
        return [f"{source}:{record_id}" for source, ids in self.records.items() for record_id in ids]

    @property
    def consent(self) -> str:
        """`granted`, `denied` or `unknown`; see the note on consent."""
        answers = [statement for statement in self.statements if statement.status != "not_opted_out"]
        if not answers:
            return "unknown"
        newest = max(answers, key=lambda statement: (statement.day, statement.status == "denied"))
        return newest.status

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
    """Collects what is true while the files are written, and writes `truth.json`."""

    def __init__(self, seed: int, people: Sequence[Person]) -> None:
        self.seed = seed
        self.people = people
        self.known = {person.shop_id: Known() for person in people}
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.bad: list[BadRow] = []
        self._links = Links()

    def note_record(self, person: Person, record: Record) -> None:
        """Note a CRM record of a person."""
        self.known[person.shop_id].records[record.source].append(record.record_id)
        self._note_identifiers(record.node, person, record.email, record.phone)
        if record.shop_id:
            self._links.join(record.node, [f"shop:{record.shop_id}"])

    def note_identify(self, person: Person, *, email: str | None, phone: str | None) -> None:
        """Note that the web says these belong to the person's shop id."""
        self._note_identifiers(f"shop:{person.shop_id}", person, email, phone)

    def _note_identifiers(self, node: str, person: Person, email: str | None, phone: str | None) -> None:
        known = self.known[person.shop_id]
        if email:
            known.emails.add(email)
            self._links.join(node, [f"email:{email}"])
        if phone:
            known.phones.add(phone)
            self._links.join(node, [f"phone:{phone}"])

    def note_statement(self, person: Person, statement: Statement) -> None:
        """Note what a record says about consent."""
        self.known[person.shop_id].statements.append(statement)

    def count(self, group: str, name: str, by: int = 1) -> None:
        """Add to the count `name` of a group such as `hubspot`."""
        self.counts[group][name] += by

    def note_bad_rows(self, file: str, codes: Iterable[str | None]) -> None:
        """Note which rows of a file are bad, given the code (or None) of each row in order."""
        self.bad.extend(BadRow(file, row, code) for row, code in enumerate(codes, start=1) if code)

    def linked(self) -> dict[str, int]:
        """Count the sets of records that share identifiers; see the note on `linked`."""
        shops: Counter[str] = Counter(self._links.find(f"shop:{person.shop_id}") for person in self.people)
        records = {self._links.find(node) for known in self.known.values() for node in known.nodes}
        stray = len(records - shops.keys())
        return {"customers": len(shops) + stray, "stray": stray, "merged": shops.total() - len(shops)}

    def write(self, path: Path, files: Sequence[SampleFile]) -> None:
        """Write everything as one JSON file, a line for each person."""
        head = {
            "seed": self.seed,
            "as_of": AS_OF,
            "notes": NOTES,
            "files": self._describe(files),
            "bad": self.bad,
            "counts": {"customers": len(self.people), **self.counts, "linked": self.linked()},
            "households": self._households(),
        }
        entries = []
        for person in self.people:
            known = self.known[person.shop_id]
            entries.append(_compact(known.as_json(person.shop_id, person.identified)))
        people = ",\n".join(entries)
        content = f'{_compact(head)[:-1]},\n"people":[\n{people}\n]}}\n'
        path.write_text(content, encoding="utf-8", newline="\n")

    def _describe(self, files: Sequence[SampleFile]) -> dict[str, Any]:
        """Return of each file, by name: its entity, its rows, and how many rows are bad, by code."""
        bad_codes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row in self.bad:
            bad_codes[row.file][row.code] += 1
        return {
            file.path.name: {
                "entity": f"{file.source}/{file.entity}",
                "rows": file.rows,
                "bad": bad_codes[file.path.name],
            }
            for file in files
        }

    def _households(self) -> list[tuple[str, str]]:
        """Return the pairs of people who share a phone, each once."""
        pairs = [(person.relative, person.shop_id) for person in self.people if person.relative]
        return sorted((first, second) for first, second in pairs if first < second)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
