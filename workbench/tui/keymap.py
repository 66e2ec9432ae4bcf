"""The keys in use: those of the table of actions, and the user's in their place.

`Keys` is what the footer, help, the palette and the screens ask. A choice of the user that cannot
be is left out with one sentence, and its action keeps the keys of the table, so nothing is ever
out of reach.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS

from workbench.model.findings import Finding
from workbench.session.settings import KeyChoice, nearest
from workbench.tui.actions import BY_ID, SPELLINGS, spell

_NAMED = frozenset(
    "up down left right home end pageup pagedown insert delete backspace tab enter escape "
    "space".split()
) | frozenset(f"f{number}" for number in range(1, 25))
_MODIFIERS = ("ctrl", "alt", "shift")
_PLACES = {spelled.lower(): key for key, spelled in SPELLINGS.items()} | {
    "esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup",
    "pgdn": "pagedown", "page_up": "pageup", "page_down": "pagedown",
}  # fmt: skip
# What moves the cursor or the focus in every pane, and what the terminal itself needs; the value
# is the one action such a key may be given to.
_TAKEN = dict.fromkeys(
    "up down left right k j h l G home end pageup pagedown ctrl+u ctrl+d tab shift+tab ctrl+c "
    "ctrl+z ctrl+i ctrl+m ctrl+left_square_bracket".split(),
    "",
) | {"enter": "open", "ctrl+q": "quit", "ctrl+p": "palette"}


class Keys:
    """Which keys do what. `chosen` replaces the keys of some actions."""

    def __init__(self, chosen: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.chosen = dict(chosen or {})

    def of(self, action_id: str) -> tuple[str, ...]:
        """The keys of an action, in the names Textual gives them, the preferred one first."""
        return self.chosen.get(action_id) or BY_ID[action_id].keys

    def spelled(self, action_id: str, most: int = 3) -> str:
        """The same as people write them: "n F10 space"."""
        return " ".join(spell(key) for key in self.of(action_id)[:most])

    def first(self, action_id: str) -> str:
        """The preferred key as people write it, for a sentence."""
        return spell(self.of(action_id)[0])

    def bindings(self, ids: Iterable[str]) -> dict[str, Binding]:
        """A binding a key for these actions; each calls the screen's `perform(id)`. A letter
        belongs to the screen, so a text field takes it first and typing is safe; only F-keys,
        and what quits, have priority."""
        return {
            key: Binding(
                key,
                f"perform('{name}')",
                BY_ID[name].title,
                show=False,
                key_display=spell(key),
                tooltip=BY_ID[name].help,
                priority=_urgent(key),
            )
            for name in ids
            for key in self.of(name)
        }


def _urgent(key: str) -> bool:
    last = key.rpartition("+")[2]
    return key == "ctrl+q" or (last[0] == "f" and last[1:].isdigit())


def chosen_keys(
    choices: Iterable[KeyChoice], offers: Mapping[str, Iterable[str]]
) -> tuple[Keys, list[Finding]]:
    """The keys as the user wants them, and why some of it cannot be.

    `offers` says which actions each screen offers, by the screen's name. Two actions that one
    screen offers may not share a key: then the user's choices among them are left out.
    """
    findings: list[Finding] = []
    wanted: dict[str, KeyChoice] = {}
    named: dict[str, tuple[str, ...]] = {}
    for choice in choices:
        problem, keys = _understood(choice)
        if problem:
            findings.append(_finding(choice, problem))
        else:
            wanted[choice.action], named[choice.action] = choice, keys
    # What one clash gives back may take a key that another choice wanted: until none is left.
    while clashes := _clashes(Keys(named), wanted.keys() & named.keys(), offers):
        for action, problem in clashes.items():
            del named[action]
            findings.append(_finding(wanted[action], problem))
    return Keys(named), findings


def _understood(choice: KeyChoice) -> tuple[str, tuple[str, ...]]:
    """A choice on its own: what is wrong with it, or the keys by name."""
    if choice.action not in BY_ID:
        return f"no action is called {choice.action}{nearest(choice.action, list(BY_ID))}", ()
    names: list[str] = []
    for text in choice.keys:
        key = key_named(text)
        if not key:
            return f"no key is called {text!r}{nearest(text, sorted(_NAMED))}{_kept(choice)}", ()
        if _TAKEN.get(key, choice.action) != choice.action:
            allowed = _TAKEN[key]
            does = f"is for {BY_ID[allowed].title}" if allowed else "moves around in every pane"
            return f"{spell(key)} {does}{_kept(choice)}", ()
        names.append(key)
    return "", tuple(dict.fromkeys(names))


def _clashes(
    keys: Keys, theirs: Iterable[str], offers: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """The user's choices that share a key with another action of one screen, and the sentence."""
    mine = frozenset(theirs)
    found: dict[str, str] = {}
    for screen, offered in offers.items():
        by_key: dict[str, list[str]] = {}
        for action in dict.fromkeys(offered):
            for key in keys.of(action):
                by_key.setdefault(key, []).append(action)
        for key, actions in by_key.items():
            for action in actions if len(actions) > 1 else ():
                other = next(one for one in actions if one != action)
                if action in mine:
                    kept = " ".join(spell(one) for one in BY_ID[action].keys)
                    found.setdefault(
                        action,
                        f"{spell(key)} would be both {action} and {other} on the {screen} screen; "
                        f"{action} keeps {kept}",
                    )
    return found


def key_named(text: str) -> str:
    """The name Textual has for a key as a person writes it ("F10", "ctrl+[", "R", "page up");
    empty for what is no key."""
    if len(text) == 1:
        return _character(text)
    *modifiers, last = text.split("+") if not text.endswith("+") else [*text[:-2].split("+"), "+"]
    held = [one.strip().lower() for one in modifiers]
    last = last.strip()
    if len(last) == 1:
        name = _character(last.lower() if held else last)
    else:
        lower = last.lower().replace(" ", "")
        name = _PLACES.get(lower, lower)
        if name not in _NAMED and name not in SPELLINGS:
            return ""
    if not name or any(one not in _MODIFIERS for one in held):
        return ""
    if held == ["shift"] and len(name) == 1:
        return name.upper()  # as the terminal sends it
    ordered = [one for one in _MODIFIERS if one in held]
    return "+".join([*ordered, name])


def _character(char: str) -> str:
    if char.isalnum():
        return char
    name = unicodedata.name(char, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name) if char.isprintable() else ""


def _kept(choice: KeyChoice) -> str:
    return f"; {choice.action} keeps {Keys().spelled(choice.action)}"


def _finding(choice: KeyChoice, problem: str) -> Finding:
    return Finding("key_refused", "warning", choice.where, problem)


def offers() -> dict[str, tuple[str, ...]]:
    """The actions each screen offers, by the screen's name; loads every screen."""
    from importlib import import_module
    from pkgutil import iter_modules

    from workbench.tui import screens
    from workbench.tui.screens.base import COMMON, WorkbenchScreen

    for module in iter_modules(screens.__path__):
        import_module(f"{screens.__name__}.{module.name}")
    found: dict[str, tuple[str, ...]] = {}
    waiting: list[type[WorkbenchScreen]] = [WorkbenchScreen]
    while waiting:
        screen = waiting.pop()
        waiting += screen.__subclasses__()
        if "ACTIONS" in screen.__dict__ and screen.ACTIONS:
            name = screen.__name__.removesuffix("Screen").lower()
            found[name] = (*screen.ACTIONS, *COMMON)
    return dict(sorted(found.items()))
