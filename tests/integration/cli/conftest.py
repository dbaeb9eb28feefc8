"""Commands on a company in small."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from lakehouse.local import session as sessions
from tests.support.segment_commands import REGULARS, RICH, SYNC, Commands
from tests.support.small_company import forget


@pytest.fixture
def segments(company, monkeypatch, capsys, tmp_path) -> Commands:
    """Two segments, one of which excludes the other; ann and bob are regulars, bob and eve consent, eve is rich."""

    @contextmanager
    def session(*_, **__):
        yield company.settings

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "own"))
    forget()
    run = Commands(company, tmp_path, capsys, monkeypatch)
    run.define(regulars=REGULARS, rich=RICH, mine=SYNC)
    run.marts(1, c_ann=(3, 5, 1), c_bob=(4, 9, 1), c_eve=(9, 1, 5), c_ida=(1, 1, 1))
    company.fill("core.customers", *(
        {"customer_id": f"c_{name}", "name": name.title(), "email": f"{name}@example.org"}
        for name in ("ann", "bob", "eve", "ida")
    ))  # fmt: skip
    company.fill("core.consent_answers", *(
        {"customer_id": f"c_{name}", "address": f"{name}@example.org", "purpose": purpose, "channel": "email",
         "allowed": allowed, "consent_id": name, "erased": False}
        for name, purpose, allowed in (("bob", "marketing", True), ("eve", "marketing", True),
                                       ("ann", "marketing", False), ("ann", "service", True),
                                       ("ida", "marketing", False))
    ))  # fmt: skip
    return run
