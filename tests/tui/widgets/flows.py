"""Flows for drawing: node → where it may lead ("" ends the flow)."""

from __future__ import annotations

from workbench.model.flow import Flow, Node, Route, Routing


def make_flow(routes: dict[str, list[str]], start: str | None = None) -> Flow:
    """A flow whose nodes stand in the order of `routes`; the first one starts."""
    nodes = {
        name: Node(
            name,
            "flow.call" if name.startswith("call") else "x",
            "flow.call" if name.startswith("call") else "exec",
            routing=Routing("branch", tuple(Route(to or None) for to in targets)),
        )
        for name, targets in routes.items()
    }
    return Flow("main", nodes=nodes, start=start or next(iter(nodes), None))


REFUND = make_flow({
    "parse": ["score"],
    "score": ["rate"],
    "rate": ["approval"],
    "approval": ["decide"],
    "decide": ["pay", "reject"],
    "pay": ["receipt"],
    "receipt": ["notify"],
    "reject": [""],
    "notify": [],
})  # fmt: skip
