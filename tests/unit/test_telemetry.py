"""Logs and metrics: what happened, and nobody's data."""

from __future__ import annotations

import io
import json
from contextlib import suppress

import pytest

from lakehouse import telemetry
from lakehouse.error_text import WithheldError
from lakehouse.errors import BadFile, Transient
from lakehouse.telemetry import FIELDS, count, failed, info, observed, warn

EMAIL = "erin.planted@example.org"


@pytest.fixture
def lines(monkeypatch):
    """Return a function that reads the log lines written since."""
    stream = io.StringIO()
    for handler in telemetry._logger.handlers:
        monkeypatch.setattr(handler, "stream", stream)

    def read():
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return [json.loads(line) for line in text.splitlines()]

    return read


def test_a_line_says_what_happened(lines):
    """Message, level and the fields that were given."""
    info("file loaded", file_id="f", received=3)
    warn("slow", seconds=4.5)
    first, second = lines()
    assert (first["message"], first["level"], first["file_id"], first["received"]) == (
        "file loaded",
        "INFO",
        "f",
        3,
    )
    assert (second["level"], second["seconds"]) == ("WARNING", 4.5)


@pytest.mark.parametrize("write", [info, warn, lambda what, **more: failed(what, ValueError(), **more)])
@pytest.mark.parametrize("field", ["email", "row", "original", "name", "query"])
def test_a_field_that_is_not_on_the_list_is_refused(write, field, lines):
    """Where personal data would slip in; the value is not in the refusal either."""
    with pytest.raises(ValueError, match=field) as told:
        write("x", **{field: EMAIL})
    assert EMAIL not in str(told.value)
    assert lines() == []


def test_no_field_is_a_word_of_the_logger(lines):
    """Such a field would raise where it is used, which may be in the middle of a failure, or be written over."""
    for name in sorted(FIELDS):
        info("x", **{name: "value"})
        (line,) = lines()
        assert (line["message"], line[name]) == ("x", "value")


def test_an_error_is_logged_by_its_type(lines):
    """Its text may quote a row, and so may what caused it; neither is in the line, nor is a traceback."""
    error = BadFile("unreadable", EMAIL)
    error.__cause__ = ValueError(f"could not convert {EMAIL!r}")
    with suppress(BadFile):
        try:
            raise error
        finally:
            failed("batch failed", error, table="raw.x")
    (line,) = lines()
    assert EMAIL not in json.dumps(line)
    assert (line["error"], line["table"], line["level"]) == ("BadFile", "raw.x", "ERROR")
    assert "exception" not in line
    assert line["reason"].startswith("BadFile at ")
    assert "; from ValueError" in line["reason"]


def test_metrics_are_written_when_a_handler_ends(capsys, monkeypatch):
    """However it ends; and a handler that counts nothing writes nothing."""
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    telemetry.metrics.clear_metrics()  # what other tests counted outside of a handler

    @observed
    def counting(event, _context):
        count("RowsLoaded", 2)
        count("RowsLoaded", 3)
        if event == "fail":
            raise KeyError(event)
        return event

    assert counting("fine", None) == "fine"
    with pytest.raises(WithheldError, match="KeyError"):
        counting("fail", None)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [sum(line["RowsLoaded"]) for line in written] == [5, 5]
    assert observed(lambda event, _: event)("quiet", None) == "quiet"
    assert capsys.readouterr().out == ""


def test_what_leaves_a_handler_says_nothing_of_what_it_said(lines):
    """The runtime logs it; the log line of the failure carries the same reference."""

    @observed
    def failing(_event, _context):
        try:
            int(EMAIL)
        except ValueError as error:
            raise KeyError(EMAIL) from error

    class Context:
        aws_request_id = "r-1"

    with pytest.raises(WithheldError) as raised:
        failing({}, Context())
    assert EMAIL not in str(raised.value)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    assert str(raised.value).endswith("reference r-1")
    (line,) = lines()
    assert EMAIL not in json.dumps(line)
    assert (line["error"], line["request_id"]) == ("KeyError", "r-1")
    assert line["reason"].startswith("KeyError at ")


def test_our_own_errors_leave_a_handler_as_they_are(lines):
    """Whoever called can tell whether to try again; only the cause is gone."""

    @observed
    def failing(_event, _context):
        try:
            int(EMAIL)
        except ValueError as error:
            raise Transient("the catalog is away; try again") from error

    with pytest.raises(Transient, match="the catalog is away; try again") as raised:
        failing({}, None)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    assert lines()[0]["reason"] == "the catalog is away; try again"


def test_whoever_stops_the_process_stops_it():
    """Ctrl-C in `lakehouse invoke` is no failure of the function."""

    @observed
    def interrupted(_event, _context):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted({}, None)


def test_what_the_system_said_is_told_and_nobodys_data(lines):
    """Error number and file of an OSError, wherever it stands behind the error; a library's words give the number."""

    def wrapped(cause: BaseException) -> BaseException:
        error = RuntimeError(EMAIL)
        error.__cause__ = cause
        return error

    full = OSError(28, f"No space left on device {EMAIL}", "/scratch/1.csv")
    failed("batch failed", wrapped(full))
    failed(
        "batch failed", wrapped(ValueError(f'IO Error: Could not write "{EMAIL}": No space left on device'))
    )
    failed("batch failed", wrapped(ValueError(EMAIL)))
    first, second, third = lines()
    assert (first["errno"], first["path"]) == ("ENOSPC: No space left on device", "/scratch/1.csv")
    assert second["errno"] == "ENOSPC: No space left on device"
    assert "errno" not in third
    assert EMAIL not in json.dumps([first, second, third])
