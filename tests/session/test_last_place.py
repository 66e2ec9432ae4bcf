"""The place a person left: kept whole, tolerant of damage, and never a reason to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.model.stepping import Breakpoint
from workbench.session.last_place import Place, keep_place, last_place


def test_a_place_is_kept_whole_and_only_for_its_folder(tmp_path: Path) -> None:
    state, root = tmp_path / ".greentic", tmp_path
    mark = Breakpoint("main", "pay", condition="entry.amount > 500")
    place = Place(str(root), run="r1", node="pay#1/charge", pane="log", graph=True,
                  breakpoints=(mark,))  # fmt: skip
    keep_place(state, place)
    assert last_place(state, root) == place
    assert last_place(state, root / "elsewhere") == Place()
    assert sorted(one.name for one in state.iterdir()) == [".gitignore", "place.json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"root": 3}', '{"breakpoints": [1]}', "\x00"])
def test_what_cannot_be_read_counts_as_nowhere(tmp_path: Path, damage: str) -> None:
    (tmp_path / "place.json").write_text(damage)
    assert last_place(tmp_path, tmp_path) == Place()


def test_where_nothing_ever_ran_nothing_is_written(tmp_path: Path) -> None:
    keep_place(tmp_path / ".greentic", Place(str(tmp_path), pack="refund"))
    assert list(tmp_path.iterdir()) == []
