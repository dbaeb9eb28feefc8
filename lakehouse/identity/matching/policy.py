"""Knobs of matching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class MatchPolicy(Policy):
    """From which weight records are one person, and how candidates are found."""

    automatic_bits: Annotated[
        float, "bits of evidence from which two records are tied without a person's word"
    ] = 6.0
    review_bits: Annotated[float, "bits from which a pair goes to the list that a person looks at"] = 0.0
    largest_block: Annotated[
        int, "records that share a blocking key; a key of more (a default phone) finds no candidates"
    ] = 100
    largest_news: Annotated[
        float, "share of the records that may be new before all pairs are weighed anew"
    ] = 0.3
    most_keys: Annotated[int, "keys of a record, about, at the most"] = 30
    grown: Annotated[
        float, "times as many records as the model was adapted to, from which it is adapted again"
    ] = 2.0
    fetch_rows: Annotated[int, "distinct names or addresses that are read at once"] = 50_000
    remembered_models: Annotated[int, "models whose SQL, which Splink writes, a process remembers"] = 4
    names_tell_from: Annotated[
        float,
        "share of the neighbours with contradicting names who were born on different days, for the veto to hold",
    ] = 0.5
    fewest_records: Annotated[
        int, "records that a lake is taken to have at least, when chance is weighed"
    ] = 1_000
    duplicates: Annotated[
        float, "pairs of records that are one person's, for each record, before anything is known"
    ] = 1.0


@dataclass(frozen=True)
class TrainingPolicy(Policy):
    """How the parameters of a model are estimated, without labels."""

    random_pairs: Annotated[float, "pairs of records taken at random, to see what agrees by chance"] = 2e6
    pairs_of_a_session: Annotated[float, "pairs of one session of expectation maximisation, about"] = 1e6
    neighbours: Annotated[
        int, "pairs at one door that are asked whether contradicting names mean two people"
    ] = 5_000
    fewest_neighbours: Annotated[int, "of these with contradicting names and birth dates, for an answer"] = 20
    seed: Annotated[int, "seed of the random pairs"] = 20_251_231
    fewest_pairs: Annotated[int, "pairs that agree in its columns below which a session is left out"] = 200
    named_from: Annotated[int, "records that share a value for a model to name it"] = 5
    records_of_a_person: Annotated[
        float, "records of one person, about: so many of those that share a value are his"
    ] = 2.0
    records_of_a_contact: Annotated[float, "the same of a phone or an e-mail"] = 5.0
    fewest_strangers: Annotated[
        float, "other people's records that share a rare value with a record, on average"
    ] = 0.3
    frequent_values: Annotated[
        int, "values of a column whose frequency a model remembers, the most frequent ones"
    ] = 20_000
