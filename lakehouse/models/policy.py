"""The tunable numbers of models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class ModelPolicy(Policy):
    """What a model may cost."""

    longest_seconds: Annotated[
        float, "that a model may take; then it keeps its rows, is told, and the models after it are computed"
    ] = 300.0


@dataclass(frozen=True)
class IncrementalPolicy(Policy):
    """When a model's rows are computed in part: where finding out which changed costs less than computing all."""

    least_rows: Annotated[
        int, "rows of a table, and of what says which of them changed, below which all are computed"
    ] = 250_000
    largest_share: Annotated[float, "of a table's rows, the share above which all of them are computed"] = (
        0.25
    )
    largest_comparison: Annotated[
        float,
        "of the rows of a table and of what says which of them changed, the share that replaced inputs have to be "
        "compared, as they were and as they are, above which all are computed",
    ] = 0.9
    rows_of_file: Annotated[
        int,
        "rows of one of the files of a table without partitions, about: what a change of one row writes anew",
    ] = 40_000
    most_files: Annotated[int, "files of such a table, as it is written when all rows are computed"] = 8


@dataclass(frozen=True)
class TriggerPolicy(Policy):
    """What the rules of triggers may ask for."""

    least_within: Annotated[
        timedelta,
        "for which a reason is of use, at least: nobody hears of what was due while the stack stood still",
    ] = timedelta(hours=1)
