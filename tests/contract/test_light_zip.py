"""What would keep the light package from running on Lambda is found in its files, where nothing of it can be run."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("light", ROOT / "infra" / "light.py")
light = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(light)

AARCH64, X86_64 = 183, 62


def elf(machine: int, *versions: str) -> bytes:
    """The head of a shared library, and the versions of glibc that it asks for."""
    symbols = b"".join(b"\0GLIBC_" + version.encode() for version in versions)
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(44) + symbols


@pytest.fixture
def package(tmp_path) -> Path:
    """A small package that is sound."""
    files = {
        "functions/__init__.py": b"import lakehouse",
        **{
            f"functions/{name}/{file}.py": b""
            for name in ("collect", "gather")
            for file in ("__init__", "handler")
        },
        "functions/land/__init__.py": b"",
        "functions/land/handler.py": b"import json\nfrom typing import TYPE_CHECKING\nimport boto3\n"
        b"from lakehouse.rooms import room\nif TYPE_CHECKING:\n    import mypy_boto3_s3\n",
        "functions/publish/__init__.py": b"",
        "functions/publish/handler.py": b"from lakehouse.rooms.room import NAME\n",
        "lakehouse/__init__.py": b"def connect():\n    import duckdb\n",
        "lakehouse/rooms/__init__.py": b"from . import room\n",
        "lakehouse/rooms/room.py": b"from .other import NAME\n",
        "lakehouse/rooms/other.py": b"NAME = 1\n",
        "boto3/__init__.py": b"",
        "boto3/_core.cpython-312-aarch64-linux-gnu.so": elf(AARCH64, "2.17", "2.28"),
    }
    for name, body in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return tmp_path


def test_a_sound_package_has_no_problem(package):
    """What only a type checker imports, and what people call, is not asked for."""
    assert list(light.problems(package)) == []


@pytest.mark.parametrize(
    ("name", "body", "problem"),
    [
        (
            "x/_c.cpython-312-x86_64-linux-gnu.so",
            elf(X86_64),
            "machine code of another processor (e_machine 62",
        ),
        ("x/lib.so.1", elf(X86_64), "machine code of another processor"),
        ("x/cut.so", b"\x7fELF", "machine code of another processor (e_machine 0"),
        ("x/_c.cpython-311-aarch64-linux-gnu.so", elf(AARCH64), "made for Python 3.11, and not for 3.12"),
        (
            "x/_c.cpython-312-aarch64-linux-gnu.so",
            elf(AARCH64, "2.35"),
            "needs glibc 2.35, and Lambda has 2.34",
        ),
        ("x/_c.cp312-win_amd64.pyd", b"MZ" + bytes(60), "machine code of another system"),
        ("x/_c.cpython-312-darwin.so", b"\xcf\xfa\xed\xfe" + bytes(60), "machine code of another system"),
        ("lakehouse/local/__init__.py", b"", "lakehouse/local has no business in it"),
        ("lakehouse/sample/__init__.py", b"", "lakehouse/sample has no business in it"),
        ("pyarrow/__init__.py", b"", "pyarrow has no business in it"),
        ("tests/x.py", b"", "tests has no business in it"),
        (
            "functions/land/handler.py",
            b"import httpx",
            "functions.land.handler imports httpx, which is not in it",
        ),
        ("lakehouse/rooms/other.py", b"def late():\n    import numpy", "lakehouse.rooms.other imports numpy"),
        (
            "lakehouse/rooms/other.py",
            b"from lakehouse.gone import x",
            "imports lakehouse.gone.x, which is not",
        ),
        (
            "lakehouse/rooms/other.py",
            b"from ..far.away import x",
            "imports lakehouse.far.away.x, which is not",
        ),
        ("big.bin", bytes(3_000), "bytes unzipped, more than 2,500"),
    ],
)
def test_each_kind_of_problem_is_named(package, name, body, problem):
    """By file and by what is wrong with it."""
    path = package / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    assert any(problem in found for found in light.problems(package, max_bytes=2_500))


def test_a_missing_handler_is_named(package):
    """The template would name nothing."""
    (package / "functions/publish/handler.py").unlink()
    assert list(light.problems(package)) == ["functions.publish.handler is missing"]


def test_the_build_agrees_with_the_template_and_the_dockerfile():
    """One Python, one list of what is left out, the functions that are zips."""
    template = (ROOT / "infra/template.yaml").read_text("utf-8")
    assert (
        template.count(f"Runtime: python{light.PYTHON}")
        == template.count("PackageType: Zip")
        == len(light.FUNCTIONS)
    )
    assert all(f"Handler: functions.{name}.handler.handler" in template for name in light.FUNCTIONS)
    dockerfile = (ROOT / "infra/Dockerfile").read_text("utf-8")
    assert "rm -r local cli console" in dockerfile
    assert "lakehouse/sample" in (ROOT / "infra/Dockerfile.dockerignore").read_text("utf-8")
    assert {name.removeprefix("lakehouse/") for name in light.LEFT_OUT} == {
        "local",
        "cli",
        "console",
        "sample",
    }
