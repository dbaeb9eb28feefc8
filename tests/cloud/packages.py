"""The functions' packages: the code that infra/Dockerfile copies, compiled, and folders of what their locks name."""

from __future__ import annotations

import compileall
import re
import shutil
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".venv-cloud"  # `make cloud` fills it
EMULATOR = INSTALLED / "emulator" / "bin" / "python"
DEPENDENCIES = {kind: str(INSTALLED / kind) for kind in ("heavy", "light")}


def is_installed() -> bool:
    """Return whether the emulator and the functions' dependencies are there."""
    return (INSTALLED / ".ready").exists()


def write_package(folder: Path, definitions: Path) -> Path:
    """Write the zip of the code, with a folder of definitions beside it, and return its path."""
    code = folder / "code"
    for source, target in _copied():
        _copy(ROOT / source, code / target)
    _copy(definitions, code / definitions.name)
    # As in the image: unchecked, because packaging changes the files' times.
    compileall.compile_dir(code, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    package = folder / "code.zip"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(code.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(code))
    return package


def _copied() -> list[tuple[str, str]]:
    """Return what the Dockerfile copies from the repository into the functions' code, and where to."""
    dockerfile = (ROOT / "infra" / "Dockerfile").read_text("utf-8")
    return re.findall(r"^COPY (\S+) /code/(\S+)$", dockerfile, re.MULTILINE)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; the sample's data is shipped in no function."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "sample"))
    else:
        shutil.copyfile(source, target)
