"""People's own rules of survivorship, and what is wrong with them."""

from __future__ import annotations

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.models import registry
from lakehouse.models.golden_record import load


def test_people_s_own_rules_override_the_shipped_ones(tmp_path):
    """And change the model's version, so that its rows are computed anew."""

    def of_customers(folder):
        return registry.load(folder).by_table["core.customers"]

    (tmp_path / "identity").mkdir()
    own = tmp_path / "identity" / "customers.yaml"
    own.write_text("name: customers\ndoc: Ours\ntrusted: [crm]\nfields: {city: most_trusted}\n", "utf-8")
    assert load(tmp_path).rule("city") == "most_trusted"
    assert of_customers(tmp_path).version != of_customers(None).version
    own.write_text("name: customers\ndoc: Ours\nfields: {citty: longest}\n", "utf-8")
    with pytest.raises(BadDefinition, match="citty: no field of the golden record; did you mean city"):
        load(tmp_path)
    own.write_text("name: customers\ndoc: Ours\nfields: {city: most_trusted}\n", "utf-8")
    with pytest.raises(BadDefinition, match="trusted: name sources"):
        load(tmp_path)
