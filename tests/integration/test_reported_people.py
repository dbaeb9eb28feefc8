"""Who is who in the cases that people reported of other software: all in one lake, by the shipped definitions.

`tests/reported_people/<case>/<source>__<entity>/<file>`; files 1* are loaded first, 2* once those are through.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.filled_lake import Filled, Place, filled_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "reported_people"


def _step(number: str) -> dict[Place, Path]:
    files = [path for path in sorted(FOLDER.glob("*/*__*/*")) if (path.name[0] == "2") == (number == "2")]
    return {(*path.parent.name.split("__"), str(path.relative_to(FOLDER))): path for path in files}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled_lake(tmp_path_factory.mktemp("lake"), _step("1"), _step("2")) as filled:
        assert filled.wrong == []
        yield filled


def who(lake: Filled, kind: str, *values: str) -> list[str | None]:
    """Return the customers of identifiers, in order; None for one that is nobody's."""
    found = dict(
        lake.ask(
            f"SELECT identifier_value, customer_id FROM core.identities WHERE identifier_type = '{kind}'"
        )
    )
    return [found.get(value) for value in values]


def one(customers: list[str | None]) -> bool:
    return len(set(customers)) == 1 and customers[0] is not None


def apart(customers: list[str | None]) -> bool:
    return None not in customers and len(set(customers)) == len(customers)


def test_a_phone_of_a_household_ties_nobody(lake: Filled) -> None:
    """Anna and Ben Holt have one; it is neither's, and each keeps an address."""
    people = who(lake, "crm_id", "3001", "3002")
    assert apart(people)
    assert people == who(lake, "email", "anna.holt@case03.net", "ben.holt@case03.net")
    assert who(lake, "phone", "+12125550303") == [None]
    assert who(lake, "user_id", "s3002") == [people[1]]


def test_three_colleagues_on_a_switchboard_are_three(lake: Filled) -> None:
    assert apart(who(lake, "email", "voss@case04.de", "wolf@case04.de", "zorn@case04.de"))


def test_who_signs_in_later_on_a_device_is_apart(lake: Filled) -> None:
    """The device's history is the first one's."""
    alice, bob = who(lake, "user_id", "u5-alice", "u5-bob")
    assert apart([alice, bob])
    assert who(lake, "anonymous_id", "dev5") == [alice]
    assert who(lake, "email", "alice@case05.net", "bob@case05.net") == [alice, bob]
    assert dict(lake.ask(
        "SELECT message_id, customer_id FROM core.events WHERE message_id LIKE 'm5-%'"
    )) == {"m5-1": alice, "m5-2": alice, "m5-3": bob, "m5-4": bob}  # fmt: skip


def test_what_a_device_did_before_a_sign_in_is_the_first_one_s(lake: Filled) -> None:
    """Also what it does once she has signed out; who signs in later is apart."""
    carol, dave = who(lake, "user_id", "u5-carol", "u5-dave")
    assert apart([carol, dave])
    assert dict(lake.ask(
        "SELECT message_id, customer_id FROM core.events WHERE message_id LIKE 'm5b-%'"
    )) == {"m5b-1": carol, "m5b-2": carol, "m5b-3": carol, "m5b-4": dave, "m5b-5": carol}  # fmt: skip


def test_an_alias_ties(lake: Filled) -> None:
    """A device to a user, and a user's old id to the new one."""
    assert one([*who(lake, "anonymous_id", "dev6"), *who(lake, "user_id", "u6-zoe")])
    assert one(who(lake, "user_id", "u6-old", "u6-new"))
    assert len(lake.ask("SELECT DISTINCT customer_id FROM core.events WHERE message_id LIKE 'm6-%'")) == 2


def test_traits_in_the_context_count_and_so_does_a_capital(lake: Filled) -> None:
    assert who(lake, "user_id", "u7", "u7b") == who(lake, "hubspot_id", "7001", "7002")
    assert apart(who(lake, "user_id", "u7", "u7b"))


def test_a_national_number_is_of_the_record_s_own_country(lake: Filled) -> None:
    assert apart(who(lake, "hubspot_id", "8011", "8012"))
    assert apart(who(lake, "phone", "+917025551834", "+17025551834"))
    assert one(who(lake, "hubspot_id", "8003", "8004"))
    assert one(who(lake, "hubspot_id", "8021", "8022", "8023"))


def test_eleven_devices_of_one_user_are_one_person(lake: Filled) -> None:
    assert one([*who(lake, "user_id", "u9"), *who(lake, "email", "nora@case09.net")])
    assert one(who(lake, "anonymous_id", *(f"dev9-{n}" for n in range(1, 12))))
    assert lake.ask("SELECT email FROM core.customers WHERE email LIKE '%case09%'") == [("nora@case09.net",)]


def test_a_mailbox_of_nobody_s_names_no_record(lake: Filled) -> None:
    people = who(lake, "hubspot_id", "10001", "10002", "10003")
    assert apart(people)
    orders = dict(lake.ask(
        "SELECT order_id, customer_id FROM core.orders WHERE source = 'shopify' AND order_id LIKE '#100_'"
    ))  # fmt: skip
    assert [orders[f"#100{n}"] for n in (1, 2, 3)] == people


def test_a_corrected_address_separates(lake: Filled) -> None:
    assert apart(who(lake, "crm_id", "23001", "23002"))
    assert who(lake, "email", "y.ames@case23.net", "z.ames@case23.net") == who(
        lake, "crm_id", "23001", "23002"
    )


