"""A call by schedule that fails is not lost without a word: Lambda tries it three times, and then keeps it."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from lakehouse.local.wiring import sam
from tests.contract.test_infra import Template, of_type, target_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def infra() -> Template:
    return sam.parse((ROOT / "infra" / "template.yaml").read_text("utf-8"))


def scheduled(infra: Template) -> list[str]:
    """Return the functions with a schedule that have no dead-letter queue, or one that Lambda cannot send to.

    A schedule's calls are asynchronous: its own dead-letter queue hears of those that could not be made, and never of
    one that failed.
    """
    standard = {name for name, queue in of_type(infra, "AWS::SQS::Queue").items() if "FifoQueue" not in queue}
    return [
        name
        for name, function in of_type(infra, "AWS::Serverless::Function").items()
        if any(event["Type"] == "ScheduleV2" for event in function.get("Events", {}).values())
        and target_of(function.get("DeadLetterQueue", {}).get("TargetArn")) not in standard
    ]


def test_every_scheduled_function_has_a_dead_letter_queue(infra):
    """Also one that is written later."""
    assert scheduled(infra) == []


def test_without_it_the_check_complains(infra):
    """Or with a queue that takes no such messages."""
    broken = copy.deepcopy(infra)
    del broken["Resources"]["TickFunction"]["Properties"]["DeadLetterQueue"]
    assert scheduled(broken) == ["TickFunction"]
    broken = copy.deepcopy(infra)
    broken["Resources"]["ScheduledDeadLetterQueue"]["Properties"]["FifoQueue"] = True
    assert scheduled(broken) == [
        "GatherFunction",
        "MaintainFunction",
        "SweepFunction",
        "TickFunction",
        "TriggerFunction",
    ]


def test_sam_lets_the_functions_send_there_and_nowhere_else(infra):
    """The right to do so is SAM's own, and on this queue alone."""
    roles = sam.transform(infra, {})["Resources"]
    for name in ("Maintain", "Sweep", "Tick", "Trigger"):
        statements = [
            one
            for policy in roles[f"{name}FunctionRole"]["Properties"]["Policies"]
            for one in policy["PolicyDocument"]["Statement"]
        ]
        queue = {"Fn::GetAtt": ["ScheduledDeadLetterQueue", "Arn"]}
        assert [one["Action"] for one in statements if one["Resource"] == queue] == ["sqs:SendMessage"]
