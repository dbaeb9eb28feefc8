"""The documented deployment fits the template: its size, its packages, its rights, its parameters."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from lakehouse.local.wiring import sam

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/deployment.md").read_text("utf-8")
INLINE_BYTES, BUCKET_BYTES = (
    51_200,
    1_000_000,
)  # of a template that CloudFormation takes from a request, from a bucket


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return sam.parse((ROOT / "infra" / "template.yaml").read_text("utf-8"))


def commands() -> list[list[str]]:
    """Every command of the page, in words."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def deploy() -> list[str]:
    (command,) = (words for words in commands() if words[:2] == ["sam", "deploy"])
    return command


def test_a_template_of_this_size_goes_through_a_bucket():
    """CloudFormation refuses it in a request; there is room up to what it takes from a bucket."""
    size = (ROOT / "infra" / "template.yaml").stat().st_size
    assert INLINE_BYTES < size < BUCKET_BYTES / 2
    assert {"--resolve-s3", "--s3-bucket"} & set(deploy())
    assert not any(words[:3] == ["aws", "cloudformation", "create-stack"] for words in commands())


def test_images_and_roles_are_provided_for(template):
    """Images need repositories, and roles the word of whoever deploys; named ones would need more than that."""
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    assert any(one["Properties"].get("PackageType") == "Image" for one in functions)
    assert "--resolve-image-repos" in deploy()
    roles = [
        one for one in sam.transform(template, {})["Resources"].values() if one["Type"] == "AWS::IAM::Role"
    ]
    assert roles
    assert not any("RoleName" in one["Properties"] for one in roles)
    assert deploy()[deploy().index("--capabilities") + 1] == "CAPABILITY_IAM"


def test_parameters_are_the_template_s(template):
    """Those that the command sets, and those that the page explains."""
    words = deploy()
    given = words[words.index("--parameter-overrides") + 1 :]
    assert {word.partition("=")[0] for word in given} <= template["Parameters"].keys()
    explained = {
        name
        for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert explained <= template["Parameters"].keys()


def test_the_package_is_built_before_it_is_deployed(template):
    """Where the template looks for it, and by a target that there is."""
    order = [" ".join(words[:2]) for words in commands()]
    assert order.index("make light") < order.index("sam build") < order.index("sam deploy")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(r"^light:.*\n\t\$\(BIN\)/python infra/light.py build/light$", makefile, re.MULTILINE)
    uris = {
        one["Properties"]["CodeUri"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Serverless::Function" and "CodeUri" in one["Properties"]
    }
    assert {(ROOT / "infra" / uri).resolve() for uri in uris} == {ROOT.resolve() / "build" / "light"}
