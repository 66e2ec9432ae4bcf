"""Themes as TOML files with the keys of `textual.theme.Theme`, and what NO_COLOR asks for.

A theme only colours what glyphs and words already say, so a bad theme file costs nothing but a
finding: the theme is left out and the default stays.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from workbench.model.findings import Finding
from workbench.session.settings import nearest, toml_lines, toml_place

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
    """Every theme in `*.toml` of the folders by name; a later folder replaces an earlier one's of
    the same file name. A copy under another file name that still has the old name inside goes by
    its file's.

    A folder that is not there is no problem; a file that is no theme gives a finding with the
    code `theme_invalid` that names the file and the key.
    """
    themes: dict[str, Theme] = {}
    findings: list[Finding] = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            theme, problems = read_theme(path)
            findings += problems
            if theme is not None and theme.name in themes and theme.name != path.stem:
                theme = dataclasses.replace(theme, name=path.stem)
            if theme is not None:
                themes[theme.name] = theme
    return themes, findings


def read_theme(path: Path) -> tuple[Theme | None, list[Finding]]:
    """One theme file: the theme, or None and why not."""
    text = ""
    try:
        text = path.read_text("utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        return None, [_finding(path.name, f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError:
        return None, [_finding(path.name, "not UTF-8 text")]
    except tomllib.TOMLDecodeError as error:
        where, said = toml_place(path.name, text, error)
        return None, [_finding(where, f"not TOML: {said}")]
    problems = _problems(table)
    if problems:
        places = toml_lines(text)
        return None, [_finding(f"{path.name}:{places.get(key, 1)}", said) for key, said in problems]
    table.setdefault("name", path.stem)
    return Theme(**table), []


def pick(
    themes: Mapping[str, Theme],
    wanted: str = "",
    present: Iterable[str] = BUILTIN_THEMES,
    where: str = "settings",
) -> tuple[str, Finding | None]:
    """The theme to use: the wanted one, ours or Textual's, else the default with a finding that
    names `where` it was wanted."""
    known = [*themes, *present]
    fallback = DEFAULT if DEFAULT in themes else LAST_RESORT
    if not wanted or wanted in known:
        return wanted or fallback, None
    hint = nearest(wanted, known)
    return fallback, Finding(
        "theme_unknown", "warning", where, f"no theme is called {wanted}{hint}"
    )


def ansi_color_wanted(environ: Mapping[str, str] = os.environ) -> bool | None:
    """What to pass as `App(ansi_color=…)`: True under NO_COLOR, else None (the theme decides).

    Textual answers NO_COLOR by turning colours grey, which can put black on black; with ANSI
    colours on it removes them instead (`terminal-ui.md` §2). Ask before the app is made: Textual
    takes the variable out of the environment.
    """
    return True if "NO_COLOR" in environ else None


def _finding(where: str, problem: str) -> Finding:
    return Finding("theme_invalid", "warning", where, problem)


Problem = tuple[tuple[str, ...], str]  # the key it is about, and the sentence


def _problems(table: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = [((key,), _unknown(key)) for key in table if key not in _KEYS]
    if "primary" not in table:
        problems.append(((), "primary is missing"))
    for key in _COLOURS:
        if key in table and not _is_colour(table[key]):
            problems.append(((key,), f"{key} is no colour: {table[key]!r}"))
    for key in _SWITCHES:
        if not isinstance(table.get(key, False), bool):
            problems.append(((key,), f"{key} must be true or false"))
    for key in _NUMBERS:
        number = table.get(key, 0.5)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number <= 1:
            problems.append(((key,), f"{key} must be a number from 0 to 1"))
    name = table.get("name", "x")
    if not isinstance(name, str) or not name.strip():
        problems.append((("name",), "name must be text"))
    variables = table.get("variables", {})
    if not isinstance(variables, dict):
        problems.append((("variables",), "variables must be a table"))
    else:
        problems += [
            (("variables", key), f"variables.{key} must be text")
            for key, value in variables.items()
            if not isinstance(value, str)
        ]
    return problems


def _unknown(key: str) -> str:
    return f"unknown key {key}{nearest(key, _KEYS)}"


def _is_colour(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        Color.parse(value)
    except ColorParseError:
        return False
    return True
