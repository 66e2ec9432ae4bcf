"""The lines of one arranged part of a flow: ports, tracks, loops in the right gutter. Pure.

Between two layers lies a channel. All edges to one target that pass it are one *net*: they come
down from their ports, share one horizontal track and go on as one line, so a join is a join and
nothing else. Two nets never share a port column or a stretch of track; where they meet, they
cross. A loop leaves through the channel below its node, rises in a lane of the right gutter and
enters through the channel above its target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from workbench.tui.graph_layers import Part, Spot

MARGIN = 2  # the cells at both ends of a box's top and bottom that no line touches
END_MARK = 4  # further cells kept free where a box says that the flow can end


class Segment(NamedTuple):
    """A straight piece of line from (x1, y1) right or down to (x2, y2), both cells included.
    `edges` has a bit for each edge that runs along it; all of them lead to one node, `net`."""

    x1: int
    y1: int
    x2: int
    y2: int
    edges: int
    net: str


class Head(NamedTuple):
    """An arrow head: `sign` is "▼" above a box, or "◀" beside one that repeats itself."""

    x: int
    y: int
    sign: str
    edges: int


@dataclass(slots=True)
class Routed:
    """A part with its lines. `boxes` holds top left corners; `labels` are (x, y, text)."""

    width: int
    height: int
    boxes: dict[str, tuple[int, int]] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    labels: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Net:
    """The edges to `target` in one channel. Pins are (column, the spot above, edges). It leaves
    down into `sink`, or without one up its lane; with both, the lane comes in from the right.

    `close` works out the rest: `sources` are (column, edges) of all that comes in, `out` the
    column it leaves by, `rising` and `falling` the columns between its track and the top or the
    bottom of the channel, `low` and `high` its ends. Without a `track` it runs straight down.
    """

    target: str
    sink: Spot | None = None
    lane: int | None = None
    lane_edges: int = 0
    pins: list[tuple[int, Spot, int]] = field(default_factory=list)
    sources: list[tuple[int, int]] = field(default_factory=list)
    edges: int = 0
    out: int = 0
    rising: list[int] = field(default_factory=list)
    falling: list[int] = field(default_factory=list)
    low: int = 0
    high: int = 0
    track: int | None = None
    y: int = 0

    def close(self) -> None:
        """All pins are there."""
        self.sources = [(column, edges) for column, _, edges in self.pins]
        self.rising = [column for column, _, _ in self.pins]
        lane = [] if self.lane is None else [self.lane]
        if self.sink is not None:
            self.out = self.sink.entry
            self.falling = [self.out, *lane]
            self.sources += [(column, self.lane_edges) for column in lane]
        else:
            self.out = lane[0]
            self.rising += lane
        self.edges = _union(edges for _, edges in self.sources)
        self.low = min(*self.rising, *self.falling, self.out)
        self.high = max(*self.rising, *self.falling, self.out)


def route(
    part: Part,
    layers: list[list[Spot]],
    edges: Mapping[tuple[str, str], int],
    ending: frozenset[str],
    label: Callable[[str], str],
) -> Routed:
    """Draw the lines of `part`. `edges` has the bit of each edge, `ending` the nodes that keep
    room for their end mark; `label` writes what stands beside a loop that returns to a node."""
    return _Router(part, layers, edges, ending, label).run()


class _Router:
    """Channel k lies above layer k; the last one below the last layer."""

    def __init__(
        self,
        part: Part,
        layers: list[list[Spot]],
        edges: Mapping[tuple[str, str], int],
        ending: frozenset[str],
        label: Callable[[str], str],
    ) -> None:
        self.part = part
        self.layers = layers
        self.edges = edges
        self.ending = ending
        self.label = label
        self.returns: dict[str, list[str]] = {}  # node -> those that lead back to it
        for node in part.nodes:
            for to in part.back[node]:
                if to != node:
                    self.returns.setdefault(to, []).append(node)
        self.ports: dict[tuple[str, str], int] = {}
        self.channels: list[list[_Net]] = []
        self.tops: list[int] = []  # the first row of each layer
        self.firsts: list[int] = []  # the first row of each channel
        right = max(spot.left + spot.width + spot.extra for layer in layers for spot in layer)
        self.lanes = self._lanes(right + 1)
        self.drawn = Routed(right, 0)

    def run(self) -> Routed:
        for place in range(len(self.layers)):
            self._entries(place)
            if place:
                self._ports(place - 1)
        self._ports(len(self.layers) - 1)
        self._nets()
        for channel in self.channels:
            _tracks(channel)
        self._rows()
        for place, channel in enumerate(self.channels):
            for net in channel:
                self._draw(place, net)
        self._draw_lanes()
        self._draw_own_loops()
        return self.drawn

    # columns

    def _lanes(self, first: int) -> dict[str, int]:
        """The gutter column of each node that is returned to; short loops lie inside."""
        spans = []
        for to, sources in self.returns.items():
            top = self.part.layer[to]
            spans.append((top, max(self.part.layer[node] for node in sources) + 1, to))
        spans.sort(key=lambda span: (span[1] - span[0], span[0]))
        taken: list[list[tuple[int, int]]] = []
        found: dict[str, int] = {}
        for top, bottom, to in spans:
            lane = 0
            while lane < len(taken) and any(
                top <= low and high <= bottom for high, low in taken[lane]
            ):
                lane += 1
            if lane == len(taken):
                taken.append([])
            taken[lane].append((top, bottom))
            found[to] = first + 2 * lane
        return found

    def _entries(self, place: int) -> None:
        """Where the edges into each spot of a layer arrive; never below another net's line."""
        before = self.layers[place - 1] if place else []
        above = {spot.entry: spot.node for spot in before if spot.is_line}
        for spot in self.layers[place]:
            first, last = spot.left + MARGIN, spot.left + spot.width - 1 - MARGIN
            if spot.is_line:
                first, last = spot.left, spot.left + spot.width - 1
            wanted = min(max(self._wanted_entry(spot), first), last)
            spot.entry = _nearest(wanted, first, last, above, spot.node)

    def _wanted_entry(self, spot: Spot) -> int:
        """Straight below its only source where that is possible, else in the middle."""
        middle = spot.left + (spot.width - 1) // 2
        if spot.is_line:
            before = next((one.entry for one in spot.up if one.is_line), middle)
            return before if abs(before - middle) <= 1 else middle
        if len(spot.up) != 1 or spot.node in self.returns:
            return middle
        source = spot.up[0]
        if source.is_line:
            return source.entry
        first, last = self._span(source)
        return min(max(middle, first), last)

    def _span(self, spot: Spot) -> tuple[int, int]:
        """The columns of a box's bottom that lines may leave from."""
        last = spot.left + spot.width - 1 - MARGIN
        return spot.left + MARGIN, last - (END_MARK if spot.node in self.ending else 0)

    def _ports(self, place: int) -> None:
        """Where each edge leaves the boxes of a layer: above its target when it can, else at the
        end that is nearer; never above what another net enters below."""
        below = self.layers[place + 1] if place + 1 < len(self.layers) else []
        entered = {
            spot.entry: spot.node
            for spot in below
            if spot.up or (not spot.is_line and spot.node in self.returns)
        }
        for box in self.layers[place]:
            if box.is_line:
                continue
            first, last = self._span(box)
            used: set[int] = set()
            leftward: list[tuple[int, str]] = []
            rightward = [(self.lanes[to], to) for to in self.part.back[box.node] if to != box.node]
            for spot in box.down:
                if first <= spot.entry <= last:
                    self.ports[box.node, spot.node] = spot.entry
                    used.add(spot.entry)
                else:
                    side = leftward if spot.entry < first else rightward
                    side.append((spot.entry, spot.node))
            for side, start, step in ((leftward, first, 1), (rightward, last, -1)):
                at = start
                for _, to in sorted(side, reverse=step < 0):
                    at = _free(at, step, first, last, used, entered, to)
                    self.ports[box.node, to] = at
                    used.add(at)

    # nets

    def _nets(self) -> None:
        along: dict[int, int] = {}  # id of a line's spot -> the edges on it
        for place in range(len(self.layers) + 1):
            channel: list[_Net] = []
            for spot in self.layers[place] if place < len(self.layers) else ():
                net = self._falling_net(spot, along)
                if net.pins or net.lane is not None:
                    net.close()
                    channel.append(net)
                    along[id(spot)] = net.edges
            loops: dict[str, _Net] = {}
            for spot in self.layers[place - 1] if place else ():
                if spot.is_line:
                    continue
                for to in self.part.back[spot.node]:
                    if to == spot.node:
                        continue
                    net = loops.setdefault(to, _Net(to, lane=self.lanes[to]))
                    net.pins.append((self.ports[spot.node, to], spot, self.edges[spot.node, to]))
            for net in loops.values():
                net.close()
            self.channels.append([*channel, *loops.values()])

    def _falling_net(self, spot: Spot, along: Mapping[int, int]) -> _Net:
        net = _Net(spot.node, spot)
        for source in spot.up:
            if source.is_line:
                net.pins.append((source.entry, source, along[id(source)]))
            else:
                key = source.node, spot.node
                net.pins.append((self.ports[key], source, self.edges[key]))
        if not spot.is_line and spot.node in self.returns:
            net.lane = self.lanes[spot.node]
            net.lane_edges = _union(self.edges[node, spot.node] for node in self.returns[spot.node])
        return net

    # rows

    def _rows(self) -> None:
        """The rows of layers and channels; a channel has its tracks and a row for arrow heads."""
        y = 0
        for place, channel in enumerate(self.channels):
            self.firsts.append(y)
            tracks = max((net.track + 1 for net in channel if net.track is not None), default=0)
            for net in channel:
                net.y = y + (net.track or 0)
            inner = 0 < place < len(self.layers)
            falls = any(net.sink is not None for net in channel)
            y += tracks + (1 if inner or falls else 0)
            if place < len(self.layers):
                layer = self.layers[place]
                self.tops.append(y)
                for spot in layer:
                    if not spot.is_line:
                        self.drawn.boxes[spot.node] = (spot.left, y)
                y += max(spot.height for spot in layer)
        self.drawn.height = y

    def _draw(self, place: int, net: _Net) -> None:
        """The lines of a net in channel `place`."""
        for column, source, edges in net.pins:
            above = self.tops[place - 1] + (source.height if not source.is_line else 0) - 1
            self._down(column, above, net.y, edges, net.target)
        if net.track is not None:
            for left, right, edges in _stretches(net.sources, net.out):
                self.drawn.segments.append(Segment(left, net.y, right, net.y, edges, net.target))
        if net.sink is not None:
            bottom = self.tops[place] - 1
            self._down(net.sink.entry, net.y, bottom, net.edges, net.target)
            if not net.sink.is_line:
                self.drawn.heads.append(Head(net.sink.entry, bottom, "▼", net.edges))

    def _down(self, x: int, top: int, bottom: int, edges: int, net: str) -> None:
        if top < bottom:
            self.drawn.segments.append(Segment(x, top, x, bottom, edges, net))

    def _draw_lanes(self) -> None:
        if not self.lanes:
            return
        beside = max(self.lanes.values()) + 2
        joints: dict[str, list[_Net]] = {}
        for net in (net for channel in self.channels for net in channel):
            if net.lane is not None:
                joints.setdefault(net.target, []).append(net)
                if net.sink is None:
                    text = self.label(net.target)
                    self.drawn.labels.append((beside, net.y, text))
                    self.drawn.width = max(self.drawn.width, beside + len(text))
        for target, nets in joints.items():
            edges = 0
            for upper, lower in zip(nets[-2::-1], nets[:0:-1], strict=True):
                edges |= lower.edges
                self._down(self.lanes[target], upper.y, lower.y, edges, target)

    def _draw_own_loops(self) -> None:
        """A node that repeats itself: out of its bottom right corner, in again beside its state."""
        for spot in (spot for layer in self.layers for spot in layer if spot.extra):
            x, y = self.drawn.boxes[spot.node]
            edge, low = x + spot.width - 1, y + spot.height - 1
            bit = self.edges[spot.node, spot.node]
            for piece in (
                (edge, low, edge + 2, low), (edge + 2, y + 1, edge + 2, low),
                (edge + 1, y + 1, edge + 2, y + 1),
            ):  # fmt: skip
                self.drawn.segments.append(Segment(*piece, bit, spot.node))
            self.drawn.heads.append(Head(edge + 1, y + 1, "◀", bit))


