"""Regions of China: whole and short names, levels left out, and what is no region but a street."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from lakehouse.identity.normalise.regions import find_region, level_of


@pytest.mark.parametrize(
    ("address", "code", "rest"),
    [
        ("浙江省杭州市西湖区文三路100号", "330106", "文三路100号"),
        ("浙江杭州西湖文三路", "330106", "文三路"),
        ("杭州钱塘区下沙", "330114", "下沙"),  # of 2021
        ("杭州市临平区", "330113", ""),
        ("钱塘区", "330114", ""),
        ("北京市北京市朝阳区建国路", "110105", "建国路"),
        ("北京朝阳建国路", "110105", "建国路"),
        ("重庆市奉节县", "500236", ""),
        ("新疆伊犁州", "654000", ""),
        ("延边延吉市", "222401", ""),
        ("吉林省吉林市昌邑区", "220202", ""),
        ("吉林市船营区", "220204", ""),
        ("河南省济源市", "419001", ""),
        ("东莞市南城", "441900", "南城"),
        ("中国香港特别行政区湾仔区", "810107", ""),
        ("朝阳区建国路", "", "建国路"),  # of Beijing or of Changchun
        ("浙江省西湖区", "330106", ""),
        ("南京东路100号", "", "南京东路100号"),
        ("上海市黄浦区南京东路", "310101", "南京东路"),
        ("北京路1号", "", "北京路1号"),
        ("12 High St", "", "12 High St"),
        ("", "", ""),
    ],
)
def test_the_region_that_an_address_begins_with(address: str, code: str, rest: str) -> None:
    """The code as deep as it is said, and what follows."""
    assert find_region(address) == (code, rest)


def test_every_region_is_found_by_its_whole_name() -> None:
    """Province, city and district in a row give the district's code; the list knows all of them."""
    rows = list(
        csv.DictReader(
            (files("lakehouse.identity.normalise") / "regions.csv").read_text("utf-8").splitlines()
        )
    )
    names = {row["code"]: row["name"] for row in rows}
    wrong = []
    for code, name in names.items():
        above = [names.get(f"{code[:2]}0000", ""), names.get(f"{code[:4]}00", "")][: level_of(code) - 1]
        found, rest = find_region("".join(dict.fromkeys([*above, name])))
        if (found, rest) != (code, "") and name not in above:
            wrong.append((code, found, rest))
    assert len(rows) > 3_400
    assert wrong == []
