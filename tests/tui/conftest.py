"""A folder with a copy of the sample pack in it, for the app to be opened on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.events import Key
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

from tests.tui.driving import at_rest, copy_sample


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The folder."""
    return copy_sample(tmp_path / "desk")


@pytest.fixture(scope="session", autouse=True)
def rest_is_seen() -> Iterable[None]:
    """Textual's pilot takes an app that used little processor for 20 ms to be at rest, twice a
    key; ours is when every queue is empty and everything is drawn. What a thread brings later is
    waited for by name in both."""

    async def press(app: App[Any], keys: Iterable[str]) -> None:
        driver = app._driver
        assert driver is not None
        for name in keys:
            key = _character_to_key(name) if len(name) == 1 and not name.isalnum() else name
            spelled = _get_unicode_name_from_key(REPLACED_KEYS.get(key, key))
            try:
                character: str | None = unicodedata.lookup(spelled)
            except KeyError:
                character = key if len(key) == 1 else None
            event = Key(key, character)
            event.set_sender(app)
            driver.send_message(event)
            await at_rest(app)
            await app._animator.wait_until_complete()
            await at_rest(app)

    async def pause(pilot: Pilot[Any], delay: float | None = None) -> None:
        await at_rest(pilot.app)
        if delay:
            await paused(pilot, delay)
            await at_rest(pilot.app)

    paused = Pilot.pause
    patch = pytest.MonkeyPatch()
    patch.setattr(App, App._press_keys.__name__, press)
    patch.setattr(Pilot, Pilot.pause.__name__, pause)
    yield
    patch.undo()


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
