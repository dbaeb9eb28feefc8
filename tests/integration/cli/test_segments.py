"""`lakehouse segments …` as a person runs it, on a company whose marts change from day to day."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq

from lakehouse import aws, objects
from lakehouse.segments import refresh, run_record
from lakehouse.tables import catalog as catalogs
from tests.support.segment_commands import HEAD, REGULARS, RICH, SYNC


def test_list_says_how_large_how_old_and_how_right_each_is(segments):
    """Before a run, after one, when the marts have changed since, and when a definition is wrong."""
    assert {each["state"] for each in segments.json("list")["segments"]} == {"never computed"}
    refresh.refresh(segments.company.settings)
    listed = {each["name"]: each for each in segments.json("list")["segments"]}
    assert {name: listed[name]["size"] for name in ("regulars", "rich")} == {"regulars": 2, "rich": 1}
    assert (listed["rich"]["owner"], listed["rich"]["state"], listed["rich"]["wrong"]) == (
        "ann",
        "current",
        "",
    )
    assert datetime.fromisoformat(listed["rich"]["at"]).tzinfo is not None
    segments.marts(2, c_ann=(3, 5, 1))
    segments.define(rich=RICH.replace("m = 5", "mm = 5"), high_value="name: [")
    listed = {each["name"]: each for each in segments.json("list")["segments"]}
    assert (listed["rich"]["state"], listed["rich"]["size"]) == ("waiting", 1)
    assert listed["high_value"]["state"] == "kept"
    assert "not YAML" in listed["high_value"]["wrong"]
    refresh.refresh(segments.company.settings)
    text = segments("list")
    assert "rich: where: there is no column mm" in text
    assert "kept" in text


def test_check_runs_each_over_the_lake(segments):
    """Static mistakes first; guard rails and time only a lake can tell."""
    assert segments.json("check")["errors"] == 0
    segments.define(rich=RICH + "guard_rails: {most_members: 1}\n")
    segments.marts(2, c_ann=(3, 5, 5), c_bob=(3, 5, 5))
    [found] = segments.json("check", code=1)["findings"]
    assert (found["file"], found["field"], found["message"]) == (
        "segments/rich.yaml", "guard_rails", "2 would be in it, more than 1",
    )  # fmt: skip
    segments.define(rich=RICH.replace("m = 5", "mm = 5"))
    assert "there is no column mm" in segments("check", code=1)
    assert segments("new", "mine_too").strip().endswith("own/segments/mine_too.yaml")
    assert "there already" in segments("new", "mine_too", code=1)
    assert "--form sql: there are who, where, select" in segments("new", "other", "--form", "sql", code=1)


def test_a_parameter_is_tried_for_one_look(segments):
    """Of a segment that says it, within its type; an assignment that is none is told."""
    segments("new", "mine_too")
    found = segments.json("preview", "mine_too", "--set", "days=30")
    assert (found["wrong"], found["parameters"]) == ("", {"days": 30})
    assert "days = 90" in segments("preview", "mine_too")
    for assignment, told in (("dayz=3", "no parameter dayz; did you mean days"), ("days=x", "'x' is no integer"),
                             ("days", "--set days: say a name and a value")):  # fmt: skip
        assert told in segments("preview", "mine_too", "--set", assignment, code=1)


def test_preview_counts_and_masks(segments):
    """Who would be in it now, who of them lacks consent for what the sync asks; no name, no address."""
    found = segments.json("preview", "regulars")
    assert (found["size"], found["members"], found["lacking"]) == (2, 0, {"marketing/email": 1})
    assert found["sample"][0] == {
        "customer": "c_ann", "name": "A…", "email": "a…@….org", "values": {"purchase_days": 3, "recency_days": 5},
    }  # fmt: skip
    text = segments("preview", "regulars")
    assert "example.org" not in text
    assert "Ann" not in text
    assert "lack consent for marketing/email" in text
    segments.define(rich=RICH.replace("m = 5", "mm = 5"))
    assert "keeps its members: where: there is no column mm" in segments("preview", "rich")
    assert "did you mean regulars" in segments("preview", "regular", code=1)


def test_a_lake_without_marts_says_so(company, segments):
    """Nobody is in a segment of nothing; that is no empty segment."""
    catalogs.open_catalog(company.settings).drop_table("marts.rfm")
    for arguments in (("preview", "rich"), ("explain", "rich", "c_ann"), ("diff",)):
        assert "marts.rfm hold nothing yet" in segments(*arguments, code=1)
    assert segments.json("check")["errors"] == 0
    assert "never computed" in segments("list")


def test_explain_says_which_condition_decides(segments):
    """Each with its value; a segment that is excluded counts; what the next run would do is told."""
    refresh.refresh(segments.company.settings)
    found = segments.json("explain", "regulars", "c_ida")
    assert [(line["text"], line["holds"], line["values"]) for line in found["lines"]] == [
        ("all of", False, {}),
        ("purchase_days >= 3", False, {"purchase_days": 1}),
        ("recency_days <= 30", True, {"recency_days": 1}),
    ]
    assert (found["since"], found["fulfils"], found["exclude"]) == (None, False, {"rich": False})
    found = segments.json("explain", "regulars", "c_eve")
    assert (found["fulfils"], found["exclude"], found["lines"][0]["holds"]) == (False, {"rich": True}, True)
    assert segments.json("explain", "regulars", "c_ann")["since"] == "2026-03-01"
    segments.marts(2, c_ann=(3, 99, 1), c_ida=(3, 1, 1))
    assert "the next run takes it out" in segments("explain", "regulars", "c_ann")
    assert "the next run takes it in" in segments("explain", "regulars", "c_ida")
    assert "the marts have no row of this customer" in segments("explain", "regulars", "c_bob")
    assert "has no row of c_joe" in segments("explain", "regulars", "c_joe", code=1)
    segments.define(rich=RICH.replace("m = 5", "mm = 5"))
    assert "keeps its members: where: there is no column mm" in segments("explain", "rich", "c_eve")


def test_what_no_number_of_json_says_is_text(segments):
    """JSON has no word for NaN, and a value that is not known is nothing."""
    segments.define(rich=RICH.replace("m = 5", "mean_gap_days > 3 AND revenue > 1 AND m <> 3"))
    segments.company.fill("marts.customer_360", {
        "customer_id": "c_ann", "as_of": date(2026, 3, 1), "mean_gap_days": float("nan"), "revenue": Decimal("2.50"),
    })  # fmt: skip
    segments.company.fill("marts.rfm")
    lines = segments.json("explain", "rich", "c_ann")["lines"]
    assert [(line["holds"], line["values"]) for line in lines] == [
        (None, {}),
        (True, {"mean_gap_days": "nan"}),
        (True, {"revenue": "2.50"}),
        (None, {"m": None}),
    ]
    assert "nothing" in segments("explain", "rich", "c_ann")
    assert segments.json("preview", "rich")["size"] == 0


def difference(found: Any, name: str = "regulars") -> tuple[Any, ...]:
    [one] = [each for each in found["segments"] if each["segment"] == name]
    return one["state"], one["before"], one["after"], one["entering"], one["leaving"]


def test_diff_says_what_the_next_run_changes_and_why(segments):
    """Who enters is explained by the marts that the members were computed from, who leaves by those of now."""
    refresh.refresh(segments.company.settings)
    assert difference(segments.json("diff", "regulars"))[:3] == ("same", 2, 2)
    segments.marts(2, c_ann=(3, 40, 1), c_bob=(4, 9, 5), c_ida=(3, 1, 1), c_joe=(3, 1, 1))
    state, before, after, entering, leaving = difference(segments.json("diff", "regulars"))
    assert (state, before, after) == ("same", 2, 2)
    assert entering == {
        "count": 2, "lacking": {"marketing/email": 2},
        "reasons": {"not: purchase_days >= 3": 1, "was no customer": 1},
        "customers": [["c_ida", ["not: purchase_days >= 3"]], ["c_joe", ["was no customer"]]],
    }  # fmt: skip
    assert leaving["reasons"] == {"in rich, which is excluded": 1, "not: recency_days <= 30": 1}
    assert leaving["lacking"] == {"marketing/email": 1}
    refresh.refresh(segments.company.settings)
    assert sorted(each[0] for each in segments.company.ask(
        "select customer_id from ops.segment_members where segment = 'regulars'")) == ["c_ida", "c_joe"]  # fmt: skip
    (segments.folder / "own" / "segments" / "regulars.yaml").unlink()
    state, _, after, _, leaving = difference(segments.json("diff"))
    assert (state, after, leaving["reasons"]) == ("gone", 0, {"there is no such segment any more": 2})


def test_diff_of_definitions_reviews_a_change(segments):
    """Over the same marts, whatever the last run saw; as text, as JSON, as Markdown that names nobody."""
    refresh.refresh(segments.company.settings)
    segments.marts(2, c_ann=(3, 5, 1), c_bob=(4, 9, 1), c_eve=(9, 1, 5), c_ida=(2, 1, 1))
    other = segments.define(
        "other",
        regulars=REGULARS.replace("days >= 3", "days BETWEEN 2 AND 3").replace("exclude: [rich]\n", ""),
        fresh=f"name: fresh\n{HEAD}where: purchase_days = 2 OR m = 5\n",
        mine=SYNC,
    )
    found = segments.json("diff", "--definitions", other)
    state, before, after, entering, leaving = difference(found)
    assert (state, before, after) == ("changed", 2, 2)
    assert entering["reasons"] == {"not: purchase_days >= 3": 1}
    assert leaving["reasons"] == {"not: purchase_days BETWEEN 2 AND 3": 1}
    assert difference(found, "fresh")[:3] == ("new", 0, 2)
    assert difference(found, "rich")[0] == "gone"
    assert difference(found, "high_value")[0] == "same"
    text = segments("diff", "--definitions", other, "--markdown")
    assert "| regulars | changed | 2 | 1 | 1 | 2 |" in text
    assert "- `exclude: rich → none`" in text
    assert "`where: purchase_days >= 3 AND recency_days <= 30 → purchase_days BETWEEN 2 AND 3 AND" in text
    assert "**1 would enter**; 1 of them lack consent for marketing/email." in text
    assert "c_" not in text
    assert "high\\_value" not in text
    assert "such as c_ida" in segments("diff", "regulars", "--definitions", other)
    assert (
        segments.json("diff", "regulars", "--definitions", other, "--show", "0")["segments"][0]["entering"][
            "customers"
        ]
        == []
    )


def test_diff_refuses_what_is_no_folder_of_definitions_and_definitions_that_are_wrong(segments):
    """A folder too deep would make everybody leave; a wrong definition changes nothing, and fails the review."""
    refresh.refresh(segments.company.settings)
    assert "has no folder `segments`" in segments(
        "diff", "--definitions", str(segments.folder / "own" / "segments"), code=1
    )
    other = segments.define("other", regulars=REGULARS.replace("recency_days", "recencydays"), rich=RICH)
    [wrong] = [
        each for each in segments.json("diff", "--definitions", other, code=1)["segments"] if each["wrong"]
    ]
    assert (wrong["segment"], wrong["before"], wrong["after"], wrong["leaving"]["count"]) == (
        "regulars",
        2,
        2,
        0,
    )
    assert "**regulars is wrong and keeps its members**" in segments(
        "diff", "--definitions", other, "--markdown", code=1
    )
    assert "contradict" in segments("diff", "--markdown", "--json", code=1)


def test_history_knows_who_was_in_it_and_why(segments):
    """Runs, steps of a customer, a moment, and the conditions of then with the values of then."""
    refresh.refresh(segments.company.settings)
    first = datetime.now(UTC)
    segments.marts(2, c_ann=(3, 99, 1), c_bob=(4, 9, 1), c_ida=(3, 1, 1))
    segments.define(regulars=REGULARS.replace("<= 30", "<= 20"))
    refresh.refresh(segments.company.settings)
    found = segments.json("history", "regulars")["history"]
    assert [(run["entered"], run["left"], run["size"]) for run in found] == [(2, 0, 2), (1, 1, 2)]
    steps = segments.json("history", "regulars", "c_ann")["history"]
    assert [step["change"] for step in steps] == ["entered", "left"]
    then = segments.json("history", "regulars", "--at", first.isoformat())
    assert (then["size"], then["customers"]) == (2, ["c_ann", "c_bob"])
    assert then["where"] == "purchase_days >= 3 AND recency_days <= 30"
    was = segments.json("history", "regulars", "c_ann", "--at", first.isoformat())
    assert (was["is_in"], was["notes"]) == (True, [])
    assert was["trace"]["lines"][2] == {
        "depth": 1, "text": "recency_days <= 30", "holds": True, "values": {"recency_days": 5},
    }  # fmt: skip
    now = segments.json("history", "regulars", "c_ann", "--at", datetime.now(UTC).isoformat())
    assert (now["is_in"], now["trace"]["lines"][2]["values"]) == (False, {"recency_days": 99})
    assert segments.json("history", "regulars", "--at", "2020-01-01")["size"] == 0
    for arguments in (("c_ann",), (), ("c_ann", "--at", first.isoformat()), ("--at", first.isoformat())):
        assert "2026" in segments("history", "regulars", *arguments)
    assert "was never in regulars" in segments("history", "regulars", "c_joe")
    assert "never was" in segments("history", "regulrs", code=1)
    assert "say a day as 2026-05-03" in segments("history", "regulars", "--at", "may", code=1)


def test_history_says_where_a_snapshot_has_expired(segments):
    """Who was in it is known all the same; of runs before they were noted the definition of today is told as such."""
    refresh.refresh(segments.company.settings)
    first = datetime.now(UTC).isoformat()
    settings = segments.company.settings
    keys = objects.list_keys(settings.ops_bucket, run_record.PREFIX)
    [key] = [f"{run_record.PREFIX}{key}" for key in keys]
    segments.marts(2, c_ann=(3, 99, 1))
    table = catalogs.open_catalog(settings).load_table("marts.rfm")
    table.maintenance.expire_snapshots().by_id(table.metadata.snapshots[0].snapshot_id).commit()
    was = segments.json("history", "regulars", "c_ann", "--at", first)
    assert (was["is_in"], was["trace"]) == (True, None)
    [note] = was["notes"]
    assert "of marts.rfm has expired; the oldest that is kept is of 2" in note
    assert "has expired" in segments("history", "regulars", "c_ann", "--at", first)
    silent = segments.json("diff", "regulars", "--show", "0")["segments"][0]
    assert silent["leaving"]["reasons"] == {"no customer any more": 1, "not: recency_days <= 30": 1}
    aws.s3().delete_object(Bucket=settings.ops_bucket, Key=key)
    assert "the definition of then was not noted" in segments("history", "regulars", "--at", first)


def test_export_writes_members_with_a_manifest(segments, tmp_path):
    """As CSV that no spreadsheet runs, as a workbook, as Parquet; with columns that one asks for."""
    segments.company.fill(
        "core.customers", {"customer_id": "c_ann", "name": "=1+1", "email": "ann@example.org"}
    )
    assert "never computed" in segments("export", "regulars", "-o", str(tmp_path / "a.csv"), code=1)
    refresh.refresh(segments.company.settings)
    for ending in ("csv", "xlsx", "parquet"):
        file = tmp_path / f"regulars.{ending}"
        told = segments.json("export", "regulars", "-o", str(file), "--with", "name", "--with", "m")
        assert json.loads(file.with_name(f"{file.name}.json").read_text("utf-8")) == told
        assert (told["rows"], told["columns"]) == (2, ["customer_id", "entered_on", "as_of", "name", "m"])
        assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert date.fromisoformat(told["expires_on"]) > datetime.fromisoformat(told["made_at"]).date()
    assert (tmp_path / "regulars.csv").read_text("utf-8-sig").splitlines() == [
        "customer_id,entered_on,as_of,name,m",
        "c_ann,2026-03-01,2026-03-01,'=1+1,1",
        "c_bob,2026-03-01,2026-03-01,,1",
    ]
    assert [row["name"] for row in pq.read_table(tmp_path / "regulars.parquet").to_pylist()] == ["=1+1", None]
    assert "did you mean revenue" in segments("export", "rich", "-o", "x.csv", "--with", "revenu", code=1)
    assert "CSV, xlsx or Parquet" in segments("export", "rich", "-o", "x.json", code=1)
    assert "1 customer in" in segments("export", "rich", "-o", str(tmp_path / "rich.xlsx"))
