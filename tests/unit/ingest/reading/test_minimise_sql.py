"""What SQL keeps of a value: the hash that Python's hmac computes, beginnings, months, networks."""

from __future__ import annotations

import hmac
import ipaddress
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.engine.duck import connect
from lakehouse.engine.keyed_hash import HashKey
from lakehouse.ingest.reading.minimise_sql import stored_sql
from lakehouse.sources.definition import SourceColumn

KEY = b"a key of more than thirty-two characters"
fast = tried(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def column(collect, kind="string", **more) -> SourceColumn:
    return SourceColumn.model_validate(
        {"name": "v", "from": "V", "doc": "V", "type": kind, "collect": collect, **more}
    )


@pytest.fixture
def con(lake):
    """Return a connection that knows the key."""
    with connect(lake, iceberg=False) as con:
        HashKey.prepare(KEY).set_on(con)
        yield con


@pytest.fixture
def keep(con):
    """Return a function that gives what is kept of a value, as text or as what it is."""

    def keep(rule, value):
        query = f"SELECT {stored_sql(rule, 'v')} FROM (SELECT CAST(? AS {rule.duck_type}) AS v)"
        return con.execute(query, [value]).fetchone()[0]

    return keep


def hmac_of(text: str, key: bytes = KEY) -> str:
    return hmac.new(key, text.encode(), "sha256").hexdigest()


# --- hashes


@fast
@given(text=st.text(st.characters(codec="utf-8")))
@example("")
@example("ann@example.com")
@example("张三 é 🐟 ' \" \\ \n \x00 ?1 $1 {v}")
@example("\\x41\\x00")
@example("x" * 55)
@example("x" * 56)
@example("x" * 64)
def test_a_hash_is_pythons_hmac(keep, text):
    """Of whatever text, to the byte."""
    assert keep(column("hash"), text) == hmac_of(text)


def test_a_hash_of_a_megabyte(keep):
    """Nothing is cut off."""
    text = "字é\0a" * (1 << 18)
    assert keep(column("hash"), text) == hmac_of(text)


@pytest.mark.parametrize("length", [1, 32, 63, 64, 65, 200])
def test_keys_of_any_length(keep, con, length):
    """One of more than a block is hashed first, as RFC 2104 says."""
    key = bytes(range(length))
    HashKey.prepare(key).set_on(con)
    assert keep(column("hash"), "ann@example.com") == hmac_of("ann@example.com", key)


def test_the_test_vector_of_rfc_4231(keep, con):
    """Test case 2, so that both sides cannot be wrong in the same way."""
    HashKey.prepare(b"Jefe").set_on(con)
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert keep(column("hash"), "what do ya want for nothing?") == expected


def test_nothing_stays_nothing(keep):
    """Null has no hash: it would be a value that all who say nothing share."""
    assert keep(column("hash"), None) is None
    assert keep(column({"hash": "lower"}), None) is None


def test_a_column_of_many(con):
    """Row by row, also where values repeat and some are missing."""
    values = [f"person{n % 7}@example.com" if n % 5 else None for n in range(5_000)]
    con.execute("CREATE TABLE many AS SELECT unnest(?) AS v", [values])
    found = con.execute(f"SELECT {stored_sql(column('hash'), 'v')} FROM many").fetchall()
    assert [one for (one,) in found] == [value and hmac_of(value) for value in values]


def test_in_lower_case_one_address_is_one_hash(keep):
    """However it was typed; as it stands, each way of typing is another."""
    lower, plain = column({"hash": "lower"}), column("hash")
    assert keep(lower, "Ann@Example.COM") == keep(lower, "ann@example.com") == hmac_of("ann@example.com")
    assert keep(plain, "Ann@Example.COM") != keep(plain, "ann@example.com")
    assert keep(lower, "ÉÄ") == hmac_of("éä")


def test_a_hashed_day_is_the_day_however_it_was_written(keep, con):
    """What is hashed is the value as its type reads it, written as text."""
    assert keep(column("hash", "date"), date(2026, 1, 5)) == hmac_of("2026-01-05")
    assert keep(column("hash", "long"), 7) == hmac_of("7")
    assert keep(column("hash", "decimal(8,2)"), 1.5) == hmac_of("1.50")
    assert keep(column("hash", "boolean"), True) == hmac_of("true")
    con.execute("SET TimeZone = 'Asia/Shanghai'")  # as a source's times may be
    assert keep(column("hash", "timestamptz"), datetime(2026, 1, 5, 7, tzinfo=UTC)) == hmac_of(
        "2026-01-05 07:00:00"
    )


def test_without_a_key_there_is_no_hash(lake):
    """And no other value in its place; reading refuses before it comes to this."""
    with connect(lake, iceberg=False) as con:
        assert con.execute(f"SELECT {stored_sql(column('hash'), 'v')} FROM (SELECT 'a' AS v)").fetchone() == (
            None,
        )


# --- truncation


@pytest.mark.parametrize(
    ("number", "text", "kept"), [(1, "abc", "a"), (3, "ab", "ab"), (2, "漢字abc", "漢字")]
)
def test_the_first_characters(keep, number, text, kept):
    """Of text, whatever its bytes."""
    assert keep(column({"truncate": number}), text) == kept


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_a_moment_down_to_a_unit(keep, con, zone):
    """In UTC, whatever zone the source writes times in; the type stays."""
    con.execute(f"SET TimeZone = '{zone}'")
    moment = datetime(2026, 5, 17, 23, 59, 58, 123456, UTC)
    units = {
        unit: keep(column({"truncate": unit}, "timestamptz"), moment)
        for unit in ("year", "month", "day", "hour")
    }
    assert units == {
        "year": datetime(2026, 1, 1, tzinfo=UTC),
        "month": datetime(2026, 5, 1, tzinfo=UTC),
        "day": datetime(2026, 5, 17, tzinfo=UTC),
        "hour": datetime(2026, 5, 17, 23, tzinfo=UTC),
    }
    assert keep(column({"truncate": "month"}, "date"), date(2026, 5, 17)) == date(2026, 5, 1)
    assert keep(column({"truncate": "year"}, "date"), None) is None


NO_ADDRESS = [
    "", "unknown", "1.2.3", "1.2.3.4.5", "1.2.3.4, 5.6.7.8", "1.2.3.4:80", "::ffff:1.2.3.4", "fe80::1%eth0", "1::2::3",
    "12345::", ":::", "a:b", "1.2.3.4\n", "2001:db8::1 and more",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_has_no_network(keep, text):
    """It is not kept: what it holds, nobody knows."""
    assert keep(column({"truncate": "network"}), text) is None


@fast
@given(address=st.ip_addresses())
@example(ipaddress.ip_address("::"))
@example(ipaddress.ip_address("::1"))
@example(ipaddress.ip_address("1::"))
@example(ipaddress.ip_address("2001:db8::"))
@example(ipaddress.ip_address("0:0:1::"))
@example(ipaddress.ip_address("::3:4:5:6:7:8"))
@example(ipaddress.ip_address("1:0:3:4:5:6:7:8"))
def test_an_address_keeps_its_network(keep, address):
    """24 bits of IPv4, 48 of IPv6, as Python's ipaddress has them; in whatever case and however much is written out."""
    network = ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False)
    for text in {str(address), str(address).upper(), address.exploded}:
        kept = keep(column({"truncate": "network"}), text)
        assert kept is not None
        assert ipaddress.ip_network(kept) == network


# --- objects


def test_keys_go_from_an_object_however_they_are_spelled(keep):
    """Also where they stand twice; what stays is as it was, deeper levels too."""
    rule = column({"without": ["ip", "E-Mail"]}, json_type="object")
    text = '{"ip":1,"IP":{"a":1}," ip ":2,"ip":3,"e-mail":null,"k":{"ip":4},"z":null,"i\\"p":5}'
    assert json.loads(keep(rule, text)) == {"k": {"ip": 4}, "z": None, 'i"p': 5}
    assert keep(rule, "{}") == "{}"
    assert keep(rule, None) is None


@pytest.mark.parametrize("text", ['"1.2.3.4"', "[1]", "7", "null"])
def test_of_what_is_no_object_nothing_is_kept(keep, text):
    """Nobody can take a key out of it."""
    assert keep(column({"without": ["ip"]}, json_type="object"), text) is None


@given(keys=st.lists(st.sampled_from(["ip", "IP", "i\0p", "", "a b", "'", '"', "\\", "ïp"]), max_size=6))
@fast
def test_whatever_keys_an_object_has(keep, keys):
    """None of those meant stays, all others do."""
    body = "{" + ",".join(f"{json.dumps(key)}:{n}" for n, key in enumerate(keys)) + "}"
    kept = json.loads(keep(column({"without": ["ip"]}, json_type="object"), body))
    assert kept.keys() == {key for key in keys if key.lower() != "ip"}


def test_a_dropped_column_has_nothing_to_store():
    """Who asks has forgotten to leave it out."""
    with pytest.raises(ValueError, match="dropped"):
        stored_sql(column("drop"), "v")
