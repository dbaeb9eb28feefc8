"""Small worlds of a few people: what their systems send, as files, and what a plain reading of it allows.

Any number of worlds live in one lake beside each other: their ids, addresses and forms begin with the world's number.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
TOPICS: Final = [(p, c) for p in ("marketing", "service") for c in ("email", "sms")]
YES: Final = ("yes", "opted in")
NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """A row of a CRM's or a shop's export."""

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
_visits = st.builds(
    Visit, st.sampled_from("xy"), st.sampled_from(["", "1", "2"]), _emails, st.sampled_from([None, True, False]),
    st.sampled_from([*MOMENTS, FUTURE]),
)  # fmt: skip
_subjects = st.sampled_from(["a", "b", "c", "+1", "+2", *_own, "web 1"])
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
    _rows, _rows, _rows, _shop, _visits, _said, _said, _ties, _recalls, _erasures
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
    kind = "crm_id" if system == "crm" else "anonymous_id" if number in "xy" else "user_id"
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
    is_crm = row.system == "crm"
    cells = {
        "contact_id" if is_crm else "customer_id": f"w{world}q{row.record}", "name": full_name(world, row.name),
        "email": email(world, row.email), "phone": phone(world, row.phone), "marketing_consent": row.word,
        "marketing_consent_at": row.said, "updated_at": row.changed, "deleted": row.deleted,
    }  # fmt: skip
    if is_crm:
        cells["customer_id"] = f"w{world}q{row.account}" if row.account else ""
    kept = {name: cell for name, cell in cells.items() if name not in COLUMNS[row.columns]}
    return ("crm/contacts" if is_crm else "shop/customers"), ",".join(kept), ",".join(kept.values())


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
            who = {"record_source": event.subject.split()[0], "record_id": own_id(world, event.subject)[1]}
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


# -- the plain reading ------------------------------------------------------------------------------------------------


class Arrived(NamedTuple):
    """An event, the moment it was loaded, and its place in the order of all."""

    event: Event
    at: datetime
    place: int


class Statement(NamedTuple):
    """A yes or no of one subject; `at` is from when it counts, `version` which state of its record says so."""

    subject: str
    topic: tuple[str, str]
    granted: bool
    at: datetime
    text: str
    form: str
    own: bool
    version: tuple[datetime, int]


def moment(text: str) -> datetime | None:
    """Return what a cell means: nothing where it stands for no date."""
    found = datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    return found if found and found.year > 1970 else None


def version(arrived: Arrived) -> tuple[datetime, int]:
    """Return when a row was changed, no later than it came; of equal ones the later arrival counts."""
    event, text = arrived.event, ""
    if isinstance(event, Visit):
        text = event.said
    if isinstance(event, Row) and event.columns != "undated":
        text = event.changed
    return min(moment(text) or arrived.at, arrived.at), arrived.place


def record_of(event: Event) -> str:
    if isinstance(event, Row):
        return f"{event.system} {event.record}"
    if isinstance(event, Visit):
        return f"web {event.user or event.device}"
    return getattr(event, "subject", "")


def is_read(event: Event) -> bool:
    """Return whether a row is loaded: words of no list, and a yes to everything, are set aside."""
    if isinstance(event, Row):
        return event.word != ODD or event.columns == "addresses"
    if not isinstance(event, Said):
        return True
    matches = not is_address(event.subject) or event.channel == (
        "sms" if is_phone(event.subject) else "email"
    )
    is_one = "all" not in (event.channel, event.purpose) or event.word not in YES
    return event.word in SAYS and is_one and (matches or event.channel == "all")


def said_by(event: Event) -> tuple[bool | None, list[tuple[str, str]], str]:
    """Return yes, no or nothing, of what, and the date that it gives."""
    if isinstance(event, Visit):
        return event.says, [("marketing", "email")], event.said
    if isinstance(event, Row) and event.columns != "addresses":
        is_yes_of_gone = event.word in YES and event.deleted == "true"
        return (None if is_yes_of_gone else SAYS[event.word]), [("marketing", "email")], event.said
    if isinstance(event, Said):
        meant = [t for t in TOPICS if event.purpose in (t[0], "all") and event.channel in (t[1], "all")]
        if is_address(event.subject):
            meant = [t for t in meant if (t[1] == "sms") == is_phone(event.subject)]
        return SAYS[event.word], meant, event.said
    return None, [], ""


def statements(history: Iterable[Arrived]) -> Iterator[Statement]:
    """Yield what was said, each row of it: a yes from its date, a no from its date, its day's end, or its arrival."""
    for arrived in history:
        event = arrived.event
        granted, topics, text = said_by(event)
        if granted is None:
            continue
        said = moment(text)
        at = min(said, version(arrived)[0]) if said else NEVER
        if not granted:
            whole_day = timedelta(days=len(text) == len(DAY))
            at = arrived.at if said is None or said > arrived.at else said + whole_day
        own = isinstance(event, Said) and event.own and is_address(event.subject) and said is not None
        for topic in topics:
            form = getattr(event, "form", "")
            yield Statement(record_of(event), topic, granted, at, text, form, own, version(arrived))


