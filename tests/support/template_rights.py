"""What the template grants to each function, and mutations of it that give or take a right."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.local.wiring import sam

if TYPE_CHECKING:
    from collections.abc import Callable

Template = dict[str, Any]
_PATH = Path(__file__).parents[2] / "infra" / "template.yaml"


def deployed() -> Template:
    """Return the template that is deployed, as it is written."""
    return sam.parse(_PATH.read_text("utf-8"))


def complaints(
    check: Callable[[Template], list[str]], mutate: Callable[[Template], None], infra: Template
) -> list[str]:
    """Return what a check finds in a copy of the template that was changed."""
    wrong = copy.deepcopy(infra)
    mutate(wrong)
    return check(wrong)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def functions(infra: Template) -> dict[str, dict[str, Any]]:
    """Short name → properties, for every function."""
    found = {}
    for resource in infra["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            one = resource["Properties"]
            found[(one.get("Handler") or one["ImageConfig"]["Command"][0]).split(".")[1]] = one
    return found


def may(function: dict[str, Any], action: str) -> list[Any]:
    """The resources on which a function may do `action`, as the template writes them."""
    statements = [one for policy in function["Policies"] for one in policy["Statement"]]
    return [
        item for one in statements if action in as_list(one["Action"]) for item in as_list(one["Resource"])
    ]


def statement(function: str, **parts: Any) -> Callable[[Template], None]:
    """A mutation that gives a function one more statement."""

    def mutate(infra: Template) -> None:
        policy = infra["Resources"][function]["Properties"]["Policies"][0]
        policy["Statement"].append({"Effect": "Allow", **parts})

    return mutate


def without(function: str, sid: str) -> Callable[[Template], None]:
    """A mutation that takes a statement from a function."""

    def mutate(infra: Template) -> None:
        policy = infra["Resources"][function]["Properties"]["Policies"][0]
        policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != sid]

    return mutate
