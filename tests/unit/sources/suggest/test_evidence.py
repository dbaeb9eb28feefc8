"""What a header and the values below it say of a canonical column, as tables of both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.sources.detect.columns import ColumnDescription, PersonalShare
from lakehouse.sources.suggest.evidence import (
    FileColumn,
    hints_at_personal_data,
    holds_people,
    is_of_other_address,
    is_somebody_elses,
    name_scores,
    value_signal,
)
from lakehouse.sources.suggest.policy import NamePolicy, ValuePolicy
from lakehouse.sources.suggest.target_columns import Target
from lakehouse.sources.suggest.words import common_prefixes


def column(type_="string", *, hints=(), personal=(), filled=30, distinct=30, key=False):
    """Return a column of a file, by default of thirty different texts that look like nothing."""
    description = ColumnDescription(
        type=type_,
        personal=tuple(PersonalShare(kind, 1.0, hinted=False) for kind in personal),
        entity_hints=hints,
    )
    return FileColumn("x", description, rows=filled, filled=filled, distinct=distinct, key=key)


def written(values, *formats):
    """Return a column whose values are written in these formats."""
    description = replace(values.description, formats=dict.fromkeys(formats, 1.0))
    return replace(values, description=description)


def target(column_, type_="string", *, entity="orders", is_record_id=False, single_key=True):
    """Return a canonical column."""
    return Target(entity, column_, type_, (), is_record_id=is_record_id, single_key=single_key)


@pytest.mark.parametrize(
    ("values", "canonical", "signal"),
    [
        (column(filled=0), target("amount", "decimal(18,2)"), ValuePolicy.empty),
        (column("json"), target("name"), -1.0),
        (column("date"), target("created_at", "timestamptz"), 1.0),
        (
            written(column(), "epoch s"),
            target("created_at", "timestamptz"),
            ValuePolicy.counted_time,
        ),
        (column(), target("created_at", "timestamptz"), -1.0),
        (column("decimal(18,2)"), target("amount", "decimal(18,2)"), 1.0),
        (column(hints=("clock",)), target("duration_s", "long"), 1.0),
        (column(), target("amount", "decimal(18,2)"), -1.0),
        (column("boolean"), target("deleted", "boolean"), 1.0),
        (column(distinct=2), target("deleted", "boolean"), ValuePolicy.two_values),
        (column(distinct=3), target("deleted", "boolean"), -1.0),
    ],
)
def test_values_of_a_type(values, canonical, signal):
    """Moments, numbers, yes and no: what is of the type fits, what may be read as it hardly contradicts."""
    assert value_signal(values, canonical) == signal


@pytest.mark.parametrize(
    ("values", "canonical", "signal"),
    [
        (column(personal=("email",)), target("email"), 1.0),
        (column(), target("email"), -1.0),
        (column(personal=("damaged_phone",)), target("phone"), 1.0),
        (column(personal=("phone",)), target("status"), -1.0),
        (column(personal=("name",)), target("name", entity="contacts"), 1.0),
        (column(personal=("name",)), target("name", entity="accounts"), -1.0),
        (column(hints=("currency",)), target("currency"), 1.0),
        (column(), target("currency"), ValuePolicy.no_currency),
        (column(), target("gender"), ValuePolicy.no_gender),
        (column(hints=("bank_card",)), target("remark"), -1.0),
        (column("date"), target("status"), -1.0),
        (column("int"), target("status"), -1.0),
        (column("decimal(18,2)"), target("remark"), ValuePolicy.fraction_as_text),
        (column(distinct=1), target("channel"), ValuePolicy.single_channel),
        (column(), target("remark"), 0.0),
    ],
)
def test_values_of_a_text(values, canonical, signal):
    """What has a look of its own must have it; what has the look of something else is none."""
    assert value_signal(values, canonical) == signal


RECORD_ID = target("order_id", is_record_id=True)
FRACTIONS = written(column("decimal(18,2)"), "1234.56")


@pytest.mark.parametrize(
    ("values", "canonical", "signal"),
    [
        (column(key=True), RECORD_ID, 1.0),
        (column(distinct=27), RECORD_ID, 0.0),
        (column(distinct=26), RECORD_ID, -1.0),
        (column(filled=19, distinct=10), RECORD_ID, 0.0),
        (column(filled=19, distinct=9), RECORD_ID, -1.0),
        (FRACTIONS, RECORD_ID, -1.0),
        (FRACTIONS, target("store_id"), -1.0),
        (column(key=True, hints=("code",)), target("store_id"), ValuePolicy.distinct_reference),
        (column(distinct=9, hints=("code",)), target("store_id"), 0.0),
        (column(distinct=9), target("owner_id"), 0.0),
        (column(distinct=9), target("store_id"), ValuePolicy.name_as_reference),
        (column(distinct=9), target("parent_id"), ValuePolicy.no_code),
    ],
)
def test_values_of_an_id(values, canonical, signal):
    """Ids of records differ in every row, but for versions of one record; those that refer to others do not."""
    assert value_signal(values, canonical) == signal


@pytest.mark.parametrize(
    ("header", "canonical", "factor"),
    [
        ("Email", "email", 1.0),
        ("Email (Primary Contact)", "email", NamePolicy.narrowed),
        ("Email (primary)", "email", 1.0),
    ],
)
def test_brackets_narrow_a_name(header, canonical, factor):
    """A word more in brackets makes a name count less; a unit does not."""
    plain = name_scores("Email", "contacts")[canonical]
    assert name_scores(header, "contacts")[canonical] == pytest.approx(factor * plain)


def test_a_prefix_of_the_file_says_nothing():
    """`Deal - Value` is known once it is clear that many headers begin with `Deal - `."""
    prefixes = common_prefixes(("Pipe - Amount", "Pipe - Stage", "Pipe - Owner"))
    alone, within = (
        name_scores("Pipe - Amount", "deals", known).get("amount", 0.0) for known in ((), prefixes)
    )
    assert within == pytest.approx(NamePolicy.without_prefix)
    assert within > alone


def test_a_header_without_letters_says_nothing():
    """No name, no scores."""
    assert name_scores("***", "contacts") == {}


@pytest.mark.parametrize(
    ("tell", "header", "expected"),
    [
        (is_somebody_elses, "Manager Email", True),
        (is_somebody_elses, "Email", False),
        (is_of_other_address, "Billing City", True),
        (is_of_other_address, "City", False),
        (hints_at_personal_data, "Mobile", True),
        (hints_at_personal_data, "Created at", False),
    ],
)
def test_what_a_header_says(tell, header, expected):
    """Somebody else's, the other address, personal data."""
    arguments = (header, "orders") if tell is is_of_other_address else (header,)
    assert tell(*arguments) is expected


