"""Words by which systems say that somebody consented, or did not: `consent_words.csv`, one list for all mappings.

Case, spaces, hyphens and underscores do not matter: Opted-Out is opted out. What is on no list is not guessed at: a
column with the format `consent` sets its row aside.

An `answer` is a yes or no to whatever is asked, a word of `consent` speaks of being written to. So in a column of those
who opted out *yes* is a refusal, and *unsubscribed* is one, too (`opted_out_sql`).
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib.resources import files
from typing import Final

from lakehouse.engine.escape import literals

GRANTED, REFUSED, NOTHING = "granted", "refused", "nothing"
ANSWER, CONSENT = "answer", "consent"
# What people put into a box of a spreadsheet, beside the words of the list.
_TICKED: Final = ("x", "checked", "ticked", "selected")
_UNTICKED: Final = ("unchecked", "not checked", "not selected")


@lru_cache(maxsize=1)
def words() -> dict[str, tuple[str, ...]]:
    """Return the words that say `granted`, `refused` and `nothing`; ValueError for a word on two lists."""
    lists: dict[str, tuple[str, ...]] = {}
    for (says, _), listed in _by_kind().items():
        lists[says] = lists.get(says, ()) + listed
    every = [word for listed in lists.values() for word in listed]
    if repeated := {word for word in every if every.count(word) > 1}:
        raise ValueError(f"consent_words.csv: listed twice: {', '.join(sorted(repeated))}")
    return lists


def _by_kind() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the words by what they say, and whether that answers any question or speaks of consent."""
    text = (files("lakehouse.engine") / "consent_words.csv").read_text("utf-8")
    return {
        (row["says"], row["kind"]): tuple(row["words"].split("|"))
        for row in csv.DictReader(text.splitlines())
    }


def opted_out_sql(text: str) -> str:
    """Return the SQL of what a cell says in a column of those who opted out: 'true', 'false', null for other words."""
    kinds = _by_kind()
    out = (*kinds[GRANTED, ANSWER], *kinds[REFUSED, CONSENT], *_TICKED)
    stayed = (*kinds[REFUSED, ANSWER], *kinds[GRANTED, CONSENT], *_UNTICKED)
    is_out, is_in = (f"{normal_sql(text)} IN {literals([*each])}" for each in (out, stayed))
    return f"CASE WHEN {is_out} THEN 'true' WHEN {is_in} THEN 'false' END"


def is_known_sql(text: str) -> str:
    """Return the condition that a text is a word of one of the lists."""
    return f"{normal_sql(text)} IN {_listed(GRANTED, REFUSED, NOTHING)}"


def consent_word_sql(text: str) -> str:
    """Return the SQL of what a text says: true where somebody consented, false where not, else null."""
    word = normal_sql(text)
    return (
        f"CASE WHEN {word} IN {_listed(GRANTED)} THEN true WHEN {word} IN {_listed(REFUSED)} THEN false END"
    )


def normal_sql(text: str) -> str:
    """Return the SQL of a text as words are compared: lower case, blanks, hyphens and underscores one blank."""
    return f"regexp_replace(lower(trim({text})), '[\\s_-]+', ' ', 'g')"


def normal(text: str) -> str:
    """Return a text as `normal_sql` has words."""
    return re.sub(r"[\s_-]+", " ", text.strip().lower())


def _listed(*says: str) -> str:
    return literals([word for name in says for word in words()[name]])
