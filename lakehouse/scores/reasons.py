"""Why a chance of leaving is high, in words: which side of a customer sets it apart from those who stay.

Each group of features (`features.GROUPS`) is asked twice: by how much the chance falls with the group as with the
median of those who stayed, and by how much theirs rises with the group as with this customer. The mean of both is the
group's lift: the first and the last of the orders that Shapley's value takes the mean of, at the cost of two. One of
them alone misses what acts together: who bought once, long ago, is not excused by either half.

They are compared with those who stayed, not with all: where most leave, the middle customer is one who does. Features
of a group are replaced together, since they say the same, and a model that may use either would be excused by the
other. Lifts need not add up to the chance. It works for any model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from lakehouse.scores.features import GROUPS, Panel
from lakehouse.scores.policy import ChurnPolicy

if TYPE_CHECKING:
    from lakehouse.scores.bg_nbd import Floats
    from lakehouse.scores.propensity import Raw


@dataclass(frozen=True)
class Words:
    """How a group's reason reads: the feature that it names, with `{value}` and `{median}`, that of those who stayed.

    `unknown` is said, in both languages, where the feature has no value.
    """

    feature: str
    en: str
    zh: str
    unknown: tuple[str, str] = ("", "")


WORDS: Final[dict[str, Words]] = {
    "recency": Words(
        "recency_days",
        "last order {value} days ago (those who stayed: {median})",
        "距上次下单 {value} 天（留存客户中位数 {median} 天）",
    ),
    "frequency": Words(
        "purchase_days",
        "days with a purchase: {value} (those who stayed: {median})",
        "累计 {value} 个购买日（留存客户中位数 {median} 个）",
    ),
    "trend": Words(
        "days_90",
        "days with a purchase in the last 90: {value} (those who stayed: {median})",
        "近 90 天有 {value} 个购买日（留存客户中位数 {median} 个）",
    ),
    "value": Words(
        "spent_180",
        "spent {value} in the last 180 days (those who stayed: {median})",
        "近 180 天消费 {value}（留存客户中位数 {median}）",
    ),
    "engagement": Words(
        "days_since_event",
        "last seen online {value} days ago (those who stayed: {median})",
        "距上次访问网站或应用 {value} 天（留存客户中位数 {median} 天）",
        ("never seen online", "从未访问网站或应用"),
    ),
    "service": Words(
        "tickets_180",
        "requests or complaints in the last 180 days: {value} (those who stayed: {median})",
        "近 180 天有 {value} 张工单（留存客户中位数 {median} 张）",
    ),
    "tenure": Words(
        "age_days",
        "first order {value} days ago (those who stayed: {median})",
        "距首次下单 {value} 天（留存客户中位数 {median} 天）",
    ),
}


def medians(panel: Panel) -> Floats:
    """Return the middle of each feature among those who have it; NaN where nobody has."""
    known = np.isfinite(panel.values).any(axis=0)
    middle = np.full(len(panel.names), np.nan)
    middle[known] = np.nanmedian(panel.values[:, known], axis=0)
    return middle


def lifts(chance: Raw, panel: Panel, middle: Floats) -> dict[str, Floats]:
    """Return by how much each group raises each customer's chance; `middle` has the values to compare with."""
    now = chance(panel)
    ordinary = Panel(panel.customers, np.tile(middle, (len(panel), 1)), panel.names)
    usual = chance(ordinary.part(np.arange(min(1, len(panel)))))
    found = {}
    for name, group in GROUPS.items():
        without = now - chance(panel.with_group(group, ordinary))
        alone = chance(ordinary.with_group(group, panel)) - usual
        found[name] = (without + alone) / 2
    return found


def in_words(chance: Raw, panel: Panel, middle: Floats) -> tuple[pa.Array, pa.Array]:
    """Return each customer's reasons in English and in Chinese, the weightiest first; null where there are none.

    `middle` has the value of each feature that customers are compared with: see `medians`.
    """
    by_group = lifts(chance, panel, middle)
    names = list(by_group)
    weight = np.column_stack([by_group[name] for name in names])
    ranked = np.argsort(-weight, axis=1, kind="stable")[:, : ChurnPolicy.most_reasons]
    counts = np.take_along_axis(weight, ranked, axis=1) >= ChurnPolicy.least_lift
    texts = [_texts(name, panel, middle) for name in names]
    return _joined(texts, ranked, counts, 0, "; "), _joined(texts, ranked, counts, 1, "；")


def _joined(
    texts: list[tuple[np.ndarray, np.ndarray]],
    ranked: np.ndarray,
    counts: np.ndarray,
    language: int,
    between: str,
) -> pa.Array:
    lines = [
        between.join(
            [
                texts[group][language][row]
                for group, counted in zip(ranked[row], counts[row], strict=True)
                if counted
            ]
        )
        for row in np.flatnonzero(counts[:, 0])
    ]
    reasons = np.full(len(counts), None, dtype=object)
    reasons[counts[:, 0]] = lines
    return pa.array(reasons, pa.string())


def _texts(name: str, panel: Panel, middle: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Return a group's reason for each customer, in English and in Chinese; each distinct value is written once."""
    words = WORDS[name]
    median = _number(middle[panel.names.index(words.feature)])
    values, position = np.unique(np.round(panel.column(words.feature)), return_inverse=True)
    written = []
    for template, unknown in zip((words.en, words.zh), words.unknown, strict=True):
        lines = [
            template.format(value=_number(value), median=median) if np.isfinite(value) else unknown
            for value in values
        ]
        written.append(np.array(lines, dtype=object)[position.ravel()])
    return written[0], written[1]


def _number(value: float) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else "–"
