"""CloudFormation's intrinsic functions mean here what they mean on AWS."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring.intrinsics import Scope

NO_VALUE = {"Ref": "AWS::NoValue"}


def scope() -> Scope:
    def attribute(logical: str, name: str | None) -> str:
        if logical != "Queue":
            raise BadDefinition(f"the template has no {logical}")
        return f"<{logical}.{name}>" if name else f"<{logical}>"

    conditions = {
        "Small": {"Fn::Equals": [{"Ref": "Size"}, "s"]},
        "Large": {"Fn::Not": [{"Condition": "Small"}]},
        "Both": {"Fn::And": [{"Condition": "Small"}, {"Condition": "Large"}]},
        "Either": {"Fn::Or": [{"Condition": "Small"}, {"Condition": "Large"}]},
    }
    return Scope({"Size": "s", "AWS::Region": "us-east-1"}, conditions, attribute)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("plain", "plain"),
        (7, 7),
        ({"Ref": "Size"}, "s"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "Queue"}, "<Queue>"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "<Queue.Arn>"),
        (
            {"Fn::Sub": "${Size}/${Queue.Arn}/${AWS::Region}/${!Literal}"},
            "s/<Queue.Arn>/us-east-1/${Literal}",
        ),
        ({"Fn::Sub": ["${x}-${Size}", {"x": {"Ref": "Queue"}}]}, "<Queue>-s"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Size"}, 3]]}, "a-s-3"),
        ({"Fn::If": ["Small", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Large", "yes", {"Ref": "Size"}]}, "s"),
        ({"a": {"Fn::If": ["Large", "yes", NO_VALUE]}, "b": 1}, {"b": 1}),
        ([{"Fn::If": ["Large", "yes", NO_VALUE]}, 1], [1]),
        ({"Ref": ["not", "an", "intrinsic"]}, {"Ref": ["not", "an", "intrinsic"]}),
    ],
)
def test_what_the_template_writes_means_what_aws_says(written: object, means: object) -> None:
    """Each function the template may use resolves, at any depth, and NoValue removes what it stands for."""
    assert scope().resolve(written) == means


@pytest.mark.parametrize(
    ("name", "holds"), [("Small", True), ("Large", False), ("Both", False), ("Either", True)]
)
def test_conditions_are_evaluated(name: str, *, holds: bool) -> None:
    """Conditions may compare, negate and combine, also through one another."""
    assert scope().holds(name) is holds


@pytest.mark.parametrize(
    "written",
    [
        {"Fn::ImportValue": "x"},
        {"Fn::Select": [0, ["a"]]},
        {"Fn::If": ["Nobody", 1, 2]},
        {"Fn::GetAtt": ["Ghost", "Arn"]},
        {"Fn::Sub": "${Ghost}"},
        {"Ref": "AWS::StackId"},
        NO_VALUE,
    ],
)
def test_what_is_not_understood_is_refused(written: object) -> None:
    """A function, name or condition that is not understood is an error; nothing is guessed."""
    with pytest.raises(BadDefinition):
        scope().resolve(written)
