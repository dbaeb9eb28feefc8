"""Sync definitions say what is wrong with them, and turn rows into what the CRM should hold."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.outbound.definition import load_syncs, wrong_syncs
from lakehouse.outbound.records import Desired

GOOD = """
name: news
destination: hubspot
id: {property: email, from: email}
purpose: marketing
channel: email
segments: [vip, new]
properties: {lakehouse_segments: segments, note: "{tier} since {first_on}"}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "syncs").mkdir()
    return tmp_path


def _write(folder, text, name="news"):
    (folder / "syncs" / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_the_packaged_syncs_load():
    """What ships is sound."""
    (sync,) = load_syncs().values()
    assert (sync.name, sync.destination, sync.purpose, sync.channel) == (
        "hubspot_segments",
        "hubspot",
        "marketing",
        "email",
    )
    assert sync.columns == {"email"}


def test_a_folder_adds_overrides_and_switches_off(folder):
    """By name; `enabled: false` takes a packaged one away."""
    _write(folder, GOOD)
    assert list(load_syncs(folder)) == ["hubspot_segments", "news"]
    _write(folder, GOOD.replace("name: news", "name: hubspot_segments\nenabled: false"), "hubspot_segments")
    assert list(load_syncs(folder)) == ["news"]
    with pytest.raises(BadDefinition, match="nowhere: no such folder"):
        load_syncs(folder / "nowhere")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "destination: hubspot",
            "destination: pigeon",
            r"destination: no destination is called 'pigeon'.* \(line 3\)",
        ),
        (
            "purpose: marketing",
            "purpos: marketing",
            r"purpos: unknown name; did you mean purpose\? \(line 5\)",
        ),
        ("segments: [vip, new]", "segments: []", "segments: "),
        ("from: email", "frm: email", "id.from: Field required"),
        ("{tier} since", "{tier.secret} since", "properties: .*note: 'tier.secret' is not the name"),
        ("{tier} since", "{tier!r} since", "properties: .*only plain columns"),
        ("{tier} since", "{} since", "properties: .*is not the name of a column"),
        ("{tier} since", "{tier since", "properties: "),
        ("name: news", "name: ../news", "name: small letters, digits and _"),
        ("name: news", "name: other", "name: 'other' must be the file's own name"),
        ("name: news", "name: [", "not YAML"),
        (GOOD, "- a list", "the whole file: not a mapping"),
        (GOOD, "", "the whole file: not a mapping"),
    ],
)
def test_a_bad_definition_names_file_and_field(folder, before, after, says):
    """So that a person finds the place; the others go on."""
    _write(folder, GOOD.replace(before, after))
    assert list(load_syncs(folder)) == ["hubspot_segments"]
    assert re.search(says, wrong_syncs(folder)["news"])
    assert "news.yaml" in wrong_syncs(folder)["news"]


def test_rows_become_what_the_crm_should_hold(folder):
    """Lists joined, dates in ISO, nothing as "", addresses in lower case; who is in no segment is left out.

    Only a plain true is consent: nothing said is none, and neither is a text.
    """
    _write(folder, GOOD.replace("{lakehouse_segments:", "{active: active, spent: spent, lakehouse_segments:"))
    sync = load_syncs(folder)["news"]
    assert sync.columns == {"email", "tier", "first_on", "active", "spent"}
    row = {
        "customer_id": "c1",
        "email": " A@X.org ",
        "segments": ["vip", "new", "asleep"],
        "tier": "金",
        "first_on": date(1997, 1, 2),
        "active": True,
        "spent": Decimal("12.50"),
        "consented": True,
    }
    rows = [
        row,
        {**row, "customer_id": "c2", "segments": ["asleep"]},
        {**row, "customer_id": "c3", "email": None, "tier": None, "consented": False},
        {**{name: value for name, value in row.items() if name != "consented"}, "customer_id": "c4"},
        {**row, "customer_id": "c5", "consented": "false"},
    ]
    held = {
        "active": "true",
        "spent": "12.50",
        "lakehouse_segments": "new;vip",
        "note": "金 since 1997-01-02",
    }
    assert list(sync.desired(rows)) == [
        Desired("c1", "a@x.org", held, consented=True),
        Desired("c3", None, {**held, "note": " since 1997-01-02"}, consented=False),
        Desired("c4", "a@x.org", held, consented=False),
        Desired("c5", "a@x.org", held, consented=False),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e22, "10000000000000000000000"), (Decimal("1E+2"), "100"), (5e-7, "0.0000005"), (0.1, "0.1"), (12.0, "12.0"),
        (float("nan"), ""), (float("-inf"), ""), (Decimal("NaN"), ""), ({"a": [1, None]}, '{"a": [1, null]}'),
    ],
)  # fmt: skip
def test_numbers_have_no_exponent_and_what_is_none_is_nothing(folder, value, text):
    """A CRM's number takes neither 1e+22 nor nan, and an object is what every program reads."""
    _write(folder, GOOD.replace("{lakehouse_segments:", "{spent: spent, lakehouse_segments:"))
    row = {
        "customer_id": "c1",
        "email": "a@x.org",
        "segments": ["vip"],
        "tier": "",
        "first_on": None,
        "spent": value,
    }
    [desired] = load_syncs(folder)["news"].desired([row])
    assert desired.properties["spent"] == text


