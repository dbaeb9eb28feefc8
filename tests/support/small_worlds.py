"""Small worlds of a few people: what their systems send, as files, and what a plain reading of it allows.

Any number of worlds live in one lake beside each other: their ids, addresses and forms begin with the world's number.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakehouse.privacy.address_hash import AddressHasher

FUTURE: Final = "2062-01-01T00:00:00Z"
DAY: Final = "2026-04-01"  # a refusal of a day is one of all of it
MOMENTS: Final = (
    "2026-02-01T10:00:00Z",
    "2026-03-01T10:00:00Z",
    "2026-04-01T15:00:00Z",
    "2026-05-01T10:00:00Z",
)
DATES: Final = (*MOMENTS, *MOMENTS, DAY, "", FUTURE, "1970-01-01")
NAMES: Final = ("", "Ann Holt", "Robert Meyer")
SAYS: Final = {"yes": True, "opted in": True, "no": False, "unsubscribed": False, "": None}
ODD: Final = "perhaps"  # sets its row aside
COLUMNS: Final = {  # by the name of an export, what it leaves out
    "full": (), "addresses": ("marketing_consent", "marketing_consent_at"), "consent": ("name", "email", "phone"),
    "undated": ("updated_at",),
}  # fmt: skip
_TABLES: Final = {  # of rows: where they are put, what their id is called, and that of another record which they name
    "crm": ("crm/contacts", "contact_id", "customer_id"),
    "lead": ("crm/leads", "lead_id", "converted_contact_id"),
    "shop": ("shop/customers", "customer_id", None),
}
TOPICS: Final = [(p, c) for p in ("marketing", "service") for c in ("email", "sms")]
YES: Final = ("yes", "opted in")
NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """A row of a CRM's contacts, of its leads, whose numbers contacts have too and which say nothing of consent, or of
    a shop's customers.
    """

    system: str
    record: str
    columns: str
    name: str
    email: str
    phone: str
    account: str  # in the CRM, the shop's record that it names
    word: str
    said: str
    changed: str
    deleted: str


class Visit(NamedTuple):
    """A message of the site."""

    device: str
    user: str
    email: str
    says: bool | None
    said: str


class Said(NamedTuple):
    """A statement of an address, or of a record as `crm 1`."""

    subject: str
    channel: str
    purpose: str
    word: str
    said: str
    form: str
    own: bool


class Word(NamedTuple):
    """What a person said of two records."""

    one: str
    other: str
    verdict: str


class Recall(NamedTuple):
    """A form that asked wrongly, or did not after all."""

    form: str
    recalled: bool


class Erasure(NamedTuple):
    """Somebody who was erased, by an address or a record; or who was not after all."""

    subject: str
    said: str
    erased: bool


Event = Row | Visit | Said | Word | Recall | Erasure
Rounds = list[list[Event]]

_emails = st.sampled_from(["a", "b", "c", ""])
_phones = st.sampled_from(["", "", "1", "2"])
_dates = st.sampled_from(DATES)
_words = st.sampled_from(["yes", "yes", "opted in", "no", "unsubscribed", "", "", ODD])
_own = ("crm 1", "crm 2", "crm 3", "shop 1", "shop 2")
_rows = st.builds(
    Row, st.just("crm"), st.sampled_from("123"), st.sampled_from(["full", "full", *COLUMNS]), st.sampled_from(NAMES),
    _emails, _phones, st.sampled_from(["", "", "1", "2"]), _words, _dates, _dates,
    st.sampled_from(["", "", "", "true", "false"]),
)  # fmt: skip
_shop = st.builds(
    Row, st.just("shop"), st.sampled_from("12"), st.sampled_from(["full", "full", *COLUMNS]), st.sampled_from(NAMES),
    _emails, _phones, st.just(""), _words, _dates, _dates, st.sampled_from(["", "", "", "true"]),
)  # fmt: skip
_leads = st.builds(
    Row, st.just("lead"), st.sampled_from("12"), st.sampled_from(["full", "full", "consent", "undated"]),
    st.sampled_from(NAMES), _emails, _phones, st.sampled_from(["", "", "", "1"]), st.just(""), _dates, _dates,
    st.sampled_from(["", "", "", "true", "false"]),
)  # fmt: skip
_visits = st.builds(
    Visit, st.sampled_from("xy"), st.sampled_from(["", "1", "2"]), _emails, st.sampled_from([None, True, False]),
    st.sampled_from([*MOMENTS, FUTURE]),
)  # fmt: skip
_subjects = st.sampled_from(["a", "b", "c", "+1", "+2", *_own, "web 1", "lead 1", "lead 2"])
_said = st.builds(
    Said, _subjects, st.sampled_from(["email", "email", "sms", "all"]),
    st.sampled_from(["marketing", "marketing", "service", "all"]), st.sampled_from(["yes", "yes", "no", ODD]), _dates,
    st.sampled_from(["", "footer", "popup"]), st.booleans(),
)  # fmt: skip
_ties = st.builds(Word, st.sampled_from(_own), st.sampled_from(_own), st.sampled_from(["one", "two", "open"]))
_recalls = st.builds(Recall, st.sampled_from(["footer", "popup"]), st.sampled_from([True, True, False]))
_erasures = st.builds(
    Erasure,
    st.sampled_from(["a", "b", "+1", *_own]),
    st.sampled_from(MOMENTS),
    st.sampled_from([True, True, False]),
)
events: st.SearchStrategy[Event] = st.one_of(
    _rows, _rows, _rows, _shop, _leads, _visits, _said, _said, _ties, _recalls, _erasures
)
worlds: st.SearchStrategy[Rounds] = st.lists(st.lists(events, max_size=5), min_size=1, max_size=3)


# -- files ------------------------------------------------------------------------------------------------------------


def email(world: int, letter: str) -> str:
    return f"{letter}{world}@mail.example.net" if letter else ""


def phone(world: int, number: str) -> str:
    return f"+8613{number}{5_273_000 + world * 7:08}" if number else ""


def address(world: int, name: str) -> str:
    return phone(world, name[1:]) if name.startswith("+") else email(world, name)


def full_name(world: int, name: str) -> str:
    """Return a name that nobody has in another world."""
    letters = "".join(chr(ord("a") + world // 26**place % 26) for place in range(3))
    return name and f"{name}{letters}"


def own_id(world: int, record: str) -> tuple[str, str]:
    """Return the type and value of the identifier that names a record."""
    system, number = record.split()
    kinds = {"crm": "crm_id", "lead": "crm_lead", "shop": "user_id"}
    kind = kinds.get(system, "anonymous_id" if number in "xy" else "user_id")
    return kind, f"w{world}q{number}"


def is_address(subject: str) -> bool:
    return " " not in subject


def is_phone(name: str) -> bool:
    return name.startswith("+")


class File(NamedTuple):
    """What is landed at once: its place, its text, and the (world, event) of each line."""

    place: str
    body: str
    events: list[tuple[int, Event]]


def files(number: int, happened: Mapping[int, Sequence[Event]], hasher: AddressHasher) -> Iterator[File]:
    """Yield the files of one round of several worlds, in the order in which they are to be loaded."""
    grouped: dict[tuple[str, str], list[tuple[int, Event, str]]] = defaultdict(list)
    for world, events_of_world in happened.items():
        for position, event in enumerate(events_of_world):
            if isinstance(event, Row):
                place, header, text = _row_line(world, event)
            else:
                place, said = _message(world, event, hasher)
                key = "messageId" if isinstance(event, Visit) else "statement_id"
                header, text = "", json.dumps({key: f"w{world}-{number}-{position}"} | said)
            grouped[place, header].append((world, event, text))
    for (place, header), lines in sorted(grouped.items()):
        texts = [header] * bool(header) + [text for *_, text in lines]
        yield File(place, "\n".join(texts) + "\n", [(world, event) for world, event, _ in lines])


def _row_line(world: int, row: Row) -> tuple[str, str, str]:
    place, own, account = _TABLES[row.system]
    cells = {
        own: f"w{world}q{row.record}", "name": full_name(world, row.name),
        "email": email(world, row.email), "phone": phone(world, row.phone), "marketing_consent": row.word,
        "marketing_consent_at": row.said, "updated_at": row.changed, "deleted": row.deleted,
    }  # fmt: skip
    if row.system == "lead":
        cells = {name: cell for name, cell in cells.items() if not name.startswith("marketing")}
        cells["created_at"] = MOMENTS[0]
    if account:
        cells[account] = f"w{world}q{row.account}" if row.account else ""
    kept = {name: cell for name, cell in cells.items() if name not in COLUMNS[row.columns]}
    return place, ",".join(kept), ",".join(kept.values())


def _record(world: int, subject: str) -> dict[str, str]:
    """Return how a statement names its record: a lead of the CRM by the type of its id."""
    system, (kind, value) = subject.split(maxsplit=1)[0], own_id(world, subject)
    if system == "lead":
        return {"record_source": "crm", "record_id": value, "record_type": kind}
    return {"record_source": system, "record_id": value}


def _message(world: int, event: Event, hasher: AddressHasher) -> tuple[str, dict[str, Any]]:
    """Return where a message is put, and what it says."""
    if isinstance(event, Visit):
        preferences = (
            {} if event.says is None else {"consent": {"categoryPreferences": {"newsletter": event.says}}}
        )
        traits = {"email": email(world, event.email)} if event.email else {}
        signed_in = {"userId": f"w{world}q{event.user}"} if event.user else {}
        return "web/events", {
            "type": "identify", "anonymousId": f"w{world}q{event.device}", "timestamp": event.said, "traits": traits,
            "context": preferences, **signed_in,
        }  # fmt: skip
    if isinstance(event, Said):
        who = {"address": address(world, event.subject)}
        if not is_address(event.subject):
            who = _record(world, event.subject)
        return "consent/statements", who | {
            "channel": event.channel, "purpose": event.purpose, "granted": event.word, "stated_at": event.said or None,
            "form": f"w{world}-{event.form}" if event.form else None, "via": "post" if event.own else None,
        }  # fmt: skip
    if isinstance(event, Word):
        one, other = own_id(world, event.one), own_id(world, event.other)
        return "people/ties", {
            "one_type": one[0], "one_value": one[1], "other_type": other[0], "other_value": other[1],
            "verdict": event.verdict, "said_at": MOMENTS[0],
        }  # fmt: skip
    if isinstance(event, Recall):
        said = {"target": f"w{world}-{event.form}", "kind": "form", "recalled": event.recalled}
        return "consent/recalls", said | {"recalled_at": MOMENTS[0]}
    assert isinstance(event, Erasure)
    named = is_address(event.subject)
    hashed = (
        hasher.hash(address(world, event.subject))
        if named
        else hasher.hash_identifier(*own_id(world, event.subject))
    )
    return "consent/erasures", {
        "erasure_id": f"e-w{world}-{event.subject}", "subject_hash": hashed, "erased": event.erased,
        "kind": "address" if named else "identifier", "erased_at": event.said, "key": hasher.fingerprint,
    }  # fmt: skip
