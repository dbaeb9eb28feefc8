"""From a file to the draft of its definition: what is doubtful is said, and never guessed."""

from __future__ import annotations

import pytest
import yaml

from lakehouse.errors import Terminal
from lakehouse.settings import Settings
from lakehouse.sources.definition import parse
from lakehouse.sources.suggest.yaml_text import as_yaml
from lakehouse.stages.check_sources import check_text
from lakehouse.stages.suggest_source import suggest


@pytest.fixture
def drafted(tmp_path):
    """Return the draft of a file with this header and these rows, and its text."""

    def make(header, *rows, name="export.csv", **names):
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
        draft = suggest(Settings(scratch=tmp_path), path, source="crm", **names)
        text = as_yaml(draft)
        parse(text, "draft.yaml")
        return draft, text

    return make


def column_of(draft, header):
    return next(column for column in draft.columns if column.header == header)


def errors(text, folder):
    """Return what `sources check` calls an error in a definition."""
    _, findings = check_text(Settings(scratch=folder), text, "draft.yaml")
    return [finding for finding in findings if finding.level == "error"]


def rows(*cells, number=30):
    """Return rows; `{n}` in a cell is the row's number."""
    return [",".join(cell.replace("{n}", str(n)) for cell in cells) for n in range(number)]


def test_days_that_may_be_months_stay_text(drafted):
    """5/1/26 stays text, is not mapped, and the draft says what to write once somebody knows."""
    draft, text = drafted("Order ID,Order Date,Amount", *rows("SO{n}", "5/1/26", "1.50"), name="orders.csv")
    column = column_of(draft, "Order Date")
    assert (column.type, column.core, column.confidence, column.is_mapped) == (
        "string",
        "ordered_at",
        "low",
        False,
    )
    assert "no value says which comes first" in column.notes[0]
    assert "# unsure: ordered_at:" in text
    assert "ordered_at" not in yaml.safe_load(text)["core"]["orders"]


@pytest.mark.parametrize(
    ("header", "cells", "core"),
    [
        ("Order ID,Stamp,Amount", ("SO{n}", "2026-01-05 08:30:00", "1.50"), "ordered_at"),
        ("Order ID,Stamp,Seen,Amount", ("SO{n}", "2026-01-05 08:30", "2026-01-05 08:30", "1.50"), ""),
        ("Contact ID,Email,Stamp", ("C{n}", "a{n}@x.org", "1990-01-05"), ""),  # a birthday, sooner than not
    ],
)
def test_the_only_time_is_offered_as_the_time(drafted, header, cells, core):
    """Whatever it is called; a person has to say so, and of two nobody can."""
    draft, text = drafted(header, *rows(*cells))
    column = column_of(draft, "Stamp")
    assert (column.core, column.is_mapped) == (core, False)
    assert (f"# unsure: {core}: stamp" in text) == bool(core)


def test_days_that_one_value_decides(drafted):
    """25/1/26 says that the day comes first."""
    days = [*rows("SO{n}", "5/1/26", "1.50"), "SO99,25/1/26,1.50"]
    draft, _ = drafted("Order ID,Order Date,Amount", *days, name="orders.csv")
    column = column_of(draft, "Order Date")
    assert (column.type, column.formats, column.is_mapped) == ("timestamptz", ("dmy",), True)


def test_damaged_phones_are_noted(drafted):
    """The digits of 1.38E+10 are lost, and no format brings them back."""
    phones = [*rows("LX{n}", "张伟", "13812345{n}77", number=9), "LX99,李娜,1.38E+10"]
    draft, text = drafted("联系人编号,姓名,手机", *phones)
    assert column_of(draft, "手机").core == "phone"
    assert "damaged (1.38E+10)" in text
    assert draft.region == "'CN'"


def test_numbers_of_people_are_never_mapped(drafted):
    """Identity numbers and bank cards stay columns, marked personal; the draft says what may be done with them."""
    draft, text = drafted(
        "联系人编号,姓名,身份证号,银行卡号",
        *rows("LX{n}", "张伟", "11010119900307{n}", "4111111111111111", number=12),
    )
    for header in ("身份证号", "银行卡号"):
        column = column_of(draft, header)
        assert (column.core, column.pii) == ("", True)
    assert text.count("`collect: hash` or `collect: drop`") == 2


def test_what_the_look_of_values_says(drafted):
    """E-mails below a header that says nothing are e-mails, and nobody is sure."""
    draft, _ = drafted("Contact ID,Full name,col 7", *rows("C{n}", "Ann Lee", "ann{n}@example.com"))
    column = column_of(draft, "col 7")
    assert (column.core, column.confidence) == ("email", "medium")


