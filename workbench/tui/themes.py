"""Themes as TOML files with the keys of `textual.theme.Theme`, and what NO_COLOR asks for.

A theme only colours what glyphs and words already say, so a bad theme file costs nothing but a
finding: the theme is left out and the default stays.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from workbench.model.findings import Finding

DEFAULT = "dusk"
LAST_RESORT = "textual-dark"  # Textual's own: there even when no file of ours can be read

_NUMBERS = ("luminosity_spread", "text_alpha")
_SWITCHES = ("dark", "ansi")
_COLOURS = tuple(
    field.name
    for field in dataclasses.fields(Theme)
    if field.name not in ("name", "variables", *_NUMBERS, *_SWITCHES)
)
_KEYS = ("name", *_COLOURS, *_SWITCHES, *_NUMBERS, "variables")


def load_themes(folders: Iterable[Path]) -> tuple[dict[str, Theme], list[Finding]]:
    """Every theme in `*.toml` of the folders by name; a later folder replaces an earlier one's.

    A folder that is not there is no problem; a file that is no theme gives a finding with the
    code `theme_invalid` that names the file and the key.
    """
    themes: dict[str, Theme] = {}
    findings: list[Finding] = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            theme, problems = read_theme(path)
            findings += problems
            if theme is not None:
                themes[theme.name] = theme
    return themes, findings


def read_theme(path: Path) -> tuple[Theme | None, list[Finding]]:
    """One theme file: the theme, or None and why not."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return None, [_finding(path, f"cannot be read: {error}")]
    except tomllib.TOMLDecodeError as error:
        return None, [_finding(path, f"not TOML: {error}")]
    problems = [_finding(path, problem) for problem in _problems(table)]
    if problems:
        return None, problems
    table.setdefault("name", path.stem)
    return Theme(**table), []


def pick(
    themes: Mapping[str, Theme], wanted: str = "", present: Iterable[str] = BUILTIN_THEMES
) -> tuple[str, Finding | None]:
    """The theme to use: the wanted one, ours or Textual's, else the default with a finding."""
    known = [*themes, *present]
    fallback = DEFAULT if DEFAULT in themes else LAST_RESORT
    if not wanted or wanted in known:
        return wanted or fallback, None
    near = difflib.get_close_matches(wanted, known, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return fallback, Finding(
        "theme_unknown", "warning", "settings", f"no theme is called {wanted!r}{hint}"
    )


def ansi_color_wanted(environ: Mapping[str, str] = os.environ) -> bool | None:
    """What to pass as `App(ansi_color=…)`: True under NO_COLOR, else None (the theme decides).

    Textual answers NO_COLOR by turning colours grey, which can put black on black; with ANSI
    colours on it removes them instead (`terminal-ui.md` §2). Ask before the app is made: Textual
    takes the variable out of the environment.
    """
    return True if "NO_COLOR" in environ else None


def _finding(path: Path, problem: str) -> Finding:
    return Finding("theme_invalid", "warning", str(path.name), f"{problem}; the theme is left out")


def _problems(table: dict[str, Any]) -> list[str]:
    problems = [_unknown(key) for key in table if key not in _KEYS]
    if "primary" not in table:
        problems.append("primary is missing")
    for key in _COLOURS:
        if key in table and not _is_colour(table[key]):
            problems.append(f"{key} is no colour: {table[key]!r}")
    for key in _SWITCHES:
        if not isinstance(table.get(key, False), bool):
            problems.append(f"{key} must be true or false")
    for key in _NUMBERS:
        number = table.get(key, 0.5)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number <= 1:
            problems.append(f"{key} must be a number from 0 to 1")
    name = table.get("name", "x")
    if not isinstance(name, str) or not name.strip():
        problems.append("name must be text")
    variables = table.get("variables", {})
    if not isinstance(variables, dict):
        problems.append("variables must be a table")
    else:
        problems += [
            f"variables.{key} must be text"
            for key, value in variables.items()
            if not isinstance(value, str)
        ]
    return problems


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, _KEYS, 1)
    return f"unknown key {key}" + (f"; did you mean {near[0]}?" if near else "")


def _is_colour(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        Color.parse(value)
    except ColorParseError:
        return False
    return True
