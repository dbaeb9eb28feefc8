"""What the models of consent say of a few statements: which there are, and whom they let be contacted where."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from lakehouse.engine import channels
from lakehouse.privacy.address_hash import AddressHasher
from tests.support.model_cases import answer, let_hash, model_of, tied

ANN, BEN = "ann@example.com", "ben@example.com"
TIED = tied(crm_id__1="ann", crm_id__2="ann", crm_id__3="ben")


def at(day: int, hour: int = 0, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def said(
    record: str, granted: bool | None, stated: datetime | None = None, loaded: datetime | None = None, **more
):
    """A statement of a record, loaded at the end of the month unless it says when."""
    return {
        "source": "crm", "record": record, "identifier_type": "crm_id", "identifier_value": record,
        "purpose": "marketing", "channel": "email", "granted": granted, "stated_at": stated, "time_zone": "UTC",
        "_loaded_at": loaded or at(28), "_file_id": "f", "_row": int(record), **more,
    }  # fmt: skip


def carries(record: str, address: str | None, loaded: datetime | None = None, kind: str = "email", **more):
    """What a version of a record has in one of its places for addresses."""
    return {
        "source": "crm", "record": record, "identifier_type": kind, "identifier_value": address, "slot": 0,
        "said": True, "_loaded_at": loaded or at(28), "_file_id": "f", "_row": int(record), **more,
    }  # fmt: skip


CARRIED = [carries("1", ANN), carries("2", ANN), carries("3", BEN)]


def answers(*statements, carried=CARRIED, recalled=()) -> dict[tuple[str, str], bool]:
    """Return by customer and address whether marketing by e-mail is allowed."""
    rows = answer(
        "core.consent_answers",
        mapped__consents=statements,
        mapped__carried_addresses=carried,
        core__identities=TIED,
        raw__consent_recalls=recalled,
    )
    return {(row["customer_id"], row["address"]): row["allowed"] for row in rows if row["channel"] == "email"}


def ann(*statements, **more) -> bool | None:
    """Return the answer for Ann's address; None where there is none."""
    return answers(*statements, **more).get(("ann", ANN))


def statements_of(*statements):
    return answer("core.consents", mapped__consents=statements, core__identities=TIED)


# ------------------------------------------------------------------ statements


def test_every_statement_is_a_row_and_none_is_two():
    """What a record says again is no other statement; what it says of another time is."""
    rows = statements_of(
        said("1", True, at(5), at(6), _file_id="a"),
        said("1", True, at(5), at(7), _file_id="b"),
        said("1", False, at(8), at(9)),
        said("1", True, at(10), at(11)),
    )
    assert sorted((r["stated_at"], r["granted"], r["learnt_at"]) for r in rows) == [
        (at(5), True, at(6)),
        (at(8), False, at(9)),
        (at(10), True, at(11)),
    ]
    assert {r["file_id"] for r in rows if r["stated_at"] == at(5)} == {"a"}


def test_an_empty_cell_says_nothing():
    """Neither is it a statement, nor does it take one back."""
    assert statements_of(said("1", None, at(5))) == []
    assert ann(said("1", False, at(5), at(6)), said("1", None, None, at(20)), said("2", True, at(4))) is False
    assert ann(said("1", True, at(5), at(6)), said("1", None, None, at(20))) is True


def test_a_statement_of_nobody_known_is_kept():
    """Its refusal counts for the address, whoever it may be."""
    assert [row["customer_id"] for row in statements_of(said("9", False, at(5)))] == [None]
    stranger = said("9", False, at(5))
    assert ann(said("1", True, at(6)), stranger, carried=[*CARRIED, carries("9", ANN)]) is False


def test_a_statement_keeps_its_id_until_it_changes():
    """Deliveries name the statement that they lean on."""

    def id_of(*statements) -> str:
        return statements_of(*statements)[0]["consent_id"]

    first = id_of(said("1", True, at(5)))
    assert id_of(said("1", True, at(5), at(20), _file_id="g")) == first
    others = [
        said("1", True, at(6)),
        said("1", False, at(5)),
        said("2", True, at(5)),
        said("1", True, at(5), address=ANN),
    ]
    assert len({first, *map(id_of, others)}) == 5


