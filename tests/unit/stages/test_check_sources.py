"""A definition is held against the contracts before a file meets it: what stops it, and what a person should weigh."""

from __future__ import annotations

import pytest
import yaml

from lakehouse.errors import Terminal
from lakehouse.settings import Settings
from lakehouse.sources.definition import load
from lakehouse.stages.check_sources import check_all, check_files, check_text

GOOD = {
    "source": "erp",
    "entity": "sales",
    "doc": "Sales",
    "grain": "one row a sale",
    "format": "csv",
    "key": ["id"],
    "columns": [
        {"name": "id", "from": "Id", "required": True, "doc": "Id"},
        {"name": "who", "from": "Client", "doc": "Client"},
        {"name": "total", "from": "Total", "type": "decimal(12,2)", "doc": "Total"},
        {"name": "sold_at", "from": "At", "type": "timestamptz", "doc": "At"},
    ],
    "record": "'erp:customer:' || who",
    "seen_at": "sold_at",
    "identifiers": [{"type": "erp_id", "value": "who"}],
    "core": {
        "orders": {
            "order_id": "id",
            "identifier_type": "'erp_id'",
            "identifier_value": "who",
            "ordered_at": "sold_at",
            "amount": "total",
            "currency": "'EUR'",
            "updated_at": "sold_at",
        }
    },
}


def orders(**changes):
    """Return the core mapping with changes; None takes a column away."""
    given = GOOD["core"]["orders"] | changes
    return {"core": {"orders": {name: text for name, text in given.items() if text is not None}}}


def column(**changes):
    return {"columns": [*GOOD["columns"], {"name": "more", "from": "More", "doc": "More"} | changes]}


def said(tmp_path, **changes):
    """Return (level, field, message) of what is said of the definition with these changes."""
    text = yaml.safe_dump(GOOD | changes, allow_unicode=True, sort_keys=False)
    return [
        (one.level, one.field, one.message)
        for one in check_text(Settings(scratch=tmp_path), text, "a.yaml")[1]
    ]


def test_a_good_definition(tmp_path):
    """There is nothing to say of it."""
    assert said(tmp_path) == []
    assert said(tmp_path, **orders(paid_at="CASE WHEN total > 5 THEN NULL END", tax="NULL")) == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"colums": []}, "colums", "did you mean columns?"),
        (column(pi=True), "columns.more.pi", "did you mean pii?"),
        (column(type="timestamp"), "columns.more.type", "did you mean timestamptz?"),
        (column(type="decimal"), "columns.more.type", "did you mean decimal(18,2)?"),
        (column(type="lng"), "columns.more.type", "did you mean long?"),
        (column(type="decimal(40,2)"), "columns.more.type", "decimal(40,2)"),
        (column(type="date", formats=["ymd", "nope"]), "columns.more.formats", "no formats of date: nope"),
        ({"core": {"order": {}}}, "core.order", "did you mean orders?"),
        (orders(order_no="id"), "core.orders.order_no", "did you mean order_id?"),
        ({"identifiers": [{"typ": "x", "value": "who"}]}, "identifiers.0.typ", "did you mean type?"),
        ({"full_export": {"held_abov": 1}}, "full_export.held_abov", "did you mean held_above?"),
        ({"time_zone": "Shanghai"}, "time_zone", "Asia/Shanghai"),
        (orders(order_id=None), "core.orders.order_id", "map a column to it"),
        (orders(amount="totl"), "core.orders.amount", "there is no column totl; did you mean total?"),
        (orders(amount="total +"), "core.orders.amount", "no SQL that runs"),
        (orders(where="sold_at >"), "core.orders.where", "no SQL that runs"),
        (orders(each="who ||| 1"), "core.orders.each", "no SQL that runs"),
        (orders(together="sourc"), "core.orders.together", "names what is not mapped: sourc"),
        (orders(identifier_value=None), "core.orders.identifier_value", "says nothing"),
        (orders(identifier_type=None), "core.orders.identifier_type", "says nothing"),
        ({"record": "whoo"}, "record", "did you mean who?"),
        ({"seen_at": "total"}, "seen_at", "is DECIMAL(12,2), and TIMESTAMPTZ is wanted"),
        (orders(amount="sold_at"), "core.orders.amount", "DECIMAL(18,2) is wanted"),
        ({"identifiers": [{"type": "erp_id", "value": "x.y"}]}, "identifiers.erp_id", "no SQL that runs"),
        (
            {"checks": [{"code": "c", "when": "_loaded_at > sold_at", "reason": "r"}]},
            "checks.c.when",
            "_loaded_at",
        ),
    ],
)
def test_errors(tmp_path, changes, field, words):
    """Each names the field, and what now."""
    found = said(tmp_path, **changes)
    assert [one for one in found if one[0] == "error" and one[1] == field and words in one[2]], found


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        (orders(ordered_at="who"), "core.orders.ordered_at", "read_moment(who)"),
        (orders(currency=None), "core.orders.currency", "nobody knows what amount is in"),
        (orders(updated_at=None), "core.orders.updated_at", "the one loaded later counts"),
        (orders(ordered_at=None), "core.orders.ordered_at", "partitioned by it"),
        (
            orders(identifier_type=None, identifier_value=None),
            "core.orders.identifier_type",
            "say whose record",
        ),
        (orders(identifier_type="'erp_ids'"), "core.orders.identifier_type", "did you mean erp_id?"),
        (column(**{"from": "手机"}), "columns.more.pii", "looks like phone"),
        (column(name="birthday", type="date"), "columns.birthday.pii", "looks like birthday"),
        (orders(address="who"), "columns.who.pii", "core holds it as personal data"),
        ({"core": {}}, "core", "nothing is mapped"),
        (
            {"core": {"contacts": {"contact_id": "id", "updated_at": "sold_at"}}, "identifiers": []},
            "identifiers",
            "contacts without identifiers",
        ),
        ({"core": {"contacts": {"contact_id": "id"}}}, "core.contacts.updated_at", "missing"),
    ],
)
def test_warnings(tmp_path, changes, field, words):
    """They do not stop a definition."""
    found = said(tmp_path, **changes)
    assert [one for one in found if one[:2] == ("warning", field) and words in one[2]], found
    assert [one for one in found if one[0] == "error"] == []


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "a: b: c", "\x00"])
def test_what_is_no_definition(tmp_path, text):
    """One error that says so."""
    source, found = check_text(Settings(scratch=tmp_path), text, "a.yaml")
    assert source is None
    assert [one.level for one in found] == ["error"]


