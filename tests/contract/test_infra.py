"""Template, functions/ and settings agree, and the template keeps the rules of AWS that all rests on.

Each check takes a template and returns what is wrong with it, so that the tests can also hand it templates
that are wrong in one known way, and see it complain.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.local.wiring import sam, template
from lakehouse.settings import Settings

ROOT = Path(__file__).parents[2]
Template = dict[str, Any]
Check = Callable[[Template], list[str]]

FOUR_DAYS, FOURTEEN_DAYS = 345_600, 1_209_600
# Settings that the template leaves at their defaults, or that only a laptop has.
NOT_IN_TEMPLATE = {"catalog_uri", "consent_max_age_hours", "memory_limit", "threads", "scratch"}


@pytest.fixture(scope="module")
def infra() -> Template:
    return sam.parse((ROOT / "infra" / "template.yaml").read_text("utf-8"))


def of_type(infra: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Logical id → properties, for every resource of a type."""
    found = {name: one for name, one in infra["Resources"].items() if one["Type"] == kind}
    return {name: one.get("Properties", {}) for name, one in found.items()}


def target_of(arn: Any) -> str:
    """The logical id in `!GetAtt X.Arn` or `!Ref X`; an empty text for anything else."""
    if not isinstance(arn, dict):
        return ""
    return str(arn.get("Ref") or arn.get("Fn::GetAtt", [""])[0])


def function_name(properties: dict[str, Any]) -> str:
    """The short name of a function: its folder under functions/."""
    command = properties.get("ImageConfig", {}).get("Command", [properties.get("Handler")])[0]
    match = re.fullmatch(r"functions\.(\w+)\.handler\.handler", str(command))
    return match[1] if match else str(command)


def functions(infra: Template) -> list[str]:
    """Each function has a handler, and each handler is deployed."""
    deployed = [function_name(one) for one in of_type(infra, "AWS::Serverless::Function").values()]
    written = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    wrong = [
        f"{name} is deployed, but functions/{name}/handler.py is absent" for name in set(deployed) - written
    ]
    wrong += [f"functions/{name}/ is written, but not deployed" for name in written - set(deployed)]
    return wrong + [f"{name} is deployed twice" for name in set(deployed) if deployed.count(name) > 1]


def queues(infra: Template) -> list[str]:
    """Each queue has a dead-letter queue that outlives it; each is read, or is one."""
    all_queues = of_type(infra, "AWS::SQS::Queue")
    mappings = of_type(infra, "AWS::Lambda::EventSourceMapping").values()
    read = {target_of(one.get("EventSourceArn")) for one in mappings}
    used = {target_of(one.get("RedrivePolicy", {}).get("deadLetterTargetArn")) for one in all_queues.values()}
    for function in of_type(infra, "AWS::Serverless::Function").values():
        used.add(target_of(function.get("DeadLetterQueue", {}).get("TargetArn")))
    wrong = []
    for name, queue in all_queues.items():
        fifo = bool(queue.get("FifoQueue"))
        if not queue.get("SqsManagedSseEnabled"):
            wrong.append(f"{name} is not encrypted")
        redrive = queue.get("RedrivePolicy")
        if redrive is None:
            if name not in used and name != "EventsDeadLetterQueue":
                wrong.append(f"{name} has no dead-letter queue and is none")
            if queue.get("MessageRetentionPeriod") != FOURTEEN_DAYS:
                wrong.append(f"{name} does not keep its messages for 14 days")
            continue
        dead = all_queues.get(target_of(redrive.get("deadLetterTargetArn")), {})
        if bool(dead.get("FifoQueue")) != fifo or not dead:
            wrong.append(f"{name}'s dead-letter queue is not of its kind")
        if redrive.get("maxReceiveCount", 0) < 5:
            wrong.append(f"{name} gives up before the fifth try")
        if queue.get("MessageRetentionPeriod") != FOUR_DAYS:
            wrong.append(f"{name} does not keep its messages for 4 days")
        if name not in read:
            wrong.append(f"nobody reads {name}")
    return wrong


