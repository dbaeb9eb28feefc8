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
from lakehouse.engine.escape import literal, literals

Kind = Literal["channel", "purpose"]
EVERY: Final = "all"  # only a refusal may speak of every channel, or of every purpose


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
        f"WHEN {normal_sql(text)} IN {literals([*words])} THEN {literal(name)}"
        for name, words in terms(kind).items()
    )
    return f"CASE {' '.join(cases)} END"


def term_of(kind: Kind, text: str) -> str | None:
    """Return the channel or purpose that a text means, as `term_sql` does; None for a word of no list."""
    word = normal(text)
    return next((name for name, words in terms(kind).items() if word in words), None)


def topics_sql(channel: str, purpose: str, address: str) -> str:
    """Return the SQL of a JSON list of what a statement is about, objects of `channel` and `purpose`.

    `all` channels of an address are those that it may be used for: an e-mail is none of a phone's. A word of no list
    stays as it is.
    """
    by_channel = (
        f"list_transform({_named_sql('purpose', purpose, _every_sql('purpose'))}, "
        "lambda for_what: {'channel': by_what, 'purpose': for_what})"
    )
    of_address = (
        f"CASE WHEN {address} IS NULL THEN {_every_sql('channel')} "
        f"WHEN regexp_matches({address}, '[@＠]') THEN {_every_sql('channel', without='phone')} "
        f"ELSE {_every_sql('channel', without='email')} END"
    )
    channels = _named_sql("channel", channel, of_address)
    return f"to_json(flatten(list_transform({channels}, lambda by_what: {by_channel})))"


def _named_sql(kind: Kind, text: str, every: str) -> str:
    """Return the SQL of the list of what a text names: what `every` gives where it says all."""
    meant = term_sql(kind, text)
    return f"CASE WHEN {meant} = {literal(EVERY)} THEN {every} ELSE [coalesce({meant}, {text})] END"


def _every_sql(kind: Kind, *, without: str = "") -> str:
    """Return the SQL of the list of all channels or purposes, without those that use one type of address."""
    names = [name for name in terms(kind) if name != EVERY and KIND_OF.get(name, "none") != without]
    return f"[{', '.join(map(literal, names))}]"
