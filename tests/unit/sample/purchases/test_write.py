"""The files are the same for a seed, and count their rows right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lakehouse.sample.purchases import write


def test_same_seed_same_bytes_other_seed_other_people(tmp_path: Path) -> None:
    """Everything is a function of seed and size; the real purchases do not depend on the seed."""
    for name, seed in (("a", 1997), ("b", 1997), ("c", 7)):
        write(tmp_path / name, customers=60, seed=seed)
    a, b, c = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in "abc")
    assert a == b
    assert a["shop_orders_1997H1.csv"] == c["shop_orders_1997H1.csv"]
    assert a["hubspot_contacts.csv"] != c["hubspot_contacts.csv"]


@pytest.mark.parametrize("customers", [1, 2, 3])
def test_a_handful_of_customers_is_enough(tmp_path: Path, customers: int) -> None:
    """The smallest samples have no empty web or shop file and the right people."""
    files = write(tmp_path, customers=customers)
    assert all(file.rows for file in files if file.source in {"shop", "web"})
    assert len(json.loads((tmp_path / "truth.json").read_text("utf-8"))["people"]) == customers


def test_row_counts_are_what_the_files_hold(sample: Any) -> None:
    """Each returned count, the truth and the file agree; progress ends at the last file."""
    for file in sample.files:
        text = (
            sample.lines_of(file.path)
            if file.path.suffix == ".gz"
            else file.path.read_text("utf-8").splitlines()[1:]
        )
        assert len(text) == file.rows == sample.truth["files"][file.path.name]["rows"]
    assert sample.progress_calls[-1] == ("web/events", len(sample.files), len(sample.files))
    assert [done for _, done, _ in sample.progress_calls] == list(range(1, len(sample.files) + 1))
    on_disk = {p.name for p in sample.folder.iterdir()} - {"truth.json", "GENERATED.md", "CDNOW_LICENSE"}
    assert on_disk == {file.path.name for file in sample.files}
