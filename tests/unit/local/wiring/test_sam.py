"""From SAM's short syntax to CloudFormation, and the cache of what was translated."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring import sam
from lakehouse.local.wiring.template import default_path, load

LOCAL = {"BucketPrefix": "local", "IngestWindow": "1", "StageWindow": "2"}


def test_a_damaged_or_foreign_cache_is_not_used(tmp_path: Path) -> None:
    """Other parameters miss the cache, a torn file counts as none, and only the latest result stays."""
    load(default_path(), LOCAL, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text(kept.read_text()[:100])
    other = load(default_path(), {**LOCAL, "BucketPrefix": "other"}, tmp_path)
    assert other.buckets[0].name == "other-landing"
    assert load(default_path(), LOCAL, tmp_path).buckets[0].name == "local-landing"
    assert len(list(tmp_path.iterdir())) == 1


def test_short_tags_are_read_as_their_long_form() -> None:
    """The whole short syntax that CloudFormation knows, nested, in every kind of YAML node."""
    text = (
        "Resources: {A: !Sub '${B}', C: !GetAtt D.E.F, G: !If [H, !Ref I, !Join ['', [J]]], K: !Condition L}"
    )
    assert sam.parse(text)["Resources"] == {
        "A": {"Fn::Sub": "${B}"},
        "C": {"Fn::GetAtt": ["D", "E.F"]},
        "G": {"Fn::If": ["H", {"Ref": "I"}, {"Fn::Join": ["", ["J"]]}]},
        "K": {"Condition": "L"},
    }


def test_a_function_without_a_build_gets_a_code_location_of_its_kind() -> None:
    """The translator refuses functions without one; the template itself stays as it is."""
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "m.f", "Runtime": "python3.11"},
    }
    written = {"Resources": {"F": function}}
    properties = sam.transform(written, {})["Resources"]["F"]["Properties"]
    assert properties["Code"] == {"S3Bucket": "local", "S3Key": "local"}
    assert "CodeUri" not in function["Properties"]


def test_the_translators_refusal_names_the_cause() -> None:
    """In one message, as our own errors."""
    written = {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"Handlr": "x"}}}}
    with pytest.raises(BadDefinition, match=r"AWS's translator refuses the template: .*F"):
        sam.transform(written, {})
