"""Runs the models whose inputs have changed, each into one commit that notes what it was computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.errors import BadDefinition
from lakehouse.models import registry
from lakehouse.models.computing import Computing
from lakehouse.models.lake_tables import LakeTables

if TYPE_CHECKING:
    from collections.abc import Collection

    from lakehouse.models.computing import MakeReady
    from lakehouse.models.model import Model
    from lakehouse.models.registry import Models
    from lakehouse.settings import Settings
    from lakehouse.tables import commit
    from lakehouse.tables.appending import Replaced


@dataclass(frozen=True)
class ModelRun:
    """The commits of one run that changed rows, in order, and what is wrong with models that could not be computed.

    `unchanged` are the tables whose models gave the rows that were there already.
    """

    committed: list[commit.Committed] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def note(self, replaced: Replaced) -> None:
        """Add what came of one model."""
        if replaced.changed:
            self.committed.append(replaced.committed)
        else:
            self.unchanged.append(replaced.committed.table)


def pending(settings: Settings, *, only: Collection[str] = (), besides: Collection[str] = ()) -> list[str]:
    """Return the tables whose models would be run now, in order; those that read others, should these change.

    Of all models, or of those that fill the tables of `only`; never of those that fill the tables of `besides`, nor of
    those that a wrong definition stops.
    """
    models = registry.load(settings.definitions)
    stopped = models.stopped()
    chosen = [model for model in _chosen(models, only, besides) if model.table not in stopped]
    lake = LakeTables(settings, chosen)
    stale: list[str] = []
    for model in chosen:
        if lake.is_stale(model) or not set(model.inputs).isdisjoint(stale):
            stale.append(model.table)
    return stale


def run(
    settings: Settings,
    *,
    only: Collection[str] = (),
    besides: Collection[str] = (),
    make_ready: MakeReady | None = None,
) -> ModelRun:
    """Run every model whose inputs, SQL or day differ from what its rows were computed from; which, `pending` says.

    All read the tables as they were when the run began, and what it wrote itself. A model whose definition is wrong,
    that DuckDB refuses for its SQL or for some row, or whose rows an audit refuses, keeps its old rows, and so do those
    that read it; the others are run. `make_ready` is called before each, on a connection that shows what it reads.
    Raises CommitConflict when another run was first: the message goes back, and the next run finds little to do.
    """
    models = registry.load(settings.definitions)
    chosen = _chosen(models, only, besides)
    wrong = {table: reason for table, reason in models.wrong.items() if not only or table in only}
    lake = LakeTables(settings, chosen, noted=wrong)
    outcome = ModelRun(wrong=list(wrong.values()))
    for table, reason in wrong.items():
        lake.note(table, reason)
    stopped = set(models.wrong)
    with Computing(settings, lake, models, make_ready) as computing:
        for model in chosen:
            if not stopped.isdisjoint(model.inputs):
                stopped.add(model.table)
                continue
            reason = ""
            if lake.is_stale(model):
                try:
                    outcome.note(computing.replace_rows(model))
                except BadDefinition as error:
                    telemetry.failed("model cannot be computed", error, model=model.table)
                    reason = str(error)
                    outcome.wrong.append(reason)
                    stopped.add(model.table)
            lake.note(model.table, reason)
    return outcome


def _chosen(models: Models, only: Collection[str], besides: Collection[str]) -> list[Model]:
    computed_here = (model for model in models.in_order if not model.view and model.only_on != "spark")
    return [
        model for model in computed_here if model.table not in besides and (not only or model.table in only)
    ]
