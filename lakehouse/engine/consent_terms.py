"""What statements of consent are about, by the words that systems use: `consent_terms.csv`, one list for all mappings.

A channel (email, sms, …) and a purpose (marketing, service, analytics, profiling). Case, blanks, hyphens and
underscores do not matter. A refusal whose channel nobody reads is a refusal lost, so a word of no list is told.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

from lakehouse.engine.channels import KIND_OF
from lakehouse.engine.consent_words import normal, normal_sql
from lakehouse.engine.escape import literal

Kind = Literal["channel", "purpose"]
EVERY_CHANNEL: Final = "all"  # only a refusal may speak of every one


@lru_cache(maxsize=2)
def terms(kind: Kind) -> dict[str, tuple[str, ...]]:
    """Return the words of each channel or purpose; ValueError for a word of two."""
    text = (files("lakehouse.engine") / "consent_terms.csv").read_text("utf-8")
    listed = {
        row["name"]: tuple(row["words"].split("|"))
        for row in csv.DictReader(text.splitlines())
        if row["kind"] == kind
    }
    every = [word for words in listed.values() for word in words]
    if repeated := {word for word in every if every.count(word) > 1}:
        raise ValueError(f"consent_terms.csv: listed twice: {', '.join(sorted(repeated))}")
    return listed


def term_sql(kind: Kind, text: str) -> str:
    """Return the SQL of the channel or purpose that a text means; null for a word of no list."""
    cases = (
        f"WHEN {normal_sql(text)} IN ({', '.join(map(literal, words))}) THEN {literal(name)}"
        for name, words in terms(kind).items()
    )
    return f"CASE {' '.join(cases)} END"


def term_of(kind: Kind, text: str) -> str | None:
    """Return the channel or purpose that a text means, as `term_sql` does; None for a word of no list."""
    word = normal(text)
    return next((name for name, words in terms(kind).items() if word in words), None)


def channels_sql(channel: str, address: str) -> str:
    """Return the SQL of a JSON list of the channels that a statement is about: of `all`, those that use its address."""
    by_kind = {
        kind: [name for name, of in KIND_OF.items() if of == kind] for kind in dict.fromkeys(KIND_OF.values())
    }
    meant = term_sql("channel", channel)
    return (
        f"to_json(CASE WHEN {meant} IS DISTINCT FROM {literal(EVERY_CHANNEL)} THEN [coalesce({meant}, {channel})] "
        f"WHEN {address} IS NULL THEN {_list_sql(list(KIND_OF))} "
        f"WHEN regexp_matches({address}, '[@＠]') THEN {_list_sql(by_kind['email'])} "
        f"ELSE {_list_sql(by_kind['phone'])} END)"
    )


def _list_sql(names: list[str]) -> str:
    return f"[{', '.join(map(literal, names))}]"
