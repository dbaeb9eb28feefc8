"""A segment definition: a name and a condition over what is known of a customer."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lakehouse.errors import BadDefinition


class Segment(BaseModel):
    """`where` is SQL over the columns of `marts.customer_360` and `marts.rfm`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    doc: str
    where: str


@lru_cache(maxsize=4)
def load(overrides: Path | None = None) -> tuple[Segment, ...]:
    """Return every segment by name: those shipped, overridden by `<overrides>/segments/*.yaml`.

    Raises BadDefinition naming file and field.
    """
    places: list[Traversable] = [files("lakehouse.segments") / "definitions"]
    if overrides is not None and (overrides / "segments").is_dir():
        places.append(overrides / "segments")
    found: dict[str, Segment] = {}
    for place in places:
        for file in sorted(place.iterdir(), key=lambda file: file.name):
            if file.name.endswith((".yaml", ".yml")):
                segment = _parse(file.read_text("utf-8"), file.name)
                found[segment.name] = segment
    return tuple(found[name] for name in sorted(found))


def version(segments: tuple[Segment, ...]) -> str:
    """Return what changes when any definition changes."""
    text = json.dumps([segment.model_dump() for segment in segments], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _parse(text: str, where: str) -> Segment:
    try:
        segment = Segment.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise BadDefinition(f"{where}: not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadDefinition(f"{where}: {field}: {first['msg']}") from error
    if segment.name != where.rpartition(".")[0]:
        raise BadDefinition(f"{where}: name: {segment.name!r} must be the file's own name")
    return segment
