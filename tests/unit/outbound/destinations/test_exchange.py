"""A request is sent again while that may help; what may have been carried out is told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import stamina

from lakehouse.errors import Transient
from lakehouse.outbound.destinations import NotSent
from lakehouse.outbound.destinations.exchange import (
    AskAgain,
    Asking,
    Lost,
    Patience,
    Refused,
    until_answered,
    wait_seconds,
)


@pytest.mark.parametrize(
    ("errors", "decisions"),
    [
        ([httpx.ConnectError("x")] * 3, [True, True, True]),
        ([AskAgain("busy")] * 2, [True, True]),
        ([AskAgain("busy", 3.0), AskAgain("busy", 4.0), AskAgain("busy", 4.0)], [3.0, 4.0, False]),
        ([AskAgain("busy", 11.0)], [False]),
        ([Refused("CONFLICT")], [False]),
        ([ValueError()], [False]),
    ],
)
def test_a_request_is_repeated_while_patience_lasts(errors, decisions):
    """What HubSpot asks to wait adds up; a refusal is no reason to ask again."""
    patience = Patience()
    assert [patience(error) for error in errors] == decisions


@pytest.mark.parametrize(
    ("may_repeat", "error", "raised", "tries"),
    [
        (True, httpx.ReadTimeout("x"), Transient, 3),
        (True, httpx.ConnectError("x"), NotSent, 3),
        (False, httpx.ReadTimeout("x"), Lost, 1),
        (False, httpx.WriteError("x"), Lost, 1),
        (False, AskAgain("has an error of its own (500)"), Lost, 1),
        (True, httpx.DecodingError("not gzip"), Transient, 3),
        (False, httpx.DecodingError("not gzip"), Lost, 1),
        (False, httpx.ConnectError("x"), NotSent, 3),
        (False, httpx.ConnectTimeout("x"), NotSent, 3),
        (False, AskAgain("asks to wait (429)", done=False), NotSent, 3),
    ],
)
def test_what_must_not_be_sent_twice_is_not(may_repeat, error, raised, tries):
    """Only where nothing left it is sent again; else whoever asked is told that the answer was lost."""
    asked = []

    def once() -> None:
        asked.append(1)
        raise error

    with stamina.set_testing(True, attempts=3), pytest.raises(Transient) as caught:
        until_answered(once, Asking("It", 1.0, lambda: 0.0, may_repeat))
    assert (type(caught.value), len(asked)) == (raised, tries)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("-3", 0.0), ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0), ("soon", None), (None, None)],
)
def test_retry_after_is_a_number_or_a_date(header, seconds):
    """A date that is past is no wait."""
    assert wait_seconds(header) == seconds


def test_retry_after_may_name_a_date_to_come():
    """Half a minute from now."""
    text = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 <= wait_seconds(text) <= 30
