"""AWS's own programs find nothing wrong with the template, and find what is planted (decision 0055).

They are cfn-lint, on the template and on what AWS's translator makes of it, and that translator. `sam validate` calls
the same two.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring import sam, template

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "infra" / "template.yaml").read_text("utf-8")
_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"
# Planted mistakes; decision 0055 has who finds which. To lint a text takes seconds of a processor, so only one text is.
CIRCLE = ("LAKEHOUSE_OPS_BUCKET:", "A_FUNCTION: !GetAtt TickFunction.Arn\n        LAKEHOUSE_OPS_BUCKET:")
VARIABLE_OF_ALL = ("LAKEHOUSE_OPS_BUCKET: !Ref OpsBucket", "LAKEHOUSE_OPS_BUCKET: !Ref OpsBuckets")
REFUSED = {
    "a property that no function has": ("      Timeout: ", "      Timeouts: "),
    "an unknown kind of Globals": ("Globals:\n", "Globals:\n  Functions: {}\n"),
    "an image with a handler": ("PackageType: Image\n", "PackageType: Image\n      Handler: a.b\n"),
    "an unknown trigger": ("Type: ScheduleV2", "Type: ScheduleV3"),
    "an unknown policy": (
        "      Policies:\n",
        "      Policies:\n        - S3ReadPolicies: {BucketName: x}\n",
    ),
    "a schedule in words": ("ScheduleExpression: rate(", "ScheduleExpression: every("),
    "a variable of all functions that is no resource": VARIABLE_OF_ALL,
}


def planted(*mistakes: tuple[str, str]) -> str:
    text = TEMPLATE
    for right, wrong in mistakes:
        assert right in text
        text = text.replace(right, wrong, 1)
    return text


def translate(text: str) -> str:
    return json.dumps(sam.transform(sam.parse(text), {}), indent=1)


def test_the_linter_finds_nothing_but_what_is_planted(tmp_path: Path) -> None:
    """In the template and in its translation, where all functions have what stands in Globals; without exemptions."""
    texts = {
        "template.yaml": TEMPLATE,
        "translation.json": translate(TEMPLATE),
        "globals.json": translate(planted(VARIABLE_OF_ALL, CIRCLE)),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    files = [str(tmp_path / name) for name in texts]
    command = [sys.executable, "-c", _LINT, "--format", "parseable", *files]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = {
        (Path(line.split(":")[0]).name, re.split(":E|:W", line)[1][:4]) for line in run.stdout.splitlines()
    }
    assert (found, run.stderr) == ({("globals.json", "1020"), ("globals.json", "3004")}, "")
    assert "cfn-lint" not in TEMPLATE


@pytest.mark.parametrize("mistake", REFUSED)
def test_what_the_linter_does_not_find_the_translator_or_a_laptop_refuses(
    tmp_path: Path, mistake: str
) -> None:
    """Most of these would fail on the day of deployment only."""
    path = tmp_path / "template.yaml"
    path.write_text(planted(REFUSED[mistake]), "utf-8")
    with pytest.raises(BadDefinition):
        template.load(path, {})


# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; no program above asks for them.
LIMITS = {"MemorySize": (128, 10_240), "Timeout": (1, 900), "EphemeralStorage": (512, 10_240)}


def beyond_limits(text: str) -> list[str]:
    """What functions ask for that Lambda does not give."""
    resources = sam.transform(sam.parse(text), {})["Resources"]
    functions = {name: one for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}
    assert functions
    wrong = []
    for name, function in functions.items():
        for key, (least, most) in LIMITS.items():
            asked = function["Properties"].get(key, least)
            number = asked["Size"] if isinstance(asked, dict) else asked
            wrong += [] if least <= number <= most else [f"{name}: {key} {number}"]
    return wrong


def test_functions_ask_for_what_lambda_gives() -> None:
    """Megabytes and seconds."""
    assert beyond_limits(TEMPLATE) == []
    assert beyond_limits(planted(("MemorySize: 512", "MemorySize: 20480"))) == [
        "CollectFunction: MemorySize 20480"
    ]
    assert beyond_limits(planted(("Timeout: 900", "Timeout: 1800"))) == ["ResolveFunction: Timeout 1800"]