def mappings(infra: Template) -> list[str]:
    """Functions read queues as Lambda allows, and no message comes back while it is being worked on."""
    all_queues = of_type(infra, "AWS::SQS::Queue")
    all_functions = of_type(infra, "AWS::Serverless::Function")
    wrong = []
    for name, one in of_type(infra, "AWS::Lambda::EventSourceMapping").items():
        queue = all_queues.get(target_of(one["EventSourceArn"]), {})
        function = all_functions.get(target_of(one["FunctionName"]), {})
        batch, window = one.get("BatchSize", 10), one.get("MaximumBatchingWindowInSeconds")
        gathering = (
            infra["Parameters"][window["Ref"]]["MaxValue"] if isinstance(window, dict) else window or 0
        )
        if queue.get("VisibilityTimeout", 30) < 6 * function.get("Timeout", 3) + gathering:
            wrong.append(f"{name}: a message is hidden for less than six times the time-out and its window")
        if "ReportBatchItemFailures" not in one.get("FunctionResponseTypes", []):
            wrong.append(f"{name}: one bad message would bring back its whole batch")
        if one.get("ScalingConfig", {}).get("MaximumConcurrency") != 2:
            wrong.append(f"{name}: concurrency is not capped at 2")
        if queue.get("FifoQueue") and (batch > 10 or window):
            wrong.append(f"{name}: FIFO takes at most 10 messages and no window")
        if batch > 10 and not window:
            wrong.append(f"{name}: a batch of more than 10 needs a window")
        if not allowed(function, "sqs:ReceiveMessage") & {target_of(one["EventSourceArn"])}:
            wrong.append(f"{name}: the function may not read the queue")
    return wrong + [
        f"{name}: reserved concurrency sends good messages to the dead-letter queue"
        for name, one in all_functions.items()
        if "ReservedConcurrentExecutions" in one
    ]


