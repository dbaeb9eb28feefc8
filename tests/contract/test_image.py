"""What is built for AWS is what the template deploys, from the locks that the project is tested with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from lakehouse.local.wiring import sam

ROOT = Path(__file__).parents[2]
HEAVY = {"pyarrow", "duckdb", "pyiceberg", "pyiceberg-core", "numpy", "scipy"}


def dockerfile() -> str:
    return (ROOT / "infra" / "Dockerfile").read_text("utf-8")


def pins(lock: str) -> dict[str, str]:
    """Package → version of a lock, whatever markers stand behind it."""
    text = (ROOT / "locks" / lock).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", text, re.MULTILINE))


def wanted() -> set[str]:
    """The packages that pyproject.toml asks for, without extras and ranges."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {re.split(r"[^a-z0-9-]", one)[0] for one in project["dependencies"]}


def test_the_image_has_what_it_copies() -> None:
    """Every file that the Dockerfile copies from the repository exists and is let through to the build."""
    let_through = (ROOT / "infra" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(\S+)", dockerfile(), re.MULTILINE)
    assert copied
    for path in copied:
        assert (ROOT / path).exists(), path
        assert f"!{path}" in let_through, path


def test_the_template_and_the_image_speak_of_the_same() -> None:
    """Build targets and Python versions are the same in both, and supported by the project."""
    resources = sam.parse((ROOT / "infra" / "template.yaml").read_text("utf-8"))["Resources"].values()
    functions = [one for one in resources if one["Type"] == "AWS::Serverless::Function"]
    runtimes = {one["Properties"]["Runtime"] for one in functions if "Runtime" in one["Properties"]}
    bases = set(re.findall(r"FROM public\.ecr\.aws/lambda/python:(\S+)", dockerfile()))
    assert runtimes == {f"python{base}" for base in bases}
    targets = {one["Metadata"]["DockerBuildTarget"] for one in functions if "Dockerfile" in one["Metadata"]}
    assert targets <= set(re.findall(r" AS (\S+)", dockerfile()))
    assert f"python{bases.pop()}/site-packages" in dockerfile()


def test_locks_are_the_project_s() -> None:
    """The image gets every dependency of the project, in the very versions that the tests run with."""
    tested, image, light = pins("dev.txt"), pins("functions.txt"), pins("light.txt")
    assert wanted() <= image.keys()
    assert image.items() <= tested.items()
    assert light.items() <= tested.items()


def test_the_light_package_stays_light() -> None:
    """`land` and `publish` carry none of the libraries that do not fit a zip, and nothing the project lacks."""
    asked = set(
        re.findall(r"^[a-z][a-z0-9-]*$", (ROOT / "infra" / "light.in").read_text("utf-8"), re.MULTILINE)
    )
    assert asked <= wanted()
    assert asked <= pins("light.txt").keys()
    assert not HEAVY & pins("light.txt").keys()
