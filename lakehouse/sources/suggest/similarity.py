"""How alike two names of columns are, 0 to 1. The noun stands last: Status Reason is no status."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache

from lakehouse.sources.suggest.policy import SimilarityPolicy
from lakehouse.sources.suggest.words import Name


def similarity(header: Name, synonym: Name) -> float:
    """Return how alike two names are: 1 for the same, 0 for nothing in common. Languages have nothing in common."""
    if header.han and synonym.han:
        return _of_han(header.han, synonym.han)
    if header.words and synonym.words:
        return _of_words(header, synonym)
    return 0.0


def _of_han(header: str, synonym: str) -> float:
    policy = SimilarityPolicy
    if header == synonym:
        return 1.0
    overlap = min(len(header), len(synonym)) / max(len(header), len(synonym))
    if len(synonym) > 1 and header.endswith(synonym):
        return policy.han_ending + policy.han_ending_share * overlap
    if len(synonym) > 1 and synonym in header:
        return policy.han_inside + policy.han_inside_share * overlap
    if len(header) > 1 and synonym.endswith(header):
        return policy.han_shorter + policy.han_shorter_share * overlap
    return 0.0


def _of_words(header: Name, synonym: Name) -> float:
    if header.joined == synonym.joined:
        return 1.0
    if header.word_set == synonym.word_set:
        return SimilarityPolicy.reordered
    if header.folded == synonym.folded != {"id"}:
        return SimilarityPolicy.other_id_word
    if header.word_set.isdisjoint(synonym.word_set):
        single = len(header.words) == 1 or len(synonym.words) == 1
        return _of_misspelt(header.joined, synonym.joined) if single else 0.0
    only_header = header.word_set - synonym.word_set
    only_synonym = synonym.word_set - header.word_set
    if len(only_header) == len(only_synonym) == 1:
        return _of_misspelt(*only_header, *only_synonym)
    return _of_longer(header, synonym)


def _of_longer(header: Name, synonym: Name) -> float:
    """Return how alike a name is to one that has words beside its own; 0 where neither has all of the other's."""
    policy = SimilarityPolicy
    sizes = len(header.word_set), len(synonym.word_set)
    overlap = min(sizes) / max(sizes)
    if synonym.word_set < header.word_set:
        if header.words[-len(synonym.words) :] == synonym.words:
            return policy.header_longer + policy.header_longer_share * overlap
        return policy.header_longer_aside + policy.header_longer_aside_share * overlap
    if header.word_set < synonym.word_set:
        if synonym.words[-len(header.words) :] == header.words:
            return policy.header_shorter + policy.header_shorter_share * overlap
        return policy.header_shorter_aside + policy.header_shorter_aside_share * overlap
    return 0.0


def _of_misspelt(left: str, right: str) -> float:
    """Return how alike two words are of which one may be a misspelling of the other; 0 where it is none."""
    policy = SimilarityPolicy
    if left[0] != right[0] or min(len(left), len(right)) < policy.least_misspelt_letters:
        return 0.0
    if abs(len(left) - len(right)) > policy.most_length_difference:
        return 0.0
    if len(set(left) ^ set(right)) > policy.most_other_letters:
        return 0.0
    ratio = _letter_ratio(left, right)
    return policy.misspelt * ratio if ratio >= policy.least_misspelt_ratio else 0.0


@lru_cache(maxsize=65_536)
def _letter_ratio(left: str, right: str) -> float:
    return SequenceMatcher(None, left, right, autojunk=False).ratio()