@pytest.mark.parametrize("columns", [None, "x", [1], {"a": 1}])
def test_columns_that_are_none(tmp_path, columns):
    """Whatever stands there, it is told and nothing breaks."""
    assert [one for one in said(tmp_path, columns=columns) if one[0] == "error"]


def test_columns_whose_name_is_no_persons(tmp_path):
    """A deal's name, a time that is called after a contact, a consent: no warning."""
    for changes in ({"name": "next_contact_at", "type": "timestamptz"}, {"name": "name", "from": "Name"}):
        assert said(tmp_path, **column(**changes)) == []


def test_what_is_shipped_has_no_errors(tmp_path):
    """All of it, by the same rules as people's own, here a file that is no text at all."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "own.yaml").write_bytes(b"\xff")
    number, found = check_all(Settings(scratch=tmp_path, definitions=tmp_path))
    assert number >= 6
    errors = [(one.file, one.message) for one in found if one.level == "error"]
    assert errors == [("own.yaml", "not UTF-8: save it as UTF-8")]


def test_peoples_own_are_checked_too(tmp_path):
    """With those that are shipped; two that are good and contradict each other are told."""
    (tmp_path / "sources").mkdir()
    for name in ("a", "b"):
        (tmp_path / "sources" / f"{name}.yaml").write_text(yaml.safe_dump(GOOD))
    settings = Settings(scratch=tmp_path, definitions=tmp_path)
    heard = []
    number, found = check_all(settings, heard.append)
    assert {"a.yaml", "b.yaml"} <= set(heard)
    assert number == len(list(load.files(None))) + 2
    assert [one.message for one in found if one.level == "error"] == [
        "b.yaml: erp/sales is defined by a.yaml too"
    ]


def test_files_that_cannot_be_read(tmp_path):
    """One line that says which."""
    settings = Settings(scratch=tmp_path)
    with pytest.raises(Terminal, match=r"none.yaml cannot be read"):
        check_files(settings, [tmp_path / "none.yaml"])
    (tmp_path / "bad.yaml").write_bytes(b"\xff")
    with pytest.raises(Terminal, match="not UTF-8"):
        check_files(settings, [tmp_path / "bad.yaml"])
