"""Each raw row is read once: what is kept of it gives the same people as reading all again."""

from __future__ import annotations

import random

import pytest

from lakehouse.identity.policy import NewsPolicy
from lakehouse.stages import resolve
from lakehouse.stages.observations import ObservationPolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, replace_table
from tests.support.small_company import SmallCompany

WHO = """
    SELECT list(identifier_type || ':' || identifier_value ORDER BY ALL) AS known FROM core.identities
    GROUP BY customer_id ORDER BY known
"""
EVIDENCE = "SELECT * EXCLUDE (file_id, row) FROM core.evidence ORDER BY ALL"


def visit(number: int, device: str, user: str = "", **traits: str) -> str:
    said = f', "userId": "{user}"' if user else ""
    described = ", ".join(f'"{name}": "{value}"' for name, value in traits.items())
    return (
        f'{{"messageId": "m{number}", "type": "{"identify" if traits else "page"}", "anonymousId": "{device}"{said}, '
        f'"traits": {{{described}}}, "timestamp": "2026-01-{1 + number % 28:02}T00:00:00Z"}}\n'
    )


def rebuilt(company: SmallCompany) -> None:
    """Forget what was observed, and who is who but for the ids, and resolve all again."""
    catalog = catalogs.open_catalog(company.settings)
    for name in ("core.observations", "core.evidence"):
        table = catalogs.load(catalog, name)
        base = table.current_snapshot().snapshot_id
        replace_table.replace_all(table, [], computed_from={"forgotten": "all"}, base=base)
    identities = catalogs.load(catalog, "core.identities")
    replace_table.note_inputs(
        identities, computed_from={"forgotten": "all"}, base=identities.current_snapshot().snapshot_id
    )
    resolve.resolve(company.settings)


