"""The user's settings: `settings.toml` in the configuration folder, read with lines.

    theme = "paper"
    rerun_on_save = "here"
    [keys]
    step_over = ["n", "f10"]

A key nobody knows is a finding and costs nothing else; what an action or a key is called is the
screen's to judge. Writing changes the one line it means and keeps the comments.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.session import paths
from workbench.session.stream import EventStream

if TYPE_CHECKING:
    import tomllib

FILE = "settings.toml"
Rerun = Literal["off", "here", "whole"]
Choosable = Literal["theme", "rerun_on_save"]
_KEYS = ("theme", "rerun_on_save", "keys")


class KeyChoice(msgspec.Struct, frozen=True):
    """The keys a user wants for an action, as they spelled them, and where ("settings.toml:7")."""

    action: str
    keys: tuple[str, ...]
    where: str


class Settings(msgspec.Struct, frozen=True):
    """What the file says; `findings` is what it says that nobody understands. `theme` is empty
    for the default, `theme_where` the place that names it."""

    theme: str = ""
    theme_where: str = FILE
    rerun: Rerun = "off"
    keys: tuple[KeyChoice, ...] = ()
    findings: tuple[Finding, ...] = ()


def settings_path() -> Path:
    """Where the settings of this machine's person are, there or not."""
    return paths.user_config() / FILE


class SettingsDesk:
    """The settings of the person at this machine. A broken save keeps the last good ones."""

    def __init__(self, events: EventStream, folder: Path | None = None) -> None:
        self.folder = folder or paths.user_config()
        self._events = events
        self._current: Settings | None = None
        self._there = self.folder.is_dir()

    @property
    def path(self) -> Path:
        """The settings file, there or not."""
        return self.folder / FILE

    @property
    def themes(self) -> Path:
        """The folder of the user's own themes, there or not."""
        return self.folder / "themes"

    @property
    def current(self) -> Settings:
        """The settings in use, read when first asked for."""
        if self._current is None:
            self._current = usable_settings(self.path)
        return self._current

    def choose(self, key: Choosable, value: str) -> None:
        """Write one setting down. Raises `settings_invalid` when the file cannot be changed
        without harm, `settings_unwritable` when the disk refuses."""
        from workbench.mocks.edit import set_value

        try:
            text = set_value(_text(self.path), (key,), value)
        except WorkbenchError as error:
            raise WorkbenchError("settings_invalid", error.message, where=FILE) from error
        _write(self.path, text)
        self._reread()

    def begin(self, text: str) -> None:
        """Write a first settings file, if there is none. Raises `settings_unwritable`."""
        if not self.path.exists():
            _write(self.path, text)

    def folders(self) -> frozenset[Path]:
        """What to watch for saves: the configuration folder, once there is one."""
        return frozenset([self.folder.resolve()]) if self.folder.is_dir() else frozenset()

    def appeared(self) -> bool:
        """True once after the configuration folder was made: what is in it is on the stream, and
        it can be watched now. Costs one look at the disk until then."""
        if self._there or not self.folder.is_dir():
            return False
        self._there = True
        self.saved({one.resolve() for one in (self.path, *self.themes.glob("*.toml"))})
        return True

    def saved(self, changed: set[Path]) -> None:
        """These files changed; those that are settings or themes are facts on the stream."""
        folder = self.folder.resolve()
        if folder / FILE in changed:
            self._reread()
        mine = {one for one in changed if one.parent == folder / "themes"}
        if any(one.suffix == ".toml" for one in mine):
            self._events.emit("themes.changed", "", frozenset(mine))

    def _reread(self) -> None:
        before = self.current
        try:
            self._current = read_settings(self.path)
        except WorkbenchError as error:
            said = f"{error.message}; the settings stay as they were"
            problem = Finding(error.code, "warning", error.where, said)
            self._current = msgspec.structs.replace(before, findings=(problem,))
        if self._current != before:
            self._events.emit("settings.changed", "", self._current)


