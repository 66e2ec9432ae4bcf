"""Where boxes stand in one connected part of a flow: layers, order within them, columns. Pure.

The layers are the longest paths over the edges that lead down (`rail_layout.flow_edges` has put
loops apart). An edge over several layers passes those between as a *line*; lines to the same
target are one line, so a handler that forty nodes lead to costs one column, not forty. The order
within a layer comes from barycentre sweeps, the columns from least squares: every box as near to
its neighbours as its layer allows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

GAP = 2  # free cells between two boxes of a layer
LOOP = 3  # cells a node's own loop takes on its right
LINE = 3  # cells a passing line takes: itself, and one to step aside to on both sides


@dataclass(slots=True)
class Part:
    """A connected part of a flow. `layer` is each node's; `forward` leads to deeper layers only,
    `back` to the same or earlier ones, a node itself included. `sizes` are (width, height)."""

    nodes: list[str]
    layer: dict[str, int]
    forward: dict[str, list[str]]
    back: dict[str, list[str]]
    sizes: Mapping[str, tuple[int, int]]


@dataclass(slots=True, eq=False)
class Spot:
    """A place in a layer: the box of `node`, or a line on its way to `node`.

    `left` is the first column, `entry` the column its incoming edge arrives at (for a line: runs
    in); `up` and `down` are its neighbours in the layers beside.
    """

    node: str
    layer: int
    width: int
    height: int
    is_line: bool = False
    extra: int = 0
    left: int = 0
    entry: int = 0
    place: int = 0
    centre: float = 0.0
    up: list[Spot] = field(default_factory=list)
    down: list[Spot] = field(default_factory=list)


def layer_numbers(order: Sequence[str], forward: Mapping[str, list[str]]) -> dict[str, int]:
    """The longest way down to each node; `order` must put every node before its targets."""
    layer = dict.fromkeys(order, 0)
    for node in order:
        below = layer[node] + 1
        for to in forward[node]:
            if layer[to] < below:
                layer[to] = below
    return layer


def arrange(part: Part) -> list[list[Spot]]:
    """The layers top down, each left to right, with columns from 0 on."""
    layers = _spots(part)
    _sort(layers)
    _place(layers)
    return layers


def _spots(part: Part) -> list[list[Spot]]:
    layers: list[list[Spot]] = [[] for _ in range(max(part.layer.values()) + 1)]
    boxes: dict[str, Spot] = {}
    for node in part.nodes:
        width, height = part.sizes[node]
        extra = LOOP if node in part.back[node] else 0
        boxes[node] = spot = Spot(node, part.layer[node], width, height, extra=extra)
        layers[spot.layer].append(spot)
    lines: dict[tuple[str, int], Spot] = {}
    for node in part.nodes:
        for to in part.forward[node]:
            above = boxes[node]
            for layer in range(part.layer[node] + 1, part.layer[to]):
                line = lines.get((to, layer))
                known = line is not None
                if line is None:
                    line = lines[to, layer] = Spot(to, layer, LINE, 0, is_line=True)
                    layers[layer].append(line)
                _join(above, line)
                above = line
                if known:
                    break
            else:
                _join(above, boxes[to])
    return layers


def _join(above: Spot, below: Spot) -> None:
    above.down.append(below)
    below.up.append(above)


# -- order within a layer ---------------------------------------------------------------------


def _sort(layers: list[list[Spot]]) -> None:
    """Two sweeps, down and up, then down again; the order with the fewest crossings is kept,
    the first of equals: it reads as the routes are written."""
    best: list[list[Spot]] = []
    fewest = -1
    for sweep in range(3):
        if sweep == 1:
            for layer in reversed(layers[:-1]):
                _sort_layer(layer, {spot: _mean(spot.down, spot.place) for spot in layer})
        else:
            _number(layers[0])
            for layer in layers[1:]:
                _sort_layer(layer, {spot: _below(spot) for spot in layer})
        crossings = sum(map(_crossings, layers))
        if fewest < 0 or crossings < fewest:
            fewest, best = crossings, [list(layer) for layer in layers]
        if not fewest:
            break
    for layer, kept in zip(layers, best, strict=True):
        layer[:] = kept
        _number(layer)


def _sort_layer(layer: list[Spot], wanted: Mapping[Spot, float]) -> None:
    layer.sort(key=wanted.__getitem__)
    _number(layer)


def _number(layer: list[Spot]) -> None:
    for place, spot in enumerate(layer):
        spot.place = place


def _mean(spots: Sequence[Spot], otherwise: float) -> float:
    return sum(spot.place for spot in spots) / len(spots) if spots else otherwise


def _below(spot: Spot) -> float:
    """The mean place above; of several below one node, the first route stands first."""
    if not spot.up:
        return float(spot.place)
    places = (one.place + (one.down.index(spot) + 1) / (len(one.down) + 1) for one in spot.up)
    return sum(places) / len(spot.up) - 0.5


def _crossings(layer: list[Spot]) -> int:
    """How often the edges out of a layer cross each other."""
    if len(layer) < 2:
        return 0
    count = 0
    seen: list[int] = []
    for spot in layer:
        ends = sorted(to.place for to in spot.down)
        count += sum(len(seen) - bisect_right(seen, end) for end in ends)
        for end in ends:
            seen.insert(bisect_right(seen, end), end)
    return count


# -- columns ----------------------------------------------------------------------------------


def _place(layers: list[list[Spot]]) -> None:
    packed = [_packed(layer) for layer in layers]
    above = [[_pulling(spot, spot.up) for spot in layer] for layer in layers]
    below = [[_pulling(spot, spot.down) for spot in layer] for layer in layers]
    for layer, centres in zip(layers, packed, strict=True):
        for spot, centre in zip(layer, centres, strict=True):
            spot.centre = centre
    for _ in range(2):
        for place in range(1, len(layers)):
            _pull(layers[place], above[place], packed[place])
        for place in reversed(range(len(layers) - 1)):
            # Last, so that what runs straight down stands straight.
            _pull(layers[place], below[place], packed[place])
    for layer in layers:
        _round(layer)
    first = min(layer[0].left for layer in layers)
    for layer in layers:
        for spot in layer:
            spot.left -= first


def _packed(layer: list[Spot]) -> list[float]:
    """The centres when every spot stands as far left as it can."""
    centres: list[float] = []
    free = 0.0
    before: Spot | None = None
    for spot in layer:
        if before is not None:
            free += _gap(before, spot)
        centres.append(free + spot.width / 2)
        free += spot.width
        before = spot
    return centres


def _gap(left: Spot, right: Spot) -> int:
    return left.extra + (0 if left.is_line or right.is_line else GAP)


def _pulling(spot: Spot, beside: list[Spot]) -> list[Spot]:
    """The neighbours that a spot would stand in the middle of: a box looks at lines only when
    there are no boxes, and the other way round."""
    return [one for one in beside if one.is_line is spot.is_line] or beside or [spot]


def _pull(layer: list[Spot], pulling: list[list[Spot]], packed: list[float]) -> None:
    """Move every spot as near to the middle of its neighbours as the order allows: the least
    squares of the distances, found by merging runs that push each other. Lines give way."""
    runs: list[tuple[float, float, int]] = []  # weighted sum, weight, spots
    for spot, others, least in zip(layer, pulling, packed, strict=True):
        wanted = 0.0
        for other in others:
            wanted += other.centre
        weight = 0.02 if spot.is_line else 1.0
        total, count = (wanted / len(others) - least) * weight, 1
        while runs and runs[-1][0] / runs[-1][1] > total / weight:
            its, heavy, many = runs.pop()
            total, weight, count = total + its, weight + heavy, count + many
        runs.append((total, weight, count))
    place = 0
    for total, weight, count in runs:
        shift = total / weight
        for _ in range(count):
            layer[place].centre = shift + packed[place]
            place += 1


def _round(layer: list[Spot]) -> None:
    free: int | None = None
    before: Spot | None = None
    for spot in layer:
        left = floor(spot.centre - spot.width / 2 + 0.5)
        if before is not None and free is not None:
            left = max(left, free + _gap(before, spot))
        spot.left = left
        free, before = left + spot.width, spot
