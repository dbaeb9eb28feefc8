"""Tunable numbers: each room names its own in `policy.py`; `docs/knobs.md` lists them all.

A policy is a frozen dataclass whose fields are all `name: Annotated[type, "what it means"] = value`. Code that always
uses the default reads it from the class (`BatchPolicy.max_files`); code whose caller may choose takes an instance.
Numbers that a format or a protocol fixes are no knobs: they stand where they are used, as `Final`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, get_type_hints

KIB, MIB, GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True)
class Knob:
    """One tunable number: its name, its value, what it means, and the module that says so."""

    name: str
    value: Any
    meaning: str
    module: str


@dataclass(frozen=True)
class Policy:
    """The tunable numbers of one subject."""

    @classmethod
    def knobs(cls) -> list[Knob]:
        """Return the policy's numbers in their order; TypeError for one that does not say what it means."""
        hints = get_type_hints(cls, include_extras=True)
        found = []
        for field in fields(cls):
            meaning = getattr(hints[field.name], "__metadata__", ("",))[0]
            if not meaning:
                raise TypeError(f"{cls.__name__}.{field.name} does not say what it means: use Annotated")
            found.append(Knob(f"{cls.__name__}.{field.name}", field.default, meaning, cls.__module__))
        return found