def addresses(history: Iterable[Arrived]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return by record the addresses that it has now, and all that it ever had."""
    cells: dict[tuple[str, str], list[tuple[tuple[datetime, int], str]]] = defaultdict(list)
    for arrived in history:
        event = arrived.event
        if isinstance(event, Row) and event.deleted != "true" and event.columns != "consent":
            cells[record_of(event), "email"].append((version(arrived), event.email))
            cells[record_of(event), "phone"].append((version(arrived), event.phone and f"+{event.phone}"))
        if isinstance(event, Visit) and event.email:
            cells[record_of(event), "email"].append((version(arrived), event.email))
    now: dict[str, set[str]] = defaultdict(set)
    ever: dict[str, set[str]] = defaultdict(set)
    for (record, _), said in cells.items():
        now[record] |= {max(said)[1]} - {""}
        ever[record] |= {name for _, name in said} - {""}
    return now, ever


Sends = set[tuple[str, str, str, str]]


def plain_reading(history: Sequence[Arrived], owner: Callable[[str], str | None]) -> tuple[Sends, Sends]:
    """Return the (customer, address, purpose, channel) that may be written to at the most, and at the least.

    Between them is what a list of statements leaves open: addresses that a refusing record had before, a yes of an
    account that has other addresses since, of a record that was deleted, or by a form. `owner` says whose a record or
    address is.
    """
    history = [arrived for arrived in history if is_read(arrived.event)]
    said, (now, ever) = list(statements(history)), addresses(history)
    recalled = {a.event.form for a in history if isinstance(a.event, Recall) and a.event.recalled}
    recalled -= {a.event.form for a in _last(history, Recall) if not a.event.recalled}
    erased = {
        _known_as(a.event.subject): min(moment(a.event.said), a.at)
        for a in _last(history, Erasure)
        if a.event.erased
    }
    gone = {record_of(a.event): version(a) for a in sorted(history, key=version)
            if isinstance(a.event, Row) and a.event.deleted == "true"}  # fmt: skip

    def survives(s: Statement, name: str) -> bool:
        since = erased.get(_known_as(name))
        return since is None or (s.own and s.at > since)

    most: Sends = set()
    least: Sends = set()
    for topic in TOPICS:
        of_topic = [s for s in said if s.topic == topic]

        def of_kind(names: set[str], topic: tuple[str, str] = topic) -> set[str]:
            return {name for name in names if is_phone(name) == (topic[1] == "sms")}

        yes = [s for s in of_topic if s.granted and s.form not in recalled and survives(s, s.subject)
               and (s.subject not in gone or s.version > gone[s.subject])]  # fmt: skip
        no = [s for s in of_topic if not s.granted]
        # a subject's no stands until the same subject says yes later
        standing = {n.subject for n in no if not any(s.subject == n.subject and s.at > max(
            m.at for m in no if m.subject == n.subject) for s in yes)}  # fmt: skip
        refused = {a for n in standing for a in ({n} if is_address(n) else of_kind(now[n]))}
        silent = {owner(n) for n in standing if not is_address(n) and not of_kind(now[n])}
        doubtful = {a for n in standing if not is_address(n) for a in of_kind(ever[n])}
        for s in yes:
            covered = {s.subject} if is_address(s.subject) else of_kind(now[s.subject])
            for name in covered - refused:
                who = owner(s.subject)
                if s.subject in standing or who is None or who in silent or not survives(s, name):
                    continue
                most.add((who, name, *topic))
                if name not in doubtful and _is_plain(
                    s, of_topic, ever[s.subject] - now[s.subject], s.subject in gone
                ):
                    least.add((who, name, *topic))
    return most, least


def _is_plain(s: Statement, of_topic: Sequence[Statement], former: set[str], was_deleted: bool) -> bool:
    """Return whether nothing of a yes is open: it was said but once, or its subject never refused."""
    same = [o for o in of_topic if o.subject == s.subject]
    if was_deleted or any(o.form for o in same) or (former and not s.subject.startswith("crm")):
        return False
    refusals = [o.at for o in same if not o.granted]
    return not refusals or min(o.at for o in same if o.granted) > max(refusals)


def _known_as(subject: str) -> str:
    """Return a name of whom an identifier names: a user of the site and an account of the shop share theirs."""
    return subject.replace("web", "shop")


def _last(history: Iterable[Arrived], kind: type[Recall | Erasure]) -> list[Arrived]:
    """Return the last event of a kind of each form, or subject."""
    found = {a.event[0]: a for a in sorted(history, key=lambda a: a.place) if isinstance(a.event, kind)}
    return list(found.values())


def against_words(history: Sequence[Arrived], owner: Callable[[str], str | None]) -> list[str]:
    """Return what contradicts the people's words, which outrank all else, or the names of two whom no word ties."""
    read = sorted((arrived for arrived in history if is_read(arrived.event)), key=lambda a: a.place)
    words = {
        frozenset((e.one, e.other)): e.verdict for e, _, _ in read if isinstance(e, Word) and e.one != e.other
    }
    said = {
        verdict: [sorted(pair) for pair, v in words.items() if v == verdict] for verdict in ("one", "two")
    }
    there = {record_of(arrived.event) for arrived in read if isinstance(arrived.event, Row)}
    known = {record: owner(record) for pair in words for record in pair if record in there}
    wrong = [
        f"{one} and {other} are not two" for one, other in said["two"]
        if one in known and other in known and known[one] == known[other]
    ]  # fmt: skip
    if not said["two"]:
        wrong += [
            f"{one} and {other} are not one" for one, other in said["one"]
            if one in known and other in known and known[one] != known[other]
        ]  # fmt: skip
    if said["one"] or any(isinstance(a.event, Row) and a.event.account for a in read):
        return wrong
    return wrong + _names_together(read, owner)


def _names_together(read: Iterable[Arrived], owner: Callable[[str], str | None]) -> list[str]:
    """Return customers whose records have two names by now: they are two people."""
    newest: dict[str, tuple[tuple[datetime, int], str]] = {}
    for arrived in read:
        event = arrived.event
        if isinstance(event, Row) and event.columns != "consent" and record_of(event) not in _deleted(read):
            record = record_of(event)
            newest[record] = max(
                newest.get(record, (version(arrived), event.name)), (version(arrived), event.name)
            )
    named: dict[str | None, set[str]] = defaultdict(set)
    for record, (_, name) in newest.items():
        named[owner(record)] |= {name} - {""}
    return [f"{sorted(names)} are one" for who, names in named.items() if who and len(names) > 1]


def _deleted(read: Iterable[Arrived]) -> set[str]:
    return {record_of(a.event) for a in read if isinstance(a.event, Row) and a.event.deleted == "true"}
