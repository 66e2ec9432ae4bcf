"""Row 1 at every width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.pilot import Pilot

from tests.tui.widgets.stage import play, rows_of
from workbench.tui.widgets.status_strip import StatusStrip, StripState, strip_fragments

FAILED = StripState(
    pack="refund-approval", pack_version="1.2.0", flow="main", run="run 7", state="PAUSED",
    reason="on error", bad=True, node="pay", step="6", clock="virtual Sat 14:02 (+24 h)",
    clock_short="+24 h", waits=0, trust="dev-signed",
)  # fmt: skip


def text(state: StripState, width: int) -> str:
    return "".join(piece for piece, _ in strip_fragments(state, width))


@pytest.mark.parametrize(
    ("width", "left", "right"),
    [
        (160, " refund-approval 1.2.0 ▸ main · run 7  ✗ PAUSED on error in pay  step 6",
         "clock virtual Sat 14:02 (+24 h) · offline · waits 0 · dev-signed "),
        (120, " refund-approval 1.2.0 ▸ main · run 7  ✗ PAUSED on error in pay  step 6",
         "virtual Sat 14:02 (+24 h) · offline · waits 0 "),
        (100, " refund-approval ▸ main · run 7  ✗ PAUSED on error in pay  step 6",
         "+24 h · offline · waits 0 "),
        (80, " refund-approval ▸ main · run 7  ✗ PAUSED on error in pay  step 6", "+24 h · off "),
        (60, " refund-approval ▸ main  ✗ PAUSED in pay", "+24 h · off "),
    ],
)  # fmt: skip
def test_what_stays_at_each_width(width: int, left: str, right: str) -> None:
    assert text(FAILED, width) == left + " " * (width - len(left) - len(right)) + right


names = st.text("abcdefgh-漢", max_size=60)


@given(names, names, names, st.integers(0, 120), st.integers(60, 160))
def test_state_node_clock_and_network_are_always_there(
    pack: str, flow: str, node: str, waits: int, width: int
) -> None:
    state = replace(
        FAILED, pack=pack, flow=flow, node=node, waits=waits, note="TYPING · Esc leaves"
    )
    row = text(state, width)
    assert cell_len(row) == width
    assert "✗ PAUSED" in row and "+24 h" in row and "off" in row
    assert ("no node" if not node else f"in {node[:4]}") in row
    assert not waits or f"waits {waits}" in row or f"w{waits}" in row


def test_it_repaints_only_when_it_reads_differently() -> None:
    class Watched(StatusStrip):
        drawn = 0

        def render_line(self, y: int) -> object:  # type: ignore[override]
            self.drawn += 1
            return super().render_line(y)

    async def script(strip: Watched, pilot: Pilot[None]) -> None:
        strip.update(FAILED)
        await pilot.pause()
        assert "✗ PAUSED on error in pay" in rows_of(strip)[0]
        before = strip.drawn
        strip.update(replace(FAILED, trust="another word that has no room"))
        strip.update(FAILED)
        await pilot.pause()
        assert strip.drawn == before
        strip.update(replace(FAILED, step="7"))
        await pilot.pause()
        assert strip.drawn > before

    play(Watched(), script, (80, 1))


def test_without_colour_the_state_is_a_glyph_and_a_word() -> None:
    words = ["IDLE", "RUNNING", "PAUSED", "WAITING", "DONE", "FAILED", "CANCELLED"]
    rows = {text(StripState(state=word), 60)[:12] for word in words}
    assert len(rows) == len(words)
