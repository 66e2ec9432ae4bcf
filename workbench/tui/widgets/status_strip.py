"""Row 1: state word, node, step, clock, network, waits (`experience.md`, rule 3). One row, always.

When the terminal is narrow the least important parts shorten or go, one after another; the state
word, the node, the clock and the network are there at every width from 60 cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.cells import cell_len

from workbench.tui.widgets import glyphs
from workbench.tui.widgets.cells import Fragment, clean, elide_middle, width_of
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.veil import veiled

_LOOKS = {
    "RUNNING": (glyphs.CURRENT, "strong"),
    "PAUSED": (glyphs.WAITING, "strong"),
    "WAITING": (glyphs.WAITING, "warn"),
    "DONE": (glyphs.DONE, "good"),
    "FAILED": (glyphs.FAILED, "bad"),
    "CANCELLED": (glyphs.SKIPPED, "muted"),
}

# What goes first when there is no room, in this order.
_CUTS = (
    "trust", "clock word", "version", "long clock", "no waits", "long network", "long title",
    "long note", "run", "step", "note", "reason", "long node", "title", "waits word", "longer node",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StripState:
    """What the strip says, as text; empty parts are left out.

    `state` is one word in capitals (IDLE RUNNING PAUSED WAITING DONE FAILED CANCELLED), `reason`
    goes behind it ("on error"), `bad` shows it as a failure. `clock` is the long form ("virtual
    Sat 14:02 (+24 h)") and `clock_short` what stays when there is no room ("+24 h"); the same for
    `network` ("offline") and `network_short` ("off"). `waits` counts open waits. `note` is a
    remark ("TYPING · Esc leaves"), `note_short` what stays of it.
    """

    pack: str = ""
    pack_version: str = ""
    flow: str = ""
    run: str = ""
    state: str = "IDLE"
    reason: str = ""
    bad: bool = False
    node: str = ""
    step: str = ""
    clock: str = "real"
    clock_short: str = "real"
    network: str = "offline"
    network_short: str = "off"
    waits: int = 0
    trust: str = ""
    note: str = ""
    note_short: str = ""


def for_audience(state: StripState) -> StripState:
    """What the strip says in present mode: no version, no number, no trust."""
    return replace(state, pack_version="", run="", trust="")


def strip_fragments(state: StripState, width: int) -> list[Fragment]:
    """The strip for a row of `width` cells."""
    left, right = _left(state, frozenset()), _right(state, frozenset())
    for count in range(1, len(_CUTS) + 1):
        if width_of(left) + cell_len(right) + 3 <= width:
            break
        cuts = frozenset(_CUTS[:count])
        left, right = _left(state, cuts), _right(state, cuts)
    gap = max(1, width - width_of(left) - cell_len(right) - 1)
    return [*left, (" " * gap, ""), (f"{right} ", "")]


def _left(state: StripState, cuts: frozenset[str]) -> list[Fragment]:
    title = clean(state.pack)
    if "long title" in cuts:
        title = elide_middle(title, 16)
    if state.pack_version and "version" not in cuts:
        title += f" {clean(state.pack_version)}"
    if state.flow:
        flow = clean(state.flow)
        title += f" ▸ {elide_middle(flow, 12) if 'long title' in cuts else flow}"
    if state.run and "run" not in cuts:
        title += f" · {clean(state.run)}"
    left: list[Fragment] = [(" ", "")]
    if title and "title" not in cuts:
        left.append((f"{title}  ", ""))
    glyph, tone = _LOOKS.get(state.state, (glyphs.PENDING, "strong"))
    if state.bad:
        glyph, tone = glyphs.FAILED, "bad"
    left.append((f"{glyph} {clean(state.state, 12)}", tone))
    if state.reason and "reason" not in cuts:
        left.append((f" {clean(state.reason)}", tone))
    room = 16 if "longer node" in cuts else 24 if "long node" in cuts else 60
    node = elide_middle(clean(state.node), room)
    left.append((f" in {node}" if node else " · no node", "strong" if node else "muted"))
    if state.step and "step" not in cuts:
        left.append((f"  step {state.step}", ""))
    note = state.note_short if "long note" in cuts else state.note
    if note and "note" not in cuts:
        left.append((f"  {clean(note)}", "info"))
    return left


def _right(state: StripState, cuts: frozenset[str]) -> str:
    clock = state.clock_short if "long clock" in cuts else state.clock
    parts = [clock if "clock word" in cuts else f"clock {clock}"]
    parts.append(state.network_short if "long network" in cuts else state.network)
    if state.waits or "no waits" not in cuts:
        parts.append(f"w{state.waits}" if "waits word" in cuts else f"waits {state.waits}")
    if state.trust and "trust" not in cuts:
        parts.append(clean(state.trust))
    return " · ".join(parts)


class StatusStrip(OneLine):
    """The status strip as a widget: `update(StripState)`; repaints only when it reads
    differently."""

    DEFAULT_CSS = "StatusStrip { background: $panel; color: $foreground; }"

    def __init__(
        self,
        state: StripState | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.update(state or StripState())

    def update(self, state: StripState) -> None:
        """Say this."""
        self.state = state
        self.show(lambda width: strip_fragments(for_audience(state) if veiled() else state, width))