def test_a_cleared_address_is_nobody_s_and_stays_readable(lake: Filled) -> None:
    assert who(lake, "email", "abe@case24.net") == [None]
    assert lake.ask("SELECT email FROM core.customers JOIN core.identities USING (customer_id) "
                    "WHERE identifier_type = 'crm_id' AND identifier_value = '24001'") == [(None,)]  # fmt: skip
    assert lake.ask("SELECT standing, count(*) FROM core.evidence WHERE record = 'crm:contact:24001' "
                    "AND slot = 'email' GROUP BY ALL ORDER BY ALL") == [("cleared", 1), ("superseded", 1)]  # fmt: skip


def test_a_device_of_the_year_2099_does_not_win(lake: Filled) -> None:
    assert lake.ask("SELECT email FROM core.customers WHERE email LIKE '%case27%'") == [("bea@case27.net",)]


def test_ids_of_nobody_tie_nobody(lake: Filled) -> None:
    """What programs write for a user, each on the devices of two people."""
    users = [value for (value,) in lake.ask(
        "SELECT DISTINCT user_id FROM raw.events WHERE user_id LIKE 'u28-%' ORDER BY ALL"
    )]  # fmt: skip
    assert len(users) == 16
    assert apart(who(lake, "user_id", *users))


def test_blanks_around_an_id_are_none(lake: Filled) -> None:
    assert lake.ask(
        "SELECT count(*) FROM core.events WHERE message_id LIKE 'm29-%' AND customer_id IS NULL"
    ) == [(0,)]
    assert apart(who(lake, "user_id", "s29", "s29b"))


def test_a_salesforce_id_has_fifteen_or_eighteen_characters(lake: Filled) -> None:
    assert one(who(lake, "salesforce_id", "0035e00000AbCdEAAV") + who(lake, "email", "sue@case47.net"))


def test_a_rounded_id_ties_nobody(lake: Filled) -> None:
    """Such rows are set aside, and so are the orders."""
    assert lake.ask("SELECT count(*) FROM core.orders WHERE order_id LIKE 'o50-%'") == [(0,)]
    assert who(lake, "email", "pam@case50.net", "quin@case50.net", "rae@case50.net") == [None] * 3


@pytest.mark.parametrize(
    ("numbers", "are_one"),
    [
        pytest.param(("51001", "51002"), True, id="halves in each other's fields (worldcubeassociation#13532)"),
        pytest.param(("51011", "51012"), True, id="accents as letters of their own (TheCombine#3713)"),
        pytest.param(("51021", "51022"), True, id="a second given name (SORMAS-Project#5758)"),
        pytest.param(("51031", "51032"), True, id="another apostrophe, and the other order"),
        pytest.param(("51041", "51042"), True, id="a zero behind the country's code (chobbledotcom/tickets#637)"),
        pytest.param(("51051", "51052"), False, id="one given name (nametag#306)"),
        pytest.param(("51061", "51062"), False, id="twins (NHSDigital/manage-vaccinations-in-schools#2264)"),
        pytest.param(("51071", "51072"), False, id="a family's mailbox (ChurchCRM/CRM#2312)"),
        pytest.param(("51081", "51082"), False, id="dots that only one provider ignores (okuna-api#406)"),
        pytest.param(("52001", "52002", "52003", "52004", "52005"), False, id="nothing in common (seed#1412)"),
        pytest.param(("52006", "52007"), False, id="a birth date that everybody has (deep-review#107)"),
    ],
)  # fmt: skip
def test_names_and_what_is_empty(lake: Filled, numbers: tuple[str, ...], are_one: bool) -> None:
    """Of contacts of one CRM."""
    people = who(lake, "crm_id", *numbers)
    assert one(people) if are_one else apart(people)


def test_records_that_a_crm_has_merged_are_one_person(lake: Filled) -> None:
    """Also over two steps (dbt_hubspot#168, #172), and with the addresses that the record had which is gone."""
    salesforce = who(lake, "salesforce_id", *(f"0035e00000P30{n}AAA" for n in ("aa", "bb", "cc")))
    assert one([*salesforce, *who(lake, "email", "a@case53.net", "b@case53.net", "c@case53.net")])
    hubspot = who(lake, "hubspot_id", "53001", "53002")
    assert one([*hubspot, *who(lake, "email", "flo@case53.net", "f.orr@case53.net", "flo2@case53.net")])
    assert lake.ask("SELECT email FROM core.customers WHERE email LIKE 'f%case53%'") == [("flo@case53.net",)]


def test_another_one_s_second_address_is_whose_first_it_is(lake: Filled) -> None:
    """Names apart, they stay two."""
    ben, al = who(lake, "hubspot_id", "53003", "53004")
    assert apart([ben, al])
    assert who(lake, "email", "ben@case53.net", "al@case53.net") == [ben, al]


def test_ids_of_no_device_tie_nobody(lake: Filled) -> None:
    """As SDKs send them (PostHog#12008, posthog-js#34); two users' ids that differ by a capital are two."""
    users = [f"u54-{number}{which}" for number in range(5) for which in "ab"]
    assert apart(who(lake, "user_id", *users, "U54", "u54"))


def test_an_event_that_comes_late_says_what_was(lake: Filled) -> None:
    """Its address is the older one (dbt-snowplow-web#42)."""
    assert lake.ask("SELECT email FROM core.customers WHERE email LIKE '%case55%'") == [("new@case55.net",)]
    assert who(lake, "email", "old@case55.net") == [None]
