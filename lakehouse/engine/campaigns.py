"""SQL of what a tracked event says of the campaign that brought somebody, and of addresses.

Segment's SDKs read `utm_…` of a page's address into `context.campaign`; of click ids, and where an SDK does not, the
address itself tells: `context.page.url`, its `search`, or `properties.url`. Parameters may stand behind `#`, too, where
a site routes by it, and behind `;`, which is what an unread `&amp;` of a mail leaves.
"""

from __future__ import annotations

from typing import Final

_UTM: Final = {
    "source": "utm_source",
    "medium": "utm_medium",
    "name": "utm_campaign",
    "content": "utm_content",
    "term": "utm_term",
}
_CLICK_IDS: Final = "[a-z]*cl(?:ick|k)?id|gbraid|wbraid|bd_vid|li_fat_id|rdt_cid|ScCid|epik|qz_gdt"
_MARKS: Final = ("utm_", "id=", "epik=", "qz_gdt=")  # one of them is in every address that names a campaign
_HOST: Final = "^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)"
_PATH: Final = "^(?:[a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)"


def campaign_links_sql(context: str, properties: str) -> str:
    """Return the SQL of the addresses of an event that may name a campaign, one text; null where none can."""
    may_name = " OR ".join(f"contains({text}, '{mark}')" for text in (context, properties) for mark in _MARKS)
    said = f"concat_ws('#', {properties}->>'$.url', {context}->>'$.page.url', {context}->>'$.page.search')"
    return f"CASE WHEN contains({context}, '\"campaign\"') OR {may_name} THEN replace({said}, '+', ' ') END"


def link_parts_sql(links: str) -> str:
    """Return the SQL of what addresses name of a campaign, as it is written: a struct of texts, null for no text."""
    parts = [f"'{name}': regexp_extract({links}, '[?&#;]{key}=([^&#]*)', 1)" for name, key in _UTM.items()]
    parts.append(f"'click': regexp_extract({links}, '[?&#;]((?:{_CLICK_IDS})=[^&#]+)', 1)")
    return f"CASE WHEN {links} IS NOT NULL THEN {{{', '.join(parts)}}} END"


def campaign_sql(parts: str, campaign: str) -> str:
    """Return the SQL of a campaign: a struct of texts, null where it is not named; null for none at all.

    `parts` are those of `link_parts_sql`, `campaign` is the JSON of `context.campaign`, whose words come first. What
    cannot be decoded stays as it is. `click` is kind and value, `gclid=…`.
    """
    said = [
        f"'{name}': nullif(coalesce(nullif({campaign}->>'$.{name}', ''), "
        f"TRY(url_decode({parts}.{name})), {parts}.{name}), '')"
        for name in _UTM
    ]
    said.append(f"'click': nullif({parts}.click, '')")
    named = ", ".join(f"{parts}.{name}" for name in (*_UTM, "click"))
    struct = "{" + ", ".join(said) + "}"
    return f"CASE WHEN {campaign} IS NOT NULL OR concat({named}) <> '' THEN {struct} END"


def host_sql(address: str) -> str:
    """Return the SQL of the host of an address; null for a text that is none."""
    return f"nullif(regexp_extract({address}, '{_HOST}', 1), '')"


def path_sql(address: str) -> str:
    """Return the SQL of the path of an address or of a path, without what stands behind `?` or `#`."""
    return f"regexp_extract({address}, '{_PATH}', 1)"
