"""Companies without their legal form."""

from __future__ import annotations

import pytest

from lakehouse.identity.normalise.companies import company_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Acme Ltd.", "acme"),
        ("ＡＣＭＥ Limited", "acme"),
        ("The Acme Company", "acme"),
        ("Müller & Söhne GmbH & Co. KG", "muller sohne"),
        ("S.A.P. S.E.", "sap"),
        ("Co", "co"),
        ("Ltd Co", "ltd co"),
        ("腾讯（深圳）有限公司", "腾讯"),
        ("阿里巴巴集团控股有限公司", "阿里巴巴"),
        ("北京字节跳动科技有限公司", "北京字节跳动科技"),
        ("公司", "公司"),
        ("x" * 10_000, ""),
        (" ", ""),
        (None, ""),
    ],
)
def test_the_legal_form_goes(text: str | None, name: str) -> None:
    """And nothing else; a name that is a legal form alone stays."""
    assert company_name(text) == name
