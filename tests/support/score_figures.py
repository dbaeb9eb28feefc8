"""`python -m tests.support.score_figures` prints how good scores are on public data: the figures of docs/scores.md."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lakehouse.scores import bg_nbd, calibration, churn, clv, features, gamma_gamma, vip
from lakehouse.scores.features import Panel, as_floats
from tests.support import baskets
from tests.support.score_tables import SAMPLE, cdnow, on, tables

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from lakehouse.scores.result import Quality

_CALIBRATION_END, _END = date(1997, 9, 30), date(1998, 6, 30)
_HORIZON = timedelta(days=90)
_HALF = timedelta(days=vip.HORIZON_DAYS)


def main() -> None:
    """Print them, a part after another."""
    with tables(core__order_values=cdnow(SAMPLE)) as con:
        sample = on(con, features.PANEL, _CALIBRATION_END, _END)
    _lifetime("CDNOW's sample, 39 weeks", sample)
    with tables(core__order_values=cdnow()) as con:
        _lifetime("all of CDNOW, 39 weeks", on(con, features.PANEL, _CALIBRATION_END, _END))
        for today in (_CALIBRATION_END + _HORIZON, _END):
            now, later, earlier = _panels(con, today, _HORIZON)
            _learned(f"churn, checked from {today - _HORIZON}", churn.score(now, later, earlier).quality)
            panel, left = Panel.of(later), as_floats(later["later_days"]) == 0
            histories = churn._histories(panel)
            alive = bg_nbd.alive(bg_nbd.fit(histories).model, histories)
            _say("  probability alive alone: AUC", calibration.auc(-alive, left))
        _learned(f"VIP, checked from {_END - _HALF}", vip.score(*_panels(con, _END, _HALF)).quality)
    if baskets.BASKETS.exists():
        compared = baskets.compared()
        _write(f"next products: {compared['checked_on']} households checked")
        for method, how_good in compared["methods"].items():
            _say(f"  {method}: precision, nDCG", how_good["precision"], how_good["ndcg"])


def _panels(
    con: duckdb.DuckDBPyConnection, today: date, horizon: timedelta
) -> tuple[pa.Table, pa.Table, pa.Table]:
    return (
        on(con, features.FEATURES, today),
        on(con, features.PANEL, today - horizon, today),
        on(con, features.PANEL, today - 2 * horizon, today - horizon),
    )


def _lifetime(name: str, table: pa.Table) -> None:
    """Print the fits, and how far the next 39 weeks are from what was expected."""
    people = clv.Buyers.of(table)
    model = clv.fit(people)
    days, value = as_floats(table["later_days"]), as_floats(table["later_value"])
    (expected,) = bg_nbd.expected_purchases(model.buying.model, people.histories, [39.0])
    rate = people.histories.frequency / np.maximum(people.histories.age, 1 / 7)
    bought = days > 0
    spent = value[bought] / days[bought]
    every = model.value_of_purchase(people)
    repeat = gamma_gamma.expected_value(model.spending.model, people.histories.frequency, people.repeat_value)
    _write(f"{name}: {len(people)} customers, {model.buying}, {model.spending}")
    _say("  purchases that came, expected", days.sum(), expected.sum())
    _say("  mean error of purchases: model, own rate", _mae(days, expected), _mae(days, rate * 39))
    _say("  mean error of money: model", _mae(value, expected * every))
    errors = _mae(spent, every[bought]), _mae(spent, repeat[bought])
    _say("  mean error of a purchase's value: all purchases read, repeats", *errors)


def _mae(actual: np.ndarray, said: np.ndarray) -> float:
    return float(np.abs(actual - said).mean())


def _learned(name: str, quality: Quality) -> None:
    _write(f"{name}: {quality.method} is used")
    figures: dict[str, Any] = quality.figures
    _say("  Brier score of the mean", figures["brier_of_the_mean"])
    for method, how_good in figures["methods"].items():
        _say(f"  {method}: AUC, Brier", how_good["auc"], how_good["brier"])
    table = figures["calibration"]
    _say("  said, by tenth", *(row["said"] for row in table))
    _say("  happened, by tenth", *(row["happened"] for row in table))


def _say(what: str, *numbers: float) -> None:
    _write(what + ": " + ", ".join(f"{number:,.4f}" for number in numbers))


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
