"""The shape of the house in figures: `python -m tests.support.shape`. Looking-glasses, not targets.

Counts `lakehouse` and `functions`; of another checkout with `--root DIR`.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("lakehouse", "functions")
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.comprehension, ast.match_case)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One module: its path below the root, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Return the lines of the file."""
        return self.text.count("\n")

    @property
    def functions(self) -> list[Function]:
        """Return the functions and methods, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]


def modules(root: Path) -> list[Module]:
    """Return the modules of the packages, without empty `__init__.py`."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            text = path.read_text("utf-8")
            found.append(Module(path.relative_to(root), text, ast.parse(text)))
    return found


def complexity(node: ast.AST) -> int:
    """Return the ways a piece of code can go: straight on, and by each test, loop, handler, `and`, `or`."""
    total = 1
    for part in ast.walk(node):
        if isinstance(part, BRANCHES):
            total += 1
        if isinstance(part, ast.comprehension):
            total += len(part.ifs)
        if isinstance(part, ast.BoolOp):
            total += len(part.values) - 1
    return total


def code_lines(function: Function, text: list[str]) -> int:
    """Return the lines of a function that hold code: no blank ones, comments or docstring."""
    rows = set(range(function.lineno, (function.end_lineno or function.lineno) + 1))
    first = function.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        rows -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return sum(1 for row in rows if text[row - 1].strip() and not text[row - 1].lstrip().startswith("#"))


def assigned_names(module: Module) -> list[str]:
    """Return the names that code assigns, loops over or takes as a parameter."""
    names = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id.strip("_"))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.append(node.attr.strip("_"))
    return [name for name in names if name]


def mirrored(module: Module) -> Path:
    """Return where the module's unit test belongs: under its name, in the folder of its room."""
    return Path("tests/unit", *module.path.parts[1:-1], f"test_{module.path.stem}.py")


def measure(root: Path) -> dict[str, object]:
    """Return the figures of a checkout."""
    found = modules(root)
    named = [
        module for module in found if module.path.name not in ("__init__.py", "__main__.py", "handler.py")
    ]
    tests = {path.relative_to(root) for path in (root / "tests/unit").rglob("test_*.py")}
    test_names = {path.name for path in tests}
    lines = sorted(module.lines for module in named)
    total_complexity = total_lines = 0
    complex_ones: list[str] = []
    sizes: list[int] = []
    complexities: list[int] = []
    for module in found:
        text = module.text.splitlines()
        for function in module.functions:
            size, ways = code_lines(function, text), complexity(function)
            sizes.append(size)
            complexities.append(ways)
            total_complexity += ways
            total_lines += size
            if ways > 12:
                complex_ones.append(f"{module.path}:{function.lineno} {function.name} ({ways})")
    names = [name for module in found for name in assigned_names(module)]
    rooms = Counter("/".join(module.path.parts[:3][:-1] or module.path.parts[:1]) for module in named)
    room_lines: Counter[str] = Counter()
    for module in found:
        room_lines["/".join(module.path.parts[:-1][:3])] += module.lines
    return {
        "modules": len(named),
        "lines": sum(module.lines for module in found),
        "module_lines_median": statistics.median(lines),
        "module_lines_p90": lines[int(len(lines) * 0.9)],
        "functions": len(sizes),
        "function_lines_median": statistics.median(sizes),
        "complexity_per_ten_lines": round(10 * total_complexity / total_lines, 2),
        "branches_per_ten_lines": round(10 * (total_complexity - len(sizes)) / total_lines, 2),
        "functions_over_8": sum(ways > 8 for ways in complexities),
        "functions_over_12": len(complex_ones),
        "name_length_mean": round(statistics.mean(map(len, names)), 2),
        "name_length_distinct_mean": round(statistics.mean(map(len, set(names))), 2),
        "unit_test_in_its_place": round(sum(mirrored(module) in tests for module in named) / len(named), 3),
        "unit_test_of_its_name": round(
            sum(mirrored(module).name in test_names for module in named) / len(named), 3
        ),
        "rooms": dict(sorted(room_lines.items())),
        "over_12": complex_ones,
        "modules_by_room": dict(sorted(rooms.items())),
    }


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2])
    sys.stdout.write(json.dumps(measure(parser.parse_args().root), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
