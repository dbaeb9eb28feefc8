"""Turns infra/template.yaml into resources, so that a laptop is wired by the same file that AWS deploys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring import sam
from lakehouse.local.wiring.resources import (
    Bucket,
    Function,
    Mapping,
    Queue,
    Route,
    Rule,
    Schedule,
    Table,
    Target,
    Wiring,
)
from lakehouse.local.wiring.template_reader import TemplateReader

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Bucket",
    "Function",
    "Mapping",
    "Queue",
    "Route",
    "Rule",
    "Schedule",
    "Table",
    "Target",
    "Wiring",
    "default_path",
    "load",
    "wire",
]

# Types that guard or watch on AWS and do not change what runs when. Any other unknown type is an error.
_AWS_ONLY: Final = frozenset(
    {
        "AWS::ApiGatewayV2::Stage",
        "AWS::CloudWatch::Alarm",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
)
_QUEUE_ATTRIBUTES: Final = {
    "ContentBasedDeduplication",
    "DelaySeconds",
    "FifoQueue",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
}
_HANDLER: Final = re.compile(r"(functions\.(\w+)\.handler)\.handler")
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNIT_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86400}
_INTEGRATION: Final = re.compile(r"/functions/(arn:[^/]+)/invocations$")


def default_path() -> Path:
    """Return infra/template.yaml of a checkout, or the copy that an installed package carries."""
    checkout = Path(__file__).parents[3] / "infra" / "template.yaml"
    return checkout if checkout.exists() else Path(__file__).with_name("template.yaml")


def load(path: Path, parameters: dict[str, str], cache: Path | None = None) -> Wiring:
    """Return what the template at `path` asks for, given its parameters (those absent take their defaults).

    `cache` is a folder that may keep the translated template: reading it back takes milliseconds where
    translating takes a second. Raises BadDefinition, naming the resource, for whatever has no local meaning.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise BadDefinition(f"the template {path} cannot be read: {error.strerror}") from error
    return wire(sam.translate(text, parameters, cache), parameters)


def wire(template: dict[str, Any], parameters: dict[str, str]) -> Wiring:
    """Return what a CloudFormation template (SAM's transform already done) asks for."""
    reader = TemplateReader(template, parameters)
    resources: dict[str, list[Any]] = {kind: [] for kind in _READERS}
    for logical, kind in reader.types():
        if kind in _READERS:
            resources[kind].append(_read(reader, logical, kind))
        elif kind not in _AWS_ONLY:
            raise BadDefinition(f"{logical}: a laptop has nothing for {kind}")
    return Wiring(
        buckets=resources["AWS::S3::Bucket"],
        queues=resources["AWS::SQS::Queue"],
        rules=resources["AWS::Events::Rule"],
        schedules=resources["AWS::Scheduler::Schedule"],
        functions={function.name: function for function in resources["AWS::Lambda::Function"]},
        mappings=resources["AWS::Lambda::EventSourceMapping"],
        routes=[route for routes in resources["AWS::ApiGatewayV2::Api"] for route in routes],
        tables=resources["AWS::DynamoDB::Table"],
        secrets=resources["AWS::SecretsManager::Secret"],
    )


def _read(reader: TemplateReader, logical: str, kind: str) -> Any:
    try:
        return _READERS[kind](reader, logical)
    except KeyError as error:
        raise BadDefinition(f"{logical}: lacks {error}") from error


def _bucket(reader: TemplateReader, logical: str) -> Bucket:
    properties = reader.properties(
        logical,
        {"BucketName", "NotificationConfiguration", "VersioningConfiguration"},
        {
            "BucketEncryption",
            "LifecycleConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
        },
    )
    notification = dict(properties.get("NotificationConfiguration", {}))
    eventbridge = notification.pop("EventBridgeConfiguration", {"EventBridgeEnabled": False})
    if notification:
        raise BadDefinition(
            f"{logical}: a laptop sends new objects to EventBridge only, not {', '.join(notification)}"
        )
    return Bucket(
        logical=logical,
        name=reader.name(logical),
        versioned=properties.get("VersioningConfiguration", {}).get("Status") == "Enabled",
        eventbridge=_is_true(eventbridge.get("EventBridgeEnabled", True)),
    )


