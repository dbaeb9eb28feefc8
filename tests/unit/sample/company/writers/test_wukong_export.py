"""悟空's workbooks: records name customers by the name that only one of them has."""

from __future__ import annotations

import re
from typing import Any

import pytest


@pytest.mark.parametrize("entity", ["deals", "contracts", "payments"])
def test_customers_are_named_by_their_whole_name(exports: Any, entity: str) -> None:
    """With the number behind, which tells people of one name apart."""
    names = exports["wukong/customers"]["客户名称"]
    assert all(re.search(r"（\d{9}）$", name) for name in names)
    assert set(exports[f"wukong/{entity}"]["客户名称"]) <= set(names)


def test_contracts_are_the_deals_that_were_won_and_are_paid(exports: Any) -> None:
    """Under one number in both, and worth the same."""
    deals, contracts, payments = (exports[f"wukong/{name}"] for name in ("deals", "contracts", "payments"))
    won = [row for row, stage in enumerate(deals["商机阶段"]) if stage == "赢单"]
    assert contracts["商机名称"] == [deals["商机名称"][row] for row in won]
    assert contracts["合同编号"] == payments["合同编号"]
    assert contracts["合同金额（元）"] == payments["回款金额（元）"]
    assert len(set(payments["回款编号"])) == len(won) > 0


def test_only_lost_deals_have_a_reason(exports: Any) -> None:
    """In 悟空's words."""
    deals = exports["wukong/deals"]
    reasons = {
        (stage == "输单", reason is None)
        for stage, reason in zip(deals["商机阶段"], deals["输单原因"], strict=True)
    }
    assert reasons == {(True, False), (False, True)}


def test_activities_belong_to_customers_and_are_never_empty(exports: Any) -> None:
    """悟空 takes no empty note: 无 stands for one."""
    activities = exports["wukong/activities"]
    assert set(activities["所属客户"]) <= set(exports["wukong/customers"]["客户名称"])
    assert set(activities["相关商机"]) - {None} <= set(exports["wukong/deals"]["商机名称"])
    assert None not in activities["跟进内容"]
    assert "无" in activities["跟进内容"]
