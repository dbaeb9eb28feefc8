"""A moment is what its own text says: with a distance, a zone's full name, or the zone given; else there is none."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.engine import duck, moments
from lakehouse.settings import Settings

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SHANGHAI = "Asia/Shanghai"


@pytest.fixture(scope="module")
def con():
    with closing(duck.connect(Settings(), iceberg=False, threads=1)) as connection:
        moments.create(connection)
        yield connection


def read(con, texts: list[str | None], zone: str = "UTC") -> list[datetime | None]:
    """Return the moments of texts, all in one vector."""
    con.execute("CREATE OR REPLACE TEMP TABLE said AS SELECT unnest(?::VARCHAR[]) AS text", [texts])
    rows = con.execute(f"SELECT {moments.moment_sql('text', zone)} FROM said ORDER BY rowid").fetchall()
    return [moment for (moment,) in rows]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T12:00:00Z",
        "2026-01-05T12:00:00.000Z",
        "2026-01-05 12:00:00 UTC",
        "2026-01-05 12:00 GMT",
        "2026-01-5 12:00:00 Z",  # as long as one that has no blank
        "2026-01-05T14:00:00+02:00",
        "2026-01-05 20:00:00+08",
        "2026-01-05 20:00:00 GMT+8",
        "2026-01-05 20:00:00 UTC+08:00",
        "2026-01-05T07:00:00-0500",
        "2026-01-05T20:00:00 Asia/Shanghai",
        "2026-01-05T20:00:00+08:00[Asia/Shanghai]",
        "2026-01-05T20:00:00[Asia/Shanghai]",
        "2026/1/5 12:00:00Z",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", SHANGHAI])
def test_what_says_its_zone_is_read_in_it(con, text: str, zone: str) -> None:
    """Whatever zone is given for texts without one."""
    assert read(con, [text], zone) == [NOON]


@pytest.mark.parametrize(
    "text", ["2026-01-05 20:00:00", "2026-01-05T20:00:00", "2026-01-05 20:00", "2026-1-5 20:00:00.0"]
)
def test_what_says_no_zone_is_read_in_the_one_given(con, text: str) -> None:
    assert read(con, [text], SHANGHAI) == [NOON]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05 12:00:00 CST",  # Chicago's, China's or Cuba's
        "2026-01-05 12:00:00 IST",
        "2026-01-05 12:00:00 Asia/Nowhere",
        "2026-01-05 12:00:00 +8",  # an hour of a zone, or of a clock
        "2026-13-05T12:00:00Z",
        "2026-01-05T25:00:00Z",
        "soon",
        "",
        None,
    ],
)
def test_what_is_no_moment_is_null(con, text: str | None) -> None:
    """And never an error, which would cost all rows."""
    assert read(con, [text]) == [None]


def test_neighbours_in_a_vector_change_nothing(con) -> None:
    """DuckDB's own cast reads the texts behind one with a zone's name in that zone (duckdb#24438)."""
    texts = ["2026-01-05T20:00:00 Asia/Shanghai", "2026-01-05 12:00:00", None, "x", "2026-01-05T12:00:00Z"]
    assert read(con, texts * 50) == [NOON, NOON, None, None, NOON] * 50


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-29 02:30:00", None),  # clocks go from 2 to 3
        ("2026-03-29 03:00:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-10-25 02:30:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # the later of two
    ],
)
def test_clocks_that_are_put_forward_and_back(con, text: str, moment: datetime | None) -> None:
    """What no clock of the zone showed is no moment."""
    assert read(con, [text], "Europe/Berlin") == [moment]


def test_a_day_that_has_no_midnight_begins_at_its_first_moment(con) -> None:
    """In Santiago clocks go from midnight to one."""
    assert (
        read(con, ["2026-09-06 00:00:00", "2026-09-06"], "America/Santiago")
        == [datetime(2026, 9, 6, 4, tzinfo=UTC)] * 2
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-05", date(2026, 1, 5)),
        (" 2026/1/5 ", date(2026, 1, 5)),
        ("2026-01-05T00:00:00Z", date(2026, 1, 5)),
        ("2026-01-05 00:00:00.000 +08:00", date(2026, 1, 5)),
        ("2026-01-05 0:00", date(2026, 1, 5)),
        ("2026-01-05 00:00:01", None),
        ("2026-01-05 08:00", None),
        ("2026-01-05 and more", None),
        ("2026-02-30", None),
        ("", None),
        (None, None),
    ],
)
def test_a_day_stands_alone_or_at_midnight(con, text: str | None, day: date | None) -> None:
    """A time behind it would be lost."""
    for sql in (moments.day_sql("text"), moments.read_day_sql("text")):
        assert con.execute(f"SELECT {sql} FROM (SELECT ?::VARCHAR AS text)", [text]).fetchall() == [(day,)]


distances = st.integers(-15 * 60, 15 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
zones = st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe"])
FIRST, LAST = map(datetime.fromisoformat, ("1971-01-01", "2090-01-01"))  # as clocks show them
written = st.datetimes(min_value=FIRST, max_value=LAST)


@tried(max_examples=60, deadline=None, database=None)
@given(st.lists(st.tuples(written, distances), min_size=1, max_size=8))
def test_isoformat_is_read_back(con, listed: list[tuple[datetime, timezone]]) -> None:
    """What Python writes with any distance from UTC is the moment that it wrote."""
    moments_written = [clock.replace(tzinfo=zone) for clock, zone in listed]
    assert read(con, [each.isoformat() for each in moments_written], SHANGHAI) == moments_written


@tried(max_examples=60, deadline=None, database=None)
@given(written.map(lambda clock: clock.replace(microsecond=0)), zones)
def test_a_zones_clock_is_read_as_python_reads_it(con, clock: datetime, zone: str) -> None:
    """By the zone that is given and by the name behind the clock; of two moments the later, of none null."""
    local = clock.replace(tzinfo=ZoneInfo(zone), fold=1)
    is_shown = local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == clock
    expected = local.astimezone(UTC) if is_shown else None
    if clock.hour == clock.minute == clock.second == 0 and not is_shown:
        return  # midnight is the first moment of its day: see above
    assert read(con, [f"{clock}"], zone) == [expected]
    assert read(con, [f"{clock} {zone}"], "UTC") == [expected]
    read_sql = moments.read_moment_sql("clock || ''", "zone")
    query = f"SELECT {read_sql} FROM (SELECT ? AS clock, ? AS zone)"
    assert con.execute(query, [f"{clock}", zone]).fetchall() == [(expected,)]
