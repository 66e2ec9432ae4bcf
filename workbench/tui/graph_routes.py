"""The lines of one arranged part of a flow: ports, tracks, loops in the right gutter. Pure.

Between two layers lies a channel. All edges to one target that pass it are one *net*: they come
down from their ports, share one horizontal track and go on as one line, so a join is a join and
nothing else. Nets never share a column or overlap on a track; where two meet, they cross. Loops
leave through the channel below their node, rise in a lane of the right gutter, and enter through
the channel above their target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.tui.graph_layers import Part, Spot

MARGIN = 2  # border and one cell at both ends of a box's top and bottom keep free of ports
END_MARK = 4  # further cells kept free at the right where a box says that the flow can end
LABEL = 18  # the longest "↑ target" beside the gutter


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight piece of line from (x1, y1) to (x2, y2), rightward or downward, both cells
    included. `edges` has a bit for each edge that runs along it; all lead to one target, `net`."""

    x1: int
    y1: int
    x2: int
    y2: int
    edges: int
    net: str


@dataclass(slots=True)
class Routed:
    """A part with its lines. `boxes` are top left corners, `heads` (x, y, sign, edges) are arrow
    heads: "v" or "<"; `labels` (x, y, text) name where loops return to."""

    width: int
    height: int
    boxes: dict[str, tuple[int, int]] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    heads: list[tuple[int, int, str, int]] = field(default_factory=list)
    labels: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Net:
    """The edges to `target` in one channel: pins are (column, where from, edges). It goes down
    into `sink`, or without one up its lane; with both the lane joins from the right."""

    target: str
    pins: list[tuple[int, Spot, int]] = field(default_factory=list)
    sink: Spot | None = None
    lane: int | None = None
    lane_edges: int = 0
    track: int = -1  # none: it runs straight down
    y: int = 0

    @property
    def out(self) -> int:
        """The column it leaves the channel by."""
        if self.sink is not None:
            return self.sink.entry
        assert self.lane is not None
        return self.lane

    @property
    def columns(self) -> list[int]:
        """Every column that it touches, left to right."""
        found = {column for column, _, _ in self.pins} | {self.out}
        if self.lane is not None:
            found.add(self.lane)
        return sorted(found)

    @property
    def sources(self) -> list[tuple[int, int]]:
        """(column, edges) of everything that comes in."""
        found = [(column, edges) for column, _, edges in self.pins]
        if self.sink is not None and self.lane is not None:
            found.append((self.lane, self.lane_edges))
        return found

    @property
    def edges(self) -> int:
        return _union(edges for _, edges in self.sources)


def route(
    part: Part,
    layers: list[list[Spot]],
    edges: Mapping[tuple[str, str], int],
    ends: frozenset[str],
    label: Callable[[str], str],
) -> Routed:
    """The lines of `part`. `edges` has each edge's bit; `ends` are the nodes that keep room for
    their end mark; `label` writes what stands beside a loop to a node."""
    ports = _columns(part, layers, ends)
    nets = _nets(part, layers, ports, edges)
    right = max(spot.left + spot.width + spot.extra for layer in layers for spot in layer)
    lanes = _lanes(part, nets, right)
    for net in (net for channel in nets for net in channel):
        net.lane = lanes.get(net.target) if net.lane is not None else None
    for channel in nets:
        _tracks(channel)
    width, label_at = right, 0
    if lanes:
        label_at = max(lanes.values()) + 2
        width = label_at + max(len(label(target)) for target in lanes)
    drawn = Routed(width, 0)
    drawn.height = _rows(layers, nets, drawn)
    tops = {id(spot): drawn.boxes[spot.node][1] for layer in layers for spot in layer
            if not spot.is_line}  # fmt: skip
    for place, channel in enumerate(nets):
        for net in channel:
            last = _last_row(layers, nets, drawn, place)
            _draw(net, last, tops, drawn, place, layers, nets)
    _draw_lanes(nets, drawn)
    for net in (net for channel in nets for net in channel if net.sink is None):
        drawn.labels.append((label_at, net.y, label(net.target)))
    _own_loops(part, layers, edges, drawn)
    return drawn
