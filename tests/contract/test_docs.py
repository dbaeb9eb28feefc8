"""Docs cannot drift: what they name exists, what is generated is current."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.main import get_command

from lakehouse.cli import app
from lakehouse.ingest.loading import deletion_guard
from lakehouse.sources import definition
from lakehouse.sources.definition import Source

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))


def _code(page: Path) -> Iterator[str]:
    """Yield what stands in code: each line of each fenced block, and each span in backticks."""
    text = page.read_text("utf-8")
    for block in re.findall(r"^[ ]*```\w*\n(.*?)^[ ]*```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    prose = re.sub(r"^[ ]*```.*?^[ ]*```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from (re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", prose))


def _generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    return generate


def test_generated_pages_are_current() -> None:
    """`python docs/generate.py` would change nothing."""
    assert _generate().stale() == []


def test_the_dictionary_says_of_what_less_is_kept() -> None:
    """By column, in words; what is dropped is named as such, since the table has no column for it."""
    columns = [
        {"name": "id", "from": "Id", "doc": "Id"},
        {"name": "email", "from": "E-mail", "doc": "Address", "pii": True, "collect": "hash"},
        {"name": "born", "from": "Born", "type": "date", "doc": "Birthday", "collect": {"truncate": "year"}},
        {"name": "note", "from": "Note", "doc": "Note", "collect": "drop"},
    ]
    told = {
        "source": "crm",
        "entity": "people",
        "doc": "People",
        "grain": "one row a person",
        "format": "csv",
    }
    source = Source.model_validate(told | {"columns": columns, "strict": True, "raw_days": 30})
    page = _generate()._table(source.contract, source, None)
    assert "| 6 | `email` | string | `E-mail` | personal | Address | hashed |" in page
    assert "| 7 | `born` | date | `Born` |  | Birthday | year alone |" in page
    assert "| 5 | `id` | string | `Id` |  | Id |  |" in page
    assert "- Dropped, never stored: `Note`" in page
    assert "`note`" not in page
    assert "- Other columns: not kept" in page
    assert "- Raw files: deleted 30 days after they came, once they are loaded" in page
    plain = Source.model_validate(told | {"columns": columns[:1]})
    assert "kept" not in _generate()._table(plain.contract, plain, None)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A link to a file or folder of the repository resolves from its page."""
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    inside = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in inside if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_make_target_exists(page: Path) -> None:
    """`make X` in code is a target that `make help` lists."""
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    lines = [match for code in _code(page) if (match := re.match(r"make((?: \S+)*)$", code))]
    named = {word for match in lines for word in match[1].split() if "=" not in word}
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_and_option_exists(page: Path) -> None:
    """`lakehouse X --y` in code is a command with that option."""
    group = get_command(app)
    context = typer.Context(group, info_name="lakehouse")
    wrong = []
    for code in _code(page):
        for name, rest in re.findall(r"(?:^|[ /])lakehouse ([a-z]+)([^#]*)", code):
            command = group.get_command(context, name)  # type: ignore[attr-defined]
            if hasattr(command, "get_command"):  # a group: its commands have the options
                inner = typer.Context(command, info_name=name, parent=context)
                word = (rest.split() or [""])[0]
                command = command.get_command(inner, word) if re.match(r"[a-z]+$", word) else command
            known = (
                {option for param in command.params for option in param.opts} | {"--help"}
                if command
                else set()
            )
            given = set(re.findall(r"(?<=\s)--[a-z-]+", re.sub(r"\"[^\"]*\"", "", rest)))
            wrong += [code] if command is None or not given <= known else []
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_path_exists(page: Path) -> None:
    """What looks like a path of the repository, in code, is one."""
    tops = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".lakehouse")} - {".venv"}
    words = {word for code in _code(page) for word in re.findall(r"[\w./-]+", code)}
    named = [word for word in words if "/" in word.strip("/") and word.split("/")[0] in tops]
    files = [word for word in words if re.fullmatch(r"[A-Za-z]+\.(md|toml)", word)]
    assert [word for word in sorted([*named, *files]) if not (ROOT / word).exists()] == []


def test_every_function_is_in_the_architecture() -> None:
    """The table of functions is whole."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    functions = {handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == functions


def test_every_shipped_source_is_in_the_table() -> None:
    """In order, with what it fills: whoever looks for a system finds it, and nothing that is not there."""
    text = (ROOT / "docs/sources.md").read_text("utf-8")
    rows = re.findall(r"^\|[^|]+\| `(\w+)/(\w+)` \|[^|]+\|([^|]*)\|$", text, re.MULTILINE)
    told = [((source, entity), re.findall(r"`(\w+)`", fills)) for source, entity, fills in rows]
    assert told == sorted((place, sorted(source.core)) for place, source in definition.load().items())


def test_every_quarantine_code_is_in_the_runbook() -> None:
    """Whoever meets a code finds what it means."""
    text = (ROOT / "docs/runbook.md").read_text("utf-8")
    sources = [*(ROOT / "lakehouse/ingest").glob("*.py"), ROOT / "lakehouse/landing/fetch.py"]
    raised = {
        code for path in sources for code in re.findall(r'BadFile\(\s*"(\w+)"', path.read_text("utf-8"))
    }
    definitions = (ROOT / "lakehouse/sources/definitions").glob("*.yaml")
    checks = {code for path in definitions for code in re.findall(r"\{code: (\w+)", path.read_text("utf-8"))}
    assert {code for code in raised | checks | {deletion_guard.CODE} if f"`{code}`" not in text} == set()


def test_cost_counts_what_the_template_makes() -> None:
    """The numbers that the cost page multiplies are the template's."""
    template = (ROOT / "infra/template.yaml").read_text("utf-8")
    text = (ROOT / "docs/cost.md").read_text("utf-8")
    kinds = {"alarms": "CloudWatch::Alarm", "secrets": "SecretsManager::Secret", "queues": "SQS::Queue"}
    for word, kind in kinds.items():
        number = len(re.findall(rf"^ +Type: AWS::{kind}$", template, re.MULTILINE))
        assert re.search(rf"\b{number} {word}\b", text), f"the template makes {number} {word}"


@pytest.mark.parametrize("page", DECISIONS, ids=[page.stem for page in DECISIONS])
def test_decisions_are_whole(page: Path) -> None:
    """A decision is numbered, dated, and says context, choice, measurements, and what would change it."""
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.stem[:4]} ")
    assert re.search(r"^\d{4}-\d{2}-\d{2} · (accepted|replaced by .+)$", text, re.MULTILINE)
    for heading in ("Context", "Choice", "Measurements", "What would change our mind"):
        assert f"\n## {heading}\n" in text


def test_the_licence_is_apache() -> None:
    """LICENSE is the one that pyproject.toml names."""
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:200]
