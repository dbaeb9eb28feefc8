"""Reasons name what was planted, in both languages, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.scores import features, reasons
from lakehouse.scores.features import NAMES
from tests.unit.scores.test_propensity import panel

STAYED = panel(
    1, recency_days=np.array([10.0]), tickets_180=np.array([0.0]), days_since_event=np.array([2.0]),
    purchase_days=np.array([6.0]),
)  # fmt: skip


def by_tickets(customers):
    """A model that knows of tickets alone."""
    return np.where(customers.column("tickets_180") > 2, 0.8, 0.1)


def both_needed(customers):
    """A model that fears only for who bought long ago and seldom."""
    return np.where(
        (customers.column("recency_days") > 50) & (customers.column("purchase_days") < 3), 0.9, 0.2
    )


def either_enough(customers):
    """A model that fears for who bought long ago or has tickets, once."""
    return np.where((customers.column("recency_days") > 50) | (customers.column("tickets_180") > 2), 0.9, 0.2)


SOME = panel(
    3,
    recency_days=np.array([90.0, 10.0, 90.0]),
    tickets_180=np.array([5.0, 0.0, 0.0]),
    days_since_event=np.array([np.nan, 2.0, 2.0]),
    purchase_days=np.array([1.0, 6.0, 1.0]),
)


def test_a_reason_is_what_sets_a_customer_apart():
    """Only what the model looks at; who is as those who stay has none."""
    english, chinese = reasons.in_words(by_tickets, SOME, STAYED.values[0])
    assert english.to_pylist() == [
        "requests or complaints in the last 180 days: 5 (those who stayed: 0)", None, None,
    ]  # fmt: skip
    assert chinese.to_pylist() == ["近 180 天有 5 张工单（留存客户中位数 0 张）", None, None]


@pytest.mark.parametrize(
    ("model", "named"), [(both_needed, ("last order", "days with")), (either_enough, ("last", "req"))]
)
def test_what_acts_together_and_what_acts_alike_is_found(model, named):
    """Replacing one side at a time finds the first, adding one at a time the second; each alone would miss one."""
    english, _ = reasons.in_words(model, SOME, STAYED.values[0])
    first = english.to_pylist()[0].split("; ")
    assert [text.startswith(word) for text, word in zip(first, named, strict=True)] == [True, True]


def test_the_weightiest_comes_first():
    """Of two sides the one that raises the chance more."""

    def model(customers):
        late = customers.column("recency_days") > 50
        return 0.1 + 0.2 * late + 0.6 * (customers.column("tickets_180") > 2)

    english, _ = reasons.in_words(model, SOME, STAYED.values[0])
    assert english.to_pylist()[0].startswith("requests")
    assert "; last order 90 days ago" in english.to_pylist()[0]


def test_an_unknown_value_is_said_as_such():
    """Who was never seen online has no day to be named."""
    english, chinese = reasons.in_words(
        lambda customers: np.where(np.isnan(customers.column("days_since_event")), 0.9, 0.1),
        SOME,
        STAYED.values[0],
    )
    assert english.to_pylist() == ["never seen online", None, None]
    assert chinese.to_pylist()[0] == "从未访问网站或应用"


def test_every_feature_is_in_one_group_and_every_group_has_words():
    """A feature in no group could never be a reason."""
    assert reasons.WORDS.keys() == features.GROUPS.keys()
    for name, words in reasons.WORDS.items():
        assert words.feature in features.GROUPS[name]
    assert len(set(NAMES)) == len(NAMES)


def test_medians_are_of_those_who_have_a_value():
    """NaN where nobody has: the model knows what to make of that."""
    middle = reasons.medians(SOME)
    assert middle[NAMES.index("recency_days")] == 90
    assert middle[NAMES.index("days_since_event")] == 2
    assert np.isnan(middle[NAMES.index("satisfaction")])


def test_nobody_has_no_reasons():
    """An empty panel is no error."""
    empty = SOME.part(np.array([], dtype=np.int64))
    assert [len(each) for each in reasons.in_words(by_tickets, empty, STAYED.values[0])] == [0, 0]
