"""Rows in requests: what is known of each when something breaks off in the middle."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal, Transient
from lakehouse.outbound.destinations import Answer, Declared, NothingWritten, NotSent
from lakehouse.outbound.destinations.definition import Rate
from lakehouse.outbound.destinations.delivery import Delivery, Pace, chunk_rows, is_sendable, requests
from lakehouse.outbound.destinations.exchange import Answered, Lost, Refused
from lakehouse.outbound.records import Row


def _declared(batch=2, rate=None, *, idempotent=True):
    return Declared(batch, rate, idempotent, "clear")


def _rows(count):
    return [Row(n, f"c{n}", f"p{n}@x.org", "upsert", {}) for n in range(count)]


def _run(declared, count, *steps):
    """Deliver rows to something that does one step a request: an error, or "sent"."""
    asked, left = [], list(steps)

    def ask(rows):
        asked.append([row.row for row in rows])
        step = left.pop(0) if left else "sent"
        if isinstance(step, Exception):
            raise step
        return Answered({row.row: Answer("sent") for row in rows}) if step == "sent" else step

    delivery = Delivery(declared, Pace(declared, lambda: 0.0, lambda _: None))
    return delivery.run(_rows(count), ask), asked


def test_halves_of_a_refused_request_come_next():
    """In order, and before what stands behind."""
    answers, asked = _run(_declared(4), 6, Refused("NO"), Refused("NO"), Refused("BAD"))
    assert asked == [[0, 1, 2, 3], [0, 1], [0], [1], [2, 3], [4, 5]]
    assert answers[0] == Answer("failed", "BAD")
    assert {answer.fate for number, answer in answers.items() if number} == {"sent"}


@pytest.mark.parametrize(("idempotent", "fate"), [(True, "ambiguous"), (False, "ambiguous")])
def test_a_refusal_after_an_answer_that_was_lost_says_so(idempotent, fate):
    """The first try may have written it; also where the halves are refused in their turn."""
    answers, _ = _run(
        _declared(idempotent=idempotent), 2, Refused("NO", after_lost=True), Refused("A"), Refused("B")
    )
    assert [answers[n].fate for n in (0, 1)] == [fate, fate]
    assert {answers[n].status for n in (0, 1)} == ({"failed"} if idempotent else {"unknown"})


@pytest.mark.parametrize(
    ("idempotent", "steps", "error"),
    [
        (True, [NotSent("x")], NotSent),
        (False, [NotSent("x")], NotSent),
        (True, ["sent", NotSent("x")], Transient),
        (True, [Refused("NO"), "sent", NotSent("x")], Transient),
        (True, ["sent", Terminal("x")], Terminal),
        (False, [Terminal("x")], NothingWritten),
        (True, [Terminal("x")], Terminal),
        (True, [Lost("x")], Lost),
    ],
)
def test_an_error_says_whether_anything_was_written(idempotent, steps, error):
    """`NotSent` only where nothing was; of what must not come twice, a person's errors say so as well."""
    with pytest.raises(error) as caught:
        _run(_declared(idempotent=idempotent), 6, *steps)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("step", "of_batch"),
    [
        (Lost("x"), "ambiguous"),
        (NotSent("x"), "not sent"),
        (Terminal("x"), "not sent"),
        (Transient("x"), "not sent"),
    ],
)
def test_what_must_not_come_twice_keeps_what_was_sent(step, of_batch):
    """Each row has an answer, whatever ended the chunk; what was not tried is not sent."""
    answers, asked = _run(_declared(idempotent=False), 6, "sent", step)
    assert [answers[n].fate for n in range(6)] == ["sent"] * 2 + [of_batch] * 2 + ["not sent"] * 2
    assert len(asked) == 2


def test_a_row_that_an_answer_leaves_out_is_not_sent_for_certain():
    """Nobody knows."""
    answers, _ = _run(_declared(), 2, Answered({0: Answer("sent")}))
    assert (answers[0].fate, answers[1].fate, answers[1].code) == ("sent", "ambiguous", "NOT_WRITTEN")


def test_nobody_stands_twice_in_a_request_and_the_order_stays():
    """What comes again is in a later request than what came first."""
    names = ["a", "b", "A", "a", "c"]
    rows = [Row(n, f"c{n}", name, "upsert", {}) for n, name in enumerate(names)]
    assert [[row.row for row in some] for some in requests(rows, 2)] == [[0, 1], [4], [2], [3]]
    assert list(requests([], 2)) == []


@pytest.mark.parametrize("name", ["", "a\nb", "a\r", "\x00", "a\x7f", "a\x85", "a\u2028", "a\u2029b"])
def test_an_id_is_one_line(name):
    """An address with a control character in it is none."""
    assert not is_sendable(Row(0, "c", name, "upsert", {}))
    assert is_sendable(Row(0, "c", "刘 伟@例子.中国", "upsert", {}))


def test_a_rate_is_kept_by_waiting():
    """Two workers share it: of ten a second, each sends five."""
    now, waits = [0.0], []

    def sleep(seconds):
        waits.append(round(seconds, 3))
        now[0] += seconds

    pace = Pace(_declared(rate=Rate(requests=10, seconds=1)), lambda: now[0], sleep)
    for _ in range(4):
        pace.wait()
    now[0] += 5
    pace.wait()
    assert waits == [0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    ("batch", "rate", "rows"),
    [
        (100, None, 100),
        (100, Rate(requests=10, seconds=1), 100),
        (1, Rate(requests=20, seconds=60), 7),
        (5, Rate(requests=1, seconds=900), 5),
    ],
)
def test_a_chunk_has_no_more_rows_than_its_time_allows(batch, rate, rows):
    """Else it would never end: each attempt begins from the start."""
    assert chunk_rows(_declared(batch, rate)) == rows