def _queue(reader: TemplateReader, logical: str) -> Queue:
    properties = reader.properties(
        logical, {"QueueName", "RedrivePolicy", *_QUEUE_ATTRIBUTES}, {"SqsManagedSseEnabled", "Tags"}
    )
    name = reader.name(logical)
    fifo = _is_true(properties.get("FifoQueue", False))
    if fifo != name.endswith(".fifo"):
        raise BadDefinition(f"{logical}: a FIFO queue's name, and no other's, ends in .fifo; not {name}")
    dlq, max_receive = None, 0
    if redrive := properties.get("RedrivePolicy"):
        dlq = _queue_name(reader, redrive["deadLetterTargetArn"], logical)
        max_receive = _number(logical, redrive["maxReceiveCount"])
    return Queue(
        logical=logical,
        name=name,
        fifo=fifo,
        attributes={key: _text(value) for key, value in properties.items() if key in _QUEUE_ATTRIBUTES},
        dlq=dlq,
        max_receive=max_receive,
    )


def _rule(reader: TemplateReader, logical: str) -> Rule:
    properties = reader.properties(logical, {"EventPattern", "Name", "Targets"}, {"Description"})
    if "EventPattern" not in properties:
        raise BadDefinition(f"{logical}: a rule needs an EventPattern")
    targets = [_target(reader, logical, target) for target in properties.get("Targets", [])]
    return Rule(name=reader.name(logical), pattern=properties["EventPattern"], targets=targets)


def _target(reader: TemplateReader, logical: str, target: dict[str, Any]) -> Target:
    unknown = target.keys() - {"Arn", "DeadLetterConfig", "Id", "Input", "RetryPolicy", "SqsParameters"}
    if unknown:
        raise BadDefinition(f"{logical}: a laptop's rule does not do {', '.join(sorted(unknown))}")
    return Target(
        queue_name=_queue_name(reader, target["Arn"], logical),
        message_group_id=target.get("SqsParameters", {}).get("MessageGroupId"),
        input=target.get("Input"),
    )


def _schedule(reader: TemplateReader, logical: str) -> Schedule:
    # The target's role and dead-letter queue concern AWS alone, and a role has no ARN here.
    properties = reader.properties(
        logical, {"Name", "ScheduleExpression"}, {"Description", "FlexibleTimeWindow", "Target"}
    )
    target = reader.nested_properties(
        logical, "Target", {"Arn", "Input", "SqsParameters"}, {"DeadLetterConfig", "RetryPolicy", "RoleArn"}
    )
    rate = _RATE.fullmatch(str(properties.get("ScheduleExpression")))
    if rate is None:
        raise BadDefinition(
            f"{logical}: a laptop runs rate(…) only, not {properties.get('ScheduleExpression')}"
        )
    if "Input" not in target:
        raise BadDefinition(f"{logical}: a schedule needs an Input, so that here and on AWS the same is sent")
    arn = target["Arn"]
    to_queue = ":sqs:" in str(arn)
    return Schedule(
        name=reader.name(logical),
        rate_seconds=int(rate[1]) * _UNIT_SECONDS[rate[2]],
        function=None if to_queue else _function_name(reader, arn, logical),
        queue_name=_queue_name(reader, arn, logical) if to_queue else None,
        message_group_id=target.get("SqsParameters", {}).get("MessageGroupId"),
        input=str(target["Input"]),
    )


