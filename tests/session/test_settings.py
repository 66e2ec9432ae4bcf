"""The settings file: what it says by line, what is written into it, and what a save tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.model.clock import wall_now
from workbench.model.errors import WorkbenchError
from workbench.session.settings import KeyChoice, Settings, SettingsDesk, read_settings
from workbench.session.stream import EventStream

MINE = """# how I like it
theme = "paper"   # in the sun

[keys]
# vim is elsewhere
step_over = ["c", "F10"]
go_on = "n"
"""


def test_what_is_there_is_read_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    assert read_settings(path) == Settings()
    path.write_text(MINE)
    assert read_settings(path) == Settings(
        "paper",
        "settings.toml:2",
        keys=(
            KeyChoice("step_over", ("c", "F10"), "settings.toml:6"),
            KeyChoice("go_on", ("n",), "settings.toml:7"),
        ),
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('thme = "x"', "unknown setting thme; did you mean theme?"),
        ("theme = 3", "theme must be a name in quotes"),
        ('rerun_on_save = "always"', 'rerun_on_save is one of "off", "here", "whole"'),
        ("keys = 1", "keys must be a table: [keys]"),
        ("keys.zoom = 3", 'zoom must be a list of keys, such as ["n", "f10"]'),
        ("keys.zoom = []", "zoom needs a key, or leave the line out"),
    ],
)
def test_what_nobody_understands_is_a_finding_with_its_line(
    tmp_path: Path, line: str, says: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"# first\n{line}\n")
    (found,) = read_settings(path).findings
    assert (found.where, found.message) == ("settings.toml:2", says)


def test_choosing_changes_one_line_and_keeps_the_comments(tmp_path: Path) -> None:
    desk = SettingsDesk(EventStream(wall_now), tmp_path / "new")
    desk.choose("theme", "dusk")
    assert desk.path.read_text() == 'theme = "dusk"\n'
    desk.path.write_text(MINE)
    desk.choose("theme", "contrast")
    desk.choose("rerun_on_save", "here")
    kept = MINE.replace('"paper"', '"contrast"')
    assert desk.path.read_text().replace('rerun_on_save = "here"\n', "") == kept
    assert (desk.current.theme, desk.current.rerun) == ("contrast", "here")
    assert [one.name for one in desk.folder.iterdir()] == ["settings.toml"]
    desk.path.write_text("theme =\n")
    with pytest.raises(WorkbenchError, match=r"settings\.toml: not TOML"):
        desk.choose("theme", "dusk")
    assert desk.path.read_text() == "theme =\n"


def test_a_broken_save_keeps_what_was_and_names_the_line(tmp_path: Path) -> None:
    stream = EventStream(wall_now)
    news = stream.subscribe()
    desk = SettingsDesk(stream, tmp_path)
    desk.path.write_text(MINE)
    assert desk.current.theme == "paper"
    desk.path.write_text(f"{MINE}theme paper\n")
    desk.saved({desk.path.resolve(), tmp_path / "themes" / "mine.toml"})
    changed, themes = news.take()
    assert desk.current.theme == "paper"
    (problem,) = changed.subject.findings
    assert problem.where == "settings.toml:8"
    assert "the settings stay as they were" in problem.message
    assert (themes.kind, themes.subject) == (
        "themes.changed", frozenset({tmp_path / "themes" / "mine.toml"}),
    )  # fmt: skip
    desk.saved({tmp_path / "other.toml"})
    assert news.take() == []