def test_a_change_of_zone_or_second_tells_days_from_moments():
    """Midnight in the source's zone is a day; other times of the clock are moments."""
    shanghai = {"time_zone": "Asia/Shanghai"}
    rows = statements_of(said("1", False, at(5), **shanghai), said("2", False, at(5, 16), **shanghai))
    assert {row["record"]: row["day_only"] for row in rows} == {"1": False, "2": True}
    assert {row["record"]: row["effective_at"] for row in rows}["2"] == at(6, 16) - timedelta(microseconds=1)


# ------------------------------------------------------------------ of one subject the newest counts


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        pytest.param([said("1", True, at(5))], True, id="a yes"),
        pytest.param([said("1", False, at(5))], False, id="a no"),
        pytest.param([said("1", True, None)], True, id="a yes without a date"),
        pytest.param([said("1", True, at(5, 9)), said("1", False, at(6, 9))], False, id="withdrawn"),
        pytest.param([said("1", False, at(5, 9)), said("1", True, at(6, 9))], True, id="given again"),
        pytest.param([said("1", True, at(5, 9)), said("1", False, at(5, 9))], False, id="at one instant"),
        pytest.param([said("1", True, at(5, 9)), said("1", False, at(5))], False, id="a no of that day"),
        pytest.param([said("1", True, at(6)), said("1", False, at(5))], True, id="a no of the day before"),
        pytest.param([said("1", True, None), said("1", False, at(1))], False, id="a yes that has no date"),
        pytest.param(
            [said("1", False, at(1, month=10), at(2, month=10)), said("1", True, at(1, month=3), at(28, month=11))],
            False,
            id="an old list imported today",
        ),
        pytest.param(
            [said("1", True, datetime(2062, 1, 1, tzinfo=UTC), at(5)), said("1", False, at(6), at(7))],
            False,
            id="a yes from the future",
        ),
        pytest.param(
            [said("1", False, datetime(2062, 1, 1, tzinfo=UTC), at(5)), said("1", True, at(6), at(7))],
            True,
            id="a no from the future",
        ),
        pytest.param(
            [said("1", True, at(5), at(28), updated_at=at(2)), said("1", False, at(3))],
            False,
            id="a yes is no newer than its record",
        ),
    ],
)  # fmt: skip
def test_of_one_record_the_newest_statement_counts(statements, allowed):
    """By their own dates, and in doubt the refusal, whatever the order of arrival."""
    assert ann(*statements) is allowed
    assert ann(*reversed(statements)) is allowed


def test_a_refusal_without_a_date_is_lifted_by_a_yes_that_is_later_than_when_we_learnt_it():
    """Unsubscribed, learnt on the 10th: a yes of the 9th leaves it, one of the 12th lifts it."""
    refusal = said("1", False, None, at(10))
    assert ann(refusal, said("1", True, at(9), at(14))) is False
    assert ann(refusal, said("1", True, at(12), at(14))) is True


def test_a_refusal_without_a_date_counts_as_of_when_it_was_said_last():
    """The record said so still on the 20th, after the yes of the 12th: nobody can tell what was said last."""
    said_twice = [said("1", False, None, at(10)), said("1", False, None, at(20), _file_id="g")]
    assert ann(*said_twice, said("1", True, at(12), at(21))) is False
    assert ann(*said_twice, said("1", True, at(22), at(23))) is True


def test_a_row_without_a_change_date_ranks_by_arrival():
    """It takes its place behind what came before it, not at the time of the record's creation."""
    moved = [carries("1", "old@example.com", at(5), updated_at=at(4)), carries("1", ANN, at(9))]
    assert answers(said("1", True, at(3)), carried=moved) == {("ann", ANN): True}


# ------------------------------------------------------------------ records and addresses


def test_one_record_s_yes_is_none_for_the_address_of_another():
    """One customer of two people: Ben's yes, later than Anna's no, allows Ben's address alone."""
    carried = [carries("1", ANN), carries("2", BEN)]
    assert answers(said("1", False, at(1)), said("2", True, at(5)), carried=carried) == {
        ("ann", ANN): False,
        ("ann", BEN): True,
    }
    assert answers(said("2", True, at(5)), carried=carried) == {("ann", BEN): True}


