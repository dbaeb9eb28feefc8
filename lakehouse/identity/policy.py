"""Knobs of identity resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from lakehouse.policy import Policy

RULES_VERSION: Final = "7"  # of how people are told apart: a new one resolves everybody anew


@dataclass(frozen=True)
class IdentityPolicy(Policy):
    """What ties records to one customer."""

    max_records: Annotated[
        int,
        "an identifier that more people of one source carry is shared (info@, a switchboard) and ties nobody",
    ] = 10


@dataclass(frozen=True)
class NewsPolicy(Policy):
    """When only those of whom rows came are resolved, and who has to do with them."""

    most_records: Annotated[int, "records with news, up to which that is always so"] = 1_000
    largest_share: Annotated[
        float, "of more, the share of all that records say; above it resolving everybody anew is quicker"
    ] = 0.1


@dataclass(frozen=True)
class HubPolicy(Policy):
    """Which e-mails and phones lead from nobody to nobody, as they tie nobody."""

    least_records: Annotated[
        int, "records that carry one, from which it is not walked: a hub; of fewer all are looked at anew"
    ] = 1_000


@dataclass(frozen=True)
class TieWeights(Policy):
    """How strong a tie by an identifier is, in bits as matching counts them; the strongest are made first.

    What names both records themselves, and a person's word, is stronger than any.
    """

    id: Annotated[float, "an id that one system gave"] = 60.0
    email: Annotated[float, "an e-mail address"] = 40.0
    phone: Annotated[float, "a phone number"] = 30.0
    device: Annotated[float, "a browser or a device"] = 20.0


@dataclass(frozen=True)
class NormalisePolicy(Policy):
    """How values are brought into their normal form."""

    fetch_rows: Annotated[int, "unusual values that are fetched from DuckDB at once"] = 10_000
