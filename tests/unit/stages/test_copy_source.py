"""A source is copied by what people's own folder says of it, if it says something."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.sources import definition
from lakehouse.stages.copy_source import copy_source

SHIPPED = {definition.parse(file.text, file.name).source_key: file.text for file in definition.load.files()}


@pytest.fixture
def settings(tmp_path):
    """Settings that name a folder of definitions: one overrides a shipped one."""
    (tmp_path / "sources").mkdir()
    own = SHIPPED["shopify", "orders"].replace("doc: Orders as", "doc: Our orders as")
    (tmp_path / "sources" / "mine.yaml").write_text(own, "utf-8")
    yield SimpleNamespace(definitions=tmp_path)
    definition.load.cache_clear()


def test_people_s_own_definition_is_copied(settings):
    """Not the shipped one that it overrides."""
    copied = copy_source(settings, "shopify", "shopify_eu")
    assert copied.own_types == ["shopify_customer"]
    (text,) = copied.texts.values()
    assert "doc: Our orders as" in text
    assert "source: shopify_eu\n" in text


def test_a_type_that_the_source_lacks(settings):
    """A typo of it would silently share what is to be apart."""
    with pytest.raises(BadDefinition, match="did you mean phone"):
        copy_source(settings, "shopify", "shopify_eu", ["phon"])
