"""A model's file is read strictly: an error names file, what is wrong and its line, before anything runs."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models.model import Audit
from lakehouse.models.model_file import column_problems, parse, table_of
from lakehouse.tables.contract import Column

GOOD = """/*
doc: Mine
zh: 我的
grain: one row a customer
key: [customer_id]
sort: [customer_id]
partition: [month(seen_on)]
columns:
  - {name: customer_id, doc: Customer, zh: 客户}
  - {name: seen_on, type: date, doc: Day}
  - {name: address, doc: Where, pii: true}
audits:
  - {name: not of the future, condition: seen_on <= DATE '2030-01-01'}
*/
-- why it is so
SELECT customer_id, CAST(timestamp AS DATE) AS seen_on, '' AS address FROM core.events
"""


def test_a_file_says_all_of_its_table():
    """Contract, inputs, audits: a newcomer changes one file."""
    model = parse(GOOD, "marts/mine.sql")
    assert (model.table, model.where) == ("marts.mine", "marts/mine.sql")
    assert model.inputs == ("core.identities", "raw.events")
    assert (model.contract.doc, model.contract.zh, model.contract.grain) == (
        "Mine",
        "我的",
        "one row a customer",
    )
    assert model.contract.columns == (
        Column("customer_id", "string", "Customer", zh="客户"),
        Column("seen_on", "date", "Day"),
        Column("address", "string", "Where", pii=True),
    )
    assert [part.name for part in model.contract.partition] == ["seen_on_month"]
    assert model.audits == (Audit("not of the future", "seen_on <= DATE '2030-01-01'"),)
    assert model.unique_key
    assert not model.as_of
    assert not model.time_zone


def test_lines_of_the_sql_are_those_of_the_file():
    """So that DuckDB's line is the person's line."""
    lines = GOOD.splitlines()
    assert parse(GOOD, "marts/mine.sql").sql.splitlines()[len(lines) - 1] == lines[-1]


def test_variables_are_found_in_the_sql():
    """Who forgets to say that the rows depend on the day would have yesterday's."""
    text = GOOD.replace("timestamp AS DATE", "timestamp AT TIME ZONE getvariable('time_zone') AS DATE")
    model = parse(text + "WHERE timestamp < getvariable('as_of')", "marts/mine.sql")
    assert (model.as_of, model.time_zone) == (True, True)


def test_a_change_of_words_computes_nothing_anew():
    """A change of SQL, columns or audits does."""
    version = parse(GOOD, "marts/mine.sql").version
    assert parse(GOOD.replace("doc: Mine", "doc: Ours"), "marts/mine.sql").version == version
    for old, new in (
        ("''", "'x'"),
        ("type: date", "type: timestamptz"),
        ("2030", "2031"),
    ):
        assert parse(GOOD.replace(old, new), "marts/mine.sql").version != version


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("mine.sql", "fills the table of that name"),
        ("ops/mine.sql", "a model is models/core/<table>.sql or models/marts/<table>.sql"),
        ("raw/mine.sql", "a model is models/core"),
        ("marts/deep/mine.sql", "a model is models/core"),
        ("marts/Mine.sql", "a model is models/core"),
        ("marts/mi ne.sql", "a model is models/core"),
        ("marts/mine.v2.sql", "a model is models/core"),
    ],
)
def test_a_file_at_another_place_is_none(where, says):
    """It would overwrite the system's own books, or be a table that nobody finds."""
    with pytest.raises(BadDefinition) as caught:
        parse(GOOD, where)
    assert str(caught.value).startswith(f"{where}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("grain:", "gran:", "gran: unknown name; did you mean grain? (line 4)"),
        ("doc: Mine", "", "doc: Field required"),
        ("key: [customer_id]", "key: []", "key: "),
        ("key: [customer_id]", "key: [customer]", "name no column: customer"),
        ("sort: [customer_id]", "sort: [day]", "name no column: day"),
        ("month(seen_on)", "hour(seen_on)", "partition 'hour(seen_on)' is not"),
        ("type: date", "type: datum", "columns.seen_on.type: column seen_on: unknown type 'datum' (line 10)"),
        ("type: date", "type: 'decimal(99,2)'", "columns.seen_on.type: "),
        ("name: address", "name: seen_on", "two columns share a name"),
        ("pii: true", "pi: true", "columns.address.pi: unknown name"),
        ("condition:", "when:", "audits.0.condition: Field required"),
        ("doc: Mine", "doc: Mine\ndoc: Ours", "doc: stands here and in line 2"),
        ("doc: Mine", "doc: [", "not YAML"),
        ("/*", "--", "the file begins with /* … */"),
        (", '' AS address", "", "columns.address: the SELECT does not yield it"),
        ("'' AS address", "'' AS adress", "yields adress, which `columns` does not name; did you mean address?"),
        ("'' AS address", "'' AS address, 1 AS address", "yields address twice"),
        ("FROM core.events", "FROM events", "SQL: 'events' is no table: say namespace and name"),
        ("FROM core.events", "FROM core.events x y z", "SQL: not SQL near"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(old, new, says):
    """One file, one message, all that is wrong in its header."""
    with pytest.raises(BadDefinition) as caught:
        parse(GOOD.replace(old, new, 1), "marts/mine.sql")
    assert str(caught.value).startswith("marts/mine.sql: ")
    assert says in str(caught.value)


def test_tables_that_the_code_knows_keep_their_columns_there():
    """A file may fill `core.orders` in its own way; what its columns are, others have to know, too."""
    model = parse("SELECT * FROM mapped.orders", "core/orders.sql")
    assert model.contract.key == ("source", "order_id")
    assert not model.unique_key
    with pytest.raises(BadDefinition, match=r"columns of core\.orders are kept in the code"):
        parse(GOOD, "core/orders.sql")


def test_columns_are_compared_whatever_their_case_and_order():
    """As SQL does."""
    contract = parse(GOOD, "marts/mine.sql").contract
    assert column_problems(contract, ("SEEN_ON", "address", "Customer_Id")) == []
    assert len(column_problems(contract, ("seen_on", "other"))) == 3


def test_the_place_is_the_table():
    """Of tests, too."""
    assert table_of("marts/rfm.sql") == "marts.rfm"
