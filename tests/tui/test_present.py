"""Present mode: no folder of this machine, no id, no finding, nothing dim, and the keys shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.driving import WIDE, Bench, play
from workbench.tui.screens.packs import PacksScreen
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.veil import shown, veil

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7")


@pytest.fixture(autouse=True)
def no_audience_afterwards() -> Iterator[None]:
    yield
    veil(None)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("saved to /data/mine/.greentic/copied.txt", "saved to copied.txt"),
        ('"/home/ann/x/pack.gtpack", "file:///tmp/a b"', '"pack.gtpack", "a b"'),
        ("~/notes/todo.md and ~5", "todo.md and ~5"),
        ("asks flows/main.ygtc:41: no such key", "asks main.ygtc:41: no such key"),
        ("https://api.pay.test/home/charge a/b 1/2", "https://api.pay.test/home/charge a/b 1/2"),
        ("/v1/charge /homework", "/v1/charge /homework"),
        ("run 12 · main, Run 3", "run · main, Run"),
        ("id 018f2a3b-0000-7000-8000-0123456789ab!", "id …!"),
        (f"the key eyJ{'aB3_' * 15}== answers", "the key … answers"),
        ("it waits already [already_terminal]", "it waits already"),
        ("[In/Out] tries [3]", "[In/Out] tries [3]"),
    ],
)  # fmt: skip
def test_what_an_audience_sees_of_a_text(text: str, seen: str) -> None:
    assert shown(text) == text
    veil([Path("/data/mine"), Path("/")])
    assert shown(text) == seen


def colours(bench: Bench, word: str) -> set[str]:
    """The colours a word is drawn in."""
    return {
        str(style.color)
        for strip in bench.app.screen._compositor.render_strips()
        for text, style, _ in strip
        if style is not None and word in text
    }


def test_no_screen_shows_what_is_not_for_an_audience(desk: Path) -> None:
    folder = desk / "odd"
    folder.mkdir()
    (folder / "pack.yaml").write_text("id: odd\nversion: 1\nflows: 3\n")
    seen: dict[str, str] = {}

    async def script(bench: Bench) -> None:
        async def look(name: str, *keys: str) -> str:
            await bench.press(*keys)
            seen[name] = bench.text
            return bench.text

        private = ["pytest", "1.2.0 ▸", "run 1", "saved to /"]
        before = await look("before", "0")
        await bench.until(lambda: "refund-approval" in bench.text, "the packs")
        screen = bench.app.screen
        assert isinstance(screen, PacksScreen)
        screen.show(str(desk / "refund-approval"), None)
        before = await look("before")
        assert "pytest" in before and "source · dev" in before and "Noticed" in before
        await bench.press("H")
        assert bench.app.present
        packs = await look("packs")
        assert (
            "· dev" not in packs
            and "Noticed" not in packs
            and "warnings" not in packs
            and "refund-approval" in packs
        )
        await look("copied", "y")
        assert "saved to copied.txt" in bench.text
        await bench.press("1")
        await bench.until(lambda: "✗ PAUSED" in bench.strip, "the run")
        text = await look("failure")
        assert "INVALID_AMOUNT" in text and "main.ygtc:41" in text and "flows/main" not in text
        await look("graph", "g")
        await look("inbox", "g", "5")
        await look("mocks", "escape", "4")
        await look("note", "escape", "2", "o", "enter")
        for name, text in seen.items():
            if name != "before":
                assert [word for word in private if word in text] == [], name
                assert not UUID.search(text), name
        await bench.press("escape", "H")
        assert "run 1" in bench.strip and "1.2.0" in bench.strip

    play(desk, script, WIDE, at="failure")


def test_nothing_is_dim_and_the_keys_pressed_are_seen(desk: Path) -> None:
    async def script(bench: Bench) -> None:
        dim, strong = colours(bench, "pending"), colours(bench, "score")
        assert dim.isdisjoint(strong)
        await bench.press("H")
        await bench.until(lambda: colours(bench, "pending") == strong, "no dim text")
        await bench.step("n")
        await bench.press("left_square_bracket")
        assert bench.keys.rstrip().endswith("n  [")
        assert "H" not in bench.one(KeyBar)._pressed
        await bench.press("escape", "E")
        await bench.press(*'{"secret"')
        bars = [bar._pressed for screen in bench.app.screen_stack for bar in screen.query(KeyBar)]
        assert set(bars) == {("n", "[", "Esc", "E")}  # what is typed is nobody's business
        bench.app.pressed("")
        await bench.press("escape", "H")
        await bench.until(lambda: colours(bench, "pending") == dim, "dim again")

    play(desk, script, WIDE)
