"""Whether the runner chooses rightly between computing some rows and all: each model that has the choice does both.

Six changes, from ten customers to nearly all, for each of the models: the processor time of some rows, of all rows,
and what the runner would have done. Right is what takes no more than 1.2 times of the other. What differs in the inputs
is found anew for each way, and only the way that the runner takes leaves a note of its costs.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from benchmarks import marts_lake as lakes
from benchmarks.report import Result
from lakehouse.models import computing, partial, runner
from lakehouse.models.changes import CannotTellError
from lakehouse.models.costs import Costs
from lakehouse.models.incremental import AffectedGrains, TooManyRowsError
from lakehouse.models.model import ByGrain
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.tables import commit, content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakehouse.models.model import Model
    from lakehouse.tables.appending import Replaced

_SCALE: Final = {False: 0.125, True: 0.025}  # of the lake of `marts`, by `quick`
_SHARES: Final = (0.0001, 0.01, 0.03, 0.1, 0.3, 0.8)  # of customers that a change is about
_TOLERANCE: Final = 1.2
_RIGHT_BAR: Final = 0.95
_SLOWER_BAR: Final = 1.2


@dataclass(frozen=True)
class Case:
    """What one update of one model took in processor seconds, and which way the runner takes; finding that out, too."""

    what: str
    some: float
    all: float
    finding: float
    takes_some: bool

    @property
    def taken(self) -> float:
        """Return the seconds of what the runner does."""
        return self.some if self.takes_some else self.finding + self.all

    @property
    def is_right(self) -> bool:
        """Return whether the other way would not have been much quicker."""
        return self.taken <= _TOLERANCE * min(self.some, self.all)


def marts_choice(*, quick: bool, scale: float = 0) -> list[Result]:
    """Return how often the choice is right, and how much slower than all rows an update is at worst."""
    size = lakes.Size().scaled(scale or _SCALE[quick])
    with tempfile.TemporaryDirectory() as folder, lakes.opened(Path(folder) / "lake") as settings:
        lakes.fill(settings, size)
        assert not runner.run(settings, only=lakes.models()).wrong
        with _both_ways() as cases:
            for number, share in enumerate(_SHARES, start=1):
                some = lakes.Size(size.events, size.orders, max(10, int(size.customers * share)))
                events = max(10, int(size.events * share / 10))
                lakes.append_events(settings, some, events, str(number), since=lakes.LAST_DAY - 7, days=8)
                lakes.reprice(settings, size, share)
                cases.change = f"{share:.2%} of customers"
                assert not runner.run(settings, only=lakes.models()).wrong
    listed = cases.listed
    right = sum(case.is_right for case in listed)
    worst = max(listed, key=lambda case: case.taken / case.all)
    wrong = "; ".join(
        f"{case.what} ({case.some:.2f} s, all {case.all:.2f})" for case in listed if not case.is_right
    )
    what = f"marts: right choices of some rows or all, of {len(listed)}"
    return [
        Result(what, right / len(listed), "", _RIGHT_BAR, note=wrong),
        Result("marts: an update at worst, over all rows", worst.taken / worst.all, "x", _SLOWER_BAR, at_least=False,
               note=worst.what),
    ]  # fmt: skip


@dataclass
class _Cases:
    change: str = ""
    listed: list[Case] = field(default_factory=list)


class _Both(computing.Computing):
    """Computes some rows, then all, and notes what each took; the table holds the same after both."""

    cases: ClassVar[_Cases]
    _has_looked = False

    def replace_rows(self, model: Model) -> Replaced:
        """Compute a model both ways, where it has them."""
        if not isinstance(model.incremental, ByGrain):
            return super().replace_rows(model)
        takes_some, finding = self._would_take_some(model)
        looking = finding if self._has_looked else 0.0
        with _always_some():
            first, again = (self._would_take_some(model)[1] for _ in range(2))
            with _no_note("after_some") if not takes_some else nullcontext():
                some, replaced = self._timed(model)
        some += max(0.0, finding - again) + max(0.0, first - again)  # what was known when it was computed
        with _never_some(), _no_note("after_all") if takes_some else _noted_looking(looking):
            everything, _ = self._timed(model)
        what = f"{model.table}, {self.cases.change}"
        self.cases.listed.append(Case(what, some, everything, finding, takes_some))
        return replaced

    def _timed(self, model: Model) -> tuple[float, Replaced]:
        began = time.process_time()
        replaced = super().replace_rows(model)
        return time.process_time() - began, replaced

    def _would_take_some(self, model: Model) -> tuple[bool, float]:
        """Return whether the runner would compute some rows, and the seconds that it takes to find that out."""
        assert isinstance(model.incremental, ByGrain)
        con, shown, _ = self._connection()
        table = self._lake.to_write(model)
        shown.show(model, self._lake.by_name, self._lake.catalog)
        began = time.process_time()
        grains = AffectedGrains(con, model.incremental, self._changes(model, table), Costs.of(table))
        rows = content.row_count(table)
        takes_some, self._has_looked = True, True
        try:
            if grains.find(commit.inputs(table), self._lake.expected_inputs(model), rows):
                grains.check_share(partial.load_stored(con, table, model), rows)
        except CannotTellError as why:
            takes_some, self._has_looked = False, isinstance(why, TooManyRowsError)
        return takes_some, time.process_time() - began


@contextmanager
def _both_ways() -> Iterator[_Cases]:
    _Both.cases = _Cases()
    computing_before = vars(runner)["Computing"]
    vars(runner)["Computing"] = _Both
    try:
        yield _Both.cases
    finally:
        vars(runner)["Computing"] = computing_before


@contextmanager
def _policy(**numbers: float) -> Iterator[None]:
    before = {name: getattr(IncrementalPolicy, name) for name in numbers}
    for name, value in numbers.items():
        setattr(IncrementalPolicy, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(IncrementalPolicy, name, value)


def _always_some() -> AbstractContextManager[None]:
    return _policy(least_rows=0, largest_share=10.0**9, largest_cost=10.0**9, largest_looking=10.0**9)


def _never_some() -> AbstractContextManager[None]:
    return _policy(least_rows=10**12)


def _no_note(name: str) -> AbstractContextManager[None]:
    """Have a way that the runner does not take leave no note of its costs."""
    return _noting(name, lambda costs, *_: costs)


def _noted_looking(seconds: float) -> AbstractContextManager[None]:
    """Have the note of all rows say how long it was looked before, as the runner does: here that was another time."""
    after_all = Costs.after_all
    return _noting("after_all", lambda costs, took, rows, *_: after_all(costs, took, rows, seconds))


@contextmanager
def _noting(name: str, note: Callable[..., Costs]) -> Iterator[None]:
    before = getattr(Costs, name)
    setattr(Costs, name, note)
    try:
        yield
    finally:
        setattr(Costs, name, before)
