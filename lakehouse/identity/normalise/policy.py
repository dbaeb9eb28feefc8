"""Knobs of names, companies and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class NamePolicy(Policy):
    """What is read as a person's name, and when two names may be one person's."""

    longest_name: Annotated[int, "characters of a name; what is longer was pasted and is no name"] = 200
    most_words: Annotated[int, "words of a name that are compared; of more, the first ones"] = 8
    longest_chinese: Annotated[
        int, "characters of a full Chinese name, of two for a compound surname one more"
    ] = 4
    similar_word: Annotated[
        float, "Jaro-Winkler similarity from which two words of a name are one, misspelt"
    ] = 0.92
    similar_from: Annotated[int, "letters of the shorter word from which that similarity is asked at all"] = 5
    replaced_from: Annotated[
        int,
        "letters from which two words that differ by one letter may be one (Tim and Tom, Mark and Mary are two people)",
    ] = 5
    swapped_from: Annotated[int, "letters from which two may have changed places (Jhon, John)"] = 4
    added_from: Annotated[
        int,
        "letters of the shorter word from which one letter more may be a slip (An and Anh are two people)",
    ] = 3
    shortened_from: Annotated[
        int, "letters of the beginning of a word that may stand for it (Alex, Alexander)"
    ] = 3
    unlike_characters: Annotated[
        int,
        "characters of a Chinese given name of two or more that may differ though they neither sound nor look alike; "
        "brothers and sisters often share the other one",
    ] = 0
    remembered_names: Annotated[int, "names whose parts a process remembers"] = 100_000
    remembered_words: Annotated[int, "pairs of words whose likeness a process remembers"] = 100_000


@dataclass(frozen=True)
class AddressPolicy(Policy):
    """How addresses are read."""

    longest_address: Annotated[int, "characters of an address that are looked at"] = 300
    remembered_regions: Annotated[int, "beginnings of addresses whose region a process remembers"] = 20_000
    remembered_addresses: Annotated[int, "addresses whose parts a process remembers"] = 100_000
