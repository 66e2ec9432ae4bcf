"""A folder with a copy of the sample pack in it, for the app to be opened on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from tests.tui.driving import copy_sample


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The folder."""
    return copy_sample(tmp_path / "desk")


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterable[None]:
    """A sheet is parsed once for all apps with the same colours, which takes a tenth off every
    test: parsed rules are only read, and Textual too keeps them, but for each app anew."""
    parse = Stylesheet._parse_rules
    kept: dict[object, list[RuleSet]] = {}

    def remembered(sheet: Stylesheet, *what: Any, **more: Any) -> list[RuleSet]:
        key = what, *sorted(more.items()), frozenset(sheet._variables.items())
        if key not in kept:
            kept[key] = parse(sheet, *what, **more)
        return kept[key]

    patch = pytest.MonkeyPatch()
    patch.setattr(Stylesheet, parse.__name__, remembered)
    yield
    patch.undo()
