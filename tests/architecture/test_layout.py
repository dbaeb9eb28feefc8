"""The house keeps its shape: sizes, who reads the environment, what a lock may hold."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.conftest import LONGEST, ONLY_WITH_ALL
from tests.support.shape import measure

ROOT = Path(__file__).parents[2]
CODE = ("lakehouse", "functions", "benchmarks", "docs", "tests")
MODULE_LINES, FUNCTION_LINES, HANDLER_LINES = 400, 60, 40
MIRRORED = 0.84  # of the modules; pyiceberg's share
MAY_ASK_FOR_SETTINGS = ("lakehouse/settings.py", "lakehouse/aws.py", "lakehouse/cli/", "lakehouse/local/")
PRIVATE_WORDS = {
    "told",
    "doomed",
    "surroundings",
    "take_out",
    "things",
    "works",
    "by_hand",
    "opened",
    "whole",
}
SERVER_FIXTURES = {"landing", "store"}  # of tests/conftest.py
SERVER_STARTS = re.compile(
    r"tests\.support import .*\bcloud|support\.cloud import|small_company\.company\(|\.start\(\"(all|store)\"\)"
)
# local/ hands a stack's environment to functions and takes it back; it decides nothing by it
MAY_READ_ENVIRONMENT = {"lakehouse/settings.py", "lakehouse/local/environment.py"}


def _modules(*folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


@cache
def _tree(text: str) -> ast.Module:
    """Return a module as a tree: to read them all takes seconds, and several tests look at them."""
    return ast.parse(text)


def test_modules_that_are_left_out_or_begun_first_are_there() -> None:
    """A module that got another name would be run before each change, or begin last."""
    missing = [name for name in (*ONLY_WITH_ALL, *LONGEST) if not (ROOT / name).exists()]
    assert missing == []


def test_no_module_outgrows_its_room() -> None:
    """400 lines are the end of a module."""
    assert [name for name, text in _modules(*CODE) if text.count("\n") > MODULE_LINES] == []


def test_every_function_fits_a_screen() -> None:
    """60 lines are the end of a function."""
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, text in _modules(*CODE)
        for node in ast.walk(_tree(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_handlers_hold_no_logic() -> None:
    """A handler parses, calls one use case and maps the result: 40 lines, no branch on data but the event's shape."""
    handlers = [(name, text) for name, text in _modules("functions") if name.endswith("handler.py")]
    assert len(handlers) == 13
    assert [name for name, text in handlers if text.count("\n") > HANDLER_LINES] == []


def test_settings_alone_reads_the_environment() -> None:
    """What a function depends on stands in one file."""
    reading = {
        name
        for name, text in _modules("lakehouse", "functions")
        for node in ast.walk(_tree(text))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert reading <= MAY_READ_ENVIRONMENT | {"lakehouse/local/services/processes.py"}


def test_settings_are_passed_and_not_looked_up() -> None:
    """Who needs settings takes them as a parameter; handlers, the command line and the clients ask once."""
    asking = {
        name
        for name, text in _modules("lakehouse")
        for node in ast.walk(_tree(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"current", "settings.current"}
    }
    assert {name for name in asking if not name.startswith(MAY_ASK_FOR_SETTINGS)} == set()


def test_tunable_numbers_stand_in_policies() -> None:
    """A number at the top of a module is a knob, in `policy.py` and with a meaning, or fixed elsewhere: `Final`."""
    loose = [
        f"{name}:{node.lineno} {ast.unparse(node.targets[0])}"
        for name, text in _modules("lakehouse")
        if not name.endswith("policy.py")
        for node in _tree(text).body
        if isinstance(node, ast.Assign) and _is_numeric(node.value)
    ]
    assert loose == []


def _is_numeric(node: ast.expr) -> bool:
    """Return whether an expression is a number, or several, or a span of time, written down."""
    match node:
        case ast.Constant():
            return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
        case ast.UnaryOp():
            return _is_numeric(node.operand)
        case ast.BinOp():
            sides = (node.left, node.right)
            return any(map(_is_numeric, sides)) and all(
                _is_numeric(one) or isinstance(one, ast.Name) for one in sides
            )
        case ast.Tuple() | ast.List():
            return bool(node.elts) and all(map(_is_numeric, node.elts))
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "timedelta"


def test_tests_stand_where_their_module_stands() -> None:
    """Five of six modules have a unit test of their name, in the folder of their room."""
    figures = measure(ROOT)
    assert float(str(figures["unit_test_in_its_place"])) >= MIRRORED


def test_no_function_goes_more_than_twelve_ways() -> None:
    """Counting each test, loop, handler, `and` and `or`, also those within expressions, which ruff does not count."""
    assert measure(ROOT)["over_12"] == []


def test_names_are_words_of_the_field() -> None:
    """Private words explain nothing to a stranger: see docs/glossary.md for those that do."""
    private = [
        f"{name}:{node.lineno} {word}"
        for name, text in _modules("lakehouse", "functions")
        for node in ast.walk(_tree(text))
        for word in _names_made(node)
        if word.strip("_").lower() in PRIVATE_WORDS
    ]
    assert private == []


def _names_made(node: ast.AST) -> list[str]:
    """Return the name that a node gives to something."""
    match node:
        case ast.Name(ctx=ast.Store()):
            return [node.id]
        case ast.arg():
            return [node.arg]
        case ast.FunctionDef() | ast.ClassDef():
            return [node.name]
    return []


def test_unit_tests_start_no_servers() -> None:
    """What needs an object store, queues or another process is an integration test of its room."""
    using = [
        f"{name}:{node.lineno} {node.name}"
        for name, text in _modules("tests/unit")
        for node in ast.walk(_tree(text))
        if isinstance(node, ast.FunctionDef)
        and (SERVER_FIXTURES - _fixtures_near(name)) & {argument.arg for argument in node.args.args}
    ]
    assert using == []
    starting = [name for name, text in _modules("tests/unit") if SERVER_STARTS.search(text)]
    assert starting == []


@cache
def _fixtures_near(name: str) -> set[str]:
    """Return the functions of a test module and of the conftest files beside and above it, below tests/unit."""
    module = ROOT / name
    files = [
        module,
        *(folder / "conftest.py" for folder in module.parents if folder.is_relative_to(ROOT / "tests/unit")),
    ]
    return {
        node.name
        for file in files
        if file.exists()
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


def test_locks_name_no_host() -> None:
    """A lock pins versions and hashes; where they come from is the installer's business."""
    for lock in (ROOT / "locks").glob("*.txt"):
        text = lock.read_text("utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_every_declared_dependency_is_locked() -> None:
    """What pyproject.toml asks for, the lock pins exactly."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["local"]]
    locked = {
        line.split("==")[0].lower()
        for line in (ROOT / "locks/dev.txt").read_text().splitlines()
        if "==" in line
    }
    names = {re.split(r"[<>=\[; ]", text, maxsplit=1)[0].lower() for text in asked}
    assert names - {name.split("[")[0] for name in locked} == set()


def test_the_coverage_floor_only_rises() -> None:
    """Whoever lowers `fail_under` has to explain it in this test."""
    now = _floor((ROOT / "pyproject.toml").read_text("utf-8"))
    log = subprocess.run(
        ["git", "log", "-p", "--format=", "--", "pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    before = [int(found) for found in re.findall(r"^-fail_under = (\d+)", log.stdout, re.MULTILINE)]
    assert now >= max(before, default=0)


def _floor(text: str) -> int:
    return int(tomllib.loads(text)["tool"]["coverage"]["report"]["fail_under"])
