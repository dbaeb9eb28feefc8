"""A destination's file says what is wrong with it, with file, field and line."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition, Terminal
from lakehouse.outbound.definition import load_syncs, wrong_syncs
from lakehouse.outbound.destinations import batch_limit
from lakehouse.outbound.destinations.definition import (
    find_destination,
    load_destinations,
    parse_destination,
    wrong_destinations,
)
from lakehouse.outbound.destinations.template import load_template

HTTP = "name: mine\nkind: http\nurl: https://crm.example.com\ntemplate: own_crm\n"
INLINE = """name: mine
kind: http
url: https://crm.example.com
template:
  batch: 10
  idempotent: true
  removal: none
  upsert:
    path: /x
    row: {id: "{id}"}
    body: {rows: "{rows}"}
"""
ROBOT = "name: mine\nkind: feishu\nmessage: '{count} new'\n"
SYNC = """name: news
destination: mine
object: contacts
id: {property: email, from: email}
purpose: marketing
channel: email
segments: [vip]
properties: {tier: segments}
"""


@pytest.mark.parametrize(
    ("text", "before", "after", "says"),
    [
        (HTTP, "kind: http", "kind: htpp", "kind: there is no kind 'htpp'; did you mean http"),
        (HTTP, "kind: http\n", "", "kind: there is no kind ''"),
        (HTTP, "url:", "ulr:", r"ulr: unknown name; did you mean url\? \(line 3\)"),
        (
            HTTP,
            "https://crm.example.com",
            "crm.example.com",
            r"url: a URL begins with https:// .* \(line 3\)",
        ),
        (HTTP, "https://crm.example.com", "file:///etc/passwd", "url: a URL begins"),
        (
            HTTP,
            "https://crm.example.com",
            "https://u:p@crm.example.com",
            "url: credentials do not stand in a URL",
        ),
        (HTTP, "https://crm.example.com", "https://crm.example.com/?k=v", "neither `\\?` nor `#`"),
        (HTTP, "https://crm.example.com", '"https://crm.example.com/\\nx"', "no control characters"),
        (HTTP, "https://crm.example.com", "https://crm.example.com:x", "url: it is no URL"),
        (HTTP, "https://crm.example.com", "https://[::1", "url: it is no URL"),
        (HTTP, "own_crm", "own_crn", "template: there is no template 'own_crn'; did you mean own_crm"),
        (HTTP, "name: mine", "name: other", "must be the file's own name"),
        (HTTP, "name: mine", "name: [", "not YAML"),
        (
            INLINE,
            "{rows}",
            "{row}",
            r"upsert: \{row\} is nothing that a template can name; did you mean rows",
        ),
        (INLINE, '"{rows}"', "1", "body: nothing in it is"),
        (INLINE, "path: /x", 'path: "/x/{id}"', "is of one row: set `batch: 1`"),
        (INLINE, "path: /x", 'path: "/x/{secret.token}"', "a secret stands in a header"),
        (INLINE, '"{id}"', '"{id|sha1}"', "sha1 is no filter; did you mean"),
        (INLINE, "removal: none", "removal: clear", "remove: a template says how to remove"),
        (INLINE, "batch: 10", "batch: 0", "batch: "),
        (INLINE, "  idempotent: true\n", "", "idempotent: Field required"),
        (ROBOT, "{count}", "{email}", r"message: only \{count\} and \{sync\} stand in braces \(line 3\)"),
        (ROBOT, "{count}", "{count.__class__.__init__.__globals__}", "only {count} and {sync}"),
        (ROBOT, "{count}", "{0}", "only {count} and {sync}"),
    ],
)
def test_what_is_wrong_is_told(text, before, after, says):
    """A typo of each kind."""
    with pytest.raises(BadDefinition, match=rf"mine\.yaml: .*{says}"):
        parse_destination(text.replace(before, after), "mine.yaml")


@pytest.mark.parametrize(
    "name", ["zoho_crm", "wukong", "own_crm", "own_crm_batch", "sms", "email", "ad_audience"]
)
def test_templates_that_ship_are_sound(name):
    """Each loads, and says whether it may be sent twice and how to remove."""
    template = load_template(name)
    assert template.idempotent or template.removal == "none"


def test_names_find_their_file(tmp_path):
    """Those that ship, people's own, and HubSpot, which needs none; a wrong file stops only its own."""
    folder = tmp_path / "destinations"
    folder.mkdir()
    (folder / "mine.yaml").write_text(HTTP, "utf-8")
    (folder / "broken.yaml").write_text(HTTP.replace("url", "ulr"), "utf-8")
    (folder / "hubspot.yaml").write_text(HTTP.replace("mine", "hubspot"), "utf-8")
    assert sorted(load_destinations(tmp_path)) == ["csv_files", "hubspot", "mine", "wukong_import"]
    assert sorted(wrong_destinations(tmp_path)) == ["broken", "hubspot"]
    assert find_destination(tmp_path, "hubspot").kind == "hubspot"
    with pytest.raises(Terminal, match=r"destinations/broken\.yaml: .*ulr"):
        find_destination(tmp_path, "broken")
    with pytest.raises(Terminal, match="did you mean mine"):
        find_destination(tmp_path, "mime")


@pytest.mark.parametrize(
    ("destination", "before", "after", "says"),
    [
        ("", "", "", r"destination: no destination is called 'mine'.*\(line 2\)"),
        (HTTP.replace("url", "ulr"), "", "", "destination: destinations/mine.yaml: .*ulr"),
        (HTTP, "{tier: segments}", "{email: segments}", "properties: 'email' is what records are known by"),
        (HTTP, "tier", '"ti\\ner"', "properties"),
        (HTTP, "object: contacts", "object: ../contacts", "object: String should match"),
        ("name: mine\nkind: salesforce\nurl: https://x.my.salesforce.com\n", "tier", "客户", "no name of a property"),
        ("name: mine\nkind: salesforce\nurl: https://x.my.salesforce.com\n", "property: email", "property: e-mail",
         "id.property: 'e-mail' is no name"),
        (HTTP, "destination: mine", "destination: hubspot\n#", ""),
    ],
)  # fmt: skip
def test_a_sync_that_its_destination_cannot_take_stops_only_itself(
    tmp_path, destination, before, after, says
):
    """Told with file and field; the others go on."""
    for name, text in (("destinations/mine", destination), ("syncs/news", SYNC.replace(before, after))):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.yaml").write_text(text or "name: mine2", "utf-8")
    if not destination:
        (tmp_path / "destinations/mine.yaml").unlink()
    if says:
        assert list(load_syncs(tmp_path)) == ["hubspot_segments"]
    assert set(wrong_syncs(tmp_path)) == ({"news"} if says else set())
    if says:
        with pytest.raises(AssertionError, match=says):
            raise AssertionError(wrong_syncs(tmp_path)["news"])


def test_chunks_fit_what_a_destination_takes(tmp_path):
    """Within its rate for the time that a chunk has: a text message ten times a second, halved between two workers."""
    (tmp_path / "destinations").mkdir()
    for name, text in (
        ("mine", HTTP),
        ("slow", f"{INLINE.replace('name: mine', 'name: slow')}  rate: {{requests: 1, seconds: 20}}\n"),
        ("group", ROBOT.replace("name: mine", "name: group")),
    ):
        (tmp_path / "destinations" / f"{name}.yaml").write_text(text, "utf-8")
    sizes = {
        name: batch_limit(name, tmp_path) for name in ("mine", "slow", "group", "wukong_import", "hubspot")
    }
    assert sizes == {"mine": 100, "slow": 10, "group": 10_000, "wukong_import": 5000, "hubspot": 100}
