"""The samples of Chinese systems and of advertising: built as said, and one person in several of them is one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from lakehouse.engine.escape import literal
from lakehouse.stages.resolve import resolve
from tests.support import samples
from tests.support.sample_cells import phone
from tests.support.small_company import company

SAMPLES = sorted(samples.SAMPLES)


@pytest.fixture
def lake_company(lake, monkeypatch, tmp_path):
    with company(monkeypatch, tmp_path) as lake_company:
        yield lake_company


@pytest.mark.parametrize("place", SAMPLES)
def test_a_sample_is_what_its_builder_writes(place):
    """So that whoever reads the one knows the other."""
    kept, built = (samples.FOLDER / place).read_bytes(), samples.SAMPLES[place]()
    if place.endswith(".xlsx"):  # two versions of zlib pack alike, not the same
        kept, built = (_parts(body) for body in (kept, built))
    assert kept == built


def _parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_people_are_known_across_systems(lake_company):
    """A union id ties two apps of WeChat, a lead and a customer of 企业微信; an open id ties only within its app."""
    for place in ("wechat/users.jsonl", "wechat/leads.csv", "wecom/customers.jsonl"):
        lake_company.load(place.rpartition(".")[0], Path(place).name, (samples.FOLDER / place).read_bytes())
    resolve(lake_company.settings)

    def who(kind: str, value: str) -> str:
        ((customer,),) = lake_company.ask(
            "SELECT customer_id FROM core.identities WHERE identifier_type = "
            f"{literal(kind)} AND identifier_value = {literal(value)}"
        )
        return customer

    a, b = "wxsample0000000a", "wxsample0000000b"
    assert who("wechat_openid", f"{a}:osample-a-1") == who("wechat_openid", f"{b}:osample-b-1")
    assert who("wechat_openid", f"{a}:osample-a-1") == who("wechat_lead", "9000000001")
    assert who("wechat_openid", f"{a}:osample-a-1") == who("phone", f"+86{phone(121)}")
    assert who("wechat_openid", f"{a}:osample-same") != who("wechat_openid", f"{b}:osample-same")
    assert who("wechat_openid", f"{a}:osample-a-1") == who("wecom_external_userid", "woSampleAbCdEf1")
    assert who("wecom_external_userid", "woSampleAbCdEf1") == who("phone", f"+86{phone(132)}")
    assert who("wecom_external_userid", "woSampleAbCdEf1") != who("wecom_external_userid", "woSampleabcdef1")
