"""The line API: cost follows the visible rows, and nothing moves by itself."""

from __future__ import annotations

from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection
from textual.strip import Strip

from tests.tui.widgets.stage import heard, play, rows_of
from workbench.tui.widgets import glyphs
from workbench.tui.widgets.line_view import LineView


class Watched(LineView):
    """Remembers which rows it was asked to draw."""

    def __init__(self, *, follows: bool = False) -> None:
        super().__init__(follows=follows)
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(self.scroll_offset.y + y)
        return super().render_line(y)


def numbered(count: int) -> list[str]:
    return [f"line {number}" for number in range(count)]


def test_following_shows_the_end_and_scrolling_up_leaves_it() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(numbered(100))
        await pilot.pause()
        assert rows_of(view)[-1].startswith(">line 99")
        await pilot.press("k")
        assert (view.following, view.cursor) == (False, 98)
        top = view.scroll_offset.y
        view.append(["later"])
        await pilot.pause()
        assert view.scroll_offset.y == top and view.cursor == 98
        await pilot.press("G")
        assert (view.following, view.cursor) == (True, 100)
        assert [m.following for m in heard(view, LineView.FollowChanged)] == [False, True]

    play(LineView(follows=True), script, (40, 10))


def test_the_mouse_wheel_leaves_following() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(numbered(100))
        await pilot.pause()
        view._scroll_up_for_pointer(animate=False)
        await pilot.pause()
        assert not view.following

    play(LineView(follows=True), script, (40, 10))


def test_growing_out_of_sight_draws_nothing() -> None:
    async def script(view: Watched, pilot: Pilot[None]) -> None:
        view.append(numbered(50))
        await pilot.pause()
        view.drawn.clear()
        view.append(numbered(1000))
        await pilot.pause()
        assert view.drawn == []
        view.refresh_rows([3, 700])
        await pilot.pause()
        assert view.drawn == [3]

    play(Watched(), script, (40, 10))


def test_moving_the_cursor_draws_two_rows() -> None:
    async def script(view: Watched, pilot: Pilot[None]) -> None:
        view.append(numbered(50))
        await pilot.press("j")
        view.drawn.clear()
        await pilot.press("j")
        assert sorted(view.drawn) == [0, 1]
        assert [m.index for m in heard(view, LineView.CursorMoved)] == [0, 1]

    play(Watched(), script, (40, 10))


def test_keys_move_by_row_page_and_to_the_ends() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(numbered(100))
        await pilot.pause()
        seen = []
        for key in ("down", "j", "pagedown", "ctrl+d", "end", "up", "pageup", "ctrl+u", "home"):
            await pilot.press(key)
            seen.append(view.cursor)
        assert seen == [0, 1, 10, 14, 99, 98, 89, 85, 0]
        await pilot.press("enter")
        assert [m.index for m in heard(view, LineView.Activated)] == [0]

    play(LineView(), script, (40, 10))


def test_user_text_is_neither_markup_nor_control() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(["[bold]x[/]", "a\tb\x1b[31m\x07", "漢字" * 30, "\ud800 \u202e"])
        await pilot.pause()
        assert rows_of(view)[:4] == [
            " [bold]x[/]",
            " a  b\ufffd[31m\ufffd",
            " " + "漢字" * 4 + "漢 …",
            " \ufffd \ufffd",
        ]

    play(LineView(), script, (21, 6))


def test_a_long_row_is_capped_and_panned() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(["0123456789" * 5_000])
        await pilot.press("l")
        assert rows_of(view)[0] == " 8901234567890123456…"
        assert len(view.row_text(0)) == 1_000
        await pilot.press("h")
        assert rows_of(view)[0] == " 0123456789012345678…"

    play(LineView(), script, (21, 6))


def test_searching_goes_round_and_marks() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(numbered(30))
        view.search("NE 2")
        found = []
        for step in (1, 1, -1, -1):
            assert view.find(step)
            found.append(view.cursor)
        assert found == [2, 20, 2, 29]
        view.search("nowhere")
        assert not view.find() and view.cursor == 29
        await pilot.pause()

    play(LineView(), script, (40, 10))


def test_resizing_keeps_the_top_row_and_the_cursor() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(numbered(200))
        await pilot.pause()
        for _ in range(60):
            view.action_cursor_down()
        before = (view.scroll_offset.y, view.cursor)
        await pilot.resize_terminal(40, 12)
        await pilot.resize_terminal(120, 12)
        assert (view.scroll_offset.y, view.cursor) == before

    play(LineView(), script, (120, 12))


def test_rows_dropped_from_the_front_keep_what_is_in_view() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(numbered(100))
        await pilot.pause()
        view.move_cursor(60)
        await pilot.pause()
        shown = [row[:8] for row in rows_of(view)]
        del view._lines[:40]
        view.dropped(40)
        await pilot.pause()
        assert [row[:8] for row in rows_of(view)] == shown and view.cursor == 20

    play(LineView(), script, (40, 10))


def test_a_selection_gives_the_text_of_its_rows_only() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(numbered(5))
        await pilot.pause()
        selection = Selection(Offset(2, 1), Offset(4, 3))
        assert view.get_selection(selection) == ("ne 1\nline 2\nline", "\n")

    play(LineView(), script, (40, 10))


def test_ascii_swaps_every_glyph_when_drawing() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(["├┬✓ done → pay …"])
        await pilot.pause()
        assert rows_of(view)[0] == " ├┬✓ done → pay …"
        glyphs.use_ascii(True)
        view.refresh()
        await pilot.pause()
        assert rows_of(view)[0] == " +++ done > pay ~"

    try:
        play(LineView(), script, (40, 4))
    finally:
        glyphs.use_ascii(False)


def test_without_colour_the_cursor_is_still_told_by_a_sign() -> None:
    async def script(view: LineView, pilot: Pilot[None]) -> None:
        view.append(numbered(3))
        await pilot.press("j", "j")
        assert rows_of(view)[:3] == [" line 0", ">line 1", " line 2"]

    play(LineView(), script, (40, 4), ansi=True)