def test_ids_keep_their_case_and_e_mails_do_not(folder):
    """Of two ids that differ in case alone, each may be somebody."""
    row = {"customer_id": "c1", "segments": ["vip"], "tier": "", "first_on": None}
    _write(folder, GOOD)
    sync = load_syncs(folder)["news"]
    ids = [each.id for each in sync.desired({**row, "email": said} for said in (" wmAbC1 ", "A@X.org", " "))]
    assert ids == ["wmAbC1", "a@x.org", None]


def test_a_column_that_is_not_there_is_named(folder):
    """The sync, the property's place and the column."""
    _write(folder, GOOD)
    with pytest.raises(BadDefinition, match=r"sync news: properties\.note: there is no column 'first_on'"):
        list(
            load_syncs(folder)["news"].desired(
                [{"customer_id": "c", "email": "", "segments": ["vip"], "tier": ""}]
            )
        )


def test_the_fingerprint_follows_the_definition(folder):
    """The same for the same, another for another."""
    _write(folder, GOOD)
    first = load_syncs(folder)["news"].fingerprint
    assert load_syncs(folder)["news"].fingerprint == first
    _write(folder, GOOD.replace("vip", "gold"))
    assert load_syncs(folder)["news"].fingerprint != first


def test_a_file_that_comes_changes_or_goes_counts_at_once(folder):
    """Nothing has to be restarted."""
    assert "news" not in load_syncs(folder)
    _write(folder, GOOD)
    assert load_syncs(folder)["news"].segments == ("vip", "new")
    _write(folder, GOOD.replace("[vip, new]", "[vip]"))
    assert load_syncs(folder)["news"].segments == ("vip",)
    (folder / "syncs" / "news.yaml").unlink()
    assert "news" not in load_syncs(folder)


def test_two_files_for_one_sync_are_refused(folder):
    """Neither may win by chance, though one of them be a .yml."""
    _write(folder, GOOD)
    (folder / "syncs" / "news.yml").write_text(GOOD, encoding="utf-8")
    assert wrong_syncs(folder) == {"news": "news.yml: news is defined by news.yaml too"}
    assert "news" not in load_syncs(folder)


@pytest.mark.parametrize(
    ("segments", "control_of", "written", "held_out", "suppressed_by"),
    [
        (["new", "vip"], [], "new;vip", "", ""),
        (["new", "vip"], ["vip"], "new", "", ""),
        (["new", "vip"], ["new", "vip"], "", "new", ""),
        (["other", "vip"], ["other"], "vip", "", ""),
        (["complaints", "vip"], [], "vip", "", "complaints"),
        (["complaints", "vip"], ["complaints"], "vip", "", "complaints"),
    ],
)
def test_for_a_control_group_nothing_is_written(
    folder, segments, control_of, written, held_out, suppressed_by
):
    """Nor does anybody learn that somebody is in that segment; who suppresses may be in any group."""
    _write(folder, GOOD + "suppress: [complaints]\n")
    sync = load_syncs(folder)["news"]
    row = {"customer_id": "c1", "email": "a@x.org", "tier": "vip", "first_on": None, "consented": True}
    (person,) = sync.desired([{**row, "segments": segments, "control_of": control_of}])
    assert person.properties["lakehouse_segments"] == written
    assert (person.control_of, person.suppressed_by) == (held_out, suppressed_by)


def test_who_is_only_in_a_segment_that_suppresses_is_not_selected(folder):
    """The sync asks for its members, and for nothing else of them."""
    _write(folder, GOOD + "suppress: [complaints]\n")
    sync = load_syncs(folder)["news"]
    assert sync.asked_segments == ("vip", "new", "complaints")
    assert list(sync.desired([{"customer_id": "c1", "segments": ["complaints"]}])) == []
