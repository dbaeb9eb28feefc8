"""What every score gives: rows for its table, and what its run has to say of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

NO_MODEL = "none"  # the method of a run that could not compute a score


class NotFittedError(ValueError):
    """No parameters were found for a model; says of which one, and nothing of a customer."""


@dataclass(frozen=True)
class Quality:
    """How good a run's model is on data that it has not seen; `figures` holds all numbers, by name.

    `method` is what was used, `reason` why it is not the usual one, or why there are no scores ("" where there is
    nothing to say). `auc`, `brier`, `mae` and `ndcg` are the main figures, where a score has them.
    """

    method: str
    reason: str = ""
    auc: float | None = None
    brier: float | None = None
    mae: float | None = None
    ndcg: float | None = None
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """The rows of a score, without when and from what they were computed, and the run's quality."""

    rows: pa.Table
    quality: Quality