def test_a_refusal_by_any_record_that_carries_the_address_stands():
    """Until that record says yes later itself: the yes of another one does not lift it."""
    refusal = said("1", False, at(5))
    assert ann(refusal, said("2", True, at(6))) is False
    assert ann(refusal, said("2", True, at(6)), said("1", True, at(7))) is True


def test_a_yes_counts_for_the_customer_of_its_record_alone():
    """The same address, carried by a record of somebody else, is not theirs to be written to."""
    carried = [carries("1", ANN), carries("3", ANN)]
    assert answers(said("1", True, at(5)), carried=carried) == {("ann", ANN): True}


def test_a_statement_may_name_its_address():
    """Then the address is the subject: a later yes for it, in whatever record, lifts an earlier no."""
    no, yes = said("1", False, at(5), address=BEN), said("2", True, at(6), address=BEN)
    assert answers(no)["ann", BEN] is False
    assert answers(no, yes)["ann", BEN] is True
    assert answers(no, {**yes, "stated_at": at(4)})["ann", BEN] is False
    assert (
        ann(said("1", True, at(5)), {**no, "address": ANN}) is False
    )  # the record's own yes is another subject's


def test_a_grant_before_the_last_refusal_of_its_address_stays_withdrawn():
    """A later yes by somebody else's record brings back that customer's, not the one before."""
    first, no = said("1", True, at(4), address=BEN), said("3", False, at(5), address=BEN)
    assert answers(first, no, said("3", True, at(6), address=BEN)) == {("ben", BEN): True}
    at_once = {**first, "stated_at": at(5, 9)}, {**no, "stated_at": at(5, 9)}
    assert answers(*at_once, said("3", True, at(6), address=BEN)) == {("ben", BEN): True}


def test_a_refusal_of_the_same_instant_as_a_yes_stands_against_others_too():
    """The record said both at once: the yes of another record for the same address does not count."""
    both = said("1", True, at(5, 9)), said("1", False, at(5, 9))
    assert ann(*both, said("2", True, at(6))) is False


def test_a_refusal_by_a_record_without_an_address_is_of_all_of_its_customer_s():
    """Which address it means cannot be told; a yes of such a record allows none."""
    carried = [carries("2", ANN)]
    yes = said("2", True, at(5))
    assert answers(yes, said("1", False, at(1)), carried=carried) == {("ann", ""): False, ("ann", ANN): False}
    assert answers(yes, said("1", True, at(6)), carried=carried) == {("ann", ANN): True}
    assert answers(said("1", True, at(6)), carried=[]) == {}


def test_an_address_that_moved_is_covered_where_it_is_now():
    """A corrected address takes refusal and yes along; a cleared one clears; a missing column does not."""
    carried = [carries("1", BEN, at(5)), carries("1", ANN, at(9))]
    assert answers(said("1", True, at(3)), carried=carried) == {("ann", ANN): True}
    assert answers(said("1", True, at(3)), carried=[*carried, carries("1", None, at(10))]) == {}
    silent = carries("1", None, at(10), said=False)
    assert answers(said("1", True, at(3)), carried=[*carried, silent]) == {("ann", ANN): True}


def test_a_channel_uses_the_addresses_of_its_kind():
    """A yes to calls is none to e-mail, and covers phones."""
    rows = answer(
        "core.consent_answers",
        mapped__consents=[said("1", True, at(5), channel="sms"), said("1", True, at(5))],
        mapped__carried_addresses=[carries("1", ANN), carries("1", "+15550100", kind="phone", slot=1)],
        core__identities=TIED,
    )
    assert {(r["channel"], r["address"]) for r in rows} == {("email", ANN), ("sms", "+15550100")}


def test_the_model_knows_the_channels_that_the_engine_knows():
    """Their kinds stand in its text, too."""
    [in_model] = re.findall(
        r"CASE channel (?:WHEN '\w+' THEN '\w+'\s*)+END", model_of("core.consent_answers").sql
    )
    for channel in (*channels.KIND_OF, "push", "wecom"):
        query = f"SELECT {in_model}, {channels.kind_sql('channel')} FROM (SELECT '{channel}' AS channel)"
        [(mine, theirs)] = duckdb.sql(query).fetchall()
        assert mine == theirs == channels.KIND_OF.get(channel)


