"""What is said of a definition: with the line of the field, and with the names that were meant."""

from __future__ import annotations

import pytest

from lakehouse.sources.definition import parse
from lakehouse.sources.review import Finding, read, weigh, with_lines

TEXT = """\
source: erp
entity: sales
doc: Sales
grain: one row a sale
format: csv
columns:
  - {name: id, from: Id, doc: Id}
  - {name: phone, from: Phone, doc: Phone}
  - {name: total, from: Total, type: "decimal(12,2)", doc: Total}
record: "'erp:customer:' || id"
seen_at: _loaded_at
identifiers:
  - {type: erp_id, value: id}
core:
  orders:
    same: [total]
    order_id: id
    identifier_type: "'erp_idd'"
    identifier_value: id
    amount: total
"""


@pytest.mark.parametrize(
    ("old", "new", "field", "line", "message"),
    [
        ("grain:", "grian:", "grian", 4, "unknown name; did you mean grain?"),
        ('type: "decimal(12,2)"', "type: number", "columns.total.type", 9, "did you mean decimal(18,2)?"),
        ("from: Phone", "frm: Phone", "columns.phone.frm", 8, "unknown name; did you mean from?"),
        ("{type: erp_id, value", "{type: erp_id, valu", "identifiers.erp_id.valu", 13, "did you mean value?"),
        ("same: [total]", "same: [city, citty]", "core.orders.same", 16, "orders has no column citty"),
        ("    amount: total", "    amont: total", "core.orders.amont", 20, "did you mean amount?"),
        ("  orders:", "  order:", "core.order", 15, "did you mean orders?"),
        ("format: csv", "format: csv\nformat: ndjson", "format", 6, "stands here and in line 5; keep one"),
    ],
)
def test_an_error_tells_its_line_and_the_name_that_was_meant(old, new, field, line, message):
    """Whatever else is wrong is told, too."""
    source, findings = read(TEXT.replace(old, new), "a.yaml")
    assert source is None
    assert [one for one in findings if (one.field, one.line) == (field, line) and message in one.message], (
        findings
    )
    assert {one.level for one in findings} == {"error"}


GOOD = TEXT.replace("    same: [total]\n", "")


def test_a_finding_gets_the_line_of_its_field():
    """One of a field that is missing has the line of what it is missing from."""
    findings = with_lines(weigh(parse(GOOD, "a.yaml"), "a.yaml", {"erp_id"}), GOOD)
    assert [(one.level, one.field, one.line) for one in findings] == [
        ("warning", "core.orders.identifier_type", 17),
        ("warning", "core.orders.updated_at", 15),
        ("warning", "core.orders.ordered_at", 15),
        ("warning", "core.orders.currency", 15),
        ("warning", "columns.phone.pii", 8),
    ]


def test_a_column_of_same_has_the_line_of_its_list():
    """There it is written."""
    text = GOOD.replace("    amount: total", "    same: [phone]")
    (finding,) = with_lines([Finding("error", "a.yaml", "core.orders.phone", "x")], text)
    assert finding.line == 19


def test_an_identifier_type_is_known_from_the_definition_itself_or_from_others():
    """A record may be looked up by what another source says."""

    def warned(types):
        return [
            one.message
            for one in weigh(parse(GOOD, "a.yaml"), "a.yaml", types)
            if "identifiers" in one.message
        ]

    assert warned({"erp_idd"}) == []
    assert warned(set()) == ["no definition has identifiers of the type erp_idd; did you mean erp_id?"]
