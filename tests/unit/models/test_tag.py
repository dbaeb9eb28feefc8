"""Tags are conditions over what is known of a customer; a wrong one stops only itself."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models import registry, runner, tag
from tests.support.small_company import SmallCompany, forget

VIP = "name: vip\ntitle: Very Important's\nzh: 贵宾\ndoc: d\nwhere: orders >= 2 -- a comment\n"


@pytest.fixture
def company(lake, tmp_path, monkeypatch) -> SmallCompany:
    """A lake with two customers and a folder for tags."""
    (tmp_path / "definitions" / "tags").mkdir(parents=True)
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    forget()
    company = SmallCompany({})
    company.fill(
        "marts.customer_360",
        {"customer_id": "ann", "orders": 3, "refunds": 0, "gross": 9, "discounts": 0, "active_days": 1},
        {"customer_id": "bob", "orders": 0, "active_days": 7},
    )
    company.fill("marts.rfm", {"customer_id": "ann", "m": 5})
    return company


def write(company: SmallCompany, name: str, text: str) -> None:
    (company.settings.definitions / "tags" / f"{name}.yaml").write_text(text, "utf-8")


def run(company: SmallCompany) -> list[tuple[str, str]]:
    assert runner.run(company.settings, only=["marts.customer_tags"]).wrong == []
    return company.ask("SELECT customer_id, tag FROM marts.customer_tags ORDER BY ALL")


def test_tags_are_rows_and_a_file_more_is_a_tag_more(company):
    """Without a restart; titles in both languages."""
    assert run(company) == [("ann", "best_payer"), ("bob", "looks_only")]
    write(company, "vip", VIP)
    assert run(company) == [("ann", "best_payer"), ("ann", "vip"), ("bob", "looks_only")]
    titles = company.ask("SELECT title, title_zh FROM marts.customer_tags WHERE tag = 'vip'")
    assert titles == [("Very Important's", "贵宾")]
    assert runner.pending(company.settings, only=["marts.customer_tags"]) == []


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("no_such > 1", "no_such"),
        ("orders > 'many'", "onver"),
        ("orders >", "not SQL"),
        ("true) UNION ALL SELECT (true", "not one condition"),
        ("customer_id IN (SELECT customer_id FROM marts.rfm)", "no SELECT"),
        ("count(*) > 1", "no aggregate"),
        ("last_order_on > current_date", "gives another answer"),
        ("orders > getvariable('as_of')", "no getvariable"),
    ],
)
def test_a_wrong_tag_stops_only_itself(company, where, says):
    """And is told by name."""
    write(company, "vip", VIP)
    write(company, "odd", f'name: odd\ntitle: t\ndoc: d\nwhere: "{where}"\n')
    assert says in registry.load_tags(company.settings.definitions).wrong["odd"]
    assert ("ann", "vip") in run(company)


def test_a_file_is_called_as_its_tag():
    """Else two files could define one."""
    with pytest.raises(BadDefinition, match="must be the file's own name"):
        tag.parse(VIP, "other.yaml")


def test_without_any_tag_the_table_is_empty():
    """Its SELECT is one all the same."""
    assert "WHERE false" in tag.model([]).sql
