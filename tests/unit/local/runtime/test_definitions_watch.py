"""A change of people's definitions is seen once, however it is made."""

from __future__ import annotations

from lakehouse.local.runtime.definitions_watch import DefinitionsWatch


def test_each_change_is_seen_once(tmp_path) -> None:
    """A file that comes, changes or goes, in any folder below; not that nothing happened."""
    watch = DefinitionsWatch(tmp_path / "definitions")
    assert not watch.has_changed()
    file = tmp_path / "definitions" / "segments" / "big.yaml"
    file.parent.mkdir(parents=True)
    assert watch.has_changed()
    file.write_text("name: big")
    assert watch.has_changed()
    assert not watch.has_changed()
    file.write_text("name: bigger")
    assert watch.has_changed()
    file.unlink()
    assert watch.has_changed()
    assert not watch.has_changed()
