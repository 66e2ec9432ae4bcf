"""Theme files: readable text, states told apart, and bad files that cost nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

from workbench.tui.themes import DEFAULT, ansi_color_wanted, load_themes, pick, read_theme

FOLDER = Path(__file__).parents[3] / "themes"
NAMES = ("contrast", "deuteranopia", "dusk", "paper")


def luminance(colour: Color) -> float:
    """WCAG 2.1 relative luminance."""
    parts = [value / 255 for value in (colour.r, colour.g, colour.b)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def as_deuteranope(colour: Color) -> tuple[float, ...]:
    """Machado, Oliveira and Fernandes 2009, severity 1.0 (applied to sRGB values)."""
    red, green, blue = colour.r, colour.g, colour.b
    return (
        0.367322 * red + 0.860646 * green - 0.227968 * blue,
        0.280085 * red + 0.672501 * green + 0.047413 * blue,
        -0.011820 * red + 0.042940 * green + 0.968881 * blue,
    )


def variables(theme: Theme) -> dict[str, str]:
    return theme.to_color_system().generate()


@pytest.mark.parametrize("name", NAMES)
def test_every_text_can_be_read_on_every_ground(name: str) -> None:
    theme, problems = read_theme(FOLDER / f"{name}.toml")
    assert theme is not None and problems == []
    colours = variables(theme)
    floor = 7.0 if name == "contrast" else 4.5
    for ground in ("surface", "background", "panel"):
        below = Color.parse(colours[ground])
        for text in ("foreground", "primary", "text-primary", "text-success", "text-warning",
                     "text-error", "text-accent"):  # fmt: skip
            assert contrast(below + Color.parse(colours[text]), below) >= floor, (ground, text)


def test_the_bundled_themes_are_all_there() -> None:
    themes, findings = load_themes([FOLDER])
    assert tuple(themes) == NAMES and findings == []
    assert not themes["paper"].dark and themes["dusk"].dark
    assert pick(themes) == (DEFAULT, None)
    assert pick(themes, "nord") == ("nord", None)


def test_good_bad_and_warning_differ_to_a_deuteranope() -> None:
    theme, _ = read_theme(FOLDER / "deuteranopia.toml")
    assert theme is not None
    seen = [
        as_deuteranope(Color.parse(colour))
        for colour in (theme.success, theme.error, theme.warning)
        if colour is not None
    ]
    for place, one in enumerate(seen):
        for other in seen[place + 1 :]:
            assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 80


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("primary = ", 1, "not TOML"),
        ('name = "x"', 1, "primary is missing"),
        ('primary = "#12345"', 1, "primary is no colour"),
        ('primary = "#123456"\nforground = "red"', 2, "did you mean foreground?"),
        ('primary = "#123456"\ndark = 1', 2, "dark must be true or false"),
        ('primary = "#123456"\ntext_alpha = 7', 2, "text_alpha must be"),
        ('primary = "#123456"\n[variables]\nborder = 3', 3, "variables.border must be text"),
    ],
)
def test_a_bad_file_is_left_out_with_a_finding(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    (tmp_path / "mine.toml").write_text(text)
    themes, findings = load_themes([FOLDER, tmp_path, tmp_path / "absent"])
    assert tuple(themes) == NAMES
    assert [finding.code for finding in findings] == ["theme_invalid"]
    assert findings[0].where == f"mine.toml:{line}" and says in findings[0].message


def test_an_own_theme_replaces_a_bundled_one(tmp_path: Path) -> None:
    (tmp_path / "dusk.toml").write_text('primary = "#abcdef"')
    themes, findings = load_themes([FOLDER, tmp_path])
    assert themes["dusk"].primary == "#abcdef" and not findings


def test_an_unknown_theme_falls_back_and_says_so() -> None:
    themes, _ = load_themes([FOLDER])
    name, finding = pick(themes, "papr")
    assert name == DEFAULT and finding is not None
    assert "did you mean paper?" in finding.message
    assert pick({}, "papr")[0] == "textual-dark"


def test_no_color_means_no_colour_rather_than_grey() -> None:
    assert ansi_color_wanted({"NO_COLOR": ""}) is True
    assert ansi_color_wanted({}) is None


def test_a_copy_of_a_theme_goes_by_its_own_file_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text((FOLDER / "paper.toml").read_text("utf-8"), "utf-8")
    themes, findings = load_themes([FOLDER, tmp_path])
    assert findings == []
    assert {"paper", "mine"} <= themes.keys()