# -- tracks -----------------------------------------------------------------------------------


def _tracks(channel: list[_Net]) -> None:
    """Give every net that bends a track, from the top: overlapping nets get different ones, in
    the order that makes them cross least."""
    bent = [net for net in channel if net.low < net.high]
    scores = [0] * len(bent)
    for one, upper in enumerate(bent):
        for other in range(one + 1, len(bent)):
            lower = bent[other]
            if _meet(upper, lower):
                worse = _crossings(upper, lower) - _crossings(lower, upper)
                scores[one] += worse
                scores[other] -= worse
    placed: list[_Net] = []
    for _, _, net in sorted(
        zip(scores, range(len(bent)), bent, strict=True), key=lambda item: item[:2]
    ):
        tracks = [one.track for one in placed if _meet(one, net) and one.track is not None]
        net.track = max(tracks, default=-1) + 1
        placed.append(net)


def _meet(one: _Net, other: _Net) -> bool:
    return one.low <= other.high + 1 and other.low <= one.high + 1


def _crossings(upper: _Net, lower: _Net) -> int:
    """How often two nets cross when one has the higher track."""
    down = sum(lower.low < column < lower.high for column in upper.falling)
    return down + sum(upper.low < column < upper.high for column in lower.rising)


def _stretches(sources: Sequence[tuple[int, int]], out: int) -> list[tuple[int, int, int]]:
    """(left, right, edges) between neighbouring columns of a track: the edges that pass there
    on their way from their column to `out`."""
    columns = sorted({out, *(column for column, _ in sources)})
    found = []
    for left, right in pairwise(columns):
        passing = (edges for column, edges in sources if (column <= left) is (right <= out))
        found.append((left, right, _union(passing)))
    return found


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _nearest(wanted: int, first: int, last: int, above: Mapping[int, str], target: str) -> int:
    """The column nearest to `wanted` with no line above it that leads elsewhere than `target`;
    `wanted` when there is none."""
    for distance in range(last - first + 1):
        for column in (wanted - distance, wanted + distance):
            if first <= column <= last and above.get(column, target) == target:
                return column
    return wanted


def _free(
    at: int, step: int, first: int, last: int, used: set[int],
    entered: Mapping[int, str], target: str,
) -> int:  # fmt: skip
    """The next free port from `at` on, with a cell between ports while there is room."""

    def fits(column: int, apart: bool) -> bool:
        if column in used or entered.get(column, target) != target:
            return False
        return not (apart and (column - 1 in used or column + 1 in used))

    ahead = range(at, last + 1) if step > 0 else range(at, first - 1, -1)
    for columns, apart in ((ahead, True), (ahead, False), (range(first, last + 1), False)):
        for column in columns:
            if fits(column, apart):
                return column
    return at
