"""By which words systems say that an order counts, or that it does not."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import order_words, sql_functions


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as found:
        sql_functions.create(found)
        yield found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("paid", "sold"), (" PAID ", "sold"), ("Completed", "sold"), ("已发货", "sold"), ("versandt", "sold"),
        ("unfulfilled", "sold"), ("Partially-Paid", "sold"),
        ("partially_refunded", "partly refunded"), ("部分退款", "partly refunded"),
        ("退款中", "refund asked"), ("return_requested", "refund asked"),
        ("refunded", "refunded"), ("WC-Refunded", "refunded"), ("已退款", "refunded"), ("remboursée", "refunded"),
        ("pending", "pending"), ("wc-on-hold", "pending"), ("Checkout_Draft", "pending"), ("待付款", "pending"),
        ("authorized", "pending"), ("未払い", "pending"),
        ("cancelled", "cancelled"), ("CANCELED", "cancelled"), ("voided", "cancelled"), ("wc-failed", "cancelled"),
        ("trash", "cancelled"), ("交易关闭", "cancelled"), ("storniert", "cancelled"), ("annulée", "cancelled"),
        ("отменён", "cancelled"), ("キャンセル", "cancelled"),
        ("test", "test"), ("测试订单", "test"),
        ("gadzooks", "unknown"), ("closed", "unknown"), ("not cancelled", "unknown"), ("wc-", "unknown"),
        ("", None), ("  ", None), (None, None),
    ],
)  # fmt: skip
def test_a_word_says_how_an_order_stands(con, text, says):
    """In many languages and any case; what is on no list is unknown, and what is nothing says nothing."""
    assert con.execute("SELECT order_state(?)", [text]).fetchone() == (says,)


def test_every_word_stands_as_it_is_compared():
    """Else it would never be met."""
    for word in order_words.words():
        assert word == word.lower().strip().replace("-", " ").replace("_", " ")
        assert not word.startswith("wc ")


def test_the_lists_are_those_that_the_code_names():
    """A list of another name would be taken for an order that counts."""
    assert set(order_words.words().values()) == {
        order_words.SOLD, order_words.REFUND_ASKED, order_words.PARTLY_REFUNDED, order_words.REFUNDED,
        order_words.PENDING, order_words.CANCELLED, order_words.TEST,
    }  # fmt: skip
