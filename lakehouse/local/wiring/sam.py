"""SAM to CloudFormation: what AWS's transform does on deployment, done here by AWS's own translator."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import yaml

from lakehouse.errors import BadDefinition

if TYPE_CHECKING:
    from pathlib import Path

REGION = "us-east-1"
ACCOUNT = "000000000000"

# What `sam build` and `sam deploy` fill in; the translator refuses functions without them.
_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/local:local"
_ZIP = "s3://local/local"


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags (`!Ref x`) as their long form (`{"Ref": "x"}`)."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)


def parse(text: str) -> dict[str, Any]:
    """Return the template as written, with every intrinsic function in its long form."""
    try:
        loaded = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with tags
    except yaml.YAMLError as error:
        raise BadDefinition(f"the template is not YAML: {error}") from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get("Resources"), dict):
        raise BadDefinition("the template has no Resources")
    return loaded


def translate(text: str, parameters: dict[str, str], cache: Path | None = None) -> dict[str, Any]:
    """Return the CloudFormation template that AWS would make of a SAM template.

    Importing AWS's translator takes a second, so with `cache` (a folder) an earlier result for the same text,
    parameters and translator is read instead. Raises BadDefinition with the translator's own messages.
    """
    if cache is None:
        return transform(parse(text), parameters)
    inputs = json.dumps([text, sorted(parameters.items()), version("aws-sam-translator")])
    cached = cache / f"template-{hashlib.sha256(inputs.encode()).hexdigest()}.json"
    try:
        return cast("dict[str, Any]", json.loads(cached.read_text("utf-8")))
    except (FileNotFoundError, ValueError):  # a half-written file counts as none
        translated = transform(parse(text), parameters)
    _keep_only(cached, translated)
    return translated


def _keep_only(cached: Path, translated: dict[str, Any]) -> None:
    """Write a translated template, and remove those of other texts and parameters."""
    cached.parent.mkdir(parents=True, exist_ok=True)
    draft = cached.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(translated), "utf-8")
    draft.replace(cached)
    for other in cached.parent.glob("template-*.json"):
        if other != cached:
            other.unlink(missing_ok=True)


def transform(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Return what `translate` does, for a template that `parse` has read; the template stays as it is."""
    # Here and not above: the import costs a second, and functions never need it.
    import boto3  # noqa: PLC0415
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415

    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        _add_code_location(resource)
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    try:
        translated = translator.translate(template, parameter_values=dict(parameters))
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise BadDefinition(f"AWS's translator refuses the template: {causes}") from error
    finally:
        translator.metrics.publish()  # to nobody; without it the translator warns on stderr when it is collected
    # Through JSON, so that a cached template and a fresh one are of the same types.
    return cast("dict[str, Any]", json.loads(json.dumps(translated)))


def _add_code_location(resource: Any) -> None:
    """Say where a function's code is, which `sam build` and `sam deploy` do on AWS."""
    if not isinstance(resource, dict) or resource.get("Type") != "AWS::Serverless::Function":
        return
    properties = resource.setdefault("Properties", {})
    if properties.get("PackageType") == "Image":
        properties.setdefault("ImageUri", _IMAGE)
    else:
        properties["CodeUri"] = _ZIP