# ------------------------------------------------------------------ gone and recalled


def test_a_record_that_was_deleted_grants_nothing_any_more():
    """Its refusal stands, for the address that it had; a record that comes back has to say yes again."""
    yes, no = said("1", True, at(5), at(6)), said("1", False, at(5), at(6))
    gone = said("1", None, None, at(10), deleted=True)
    assert ann(yes, gone) is None
    assert ann(yes, {**gone, "granted": True, "stated_at": at(5)}) is None
    assert ann(no, gone, carried=[carries("1", ANN), carries("1", None, at(29), deleted=True)]) is False
    assert ann(yes, gone, said("1", None, None, at(12))) is None
    assert ann(yes, gone, said("1", True, at(5), at(12))) is True
    assert ann(yes, gone, said("2", True, at(5))) is True


def test_a_yes_in_a_row_that_says_that_its_record_is_gone_is_no_evidence():
    """It is no statement; where the file that said it of the living record is recalled, nothing is left of it."""
    of_gone = said("1", True, at(5), at(8), deleted=True, _file_id="g")
    assert statements_of(of_gone) == []
    recall = {"kind": "file", "target": "f", "recalled": True, "recalled_at": at(20), "_loaded_at": at(20)}
    assert ann(of_gone, said("1", True, at(5), at(12)), recalled=[recall]) is None


@pytest.mark.parametrize("target", [("file", "f"), ("source", "crm")])
def test_what_is_recalled_grants_nothing_any_more(target):
    """Until the recall is ended; what another file says as well still counts, and refusals stand."""
    kind, name = target
    recall = {"kind": kind, "target": name, "recalled": True, "recalled_at": at(20), "_loaded_at": at(20)}
    ended = {**recall, "recalled": False, "_loaded_at": at(21)}
    yes = said("1", True, at(5))
    assert ann(yes, recalled=[recall]) is None
    assert ann(yes, recalled=[recall, ended]) is True
    assert ann(said("1", False, at(5)), recalled=[recall]) is False
    assert ann(yes, {**yes, "_file_id": "g"}, recalled=[recall]) is (True if kind == "file" else None)


def test_a_statement_that_names_an_erased_address_says_so():
    """Though its record is somebody else's, who did not; without the key nothing is computed."""
    hasher = AddressHasher(b"a key of thirty-two characters or more")
    erased = {"erasure_id": "e_1", "subject_hash": hasher.hash(ANN), "erased": True, "erased_at": at(20)}
    erasures = [{**erased, "_loaded_at": at(20), "_file_id": "e", "_row": 0}]
    given = {"mapped__consents": [said("3", True, at(3), address=ANN), said("3", True, at(3))]}
    let_hash(hasher)
    rows = answer("core.consents", **given, core__identities=TIED, raw__consent_erasures=erasures)
    assert {row["address"]: row["erasure_id"] for row in rows} == {ANN: "e_1", None: None}
    let_hash(None)
    with pytest.raises(duckdb.InvalidInputException, match="no hash key on this connection"):
        answer("core.consents", **given, core__identities=TIED, raw__consent_erasures=erasures)


def test_a_record_that_is_gone_grants_nothing_though_its_source_states_nothing():
    """What was said of it before; what is said afterwards counts."""
    gone = {**carries("1", ANN, at(20)), "deleted": True}
    before, after = said("1", True, at(5), at(6), source="crm"), said("1", True, at(21), at(22))
    for statement, ended in ((before, at(20)), (after, None)):
        rows = answer(
            "core.consents",
            mapped__consents=[statement],
            mapped__carried_addresses=[gone],
            core__identities=TIED,
        )
        assert [row["ended_at"] for row in rows] == [ended]


def test_a_yes_is_not_for_an_address_that_only_others_say_its_record_has():
    """A refusal is, since they may be right; and what the record itself has, too, is lent."""
    lent, not_lent = carries("1", ANN), carries("1", ANN, slot="orders 0", lends=False)
    yes, no = said("1", True, at(5)), said("1", False, at(5))
    assert ann(yes, carried=[not_lent]) is None
    assert ann(yes, carried=[not_lent, lent]) is True
    assert ann(said("2", True, at(5)), no, carried=[not_lent, carries("2", ANN)]) is False
