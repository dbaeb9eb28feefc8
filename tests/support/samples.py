"""Writes the samples of Chinese systems and of advertising under tests/samples: `python -m tests.support.samples`.

Their people are generated: names are 样 and a number, phones begin with 1999900, mail goes to example.com.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import sample_ads as ads
from tests.support import sample_systems as systems

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parents[1] / "samples"

SAMPLES = {
    "wukong/customers.xlsx": systems.wukong_customers,
    "wukong/contacts.xlsx": systems.wukong_contacts,
    "wukong/deals.xlsx": systems.wukong_deals,
    "wukong/contracts.xlsx": systems.wukong_contracts,
    "wukong/payments.xlsx": systems.wukong_payments,
    "wukong/activities.xlsx": systems.wukong_activities,
    "list/contacts.xlsx": systems.list_contacts,
    "jiandaoyun/leads.xlsx": systems.jiandaoyun_leads,
    "jiandaoyun/webhooks.jsonl": systems.jiandaoyun_webhooks,
    "huoban/customers.xlsx": systems.huoban_customers,
    "huoban/webhooks.jsonl": systems.huoban_webhooks,
    "douyin/leads.csv": ads.douyin_leads,
    "wechat/leads.csv": ads.wechat_leads,
    "wechat/users.jsonl": ads.wechat_users,
    "wecom/customers.jsonl": ads.wecom_customers,
    "meta/leads.csv": ads.meta_leads,
    "google/leads.jsonl": ads.google_leads,
    "ads/spend.csv": ads.ads_spend,
    "douyin/spend.xlsx": ads.douyin_spend,
    "google/spend.csv": ads.google_spend,
    "meta/spend.csv": ads.meta_spend,
}


def main(folder: Path = FOLDER, wanted: Sequence[str] = tuple(SAMPLES)) -> None:
    """Write the samples."""
    for place in wanted:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SAMPLES[place]())


if __name__ == "__main__":
    main()