def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which relations identities are resolved from."""
    calls: list[str] = []
    real = resolve._resolve

    def noted(*arguments):
        calls.append("resolved")
        return real(*arguments)

    monkeypatch.setattr(resolve, "_resolve", noted)
    return calls


@pytest.mark.parametrize("seed", range(3))
def test_news_give_what_all_rows_give(company: SmallCompany, seed: int, monkeypatch: pytest.MonkeyPatch):
    """Contacts change and clear what they said, visitors come again and sign in, late events come last."""
    monkeypatch.setattr(ObservationPolicy, "most_files", 3)
    rng, number = random.Random(seed), 0
    for step in range(6):
        rows = []
        for _ in range(rng.randint(1, 4)):
            who, address = rng.randint(1, 9), rng.choice(["ann@x.org", "bob@x.org", "eve@x.org", ""])
            rows.append(f"{who},{rng.choice(['Ann', 'Bob'])},{address},C{rng.randint(1, 9)},No,2026-01-01")
        if rng.random() < 0.6:
            company.contacts(f"{step}.csv", *rows)
        lines = []
        for _ in range(rng.randint(1, 6)):
            number += 1
            user = rng.choice(["", "", f"C{rng.randint(1, 9)}"])
            traits = (
                {"email": rng.choice(["ann@x.org", "cyd@x.org"]), "name": "Cyd"} if rng.random() < 0.4 else {}
            )
            lines.append(visit(rng.randint(0, 60) * 100 + number, f"d{rng.randint(1, 12)}", user, **traits))
        company.load("web/events", f"{step}.json", "".join(lines))
        resolve.resolve(company.settings)
    who, evidence = company.ask(WHO), company.ask(EVIDENCE)
    assert len(who) > 1
    rebuilt(company)
    assert company.ask(WHO) == who
    assert company.ask(EVIDENCE) == evidence


def test_who_comes_again_says_nothing(company: SmallCompany, monkeypatch: pytest.MonkeyPatch):
    """No row is added, nobody is resolved, and no head moves; only what it was computed from is noted."""
    company.load("web/events", "1.json", visit(1, "d1") + visit(2, "d2", "C1"))
    resolve.resolve(company.settings)
    calls = asked(monkeypatch)
    catalog = catalogs.open_catalog(company.settings)
    names = ("core.observations", "core.evidence", "core.identities")
    heads = [commit.head(catalogs.load(catalog, name)) for name in names]
    company.load("web/events", "2.json", visit(3, "d1") + visit(4, "d2", "C1"))
    assert resolve.pending(company.settings)
    resolve.resolve(company.settings)
    assert [commit.head(catalogs.load(catalog, name)) for name in names] == heads
    assert calls == []
    assert not resolve.pending(company.settings)
    company.load("web/events", "3.json", visit(5, "d3"))
    monkeypatch.setattr(resolve, "_resolve_all", lambda _: pytest.fail("everybody was looked at"))
    resolve.resolve(company.settings)
    assert calls == ["resolved"]
    assert company.ask("SELECT count(*) FROM core.identities WHERE identifier_value = 'd3'") == [(1,)]


def test_a_full_export_that_says_nothing_new_resolves_nobody(company: SmallCompany, monkeypatch):
    """Each record was changed in the CRM, and says of its person what it said; then one says something else."""
    monkeypatch.setattr(ObservationPolicy, "compared_from", 0)
    header = "contact_id,name,email,phone,updated_at"

    def export(day: str, *changed: str) -> None:
        rows = [
            f"{number},P{number},p{number}@x.org,," + day
            for number in range(1, 6)
            if not changed or number > 1
        ]
        company.load("crm/contacts", f"{day}.csv", "\n".join([header, *rows, *changed]) + "\n")
        resolve.resolve(company.settings)

    export("2026-01-01")
    calls = asked(monkeypatch)
    of_all: list[object] = []
    monkeypatch.setattr(
        resolve, "_resolve_all", lambda lake, real=resolve._resolve_all: of_all.append(1) or real(lake)
    )
    export("2026-01-02")
    assert calls == []
    assert not resolve.pending(company.settings)
    export("2026-01-03", "1,P1,other@x.org,,2026-01-03")
    assert calls == ["resolved"]
    query = "SELECT identifier_value FROM core.identities WHERE identifier_type = 'email' ORDER BY ALL"
    assert company.ask(query) == [("other@x.org",), *((f"p{number}@x.org",) for number in range(2, 6))]
    export("2026-01-04", "1,P1,p1@x.org,,2026-01-04")  # what it said at first: known, and news all the same
    assert company.ask(query) == [(f"p{number}@x.org",) for number in range(1, 6)]
    assert of_all == []
    rows = company.ask(EVIDENCE)
    rebuilt(company)
    assert company.ask(EVIDENCE) == rows


def test_a_run_that_died_after_its_observations_is_made_up_for(company: SmallCompany, monkeypatch):
    """They are known then, and who is who is not: the next run has no news, and resolves all the same."""
    company.load("web/events", "1.json", visit(1, "d1"))
    resolve.resolve(company.settings)
    company.load("web/events", "2.json", visit(2, "d2", "C2"))
    with monkeypatch.context() as patch:
        patch.setattr(resolve, "_resolve", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            resolve.resolve(company.settings)
    resolve.resolve(company.settings)
    assert company.ask("SELECT count(*) FROM core.identities WHERE identifier_value = 'd2'") == [(1,)]


def test_many_news_resolve_everybody(company: SmallCompany, monkeypatch: pytest.MonkeyPatch):
    """It is quicker then; and where a rule is another one, nobody may keep what it was."""
    company.load("web/events", "1.json", visit(1, "d1") + visit(2, "d2", "C1"))
    resolve.resolve(company.settings)
    everybody, real = [], resolve._resolve_all
    monkeypatch.setattr(resolve, "_resolve_all", lambda lake: everybody.append(1) or real(lake))
    monkeypatch.setattr(NewsPolicy, "most_records", 1)
    company.load("web/events", "2.json", visit(3, "d3"))
    resolve.resolve(company.settings)
    assert everybody == []
    company.load("web/events", "3.json", visit(4, "d4") + visit(5, "d5"))
    resolve.resolve(company.settings)
    assert everybody == [1]
    monkeypatch.setattr(resolve, "RULES_VERSION", "another")
    resolve.resolve(company.settings)
    assert everybody == [1, 1]
    assert company.ask("SELECT count(*) FROM core.identities WHERE identifier_type = 'anonymous_id'") == [
        (5,)
    ]
