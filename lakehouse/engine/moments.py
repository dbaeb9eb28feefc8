"""SQL that reads moments from text: each row by its own text alone, whatever its neighbours say.

DuckDB's cast of a text to TIMESTAMPTZ reads a zone's name, too, and then the texts behind it in the same vector are
read in that zone (duckdb#24438). So a text with a name never reaches that cast: a moment is made here of the clock that
the text shows and of what stands behind it. That may be a distance from UTC (`Z`, `UTC`, `GMT`, `+05:30`, `GMT+8`) or a
zone of IANA's by its full name (`Asia/Shanghai`). Names with several meanings (CST, BST, IST, EST) are no zones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import literal, literals

if TYPE_CHECKING:
    import duckdb

UTC = "UTC"
_ZONE_TYPE = "zone_name"  # the type of IANA's names of zones, by continent and city
# The forms of nearly all files are found by their length in a tenth of the time that a pattern takes: moments of UTC as
# 2026-01-05T08:30:00Z and 2026-01-05T08:30:00.123Z, and clocks. A text of another form that has the same length and
# ends with Z is no time, or one of UTC's all the same; the plain cast takes no blank before the Z.
_UTC_BYTES: Final = (20, 24)
_LOCAL_BYTES: Final = 19
_LOCAL_FORMS = ("____-__-__ __:__:__", "____-__-__T__:__:__")
DAY = r"[0-9]{1,6}[-/ ][0-9]{1,2}[-/ ][0-9]{1,2}"  # a regular expression, as the next ones
_MINUTES = r"[T ] *[0-9]{1,2}:[0-9]{2}"
_SECONDS = r":[0-9]{1,2}(?:[.][0-9]*)?"
TIME = f"{_MINUTES}(?:{_SECONDS})?"
_CLOCK = f" *{DAY}{TIME}"
_DISTANCE = r"[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9](?::[0-5][0-9])?)?"
_ANY_DISTANCE = r"[+-](?:0?[0-9]|1[0-5])(?::?[0-5][0-9](?::[0-5][0-9])?)?"  # behind UTC or GMT +8 is one
_WORD = "(?i:UTC|GMT)"
_BRACKETED = (
    r"(?:\[[A-Za-z0-9_/+:-]+\])?"  # Java writes the name of the zone behind the distance that holds there
)
ZONE = rf" *(?:Z|{_WORD}(?:{_ANY_DISTANCE})?|{_DISTANCE}){_BRACKETED}"  # with one meaning
_IN_FULL = "%Y-%m-%d %H:%M:%S.%f"
_DAY_ALONE = f" *{DAY} *"
_MIDNIGHT = f" *{DAY}[T ] *0?0:00(?::0?0(?:[.]0*)?)?(?:{ZONE})? *"
_LOCAL = f" *{DAY}(?:{TIME})? *"
_AT_DISTANCE = f" *{DAY}{_MINUTES}{_SECONDS}{_DISTANCE} *"
_NAME = r"[A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+)+"
_PARTS = ("clock", "name", "bracketed_name", "utc", "word", "distance")
_WITH_ZONE = (
    rf"^ *({DAY}{TIME}) *"
    rf"(?:({_NAME})|\[({_NAME})\]|(?:(Z)|({_WORD})?({_ANY_DISTANCE})?){_BRACKETED}) *$"
)
_ZONES_SQL = (
    "SELECT name FROM pg_timezone_names() "
    "WHERE contains(name, '/') AND NOT starts_with(name, 'SystemV/') ORDER BY name"
)
_zones: list[str] = []  # of this process's DuckDB; to ask takes longer than all else that a connection needs


def clock_sql(text_sql: str) -> str:
    """Return the SQL of the TIMESTAMP that a text without a zone shows; null where it shows none."""
    return f"TRY_CAST({text_sql} AS TIMESTAMP)"


def at_clock_sql(clock: str, zone: str) -> str:
    """Return the SQL of the moment at which clocks of a zone show a TIMESTAMP.

    Null where they never do, since they are put forward past it: any moment would show another time. Midnight is the
    first moment of its day all the same. Of the two moments at which clocks show a time twice it is the later.
    """
    return _at_clock_sql(clock, literal(zone))


def _at_clock_sql(clock: str, zone_sql: str) -> str:
    if zone_sql == literal(UTC):
        return f"make_timestamptz(epoch_us({clock}))"
    return f"list_transform([{clock}], lambda shown: {_at_clock_of_zone_sql('shown', zone_sql)})[1]"


def moment_sql(text_sql: str, zone: str) -> str:
    """Return the SQL of the moment that a text says, without a zone in the one given; null where it says none.

    `text_sql` is used more than once: it should be a column's name. Digits behind the microsecond are cut off.
    """
    return _moment_sql(text_sql, literal(zone))


def _moment_sql(text_sql: str, zone_sql: str) -> str:
    is_utc = (
        f"strlen({text_sql}) IN {_UTC_BYTES} AND suffix({text_sql}, 'Z') AND NOT suffix({text_sql}, ' Z')"
    )
    is_local = " OR ".join(f"{text_sql} LIKE '{form}'" for form in _LOCAL_FORMS)
    clock = clock_sql(text_sql)
    return (
        f"CASE WHEN {is_utc} THEN {_at_clock_sql(clock, literal(UTC))} "
        # 08:30:1Z has the length of a clock, and says that it is UTC's
        f"WHEN CASE WHEN strlen({text_sql}) = {_LOCAL_BYTES} THEN ({is_local}) AND NOT suffix({text_sql}, 'Z') "
        f"ELSE false END THEN {_at_clock_sql(clock, zone_sql)} "
        f"WHEN {_fits(text_sql, _AT_DISTANCE)} THEN TRY_CAST({text_sql} AS TIMESTAMPTZ) "
        f"WHEN {_fits(text_sql, _LOCAL)} THEN {_at_clock_sql(clock, zone_sql)} "
        f"WHEN {text_sql} IS NOT NULL THEN {_with_zone_sql(text_sql)} END"
    )


def _with_zone_sql(text_sql: str) -> str:
    """Return the SQL of the moment of a clock and a zone that is written as no cast reads it; null where there is none.

    The text is taken apart once, in a list of one struct: that costs the rows that come here, and planning, least.
    """
    parts = f"regexp_extract({text_sql}, {literal(_WITH_ZONE)}, {literals(list(_PARTS))})"
    clock = "CAST(part.clock AS TIMESTAMP)"
    name = "concat(part.name, part.bracketed_name)"
    distance = (
        "regexp_replace(part.distance, '^([+-])([0-9](?:$|:|[0-9]{2}$))', '\\10\\2')"  # +8, +8:30, +830
    )
    at_distance = f"TRY_CAST(strftime({clock}, '{_IN_FULL}') || {distance} AS TIMESTAMPTZ)"
    return (
        f"list_transform([{parts}], lambda part: CASE "
        f"WHEN TRY_CAST(part.clock AS TIMESTAMP) IS NULL THEN NULL "
        f"WHEN part.distance <> '' AND (part.word <> '' OR strlen(part.distance) > 2) THEN {at_distance} "
        f"WHEN part.distance <> '' THEN NULL "
        f"WHEN part.utc <> '' OR part.word <> '' THEN {at_clock_sql(clock, UTC)} "
        # `timezone` fails on a name that it does not know, and TRY does not catch that
        f"WHEN TRY_CAST({name} AS {_ZONE_TYPE}) IS NOT NULL THEN {_at_clock_of_zone_sql(clock, name)} END)[1]"
    )


def day_sql(text_sql: str) -> str:
    """Return the SQL of the DATE that a text says, alone or at midnight; null where another time stands behind it."""
    day = f"TRY_CAST({text_sql} AS DATE)"  # which takes no notice of what stands behind a day
    return (
        f"CASE WHEN {_fits(text_sql, _DAY_ALONE)} THEN {day} WHEN {_fits(text_sql, _MIDNIGHT)} THEN {day} END"
    )


def _at_clock_of_zone_sql(clock: str, zone_sql: str) -> str:
    moment = f"timezone({zone_sql}, {clock})"
    return (
        f"CASE WHEN timezone({zone_sql}, {moment}) = {clock} OR date_trunc('day', {clock}) = {clock} "
        f"THEN {moment} END"
    )


def read_moment_sql(text_sql: str, zone_sql: str) -> str:
    """Return the SQL of `moment_sql` from SQL of any length, which is computed once, and from SQL of the zone."""
    return f"list_transform([CAST({text_sql} AS VARCHAR)], lambda written: {_moment_sql('written', zone_sql)})[1]"


def read_day_sql(text_sql: str) -> str:
    """Return the SQL of `day_sql` from SQL of any length, which is computed once."""
    return f"list_transform([CAST({text_sql} AS VARCHAR)], lambda written: {day_sql('written')})[1]"


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make on a connection what the SQL of this module needs; its cursors have it, too."""
    if not _zones:
        rows = con.execute(_ZONES_SQL).fetchall()
        _zones[:] = [name for (name,) in rows]
    con.execute(f"CREATE OR REPLACE TYPE {_ZONE_TYPE} AS ENUM ({', '.join(map(literal, _zones))})")


def _fits(text_sql: str, pattern: str) -> str:
    return f"regexp_full_match({text_sql}, {literal(pattern)})"
