"""Random raw files with good and bad rows, and what an independent reading makes of them."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from lakehouse.sources.definition import Source

if TYPE_CHECKING:
    from collections.abc import Callable

ENDS = (b"\n", b"\r\n", b"\r")
ORDERS = Source.model_validate(
    {
        "source": "erp",
        "entity": "orders",
        "doc": "Orders",
        "grain": "one row an order",
        "format": "csv",
        "columns": [
            {"name": "order_id", "from": "Order Id", "required": True, "formats": ["text"], "doc": "Id"},
            {"name": "note", "from": "Note", "doc": "Note"},
            {"name": "quantity", "from": "Quantity", "type": "long", "doc": "Items"},
            {"name": "amount", "from": "Amount", "type": "decimal(12,2)", "doc": "Value"},
            {"name": "ordered_at", "from": "Ordered At", "type": "timestamptz", "doc": "When"},
        ],
    }
)
CONTROLS = "".join(chr(code) for code in (*range(9), *range(14, 32), 127))
SPACES = "".join(chr(code) for code in range(0x3001) if unicodedata.category(chr(code)) == "Zs")
HEADER = ("Order Id", "Note", "Quantity", "Amount", "Ordered At", "Shelf")


texts = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
    st.text(st.sampled_from("\"',;\t\r\n \x01\x02\x0b\x1f\x85\u2028é中\U0001f600\ufeff\\x01"), max_size=8),
    st.sampled_from(
        ["", " ", "\\N", "NULL", "null", "x" * 40_000, '"', "\n\n", "a\r\nb", '""', "=1+1", "\\x01"]
    ),
)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
numbers = st.integers(-(2**63), 2**63 - 1)
amounts = st.decimals(Decimal("-9999999999.99"), Decimal("9999999999.99"), places=2)


def _cell(text: str, quoted: bool) -> str:
    if quoted or any(c in text for c in '",\r\n') or text.startswith((" ", '"')):
        return '"' + text.replace('"', '""') + '"'
    return text


def _cells(*columns: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return st.tuples(st.tuples(*columns), st.integers(0, 63)).map(
        lambda drawn: ",".join(
            _cell(text, bool(drawn[1] >> n & 1)) for n, text in enumerate(drawn[0])
        ).encode()
    )


def _or_nothing(found: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return st.one_of(found.map(str), st.just(""))


ids = texts.filter(lambda text: text.strip(SPACES) != "")
good_cells = (
    ids,
    texts,
    _or_nothing(numbers),
    _or_nothing(amounts),
    _or_nothing(moments.map(datetime.isoformat)),
    texts,
)
orders = st.one_of(
    _cells(*good_cells),
    _cells(*good_cells),
    _cells(st.sampled_from(["", "  "]), *good_cells[1:]),
    _cells(*good_cells[:2], st.sampled_from(["x", "1.5", "1e99", "9" * 30, "0x1f", "--1"]), *good_cells[3:]),
    _cells(*good_cells[:3], st.sampled_from(["x", "1,5", "99999999999.00", "nan", "1.2.3"]), *good_cells[4:]),
    _cells(
        *good_cells[:4],
        st.sampled_from(["yesterday", "infinity", "2024-02-30", "12024-01-01", "24:00"]),
        texts,
    ),
    _cells(ids, *good_cells[1:3]),
    _cells(*good_cells, texts),
    _cells(*good_cells).map(lambda row: row + b"the shop \xe9 is closed"),
    st.just(b'"a"b,c,1,2,2024-01-01,d'),
    st.just(b""),
)


BLANKS = " \t\n\r\x0b\x0c"


@dataclass(frozen=True)
class Reading:
    """What a file holds: rows by place for the good ones, and the places of the bad ones."""

    good: dict[int, dict[str, Any]]
    bad: set[int]

    @property
    def received(self) -> int:
        """How many rows there are."""
        return len(self.good) + len(self.bad)


def csv_file(pieces: list[bytes], ends: list[bytes], bom: bool, last_end: bool) -> bytes:
    """Put a CSV together. A row that ends in \\r must not be followed by an end that begins with \\n."""
    lines = [",".join(HEADER).encode(), *pieces]
    joined = b"".join(line + ends[n % len(ends)] for n, line in enumerate(lines))
    if not last_end:
        joined = joined[: -len(ends[(len(lines) - 1) % len(ends)])]
    return (b"\xef\xbb\xbf" if bom else b"") + joined


def read_orders(pieces: list[bytes], *, last_ends: bool = True) -> Reading:
    """Read each row by itself with Python's csv, strictly.

    Of rows alone, a short one counts where the row before is not torn, and where its line ends or another is short.
    Empty cells at the end of a long one add nothing to it where nearly all rows have some.
    """
    good, bad = {}, set()
    torn = any_short = False
    rows = [raw for raw in pieces if raw != b""]
    longest = _longest(rows)
    for place, raw in enumerate(rows, 1):
        row = _parsed(raw)
        short = row is not None and len(row) < len(HEADER)
        if short and any(cell.strip(SPACES) for cell in row) and not _says_nothing(row):
            cut_off = raw is rows[-1] and raw is pieces[-1] and not last_ends and not any_short
            torn = torn or cut_off or len(row) == 1
            any_short = any_short or not torn
        is_long = row is not None and len(_split(raw) or row) > longest
        if row is None or (len(row) == len(HEADER) and not is_long):
            torn = row is None
        is_unread = row is None or is_long or (short and torn) or not _is_utf8(raw)
        value = None if is_unread else _order(row)
        if value is None:
            bad.add(place)
        else:
            good[place] = value
    return Reading(good, bad)


def _longest(rows: list[bytes]) -> int:
    """Return how many cells a row may have: more than the header where nine of ten rows, and two, end in empty ones.

    One row is enough where a cell is quoted.
    """
    lengths = []
    for raw in rows:
        row = _split(raw) or []
        is_torn = re.search(r", +[^, ]", re.sub('"(?:[^"]|"")*"', "Q", raw.decode("utf-8", "replace")))
        if len(row) > len(HEADER) and not row[-1].strip(BLANKS) and not is_torn:
            lengths.append(len(row))
    least = 1 if any(b'"' in raw for raw in rows) else 2
    if len(rows) < least or not lengths or len(lengths) < 0.9 * len(rows):
        return len(HEADER)
    return sorted(lengths)[len(lengths) // 2]


def _parsed(raw: bytes) -> list[str] | None:
    """Return the cells of a row without empty ones too many; None where it cannot be split."""
    row = _split(raw)
    while row is not None and len(row) > len(HEADER) and not row[-1].strip(BLANKS):
        row.pop()  # delimiters at the end of a row add nothing to it
    return row


def _split(raw: bytes) -> list[str] | None:
    """Return the cells of a row; None where it cannot be split.

    A byte order mark at the start of a line is of a file that was put behind another.
    """
    text = re.sub("(?:\\A|(?<=[\r\n]))\ufeff+", "", raw.decode("utf-8", "replace"))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    if len(rows) != 1:
        return None
    return rows[0]


def _is_utf8(raw: bytes) -> bool:
    return raw.decode("utf-8", "ignore").encode() == raw


def _order(row: list[str]) -> dict[str, Any] | None:
    if len(row) > len(HEADER):
        return None
    if not any(cell.strip(SPACES).strip("\t\n\f\r ").strip(CONTROLS) for cell in row):  # no record
        return None
    if _says_nothing(row):
        return None
    filled_up = [*row, *[""] * (len(HEADER) - len(row))]
    order_id, note, quantity, amount, at, shelf = (cell.strip(SPACES) for cell in filled_up)
    try:
        return {
            "order_id": _required(order_id),
            "note": note or None,
            "quantity": _within(int(quantity), 2**63) if quantity else None,
            "amount": _within(Decimal(amount), 10**10) if amount else None,
            "ordered_at": datetime.fromisoformat(at).astimezone(UTC) if at else None,
            "extra": shelf or None,
        }
    except (ValueError, InvalidOperation):
        return None


def _says_nothing(row: list[str]) -> bool:
    """Return whether several words that stand for nothing are all that a row holds."""
    said = [text for cell in row if (text := cell.strip(SPACES).strip(BLANKS).lower())]
    return len(said) > 1 and set(said) <= {"null", "\\n"}


def _required(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _within(number: Any, limit: int) -> Any:
    if not -limit <= number < limit:
        raise ValueError("too large")
    return number


# --- clickstream

plain = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10)
leaves = st.one_of(
    plain, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)
objects = st.dictionaries(plain, st.one_of(leaves, st.lists(leaves, max_size=2)), max_size=3)
ids = plain.map("m{}z".format)  # which nothing is trimmed from, and which no placeholder looks like
known = {
    "messageId": st.one_of(ids, st.integers(1, 2**70)),
    "type": st.just("page"),
    "name": plain,
    "userId": st.one_of(ids, st.integers(0, 9)),
    "timestamp": moments.map(datetime.isoformat),
    "properties": objects,
    "traits": st.none(),
}
messages = st.tuples(
    st.fixed_dictionaries(known, optional={"anonymousId": plain, "colour": leaves, "context": objects}),
    st.booleans(),
).map(lambda drawn: json.dumps(drawn[0], ensure_ascii=drawn[1]).encode())
faults: list[Callable[[dict[str, Any]], Any]] = [
    lambda message: message.pop("messageId"),
    lambda message: message.update(messageId=""),
    lambda message: message.update(type="tracks"),
    lambda message: message.update(type="track"),
    lambda message: (message.pop("userId"), message.pop("anonymousId", None)),
    lambda message: message.update(timestamp="soon"),
    lambda message: message.update(timestamp="infinity"),
    lambda message: message.update(properties="x"),
    lambda message: message.update(name=["x"]),
]


def _spoiled(raw: bytes, fault: Callable[[dict[str, Any]], Any]) -> bytes:
    message = json.loads(raw)
    fault(message)
    return json.dumps(message).encode()


events = st.one_of(
    messages,
    messages,
    st.builds(_spoiled, messages, st.sampled_from(faults)),
    messages.map(lambda raw: raw[:-1]),
    messages.map(lambda raw: raw + b"\x01\x02{}"),
    messages.map(lambda raw: raw[:-1] + b', "broken": "\xff"}'),
    st.sampled_from(
        [
            b"",
            b"  ",
            b"\t",
            b"[1]",
            b'"x"',
            b"5",
            b"null",
            b"<html>",
            b"a\x01\x02\x03b",
            b"{'a': 1}",
            b"\\x01",
        ]
    ),
)


def ndjson_file(pieces: list[bytes], ends: list[bytes], bom: bool, last_end: bool) -> bytes:
    """Put an NDJSON file together."""
    joined = b"".join(line + ends[n % len(ends)] for n, line in enumerate(pieces))
    if not last_end and pieces:
        joined = joined[: -len(ends[(len(pieces) - 1) % len(ends)])]
    return (b"\xef\xbb\xbf" if bom else b"") + joined


def read_events(pieces: list[bytes]) -> Reading:
    """Read each line by itself with Python's json."""
    good, bad = {}, set()
    for place, raw in enumerate(pieces, start=1):
        if raw.strip(b" \t") == b"":
            continue
        try:
            good[place] = _event(json.loads(raw.decode()))
        except (ValueError, TypeError, KeyError, AttributeError):
            bad.add(place)
    return Reading(good, bad)


def _event(message: dict[str, Any]) -> dict[str, Any]:
    if (
        message["type"] != "page"
        or not isinstance(message["properties"], dict)
        or isinstance(message["name"], list)
    ):
        raise ValueError("bad")
    rest = {name: value for name, value in message.items() if name not in {*known, "anonymousId", "context"}}
    return {
        "message_id": _required(str(message["messageId"])),
        "name": message["name"] or None,
        "user_id": _required(str(message["userId"])),
        "timestamp": datetime.fromisoformat(message["timestamp"]).astimezone(UTC),
        "properties": message["properties"],
        "context": message.get("context"),
        "extra": rest or None,
    }