def test_what_is_missing_is_noted(drafted):
    """No key, no currency, no time zone, no change date."""
    draft, text = drafted(
        "Deal Name,Amount,Stage,Created", *rows("Acme", "5.00", "Demo", "2026-01-05 10:00:00")
    )
    assert draft.key.value == ""
    for words in (
        "no column seems to be deal_id",
        "key: no column",
        "times have no zone",
        "unsure: currency",
    ):
        assert words in text
    assert "no updated_at" in text


@pytest.mark.parametrize(
    ("amounts", "currency"),
    [('"1.299,00 €"', "'EUR'"), ("1299元", "'CNY'"), ("USD 5", "'USD'"), ("$5.00", None)],
)
def test_currencies_are_read_and_not_guessed(drafted, amounts, currency):
    """A sign that is one currency's says it; a dollar may be anybody's."""
    draft, _ = drafted(
        "Order ID,Order Date,Order Amount", *rows("SO{n}", "2026-01-05", amounts), name="orders.csv"
    )
    given = {name: expression for name, expression, _ in draft.core}
    assert given.get("currency") == currency
    assert ("currency" in {name for name, _, _ in draft.unsure}) is (currency is None)


def test_hostile_headers(drafted, tmp_path):
    """Quotes, line breaks, words of YAML and of SQL, comments, names twice, 300 signs: all are names of columns."""
    header = 'no,"a""b: {c}","x # y","line\u2028break",select,Select!,null,"[1]","' + "长" * 300 + '",😀'
    draft, text = drafted(
        header, *rows("{n}", "1", "b", "c", "d", "e", "f", "g", "h", "i"), core_entity="orders"
    )
    definition = yaml.safe_load(text)
    assert [column["from"] for column in definition["columns"]][1:4] == [
        'a"b: {c}',
        "x # y",
        "line\u2028break",
    ]
    assert len({column["name"] for column in definition["columns"]}) == len(draft.columns) == 10
    assert "select_value" in {column["name"] for column in definition["columns"]}
    assert check_text(Settings(scratch=tmp_path), text, "x")[0] is not None


def test_no_value_of_the_file_is_in_the_draft(drafted):
    """Whatever the values are: names, remarks, words that are nobody's."""
    draft, text = drafted(
        "Lead ID,Name,Phone,Comments", *rows("L{n}", "Zebedee Quux", "+4722{n}", "xyzzy plugh")
    )
    shown = text + repr(draft)
    assert [word for word in ("Zebedee", "Quux", "xyzzy", "plugh", "+4722") if word in shown] == []


def test_columns_without_values(drafted, tmp_path):
    """They are mapped by their name, not with high confidence, and their SQL runs."""
    draft, text = drafted(
        "Order ID,Order Date,Amount,Paid at", *rows("SO{n}", "2026-01-05", "", ""), name="orders.csv"
    )
    assert column_of(draft, "Paid at").confidence == "medium"
    assert errors(text, tmp_path) == []


def test_times_since_1970_become_times(drafted, tmp_path):
    """In core; the raw table keeps the number."""
    lines = [f'{{"id": "A{n}", "activity_type": "call", "created_at": 17671{n:08d}}}' for n in range(40)]
    draft, text = drafted(lines[0], *lines[1:], name="calls.ndjson", core_entity="activities")
    assert draft.format == "ndjson"
    assert (column_of(draft, "created_at").type, column_of(draft, "created_at").expression) == (
        "long",
        "to_timestamp(created_at / 1000)",
    )
    assert errors(text, tmp_path) == []


def test_an_order_without_a_customers_number(drafted):
    """Its e-mail says whose it is."""
    draft, _ = drafted(
        "Order ID,Order Date,Amount,Buyer email",
        *rows("SO{n}", "2026-01-05", "1.50", "a{n}@example.com"),
        name="orders.csv",
    )
    assert draft.identifiers == (("crm_orders_id", "order_id", True), ("email", "buyer_email", True))
    assert draft.record == "'crm:orders:' || order_id"


def test_a_person_says_what_it_is(drafted):
    """`--as` decides, and is believed; a name that is none is told with the nearest."""
    draft, _ = drafted("ID,Name,Email", *rows("{n}", "Ann Lee", "a{n}@example.com"), core_entity="leads")
    assert (draft.choice.entity, draft.choice.sure) == ("leads", True)
    with pytest.raises(Terminal, match="did you mean contacts"):
        drafted("ID,Name", "1,x", core_entity="contact")
    with pytest.raises(Terminal, match="--entity Bad-Name"):
        drafted("ID,Name", "1,x", entity="Bad-Name")


