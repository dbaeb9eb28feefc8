"""What the demo prints: before it, while it runs, and after it; on a terminal, in a file, as JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from lakehouse.console import terminal
from lakehouse.local import demo, demo_screen
from lakehouse.local.demo_screen import EXPECTED_TIME, PlainSteps, next_commands, show_demo

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.progress import Progress

SUMMARY = demo.Summary(
    landed=3,
    known=0,
    status={
        "ingest": {
            "files": 3,
            "received": 12_345,
            "loaded": 12_345,
            "duplicates": 0,
            "quarantined": 0,
            "balanced": True,
        },
        "deliveries": {},
    },
    people={"customers": 7},
    segments=[("loyal", "Buys often.", 5)],
)


@pytest.fixture
def demo_run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, str]]:
    """Show a demo whose steps take no time; return what went to standard output and to standard error."""

    def run_demo(_data: Path, progress: Progress, check_interrupt: Callable[[], None]) -> demo.Summary:
        for step in ("sample", "land", "land", "ingest", "resolve", "ingest", "aggregate"):
            check_interrupt()
            progress(step, 1, 2)
        progress("export_segments")
        return SUMMARY

    def show(*, out_terminal: bool, err_terminal: bool, **options: Any) -> tuple[str, str]:
        papers = []
        for name, is_terminal in (("out", out_terminal), ("err", err_terminal)):
            papers.append(io.StringIO())
            console = Console(file=papers[-1], force_terminal=is_terminal, width=200, highlight=False)
            monkeypatch.setattr(terminal, name, console)
        show_demo(Path(".lakehouse"), **options)
        return papers[0].getvalue(), papers[1].getvalue()

    monkeypatch.setattr(demo, "run_demo", run_demo)
    return show


@pytest.mark.parametrize(("out_terminal", "err_terminal"), [(False, False), (False, True), (True, False)])
def test_in_a_file_or_pipe_each_step_is_one_plain_line(
    demo_run: Callable[..., tuple[str, str]], out_terminal: bool, err_terminal: bool
) -> None:
    """In the order they begin, each once, without anything that a terminal would obey."""
    out, err = demo_run(out_terminal=out_terminal, err_terminal=err_terminal)
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == EXPECTED_TIME
    assert [line.split(" s  ")[1] for line in lines[1:7]] == list(demo.STEPS.values())
    if not out_terminal:
        assert "\x1b" not in out


def test_a_step_is_printed_when_it_begins_and_not_at_the_end() -> None:
    """Whoever follows a log sees it as it goes."""
    paper = io.StringIO()
    steps = PlainSteps(Console(file=paper, width=200))
    steps("land", 1, 9)
    assert paper.getvalue() == "   0 s  landing its files\n"
    steps("land", 2, 9)
    steps("land")
    assert paper.getvalue().count("\n") == 1


def test_on_a_terminal_the_steps_are_redrawn_on_standard_error(
    demo_run: Callable[..., tuple[str, str]],
) -> None:
    """How long it takes is said before; the summary alone stays on standard output."""
    out, err = demo_run(out_terminal=True, err_terminal=True)
    assert out.splitlines()[0] == EXPECTED_TIME
    assert "\x1b" in err
    for description in demo.STEPS.values():
        assert description in err
        assert description not in out
    assert "12,345" in out


def test_json_is_all_that_a_machine_gets(
    demo_run: Callable[..., tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """No steps, nothing beforehand."""
    assert demo_run(out_terminal=True, err_terminal=True, as_json=True) == ("", "")
    found = json.loads(capsys.readouterr().out)
    assert (found["landed"], found["people"], found["segments"]) == (3, {"customers": 7}, {"loyal": 5})
    assert found["ingest"]["received"] == 12_345


def test_the_expected_time_says_on_what_machine() -> None:
    """A figure without its machine says nothing."""
    assert "minutes on two cores" in EXPECTED_TIME


def test_what_to_type_next_names_the_data_folder_where_it_must() -> None:
    """The commands can be copied."""
    assert next_commands(Path(".lakehouse"), "lakehouse")[-1] == "lakehouse up"
    commands = next_commands(Path("my data"), ".venv/bin/lakehouse")
    assert commands[-1] == ".venv/bin/lakehouse up --data 'my data'"
    assert all(command.endswith("--data 'my data'") for command in commands)


def test_the_program_is_named_as_it_can_be_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its name on the PATH, else by its path from here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_screen.sys, "argv", [str(tmp_path / ".venv/bin/lakehouse")])
    monkeypatch.setattr(demo_screen.shutil, "which", lambda _: None)
    assert demo_screen._program() == ".venv/bin/lakehouse"
    monkeypatch.setattr(demo_screen.sys, "argv", ["/opt/lakehouse"])
    assert demo_screen._program() == "/opt/lakehouse"
    monkeypatch.setattr(demo_screen.shutil, "which", lambda _: "/bin/lakehouse")
    assert demo_screen._program() == "lakehouse"