def statements(function: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in function.get("Policies", []):
        yield from policy.get("Statement", []) if isinstance(policy, dict) else []


def allowed(function: dict[str, Any], action: str) -> set[str]:
    """The logical ids of the resources on which a function may do `action`."""
    found = set()
    for one in statements(function):
        actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
        if action in actions:
            found |= {target_of(resource) for resource in one["Resource"]}
    return found


def rules(infra: Template) -> list[str]:
    """Nothing that EventBridge could not deliver is dropped, and queues accept what rules send."""
    accepted = {
        (target_of(queue), target_of(arn))
        for policy in of_type(infra, "AWS::SQS::QueuePolicy").values()
        for queue in policy["Queues"]
        for one in policy["PolicyDocument"]["Statement"]
        for arn in as_list(one["Condition"]["ArnEquals"]["aws:SourceArn"])
    }
    wrong = []
    for name, rule in of_type(infra, "AWS::Events::Rule").items():
        for target in rule["Targets"]:
            where = f"{name} → {target_of(target['Arn'])}"
            wrong += undeliverable(where, target)
            dead = target_of(target.get("DeadLetterConfig", {}).get("Arn"))
            for queue in {target_of(target["Arn"]), dead} - {""}:
                if (queue, name) not in accepted:
                    wrong.append(f"{queue} does not accept messages of {name}")
    for name, one in of_type(infra, "AWS::Scheduler::Schedule").items():
        wrong += undeliverable(name, one["Target"])
    for name, function in of_type(infra, "AWS::Serverless::Function").items():
        for event in function.get("Events", {}).values():
            wrong += undeliverable(name, event["Properties"]) if event["Type"] == "ScheduleV2" else []
    return wrong


def undeliverable(where: str, target: dict[str, Any]) -> list[str]:
    retry = target.get("RetryPolicy", {})
    wrong = (
        []
        if target_of(target.get("DeadLetterConfig", {}).get("Arn"))
        else [f"{where} has no dead-letter queue"]
    )
    if not {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"} <= retry.keys():
        wrong.append(f"{where} has no retry policy")
    return wrong


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def environment(infra: Template) -> list[str]:
    """Each variable is a setting, each setting is a variable or left out on purpose; images get no Runtime."""
    common = infra["Globals"]["Function"]
    named = {key for key in common["Environment"]["Variables"] if key.startswith("LAKEHOUSE_")}
    settings = {
        f"LAKEHOUSE_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if field.validation_alias is None and name not in NOT_IN_TEMPLATE
    }
    wrong = [f"{name} is no setting" for name in named - settings]
    wrong += [f"{name} is a setting that no function gets" for name in settings - named]
    if "Runtime" in common:
        wrong.append("Globals.Function.Runtime breaks functions that are images")
    for name, function in of_type(infra, "AWS::Serverless::Function").items():
        if function.get("Environment"):
            wrong.append(f"{name} has variables of its own, which one process on a laptop cannot give it")
    return wrong


def buckets(infra: Template) -> list[str]:
    """Buckets are versioned, encrypted, private, reached by TLS alone, cleaned up, and outlive the stack."""
    by_tls = {
        target_of(policy["Bucket"])
        for policy in of_type(infra, "AWS::S3::BucketPolicy").values()
        for one in policy["PolicyDocument"]["Statement"]
        if one["Effect"] == "Deny" and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    wrong = []
    for name, bucket in of_type(infra, "AWS::S3::Bucket").items():
        private = bucket.get("PublicAccessBlockConfiguration", {})
        lifecycle = {
            key for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", []) for key in rule
        }
        good = {
            "versioned": bucket.get("VersioningConfiguration") == {"Status": "Enabled"},
            "encrypted": "BucketEncryption" in bucket,
            "private": list(private.values()) == [True] * 4,
            "reached by TLS alone": name in by_tls,
            "cleaned up": {"NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"} <= lifecycle,
            "kept with the stack gone": infra["Resources"][name].get("DeletionPolicy") == "Retain",
        }
        wrong += [f"{name} is not {what}" for what, holds in good.items() if not holds]
    landing = of_type(infra, "AWS::S3::Bucket")["LandingBucket"].get("NotificationConfiguration", {})
    if landing.get("EventBridgeConfiguration") != {"EventBridgeEnabled": True}:
        wrong.append("LandingBucket does not tell EventBridge of new objects")
    return wrong


def stores(infra: Template) -> list[str]:
    """The consent table is encrypted and restorable; no secret's value stands in the template."""
    wrong = []
    for name, table in of_type(infra, "AWS::DynamoDB::Table").items():
        good = (
            table.get("SSESpecification") == {"SSEEnabled": True}
            and table.get("PointInTimeRecoverySpecification") == {"PointInTimeRecoveryEnabled": True}
            and table.get("BillingMode") == "PAY_PER_REQUEST"
            and table.get("TimeToLiveSpecification") == {"AttributeName": "expires_at", "Enabled": True}
        )
        wrong += [] if good else [f"{name} is not encrypted, restorable, expiring and paid by request"]
    for name, secret in of_type(infra, "AWS::SecretsManager::Secret").items():
        wrong += [f"{name}'s value is in the template"] * bool(
            {"SecretString", "GenerateSecretString"} & secret.keys()
        )
    return wrong


def alarms(infra: Template) -> list[str]:
    """Somebody hears of every dead letter and every function that fails, and logs do not live for ever."""
    watched = {
        (one["MetricName"], target_of(one["Dimensions"][0]["Value"]))
        for one in of_type(infra, "AWS::CloudWatch::Alarm").values()
        if one.get("AlarmActions")
    }
    dead = [name for name, queue in of_type(infra, "AWS::SQS::Queue").items() if "RedrivePolicy" not in queue]
    wrong = [
        f"no alarm on {one}" for one in dead if ("ApproximateNumberOfMessagesVisible", one) not in watched
    ]
    for name in of_type(infra, "AWS::Serverless::Function"):
        wrong += [] if ("Errors", name) in watched else [f"no alarm on errors of {name}"]
    logs = of_type(infra, "AWS::Logs::LogGroup")
    wrong += [f"{name} keeps its logs for ever" for name, one in logs.items() if "RetentionInDays" not in one]
    shared = target_of(infra["Globals"]["Function"].get("LoggingConfig", {}).get("LogGroup"))
    return wrong if shared in logs else [*wrong, "functions log to a group that the template does not make"]


CHECKS: list[Check] = [functions, queues, mappings, rules, environment, buckets, stores, alarms]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_template_is_as_it_should_be(check: Check, infra: Template) -> None:
    """Every check holds on the template that is deployed."""
    assert check(infra) == []


def put(path: str, value: Any) -> Callable[[Template], None]:
    """A mutation that sets (or, with None, removes) what a path of keys names, below Resources."""

    def mutate(infra: Template) -> None:
        *way, last = [int(key) if key.isdigit() else key for key in path.split("/")]
        place: Any = infra["Resources"]
        for key in way:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return mutate


def globally(key: str, value: Any) -> Callable[[Template], None]:
    return lambda infra: infra["Globals"]["Function"].update({key: value})


def variable(name: str, value: Any) -> Callable[[Template], None]:
    return lambda infra: infra["Globals"]["Function"]["Environment"]["Variables"].update({name: value})


EXTRA_FUNCTION = {
    "Type": "AWS::Serverless::Function",
    "Properties": {"Handler": "functions.ghost.handler.handler"},
}
WRONG: list[tuple[Check, Callable[[Template], None], str]] = [
    (functions, put("TickFunction", None), "functions/tick/ is written, but not deployed"),
    (functions, put("GhostFunction", EXTRA_FUNCTION), "functions/ghost/handler.py is absent"),
    (
        functions,
        put("TickFunction/Properties/ImageConfig/Command", ["functions.sweep.handler.handler"]),
        "twice",
    ),
    (queues, put("IngestQueue/Properties/RedrivePolicy", None), "IngestQueue has no dead-letter queue"),
    (queues, put("IngestQueue/Properties/RedrivePolicy/maxReceiveCount", 1), "before the fifth try"),
    (queues, put("BooksDeadLetterQueue/Properties/FifoQueue", None), "not of its kind"),
    (queues, put("IngestDeadLetterQueue/Properties/MessageRetentionPeriod", 345600), "for 14 days"),
    (queues, put("IngestQueue/Properties/MessageRetentionPeriod", 1209600), "for 4 days"),
    (queues, put("IngestQueue/Properties/SqsManagedSseEnabled", None), "not encrypted"),
    (queues, put("IngestMapping", None), "nobody reads IngestQueue"),
    (mappings, put("PublishQueue/Properties/VisibilityTimeout", 300), "six times"),
    (mappings, put("PublishFunction/Properties/Timeout", 900), "six times"),
    (mappings, put("ResolveQueue/Properties/VisibilityTimeout", 5_400), "and its window"),
    (mappings, put("PublishMapping/Properties/FunctionResponseTypes", None), "whole batch"),
    (mappings, put("PublishMapping/Properties/ScalingConfig", None), "not capped"),
    (mappings, put("BooksMapping/Properties/BatchSize", 100), "FIFO takes at most 10"),
    (mappings, put("IngestMapping/Properties/MaximumBatchingWindowInSeconds", None), "needs a window"),
    (mappings, put("PublishMapping/Properties/FunctionName", {"Ref": "BooksFunction"}), "may not read"),
    (mappings, put("IngestFunction/Properties/ReservedConcurrentExecutions", 2), "reserved concurrency"),
    (rules, put("ObjectCreatedRule/Properties/Targets/0/DeadLetterConfig", None), "no dead-letter queue"),
    (rules, put("RawCommittedRule/Properties/Targets/1/RetryPolicy", None), "no retry policy"),
    (
        rules,
        put("BooksSchedule/Properties/Target/DeadLetterConfig", None),
        "BooksSchedule has no dead-letter",
    ),
    (
        rules,
        put("TickFunction/Properties/Events/Schedule/Properties/RetryPolicy", None),
        "TickFunction has no retry",
    ),
    (rules, put("BooksQueuePolicy", None), "BooksQueue does not accept messages of RawCommittedRule"),
    (environment, variable("LAKEHOUSE_TYPO", "x"), "LAKEHOUSE_TYPO is no setting"),
    (
        environment,
        lambda t: t["Globals"]["Function"]["Environment"]["Variables"].pop("LAKEHOUSE_OPS_BUCKET"),
        "gets",
    ),
    (environment, globally("Runtime", "python3.12"), "Runtime"),
    (environment, put("LandFunction/Properties/Environment", {"Variables": {"A": "b"}}), "of its own"),
    (buckets, put("OpsBucket/Properties/VersioningConfiguration", None), "OpsBucket is not versioned"),
    (buckets, put("OpsBucket/Properties/BucketEncryption", None), "not encrypted"),
    (
        buckets,
        put("LakeBucket/Properties/PublicAccessBlockConfiguration/BlockPublicAcls", False),
        "not private",
    ),
    (buckets, put("LakeBucketPolicy", None), "TLS"),
    (buckets, put("LandingBucket/Properties/LifecycleConfiguration/Rules/1", None), "cleaned up"),
    (buckets, put("LandingBucket/DeletionPolicy", None), "kept"),
    (buckets, put("LandingBucket/Properties/NotificationConfiguration", None), "does not tell"),
    (stores, put("ConsentTable/Properties/SSESpecification", None), "ConsentTable"),
    (stores, put("HubSpotSecret/Properties/SecretString", "hunter2"), "value is in the template"),
    (alarms, put("BooksDeadLetterAlarm", None), "no alarm on BooksDeadLetterQueue"),
    (alarms, put("TickErrorAlarm/Properties/AlarmActions", None), "no alarm on errors of TickFunction"),
    (alarms, put("FunctionLogs/Properties/RetentionInDays", None), "for ever"),
    (alarms, globally("LoggingConfig", {"LogGroup": {"Ref": "Nowhere"}}), "does not make"),
]


@pytest.mark.parametrize(
    ("check", "mutate", "complaint"), WRONG, ids=[complaint for _, _, complaint in WRONG]
)
def test_a_wrong_template_is_found_out(
    check: Check, mutate: Callable[[Template], None], complaint: str, infra: Template
) -> None:
    """The checks are not asleep: each easy mistake is named."""
    wrong = copy.deepcopy(infra)
    mutate(wrong)
    assert any(complaint in told for told in check(wrong)), check(wrong)


def test_a_laptop_understands_the_whole_template() -> None:
    """With its defaults and with a laptop's parameters alike."""
    assert template.load(template.default_path(), {}).functions
    assert template.load(template.default_path(), {"BucketPrefix": "local", "AsOf": "1998-06-30"}).functions
