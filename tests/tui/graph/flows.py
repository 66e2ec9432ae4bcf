"""Any flow a person could write, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.tui.widgets.flows import make_flow
from workbench.model.flow import Flow


@st.composite
def flows(draw: st.DrawFn, most: int = 14) -> Flow:
    """Any flow: loops, ways to nowhere, nodes without a way in, calls of other flows."""
    size = draw(st.integers(1, most))
    names = [draw(st.sampled_from(["n", "call"])) + str(place) for place in range(size)]
    ways = st.lists(st.integers(0, size), max_size=5)
    return make_flow(
        {name: [names[to] if to < size else "" for to in draw(ways)] for name in names}
    )


@st.composite
def entered(draw: st.DrawFn) -> tuple[Flow, dict[str, Flow]]:
    """A flow with sub-flows entered up to two frames deep."""
    flow = draw(flows(8))
    frames: dict[str, Flow] = {}
    for name in flow.nodes:
        if name.startswith("call") and draw(st.booleans()):
            frame = f"{name}#{draw(st.integers(1, 12))}/"
            frames[frame] = child = draw(flows(4))
            for inner in child.nodes:
                if inner.startswith("call") and draw(st.booleans()):
                    frames[f"{frame}{inner}#1/"] = draw(flows(3))
    return flow, frames