def _function(reader: TemplateReader, logical: str) -> Function:
    properties = reader.properties(
        logical,
        {"Environment", "FunctionName", "Handler", "ImageConfig", "MemorySize", "PackageType", "Timeout"},
        {
            "Architectures",
            "Code",
            "DeadLetterConfig",  # on AWS the scheduler's calls are asynchronous; here a failed one is told
            "Description",
            "EphemeralStorage",
            "LoggingConfig",
            "Role",
            "Runtime",
            "Tags",
        },
    )
    is_image = properties.get("PackageType") == "Image"
    image_command = properties.get("ImageConfig", {}).get("Command", [None])
    entry_point = image_command[0] if is_image else properties.get("Handler")
    handler = _HANDLER.fullmatch(str(entry_point))
    if handler is None:
        raise BadDefinition(
            f"{logical}: the handler is not functions.<name>.handler.handler but {entry_point}"
        )
    variables = properties.get("Environment", {}).get("Variables", {})
    return Function(
        name=handler[2],
        handler=handler[1],
        memory_mb=_number(logical, properties.get("MemorySize", 128)),
        timeout_s=_number(logical, properties.get("Timeout", 3)),
        package="Image" if is_image else "Zip",
        variables={name: _text(value) for name, value in variables.items()},
    )


def _function_name(reader: TemplateReader, arn_or_name: Any, referrer: str) -> str:
    logical, _ = reader.resolve_reference("AWS::Lambda::Function", arn_or_name, referrer)
    return _function(reader, logical).name


def _queue_name(reader: TemplateReader, arn: Any, referrer: str) -> str:
    _, name = reader.resolve_reference("AWS::SQS::Queue", arn, referrer)
    return name


def _mapping(reader: TemplateReader, logical: str) -> Mapping:
    properties = reader.properties(
        logical,
        {
            "BatchSize",
            "EventSourceArn",
            "FunctionName",
            "FunctionResponseTypes",
            "MaximumBatchingWindowInSeconds",
            "ScalingConfig",
        },
        {"Tags"},
    )
    concurrency = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
    return Mapping(
        function=_function_name(reader, properties["FunctionName"], logical),
        queue_name=_queue_name(reader, properties["EventSourceArn"], logical),
        batch_size=_number(logical, properties.get("BatchSize", 10)),
        window_s=_number(logical, properties.get("MaximumBatchingWindowInSeconds", 0)),
        max_concurrency=None if concurrency is None else _number(logical, concurrency),
        report_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
    )


def _routes(reader: TemplateReader, logical: str) -> list[Route]:
    properties = reader.properties(logical, {"Body"}, {"Description", "Name", "Tags"})
    paths = properties.get("Body", {}).get("paths", {})
    return [
        _route(reader, logical, path, method, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def _route(reader: TemplateReader, logical: str, path: str, method: str, operation: dict[str, Any]) -> Route:
    """Return the route of one OpenAPI operation."""
    uri = str(operation.get("x-amazon-apigateway-integration", {}).get("uri"))
    arn = _INTEGRATION.search(uri)
    if arn is None:
        raise BadDefinition(f"{logical}: {method} {path} does not lead to a function")
    http_method = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
    return Route(http_method, path, _function_name(reader, arn[1], logical))


def _table(reader: TemplateReader, logical: str) -> Table:
    properties = reader.properties(
        logical,
        {"AttributeDefinitions", "KeySchema", "TableName", "TimeToLiveSpecification"},
        {"BillingMode", "PointInTimeRecoverySpecification", "SSESpecification", "Tags"},
    )
    return Table(
        name=reader.name(logical),
        key_schema=properties["KeySchema"],
        attrs={
            attribute["AttributeName"]: attribute["AttributeType"]
            for attribute in properties["AttributeDefinitions"]
        },
        ttl=properties.get("TimeToLiveSpecification", {}).get("AttributeName"),
    )


def _secret(reader: TemplateReader, logical: str) -> str:
    reader.properties(logical, {"Name"}, {"Description", "Tags"})
    return reader.name(logical)


def _text(value: Any) -> str:
    """Return a scalar as AWS writes it: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_true(value: Any) -> bool:
    """Return whether a boolean holds, which a template may also write as text."""
    return str(value).lower() == "true"


def _number(logical: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise BadDefinition(f"{logical}: {value!r} is not a whole number") from error


_READERS: Final[dict[str, Callable[[TemplateReader, str], Any]]] = {
    "AWS::ApiGatewayV2::Api": _routes,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Function": _function,
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::SecretsManager::Secret": _secret,
}
