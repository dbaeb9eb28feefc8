"""What a plain reading of a few people's events allows: the oracle of `tests/properties/test_people_and_consent.py`."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tests.support.small_worlds import (
    DAY,
    NEVER,
    ODD,
    SAYS,
    TOPICS,
    YES,
    Erasure,
    Event,
    Recall,
    Row,
    Said,
    Visit,
    Word,
    is_address,
    is_phone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


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
