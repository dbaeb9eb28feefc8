"""Chinese addresses: however the same door is written, its parts are the same."""

from __future__ import annotations

import pytest

from lakehouse.identity.normalise.chinese_addresses import chinese_address


@pytest.mark.parametrize(
    ("text", "region", "street", "number", "unit", "estate"),
    [
        ("浙江省杭州市西湖区文三路100号3栋2单元501室", "330106", "文三路", "100", "3-2-501", ""),
        ("浙江 杭州 西湖区 文三路１００号 3-2-501", "330106", "文三路", "100", "3-2-501", ""),
        ("西湖区文三路100号三栋二单元501", "", "文三路", "100", "3-2-501", ""),
        ("杭州市西湖区北山街道曙光路十五号", "330106", "曙光路", "15", "", ""),
        ("北京市朝阳区建国路88号SOHO现代城A座1203", "110105", "建国路", "88", "a-1203", "soho现代城"),
        ("北京市海淀区中关村大街27号院5号楼2单元301", "110108", "中关村大街", "27", "5-2-301", ""),
        ("上海市浦东新区世纪大道100弄20号301室", "310115", "世纪大道", "100-20", "301", ""),
        ("江苏省苏州市工业园区星湖街328号创意产业园5-302", "320500", "星湖街", "328", "5-302", "创意产业园"),
        ("杭州市余杭区五常街道西溪花园12幢3单元401室（送货上门）", "330110", "", "", "12-3-401", "西溪花园"),
        ("杭州市西湖区三里亭小区5幢", "330106", "", "", "5", "三里亭小区"),
        ("成都市武侯区天府三街199号", "510107", "天府三街", "199", "", ""),
        ("建国路", "", "建国路", "", "", ""),
        ("，。", "", "", "", "", ""),
    ],
)
def test_the_parts_of_an_address(text, region, street, number, unit, estate) -> None:
    """Region, road, house number, the numbers behind it, and the estate."""
    read = chinese_address(text)
    assert (read.region, read.street, read.number, read.unit, read.estate) == (
        region,
        street,
        number,
        unit,
        estate,
    )


def test_city_and_district() -> None:
    """They are said as far as the code goes."""
    read = chinese_address("浙江省杭州市西湖区")
    assert (read.city, read.district) == ("3301", "330106")
    assert (chinese_address("浙江省杭州市").city, chinese_address("浙江省杭州市").district) == ("3301", "")
    assert chinese_address("浙江省").city == ""