def test_nobody_is_sure_of_an_entity_by_chance(drafted):
    """Columns that many entities have: nothing is suggested with high confidence, and the next entity is named."""
    draft, text = drafted("ID,Name,Status", *rows("{n}", "x y", "open"))
    assert not draft.choice.sure
    assert [column for column in draft.columns if column.confidence == "high"] == []
    assert "`--as ENTITY` says which it is" in text


def test_a_file_without_a_header(drafted):
    """Nothing is suggested: its columns have no names."""
    with pytest.raises(Terminal, match="its first line looks like a row"):
        drafted("ann@example.com,2026-01-05", "bob@example.com,2026-01-06")


def expressions(draft):
    """Return the SQL that core gets, by canonical column."""
    return {name: expression for name, expression, _ in draft.core}


def test_the_parts_of_an_address_become_one_column(drafted):
    """The postal code of the same address, and no other's."""
    draft, _ = drafted(
        "Contact ID,Full name,Mailing Street,Mailing Zip,Other Zip",
        *rows("C{n}", "Ann Lee", "{n} Dock Road", "941{n}", "100{n}"),
    )
    assert expressions(draft)["address"] == "nullif(concat_ws(', ', mailing_street, mailing_zip), '')"
    assert column_of(draft, "Other Zip").core == ""


@pytest.mark.parametrize(
    ("header", "expression"),
    [
        ("Lead ID,First Name,Last Name,Company", "nullif(concat_ws(' ', first_name, last_name), '')"),
        ("线索编号,名,姓,公司", "nullif(concat(last_name, first_name), '')"),
    ],
)
def test_given_and_family_name_make_a_name(drafted, tmp_path, header, expression):
    """Where core has one field for them; in Chinese the family stands first."""
    draft, text = drafted(header, *rows("L{n}", "伟", "张", "Acme"), core_entity="leads")
    first, last = (column.name for column in draft.columns[1:3])
    assert expressions(draft)["name"] == expression.replace("last_name", last).replace("first_name", first)
    assert errors(text, tmp_path) == []


def test_country_and_state_make_a_region(drafted):
    """Codes alone: US and CA are US-CA. Names are none."""
    header = "Account ID,Account Name,Country Code,State Code,State"
    draft, _ = drafted(header, *rows("A{n}", "Acme {n}", "US", "CA", "California"), core_entity="accounts")
    assert expressions(draft)["region_code"] == "country_code || '-' || state_code"
    assert column_of(draft, "State").core == ""


def test_an_owners_name_beside_the_id(drafted):
    """The name counts where the id is missing, and nobody is sure."""
    draft, _ = drafted(
        "Deal ID,Deal Name,Deal Owner.id,Deal Owner",
        *rows("D{n}", "Chairs {n}", "U1", "Rosa"),
        core_entity="deals",
    )
    assert expressions(draft)["owner_id"] == "coalesce(deal_owner_id, deal_owner)"
    assert column_of(draft, "Deal Owner").confidence == "medium"


def test_how_long_a_call_took(drafted, tmp_path):
    """Hours, minutes and seconds become seconds."""
    draft, text = drafted(
        "Call ID,Call Subject,Call Duration", *rows("C{n}", "Delivery", "00:05:30"), core_entity="activities"
    )
    assert expressions(draft)["duration_s"] == "epoch(TRY_CAST(call_duration AS INTERVAL))"
    assert errors(text, tmp_path) == []


@pytest.mark.parametrize("header", ["Tier__c", "Product Number"])
def test_what_is_never_sure(drafted, header):
    """A field that a company added, a reference by number."""
    draft, _ = drafted(
        f"Ticket ID,Subject,Status,{header}", *rows("T{n}", "Help", "open", "P1"), core_entity="tickets"
    )
    assert column_of(draft, header).confidence != "high"


def test_where_the_file_is_from_is_no_channel(drafted):
    """One value in every row."""
    draft, _ = drafted(
        "Lead ID,Name,Phone,Source", *rows("L{n}", "Ann Lee", "+4722{n}", "old CRM"), core_entity="leads"
    )
    assert not column_of(draft, "Source").is_mapped


def test_progress_is_told_in_bytes(tmp_path):
    """The last word is that all of the file was read."""
    path = tmp_path / "orders.csv"
    path.write_text("Order ID,Amount\n" + "\n".join(rows("SO{n}", "1.50")), "utf-8")
    heard = []
    suggest(Settings(scratch=tmp_path), path, progress=lambda *step: heard.append(step))
    assert heard[-1][:2] == ("reading", path.stat().st_size)
