"""The command writes a company and says what it wrote."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from lakehouse.sample.company import __main__ as command


def test_the_command_tells_how_far_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--progress` tells on stderr, and what was written is a table that ends with rows, time and memory."""
    assert command.main([str(tmp_path / "out"), "--customers", "20", "--progress"]) == 0
    output = capsys.readouterr()
    assert output.err == "\r20 of 20 customers\n"
    *lines, last = output.out.splitlines()
    rows = {place: int(count.replace(",", "")) for place, count in (line.split() for line in lines)}
    assert rows == json.loads((tmp_path / "out/truth.json").read_text("utf-8"))["rows"]
    assert re.fullmatch(rf"{sum(rows.values()):,} rows in \d+\.\d s, largest process \d+ MiB", last)


def test_the_command_prints_the_truth_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints what truth.json holds, and history ends with the day that is named."""
    named = [str(tmp_path / "out"), "--customers", "20", "--until", "2025-12-31", "--json"]
    assert command.main(named) == 0
    output = json.loads(capsys.readouterr().out)
    assert output == json.loads((tmp_path / "out/truth.json").read_text("utf-8"))
    days = (tmp_path / "out/weather/daily/daily-00000.csv").read_text("utf-8").splitlines()
    assert max(day.split(",")[1] for day in days[1:]) == '"2025-12-31"'
    assert dt.date.fromisoformat(output["start"]).weekday() == 0
    assert command.main(named) == 1
    assert "is not empty" in capsys.readouterr().err
