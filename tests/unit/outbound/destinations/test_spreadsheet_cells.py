"""What a spreadsheet would run is made a text, and every text can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.outbound.destinations.spreadsheet_cells import neutral, original


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\n=1",
        "=1",
        "+86 138",
        "-- x",
        "-",
        "+-1",
    ],
)
def test_formulas_are_neutralised(text):
    """Also with blanks before them, and in full-width letters."""
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "gold", "-5.00", "+8613800138000", "-1,234.56", "5%", "-0.5%", "a=b", "1-2", "客户"]
)
def test_numbers_phones_and_words_are_left_alone(text):
    """Reported elsewhere: a quote before every minus spoils the amounts of whoever imports the file."""
    assert neutral(text) == text


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\n 1a,.%＝"), max_size=6))
def test_every_text_is_read_back_and_none_is_run(text):
    """The rule: `original` undoes `neutral`, and no cell begins as a formula does unless it is a number."""
    cell = neutral(text)
    assert original(cell) == text
    assert cell.strip()[:1] not in set("=@＝") or not cell.strip()
