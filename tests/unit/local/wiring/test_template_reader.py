"""Names, references and parameters of a template, each strictly."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring.template_reader import TemplateReader, parameter_values

TEMPLATE = {
    "Parameters": {"Prefix": {"Type": "String", "Default": "p"}},
    "Conditions": {"IsProduction": {"Fn::Equals": [{"Ref": "Prefix"}, "production"]}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${Prefix}-q"}}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Condition": "IsProduction"},
    },
}


@pytest.fixture
def reader() -> TemplateReader:
    return TemplateReader(TEMPLATE, {})


def test_resources_have_their_resolved_names(reader: TemplateReader) -> None:
    """Those whose condition fails are not there."""
    assert list(reader.types()) == [("Queue", "AWS::SQS::Queue")]
    assert reader.name("Queue") == "p-q"
    assert len(list(TemplateReader(TEMPLATE, {"Prefix": "production"}).types())) == 2


@pytest.mark.parametrize("reference", ["p-q", "arn:aws:sqs:us-east-1:000000000000:p-q"])
def test_a_name_and_an_arn_mean_the_same_resource(reader: TemplateReader, reference: str) -> None:
    """What they do not mean is an error that names who asks."""
    assert reader.resolve_reference("AWS::SQS::Queue", reference, "Rule") == ("Queue", "p-q")
    with pytest.raises(BadDefinition, match="Rule: the template has no AWS::SQS::Queue called x"):
        reader.resolve_reference("AWS::SQS::Queue", "x", "Rule")


def test_a_property_is_understood_ignored_or_refused(reader: TemplateReader) -> None:
    """None is left out silently."""
    assert reader.properties("Queue", {"QueueName"}, set()) == {"QueueName": "p-q"}
    assert reader.properties("Queue", set(), {"QueueName"}) == {}
    with pytest.raises(BadDefinition, match="Queue: a laptop does not do QueueName"):
        reader.properties("Queue", set(), set())


@pytest.mark.parametrize(
    ("declared", "values", "expected"),
    [
        ({}, {}, {}),
        ({"A": {"Default": 1}}, {}, {"A": "1"}),
        ({"A": {"Default": 1}}, {"A": "2"}, {"A": "2"}),
        ({"A": {}}, {"A": "2"}, {"A": "2"}),
    ],
)
def test_parameters_take_their_value_or_default_as_text(
    declared: dict[str, dict[str, object]], values: dict[str, str], expected: dict[str, str]
) -> None:
    """As CloudFormation passes them."""
    assert parameter_values(declared, values) == expected
