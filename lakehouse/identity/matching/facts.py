"""What records say of a person that could deny another record, out of what was read for matching."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.engine.escape import qualified
from lakehouse.identity.matching.policy import MatchPolicy
from lakehouse.identity.normalise.name_form import NO_NAME, PersonName
from lakehouse.identity.normalise.names import person_name
from lakehouse.identity.normalise.persons import PersonFacts

if TYPE_CHECKING:
    import duckdb


def facts_of(con: duckdb.DuckDBPyConnection, features: str) -> list[PersonFacts | None]:
    """Return the facts of each record of `features`, in their order; equal ones are one object, None says nothing.

    A name that was read once is not read again: a million take seconds.
    """
    con.execute(
        "SELECT han, words, sound, said_family, said_given, gender, generation, birth "
        f"FROM {qualified(features)} ORDER BY record"
    )
    known: dict[tuple[str | None, ...], PersonFacts | None] = {}
    found: list[PersonFacts | None] = []
    while rows := con.fetchmany(MatchPolicy.fetch_rows):
        for row in rows:
            if row not in known:
                known[row] = _facts(*row)
            found.append(known[row])
    return found


def _facts(han: bool | None, *texts: str | None) -> PersonFacts | None:
    """Return what a row says: words, sound, family, given, gender, generation and birth, each None for nothing."""
    words, sound, family, given, gender, generation, birth = (text or "" for text in texts)
    name = NO_NAME
    if han is not None:
        # of a form of address the sound is no feature: it would be a key of thousands
        syllables = person_name(words).syllables if han and not sound else tuple(sound.split())
        name = PersonName(
            tuple(words.split()), family, given, han, syllables, gender=gender, generation=generation
        )
    born = f"{birth[:4]}-{birth[4:6]}-{birth[6:]}" if birth else ""
    return PersonFacts(name, born) if name is not NO_NAME or born else None
