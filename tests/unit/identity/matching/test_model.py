"""A model is a file: it comes back as it was, and one of another version, or damaged, is refused with what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.identity.matching import model as models
from lakehouse.identity.matching.comparisons import COMPARISONS, Level
from lakehouse.identity.matching.model import (
    Frequencies,
    comparisons_version,
    default_model,
    load_model,
    read_model,
)


def test_a_model_comes_back_as_it_was(tmp_path: Path) -> None:
    """Chances, frequencies, and how many records there were."""
    shares = {"family": Frequencies({"张": 0.07, "O'Brien": 0.001}, 1e-5)}
    model = replace(default_model(), records=12_345, frequencies=shares, names_tell=0.9)
    model.save(tmp_path / "model.json")
    assert load_model(tmp_path / "model.json") == model


def test_the_default_belongs_to_the_comparisons() -> None:
    """Each comparison has its levels, an agreement is likelier within a person than by chance, a difference is not."""
    chances = default_model().chances
    assert list(chances) == [comparison.name for comparison in COMPARISONS]
    for found in chances.values():
        assert found.m[0] > found.u[0]
        assert found.m[-1] < found.u[-1]
        assert 0.9 < sum(found.m) < 1.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda said: said | {"format": "splink 4"}, "has the format 'splink 4'"),
        (lambda said: said | {"comparisons": "0123"}, "was made for other comparisons"),
        (lambda said: said | {"chances": {}}, "lacks a probability of chinese_name"),
        (lambda said: said["chances"]["phone"]["m"].pop() and said, "lacks a probability of phone"),
        (
            lambda said: said["chances"]["phone"].update(u=[0.0, 1.0, "x"]) or said,
            "lacks a probability of phone",
        ),
        (lambda said: {name: said[name] for name in said if name != "records"}, "is damaged"),
        (lambda said: {**said, "frequencies": 3}, "is damaged"),
        (lambda said: [said], "has the format"),
    ],
)
def test_another_version_is_refused(change, message: str) -> None:
    """The error names the model, what is wrong, and what to do."""
    said = change(json.loads(json.dumps(default_model().as_json())))
    with pytest.raises(BadDefinition, match=message) as error:
        read_model(json.dumps(said), "lake.json")
    assert "match model lake.json" in str(error.value)
    assert "train it again" in str(error.value)


def test_no_file_and_no_json_are_told(tmp_path: Path) -> None:
    """Half a file is no model."""
    with pytest.raises(BadDefinition, match="is not there"):
        load_model(tmp_path / "model.json")
    (tmp_path / "model.json").write_text('{"format": ', "utf-8")
    with pytest.raises(BadDefinition, match="is no JSON"):
        load_model(tmp_path / "model.json")


def test_a_changed_level_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that belong to other conditions would be wrong without a word."""
    before = comparisons_version()
    changed = replace(COMPARISONS[0], levels=(Level("equal", "1 = 1"), *COMPARISONS[0].levels[1:]))
    monkeypatch.setattr(models, "COMPARISONS", (changed, *COMPARISONS[1:]))
    comparisons_version.cache_clear()
    assert comparisons_version() != before
    comparisons_version.cache_clear()


def test_chance_goes_with_the_number_of_records() -> None:
    """Twice the records, half the prior; a lake of three records is weighed as one of a thousand."""
    small, large = (replace(default_model(), records=records).prior for records in (10_001, 20_001))
    assert small == pytest.approx(2 * large)
    assert replace(default_model(), records=3).prior == replace(default_model(), records=1_000).prior
    assert default_model().vetoes
    assert not replace(default_model(), names_tell=0.1).vetoes