def usable_settings(path: Path) -> Settings:
    """The settings in a file; when it cannot be read none but the finding that says why."""
    try:
        return read_settings(path)
    except WorkbenchError as error:
        return Settings(findings=(_problem(error),))


def read_settings(path: Path) -> Settings:
    """The settings in a file; none when there is no file. Raises `settings_invalid` with the line
    for what is not TOML, `settings_unreadable`."""
    text = _text(path)
    if not text:
        return Settings()
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place, said = toml_place(path.name, text, error)
        raise WorkbenchError("settings_invalid", f"not TOML: {said}", where=place) from error
    return _Reading(path.name, text, table).settings()


def toml_place(name: str, text: str, error: tomllib.TOMLDecodeError) -> tuple[str, str]:
    """A TOML error in a text as ("file:line", what is wrong)."""
    said, _, place = str(error).partition(" (at ")
    line = place.removeprefix("line ").partition(",")[0]
    return f"{name}:{line if line.isdigit() else text.rstrip().count(chr(10)) + 1}", said


def toml_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line (from 1) where each key of a TOML text is written."""
    from workbench.mocks.toml_lines import key_lines

    return key_lines(text)


def line_in(where: str) -> int:
    """The line of "file:7"; 0 without one."""
    line = where.rpartition(":")[2]
    return int(line) if line.isdigit() else 0


class _Reading:
    """One file being understood."""

    def __init__(self, name: str, text: str, table: dict[str, Any]) -> None:
        self._name = name
        self._lines = toml_lines(text)
        self._table = table
        self._findings: list[Finding] = []

    def settings(self) -> Settings:
        for key in self._table:
            if key not in _KEYS:
                self._notice((key,), f"unknown setting {key}{nearest(key, _KEYS)}")
        theme = self._table.get("theme", "")
        if not isinstance(theme, str):
            self._notice(("theme",), "theme must be a name in quotes")
            theme = ""
        rerun = self._table.get("rerun_on_save", "off")
        if rerun not in get_args(Rerun):
            words = ", ".join(f'"{word}"' for word in get_args(Rerun))
            self._notice(("rerun_on_save",), f"rerun_on_save is one of {words}")
            rerun = "off"
        keys = self._keys()
        return Settings(
            theme, self._where(("theme",)), cast(Rerun, rerun), keys, tuple(self._findings)
        )

    def _keys(self) -> tuple[KeyChoice, ...]:
        table = self._table.get("keys", {})
        if not isinstance(table, dict):
            self._notice(("keys",), "keys must be a table: [keys]")
            return ()
        chosen = []
        for action, wanted in table.items():
            path = ("keys", action)
            names = [wanted] if isinstance(wanted, str) else wanted
            if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
                self._notice(path, f'{action} must be a list of keys, such as ["n", "f10"]')
            elif not names:
                self._notice(path, f"{action} needs a key, or leave the line out")
            else:
                chosen.append(KeyChoice(action, tuple(names), self._where(path)))
        return tuple(chosen)

    def _where(self, path: tuple[str, ...]) -> str:
        line = self._lines.get(path)
        return f"{self._name}:{line}" if line else self._name

    def _notice(self, path: tuple[str, ...], message: str) -> None:
        found = Finding("settings_invalid", "warning", self._where(path), message)
        self._findings.append(found)


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str:
    """ "; did you mean theme?", or nothing when nothing is near."""
    import difflib

    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _problem(error: WorkbenchError) -> Finding:
    return Finding(error.code, "warning", error.where, error.message)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except UnicodeDecodeError as error:
        raise WorkbenchError("settings_invalid", "not UTF-8 text", where=path.name) from error
    except OSError as error:
        said = f"cannot be read: {error.strerror}"
        raise WorkbenchError("settings_unreadable", said, where=path.name) from error


def _write(path: Path, text: str) -> None:
    """Beside, then in place; a link to the file stays a link."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, "utf-8")
        if target.exists():
            beside.chmod(target.stat().st_mode)
        os.replace(beside, target)
    except OSError as error:
        said = f"cannot be written: {error.strerror}"
        raise WorkbenchError("settings_unwritable", said, where=path.name) from error
