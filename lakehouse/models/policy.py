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
    ] = 100_000
    largest_share: Annotated[float, "of a table's rows, the share above which all of them are computed"] = 0.9
    largest_cost: Annotated[
        float, "of the seconds that all rows are expected to take, the share above which some are not tried"
    ] = 0.9
    largest_looking: Annotated[
        float,
        "of the seconds that all rows are expected to take, the share above which nobody looks which rows differ: "
        "where all are computed after all, that was for nothing",
    ] = 0.2
    fixed_seconds: Annotated[float, "that some rows take whatever changed, until some were computed once"] = (
        0.05
    )
    seconds_of_input: Annotated[float, "more, for each input that says what changed"] = 0.01
    seconds_of_looking: Annotated[
        float, "that it takes to look what changed in an input, besides comparing rows"
    ] = 0.01
    idle_at_first: Annotated[
        float, "of looks at what changed, the share that find that no row follows, until some were seen"
    ] = 0.2
    forgotten: Annotated[
        float,
        "of what the last runs say of some rows, the share that is forgotten each time that all are computed: a busy "
        "machine is not held against them for ever",
    ] = 0.05
    least_part: Annotated[
        float, "of the seconds of all rows, what some of them take at least, until some were computed once"
    ] = 0.25
    dearer_rows: Annotated[
        float,
        "times of the seconds of all rows that a share of them takes: rows are compared, and files read",
    ] = 1.5
    rows_a_second: Annotated[
        int, "of a table and its inputs that are computed in a second, until all were computed once"
    ] = 400_000
    rows_compared_a_second: Annotated[int, "that are read to find those that differ"] = 2_000_000
    files_of_grain: Annotated[
        int, "files of an input that hold rows of one grain, about: where it has more, those alone are read"
    ] = 20
    rows_of_file: Annotated[
        int,
        "rows of one of the files of a table without partitions, about: what a change of one row writes anew",
    ] = 20_000
    most_files: Annotated[int, "files of such a table, as it is written when all rows are computed"] = 16


@dataclass(frozen=True)
class TriggerPolicy(Policy):
    """What the rules of triggers may ask for."""

    least_within: Annotated[
        timedelta,
        "for which a reason is of use, at least: nobody hears of what was due while the stack stood still",
    ] = timedelta(hours=1)
