"""Truths to project in tests: who allows what as of some version, kept in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lakehouse.privacy.projection import Difference

Grant = tuple[str, str, str, str]  # customer, address, purpose, channel


def marketing(*recipients: str, purpose: str = "marketing", channel: str = "email") -> dict[Grant, str]:
    """Return the grants of customers at `<customer>@x.org`, each with the statement it leans on."""
    return {(who, f"{who}@x.org", purpose, channel): f"consent-of-{who}" for who in recipients}


@dataclass
class Told:
    """One version of the truth; `earlier` are those that can still be read."""

    grants_now: Mapping[Grant, str]
    version: str
    as_of: datetime
    earlier: Mapping[str, Mapping[Grant, str]] = field(default_factory=dict)

    def grants(self) -> Iterator[Difference]:
        yield from (Difference(1, *grant, consent_id) for grant, consent_id in self.grants_now.items())

    def differences(self, bases: Sequence[str]) -> Iterator[Difference] | None:
        known = {self.version: self.grants_now, **self.earlier}
        if not set(bases) <= known.keys():
            return None
        return iter(sorted(self._differing([known[base] for base in bases]), key=lambda each: each.phase))

    def _differing(self, bases: Sequence[Mapping[Grant, str]]) -> Iterable[Difference]:
        addresses = {grant[1:] for grant in self.grants_now}
        for grant in {grant for base in bases for grant in base} | self.grants_now.keys():
            consent_id = self.grants_now.get(grant)
            if consent_id is None:
                yield Difference(2 if grant[1:] in addresses else 0, *grant, None)
            elif any(base.get(grant) != consent_id for base in bases):
                yield Difference(1, *grant, consent_id, counted=grant in bases[0])
