"""What leaves the process of an error says what and where; nobody's data, whatever the error is and what caused it."""

from __future__ import annotations

import errno
import traceback
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lakehouse import error_text
from lakehouse.errors import BadFile, Terminal, Transient
from lakehouse.objects import parse_json

EMAIL = "erin.planted@example.org"


def caught(make) -> BaseException:
    try:
        make()
    except BaseException as error:  # noqa: BLE001 - whatever is made
        return error
    raise AssertionError("nothing was raised")


def raising(error: BaseException):
    def make():
        raise error

    return make


def chained():
    try:
        int(EMAIL)
    except ValueError as error:
        raise KeyError(EMAIL) from error


def suppressed():
    try:
        int(EMAIL)
    except ValueError:
        raise KeyError(EMAIL) from None


class Spiteful(Exception):  # noqa: N818
    """Cannot be told at all."""

    def __str__(self) -> str:
        raise RuntimeError(EMAIL)


FOREIGN = {
    "text": raising(ValueError(f"could not convert {EMAIL!r}")),
    "cause": chained,
    "suppressed": suppressed,
    "group": raising(ExceptionGroup(EMAIL, [ValueError(EMAIL), OSError(EMAIL)])),
    "aws": raising(ClientError({"Error": {"Code": "AccessDenied", "Message": EMAIL}}, "GetObject")),
    "aws_code": raising(ClientError({"Error": {"Code": EMAIL}}, "GetObject")),
    "disk": raising(OSError(errno.ENOSPC, EMAIL, EMAIL)),
    "exit": raising(SystemExit(EMAIL)),
    "spiteful": raising(Spiteful()),
    "unicode": lambda: EMAIL.encode().decode("utf-16-be", "strict") + b"\xff".decode(),
    "response": raising(type("Http", (Exception,), {"response": SimpleNamespace(status_code=EMAIL)})(EMAIL)),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_nothing_that_another_s_error_says_is_passed_on(make):
    """Its type and its place are; what is raised in its stead has no cause that could be printed with it."""
    error = caught(make)
    failure = error_text.withheld(error, "req-1")
    printed = "".join(traceback.format_exception(failure)) + error_text.safe_text(error) + repr(failure)
    told = str(failure)
    assert EMAIL not in told
    assert EMAIL not in printed
    assert type(error).__name__ in told
    assert "test_error_text.py:" in told
    assert "reference req-1" in told
    assert (failure.__cause__, failure.__context__) == (None, None)


def test_codes_that_name_the_kind_are_kept():
    """AWS's code, errno, a status, the members of a group, the module that is missing: none of them is data."""
    assert "ClientError (AccessDenied)" in error_text.summary(caught(FOREIGN["aws"]))
    assert "OSError (ENOSPC)" in error_text.summary(caught(FOREIGN["disk"]))
    assert "ExceptionGroup (ValueError, OSError)" in error_text.summary(caught(FOREIGN["group"]))
    with_status = type("Http", (Exception,), {"response": SimpleNamespace(status_code=429)})
    assert error_text.summary(with_status(EMAIL)) == "Http (429)"
    missing = caught(lambda: __import__("no_such_module"))
    assert "ModuleNotFoundError (no_such_module)" in error_text.summary(missing)
    assert isinstance(error_text.withheld(missing), ImportError)


def test_causes_are_named_in_order():
    """So that people find where it began."""
    summary = error_text.summary(caught(chained))
    assert summary.index("KeyError at ") < summary.index("; from ValueError at ")


def test_the_place_is_in_our_code_and_then_where_it_was_raised():
    """A library's frames alone say little of what was being done."""
    error = caught(lambda: parse_json("b", "k", b"{}", lambda _: {}.popitem() and None, "x"))
    where = error_text.place(error) if not isinstance(error, Terminal) else ""
    assert where == ""  # of ours the text is told; a KeyError there becomes a damaged object
    error = caught(lambda: parse_json("b", "k", b"{}", lambda _: 1 / 0, "x"))
    assert error_text.place(error).startswith("lakehouse/objects.py:")
    assert "test_error_text.py:" in error_text.place(error)


@pytest.mark.parametrize("kind", [Terminal, Transient])
def test_our_own_errors_keep_their_words_but_no_address(kind):
    """They are written for people; what caused them is not."""
    error = kind(f"sync x: {EMAIL} cannot be written; try again")
    error.__cause__ = ValueError(EMAIL)
    failure = error_text.withheld(error)
    assert failure is error
    assert str(failure) == "sync x: (address) cannot be written; try again"
    assert (failure.__cause__, failure.__context__) == (None, None)
    assert error_text.safe_text(BadFile("bad_xlsx", f"sheet of {EMAIL}")) == "bad_xlsx: sheet of (address)"


def test_a_chain_that_bites_its_tail_ends():
    """Python lets one be made."""
    first, second = ValueError(EMAIL), KeyError(EMAIL)
    first.__cause__, second.__cause__ = second, first
    assert error_text.summary(first) == "ValueError; from KeyError"


@given(st.emails(), st.text(max_size=20), st.text(max_size=20))
def test_no_address_survives_in_a_text_of_ours(address, before, after):
    """Wherever it stands; quotes, brackets and blanks around it are the text's own."""
    local = address.partition("@")[0]
    if set(local) & set("\"'<>()[]{},;:=/"):
        return
    assert address not in error_text.without_addresses(f"{before} {address} {after}").replace("(address)", "")
