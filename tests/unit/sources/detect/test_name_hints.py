"""What a header says its column holds, before any value was looked at."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.name_hints import hints


@pytest.mark.parametrize(
    ("header", "kinds"),
    [
        ("E-Mail", {"email"}), ("email_address", {"email"}), ("MobilePhone", {"phone"}), ("联系电话", {"phone"}),
        ("身份证号", {"chinese_id"}), ("FirstName", {"name"}), ("收货人", {"name"}), ("companyName", set()),
        ("商品名称", set()), ("收货地址", {"address"}), ("client_ip", {"ip"}), ("IP地址", {"ip"}),
        ("微信unionid", {"wechat_id"}), ("DateOfBirth", {"birthday", "date"}), ("HasOptedOutOfEmail", {"flag"}),
        ("是否会员", {"flag"}), ("description", set()), ("zip", set()),
    ],
)  # fmt: skip
def test_headers_hint(header, kinds):
    """In English and Chinese, however the words are joined; a thing's name is no person's."""
    assert hints(header) == kinds