def test_most_of_the_values_must_be_people():
    """Half of them are enough."""
    assert holds_people(column(personal=("name",)))
    assert not holds_people(column(personal=("email",)))


@pytest.mark.parametrize(
    ("samples", "type_", "unsure"),
    [
        (("9.999", "99.999"), "decimal(18,3)", True),
        (("9,999", "€ 99,999"), "decimal(18,0)", True),
        (("9.999", "9.99"), "decimal(18,3)", False),
        (("9999.999",), "decimal(18,3)", False),
        (("9,999.99",), "decimal(18,2)", False),
        (("9.999.999",), "decimal(18,0)", False),
        (("9.999",), "string", False),
        ((), "decimal(18,3)", False),
    ],
)
def test_what_may_be_thousands_or_three_decimals(samples, type_, unsure):
    """1.234 is one and a bit here and more than a thousand there; one value that is neither decides."""
    description = ColumnDescription(type=type_, samples=samples)
    assert FileColumn("Betrag", description, 9, 9, 9).may_have_thousands is unsure


@pytest.mark.parametrize(
    ("format_", "short"),
    [("m/d/yy", True), ("?.?.yy hh:mm", True), ("yy年m月d日", True), ("m/d/yyyy", False)],
)
def test_years_of_two_digits(format_, short):
    """They do not say which century they are of."""
    description = ColumnDescription(type="date", formats={format_: 1.0})
    assert FileColumn("Birthday", description, 9, 9, 9).has_short_years is short
