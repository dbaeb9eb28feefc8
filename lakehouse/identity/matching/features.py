"""What is compared of a record: its name, address, contacts and birth date, in normal forms, as one table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lakehouse.engine import normal_forms
from lakehouse.engine.escape import identifier, qualified
from lakehouse.errors import Terminal
from lakehouse.identity.matching.policy import MatchPolicy
from lakehouse.identity.normalise.addresses import postal_address
from lakehouse.identity.normalise.names import person_name
from lakehouse.identity.normalise.sounds import HAN
from lakehouse.identity.relation import sql_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb
    import pyarrow as pa

COLUMNS: Final = (
    *("record", "source", "name", "given_name", "surname", "phone", "email", "address", "street_number"),
    *("suburb", "city", "state", "postcode", "country", "birth_date"),
)
FEATURES: Final = (
    *("han", "full_name", "sound", "family", "given", "birth", "phone", "email"),
    *("region", "number", "street", "unit", "estate", "locality", "postcode"),
)
UNKNOWN_REGION: Final = "000000"  # of an address in Chinese that says no place, or one of several of its name
_SQL: Final = Path(__file__).with_name("sql")
# `family` and `given` are compared, guessed where a name does not say them; what it says denies: `facts.py`
_NAMES: Final = (
    *("han", "full_name", "sound", "family", "given", "gender", "words"),
    *("said_family", "said_given", "generation"),
)
_ADDRESSES: Final = ("region", "street", "number", "unit", "estate", "locality", "postcode")


def step_sql(step: str, **names: str) -> str:
    """Return `sql/<step>.sql`; `names` (escaped SQL) replace the text's `{name}`s."""
    return sql_text(_SQL / f"{step}.sql", names)


def features(con: duckdb.DuckDBPyConnection, people: str) -> str:
    """Return the name of a temp table with what is compared of each record, by name (see `sql/people.sql`).

    `people`: a relation with a column `record`, unique, and any of `COLUMNS`, all VARCHAR; what is missing is null.
    Raises `Terminal` where `record` is missing or not unique.
    """
    texts = _texts_sql(con, people)
    _refuse_doubles(con, people)
    _read_distinct(
        con, "match_names", f"SELECT DISTINCT name, given_name, surname FROM ({texts})", _name_row, _NAMES
    )
    addresses = f"SELECT DISTINCT address FROM ({texts}) WHERE address <> ''"
    _read_distinct(con, "match_addresses", addresses, _address_row, _ADDRESSES)
    con.execute(step_sql("people", people=_normal_sql(con, texts)))
    con.execute("DROP TABLE match_names; DROP TABLE match_addresses")
    return "match_people"


def _texts_sql(con: duckdb.DuckDBPyConnection, people: str) -> str:
    """Return the query of all `COLUMNS`, with empty text for nulls."""
    present = {str(row[0]) for row in con.execute(f"DESCRIBE FROM {qualified(people)}").fetchall()}
    if "record" not in present:
        raise Terminal(f"matching: relation {people!r} has no column record")
    column = {name: f"trim({identifier(name)}::VARCHAR)" if name in present else "''" for name in COLUMNS}
    text = {name: f"coalesce({sql}, '') AS {name}" for name, sql in column.items() if name != "record"}
    return f"SELECT record, {', '.join(text.values())} FROM {qualified(people)}"


def _normal_sql(con: duckdb.DuckDBPyConnection, texts: str) -> str:
    """Return the query of `texts` with phones and e-mails in their normal forms."""
    normal_forms.create(con)
    region = "coalesce(country_region(country), '')" if _has_countries(con) else "''"
    forms = {kind: normal_forms.form_sql(f"'{kind}'", kind, region) for kind in ("phone", "email")}
    return (
        f"SELECT * REPLACE (coalesce({forms['phone']}, '') AS phone, coalesce({forms['email']}, '') AS email) "
        f"FROM ({texts})"
    )


def _has_countries(con: duckdb.DuckDBPyConnection) -> bool:
    from duckdb import CatalogException  # noqa: PLC0415 - whoever passes a connection has paid for it

    try:  # a list of all functions, to look it up in, takes 20 ms
        con.execute("SELECT country_region('CN')")
    except CatalogException:
        return False
    return True


def _refuse_doubles(con: duckdb.DuckDBPyConnection, people: str) -> None:
    row = con.execute(f"SELECT count(*), count(DISTINCT record) FROM {qualified(people)}").fetchone() or (
        0,
        0,
    )
    if row[0] != row[1]:
        raise Terminal(
            f"matching: {row[0] - row[1]} rows of {people!r} share a record with another, or have none"
        )


def _read_distinct(
    con: duckdb.DuckDBPyConnection,
    table: str,
    query: str,
    read: Callable[..., tuple[Any, ...]],
    names: tuple[str, ...],
) -> None:
    """Make a temp table of distinct values and what is read in them, a batch at a time."""
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    distinct = con.execute(query).to_arrow_table()
    types = [pa.bool_() if name == "han" else pa.string() for name in names]
    schema = pa.schema([*distinct.schema, *map(pa.field, names, types)])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in distinct.to_batches(MatchPolicy.fetch_rows):
            columns = [column.to_pylist() for column in batch.columns]
            values = zip(*map(read, *columns), strict=True)
            yield pa.RecordBatch.from_arrays([*batch.columns, *map(pa.array, values, types)], schema=schema)

    con.register("match_read", pa.RecordBatchReader.from_batches(schema, batches()))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM match_read")
    con.unregister("match_read")


def _name_row(name: str, given_name: str, surname: str) -> tuple[Any, ...]:
    """Return what is compared of a name: `_NAMES`."""
    read = person_name(name, given_name, surname)
    if not read.words:
        return (None,) * len(_NAMES)
    given, family = read.given, read.family
    if not read.han and not given and not family:
        given, family = _guessed(read.words, surname_alone=bool(surname) and not name and not given_name)
    full, sound = (read.form, read.sound) if read.full else ("", "")
    compared = (full, sound, family, given, read.gender, " ".join(read.words))
    said = (read.family, read.given, read.generation)
    return read.han, *(text or None for text in (*compared, *said))


def _guessed(words: tuple[str, ...], *, surname_alone: bool) -> tuple[str, str]:
    """Return given and family name of words that do not say it: of several the last is the family's."""
    if surname_alone or len(words) > 1:
        return " ".join(words[:-1]), words[-1]
    return words[0], ""


def _address_row(address: str) -> tuple[str | None, ...]:
    read = postal_address(address)
    if not read.region and HAN.search(address):
        read = replace(read, region=UNKNOWN_REGION)
    return tuple(getattr(read, name) or None for name in _ADDRESSES)
