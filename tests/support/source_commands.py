"""`lakehouse sources …` as a person runs it, in a folder with one file, on no stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.settings import current
from lakehouse.sources import definition

CSV = "Id,Cust. Name,E-mail addr,手机,Comment\n" + "".join(
    f"C{n},Ann Lee,ann{n}@example.com,1381234{n:04d},<b>hush</b>\n" for n in range(30)
)


def sources_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Yield what runs `lakehouse sources …` with no stack anywhere; it returns exit code, output and errors."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LAKEHOUSE_SCRATCH", str(folder))
    monkeypatch.delenv("LAKEHOUSE_DEFINITIONS", raising=False)
    current.cache_clear()
    (folder / "contacts.csv").write_text(CSV, "utf-8")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["lakehouse", "sources", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    yield run
    current.cache_clear()
    definition.load.cache_clear()
