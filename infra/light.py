"""Builds the package of the light functions (collect, gather, land, publish) for Lambda on arm64, and checks it.

No Docker is needed.

    python infra/light.py build/light          build and check
    python infra/light.py --check build/light  check what is there, such as what infra/Dockerfile's target has made

Wheels are chosen for the platform of the functions, not of this machine: nothing of it is run here. So what a start
on Lambda would find out is looked for in the files: machine code of another processor or Python, a newer C library,
imports that lead nowhere, and what has no business there.
"""

from __future__ import annotations

import ast
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[1]
FUNCTIONS = ("collect", "gather", "land", "publish")
PYTHON = "3.12"  # the template's Runtime
PLATFORM = "aarch64-manylinux_2_28"
NEWEST_GLIBC: Final = 34  # of Amazon Linux 2023: 2.34
EM_AARCH64: Final = 183  # what e_machine of an ELF header says
MAX_BYTES: Final = 80 * 2**20  # unzipped; it is 50 MiB, and Lambda takes 250 MB
LEFT_OUT = ("lakehouse/local", "lakehouse/sample", "lakehouse/cli", "lakehouse/console")
HEAVY = ("pyarrow", "duckdb", "pyiceberg", "numpy", "scipy", "pandas")
_FOREIGN = (b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe")  # Windows, macOS
_TAG = re.compile(r"\.(cpython-(\d+)|cp(\d+))-")
_GLIBC = re.compile(rb"GLIBC_2\.(\d+)")


def build(target: Path) -> None:
    """Write the package to a folder, which is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    _run(
        _uv(), "pip", "install", "--quiet", "--target", str(target), "--python-platform", PLATFORM,
        "--python-version", PYTHON, "--only-binary", ":all:", "--require-hashes", "-r", str(ROOT / "locks/light.txt"),
    )  # fmt: skip
    shutil.rmtree(target / "bin", ignore_errors=True)
    skipped = [ROOT / folder for folder in LEFT_OUT]

    def ignore(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name == "__pycache__" or Path(folder, name) in skipped}

    shutil.copytree(ROOT / "lakehouse", target / "lakehouse", ignore=ignore)
    (target / "functions").mkdir()
    shutil.copy(ROOT / "functions/__init__.py", target / "functions")
    for name in FUNCTIONS:
        shutil.copytree(ROOT / "functions" / name, target / "functions" / name, ignore=ignore)
    _compile(target)


def _compile(target: Path) -> None:
    """Compile to bytecode where this machine has the Python of the functions: it halves a cold start."""
    find = [_uv(), "python", "find", "--no-python-downloads", PYTHON]
    found = subprocess.run(find, capture_output=True, text=True, check=False)
    if found.returncode:
        sys.stdout.write(f"no Python {PYTHON} here: without bytecode, cold starts take longer\n")
        return
    mode = ("--invalidation-mode", "unchecked-hash")  # packaging changes the files' times
    _run(found.stdout.strip(), "-m", "compileall", "-q", "-j", "0", *mode, str(target))


def problems(folder: Path, max_bytes: int = MAX_BYTES) -> Iterator[str]:
    """Yield what would keep the package from running on Lambda, or should not be in it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    if size > max_bytes:
        yield f"{size:,} bytes unzipped, more than {max_bytes:,}"
    for name in (*LEFT_OUT, *HEAVY, "tests"):
        if (folder / name).exists():
            yield f"{name} has no business in it"
    for path in files:
        yield from (f"{path.relative_to(folder)}: {problem}" for problem in _problems_of(path))
    for function in FUNCTIONS:
        module = f"functions.{function}.handler"
        if not _file_of(folder, module):
            yield f"{module} is missing"
        yield from _missing_imports(folder, module)


def _problems_of(path: Path) -> Iterator[str]:
    """Yield what is wrong with one file: machine code for something else than Python 3.12 on arm64."""
    with path.open("rb") as file:
        head = file.read(20)
    if head[:4] == b"\x7fELF":
        machine = struct.unpack_from("<H", head, 18)[0] if len(head) == 20 else 0  # noqa: PLR2004 - the header's part
        if machine != EM_AARCH64:
            yield f"machine code of another processor (e_machine {machine}, not {EM_AARCH64})"
        newest = max((int(version) for version in _GLIBC.findall(path.read_bytes())), default=0)
        if newest > NEWEST_GLIBC:
            yield f"needs glibc 2.{newest}, and Lambda has 2.{NEWEST_GLIBC}"
    elif head.startswith(_FOREIGN) and path.suffix in {".so", ".pyd", ".dll", ".dylib", ".exe"}:
        yield "machine code of another system"
    if path.suffix == ".so" and (tag := _TAG.search(path.name)):
        version = tag[2] or tag[3]
        if version != PYTHON.replace(".", ""):
            yield f"made for Python {version[0]}.{version[1:]}, and not for {PYTHON}"


def _missing_imports(folder: Path, start: str) -> Iterator[str]:
    """Yield the imports of a module, and of ours that it imports, that are neither in the folder nor in Python."""
    todo, seen = [start, "functions"], set()
    while todo:
        name = todo.pop()
        file = _file_of(folder, name)
        if name in seen or file is None:
            continue
        seen.add(name)
        tree = ast.parse(file.read_text("utf-8"))
        if name == "lakehouse":  # `connect` is for people, and imports what it needs when it is called
            tree.body = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
        for imported in sorted(set(_imports(tree, name, is_package=file.name == "__init__.py"))):
            top = imported.partition(".")[0]
            if top in {"lakehouse", "functions"}:
                if _file_of(folder, imported) or _file_of(folder, imported.rpartition(".")[0]):
                    todo += [imported, imported.rpartition(".")[0]]
                else:
                    yield f"{name} imports {imported}, which is not in it"
            elif top not in sys.stdlib_module_names and not _is_there(folder, top):
                yield f"{name} imports {top}, which is not in it"


def _imports(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    """Yield what a module imports, within functions too; not what only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[
                    : None if is_package and node.level == 1 else -node.level + is_package
                ]
                base = ".".join([*above, base]).rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)
        else:
            yield from _imports(node, module, is_package=is_package)


def _file_of(folder: Path, module: str) -> Path | None:
    path = folder.joinpath(*module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if module and candidate.is_file()), None)


def _is_there(folder: Path, package: str) -> bool:
    return (folder / package).is_dir() or any(folder.glob(f"{package}.*"))


def _uv() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "uv"
    return str(beside) if beside.exists() else "uv"


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main(arguments: list[str]) -> int:
    """Return 0 when the package is as it should be, else 1 with what is wrong on the screen."""
    folder = Path(arguments[-1]) if arguments and not arguments[-1].startswith("-") else ROOT / "build/light"
    if "--check" not in arguments:
        build(folder)
    found = list(problems(folder))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    sys.stdout.write(
        "".join(f"{problem}\n" for problem in found) or f"{folder}: {size / 2**20:.1f} MiB, sound\n"
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
