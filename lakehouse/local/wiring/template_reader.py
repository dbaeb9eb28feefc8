"""Reads names, ARNs and properties of a CloudFormation template's resources; what is not understood is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring import sam
from lakehouse.local.wiring.intrinsics import Scope
from lakehouse.local.wiring.resources import queue_url_marker

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where a resource keeps its name, and its ARN up to that name.
_REGION_AND_ACCOUNT: Final = f"{sam.REGION}:{sam.ACCOUNT}"
_NAMED: Final = {
    "AWS::DynamoDB::Table": ("TableName", f"arn:aws:dynamodb:{_REGION_AND_ACCOUNT}:table/"),
    "AWS::Events::Rule": ("Name", f"arn:aws:events:{_REGION_AND_ACCOUNT}:rule/"),
    "AWS::Lambda::Function": ("FunctionName", f"arn:aws:lambda:{_REGION_AND_ACCOUNT}:function:"),
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{_REGION_AND_ACCOUNT}:"),
    "AWS::Scheduler::Schedule": ("Name", f"arn:aws:scheduler:{_REGION_AND_ACCOUNT}:schedule/default/"),
    "AWS::SecretsManager::Secret": ("Name", f"arn:aws:secretsmanager:{_REGION_AND_ACCOUNT}:secret:"),
}


class TemplateReader:
    """A template with the values of its parameters; every method raises BadDefinition naming the resource."""

    def __init__(self, template: dict[str, Any], parameters: dict[str, str]) -> None:
        self._resources: dict[str, dict[str, Any]] = template["Resources"]
        pseudo = {
            "AWS::AccountId": sam.ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": sam.REGION,
            "AWS::StackName": "local",
            "AWS::URLSuffix": "amazonaws.com",
        }
        values = parameter_values(template.get("Parameters", {}), parameters)
        self._scope = Scope(values | pseudo, template.get("Conditions", {}), self._attribute)

    def types(self) -> Iterator[tuple[str, str]]:
        """Yield logical id and type of every resource whose condition holds, in the template's order."""
        for logical, resource in self._resources.items():
            condition = resource.get("Condition")
            if condition is None or self._scope.holds(condition):
                yield logical, str(resource.get("Type"))

    def properties(self, logical: str, understood: set[str], aws_only: set[str]) -> dict[str, Any]:
        """Return the resolved properties in `understood`.

        A property outside `understood` and `aws_only` (which mean nothing on a laptop) is an error: silently
        left out it would make the laptop behave otherwise than AWS.
        """
        return self._strictly(logical, self._resources[logical].get("Properties", {}), understood, aws_only)

    def nested_properties(
        self, logical: str, parent: str, understood: set[str], aws_only: set[str]
    ) -> dict[str, Any]:
        """Return what `properties` does, for the property `parent` that itself has properties."""
        nested = self._resources[logical].get("Properties", {}).get(parent, {})
        return self._strictly(logical, nested, understood, aws_only)

    def _strictly(
        self, logical: str, properties: dict[str, Any], understood: set[str], aws_only: set[str]
    ) -> dict[str, Any]:
        unknown = properties.keys() - understood - aws_only
        if unknown:
            raise BadDefinition(f"{logical}: a laptop does not do {', '.join(sorted(unknown))}")
        try:
            kept = {name: value for name, value in properties.items() if name in understood}
            resolved: dict[str, Any] = self._scope.resolve(kept)
        except BadDefinition as error:
            raise BadDefinition(f"{logical}: {error}") from error
        return resolved

    def name(self, logical: str) -> str:
        """Return a resource's name. The template must give it: AWS would make one up for each deployment."""
        resource = self._resources[logical]
        name_property, _ = _NAMED[resource["Type"]]
        name = self._scope.resolve(resource.get("Properties", {}).get(name_property))
        if not isinstance(name, str) or not name:
            raise BadDefinition(f"{logical}: has no {name_property}")
        return name

    def resolve_reference(self, kind: str, arn_or_name: Any, referrer: str) -> tuple[str, str]:
        """Return logical id and name of the resource of type `kind` that an ARN or a name means.

        `referrer` is the logical id of the resource that refers to it.
        """
        _, prefix = _NAMED[kind]
        name = str(arn_or_name).removeprefix(prefix)
        for logical, resource_kind in self.types():
            if resource_kind == kind and self.name(logical) == name:
                return logical, name
        raise BadDefinition(f"{referrer}: the template has no {kind} called {name}")

    def _attribute(self, logical: str, attribute: str | None) -> str:
        resource = self._resources.get(logical)
        if resource is None:
            raise BadDefinition(f"the template has no {logical}")
        kind = resource.get("Type", "")
        if kind not in _NAMED:
            raise BadDefinition(f"{logical} ({kind}) has no name or ARN on a laptop")
        name = self.name(logical)
        arn = _NAMED[kind][1] + name
        match kind, attribute:
            case "AWS::SQS::Queue", None:
                return queue_url_marker(name)
            case "AWS::SecretsManager::Secret", None | "Id":
                return arn
            case "AWS::SQS::Queue", "QueueName":
                return name
            case _, None:
                return name
            case _, "Arn":
                return arn
        raise BadDefinition(f"{logical}.{attribute} is not known on a laptop")


def parameter_values(declared: dict[str, Any], values: dict[str, str]) -> dict[str, str]:
    """Return the value of every declared parameter, its default where `values` has none."""
    unknown = values.keys() - declared.keys()
    if unknown:
        raise BadDefinition(f"the template has no parameter {', '.join(sorted(unknown))}")
    complete = {}
    for name, declaration in declared.items():
        if name not in values and "Default" not in declaration:
            raise BadDefinition(f"the template's parameter {name} needs a value")
        complete[name] = str(values.get(name, declaration.get("Default")))
    return complete
