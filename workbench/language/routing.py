"""Which way a node goes (kernel §5; packs-and-engine §3.3, §4.3 item 7).

A branch looks for a route with the node's status, then for its default; custom routes are tried in
the order they were written, and one without condition and status always matches. When nothing
matches, the flow ends. A failed node is different: only a route that says `status: error` takes
it on, never a default.

The roots are those *after* the node: `prev` is the node's own payload.
"""

from __future__ import annotations

from workbench.language.expressions import compile_expression
from workbench.language.paths import Roots
from workbench.language.semantics import OLD_RUNNER, Semantics
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Place
from workbench.model.flow import Node, Route, Routing
from workbench.model.run import RouteTaken
from workbench.model.values import Json

ERROR = "error"


def status_of(output: Json) -> str:
    """The status of a node that neither failed nor waited: its output's `status`, else `ok`."""
    status = output.get("status") if isinstance(output, dict) else None
    return status if isinstance(status, str) and status else "ok"


def choose(
    routing: Routing, status: str, roots: Roots, semantics: Semantics, *, failed: bool = False
) -> RouteTaken:
    """The way on for a node that ended with `status`; `failed` when it is in error.

    `to` is None when the flow ends there. A failed node without an error route also gives None:
    ask `error_route` first, and fail the flow when it says there is none. The target may name a
    node the flow does not have: that is for the caller to refuse (§4.3 item 2). Raises
    `bad_expression` for a condition that cannot be parsed.
    """
    if failed:
        return _after_failure(routing, roots, semantics)
    if routing.kind in ("end", "reply") or not routing.routes:
        return RouteTaken(None, f"the flow ends here ({_ending(routing)})")
    if routing.kind == "next":
        return RouteTaken(_to(routing.routes[0]), "the only way on")
    if routing.kind == "branch":
        return _branch(routing, status, semantics)
    if not semantics.custom_routing:
        why = f"{OLD_RUNNER} does not follow custom routing: the flow ends here"
        return RouteTaken(None, f"{why} with success")
    return _first_match(routing.routes, status, roots, semantics)


def error_route(routing: Routing, semantics: Semantics) -> Route | None:
    """The first route for a failed node, whatever its condition; None when failing ends the
    flow."""
    if not semantics.error_routes:
        return None
    return next((route for route in routing.routes if route.status == ERROR), None)


def why_not(routing: Routing, status: str, roots: Roots) -> list[tuple[Route, str]]:
    """Every route with the reason why it is not taken at this status, or "taken"; the view
    behind "why did it not go there?". A broken condition is its own reason."""
    told: list[tuple[Route, str]] = []
    taken = _index_taken(routing, status, roots)
    for index, route in enumerate(routing.routes):
        if index == taken:
            told.append((route, "taken"))
            continue
        reason = _mismatch(route, status, roots)
        told.append((route, reason or f"{_target(routing.routes[taken or 0])} was taken before it"))
    return told


def broken_condition(node: Node) -> str:
    """`file:line` of the node's first route whose condition cannot be parsed; "" without one."""
    for route in node.routing.routes:
        if route.condition is None or node.place is None or not route.line:
            continue
        try:
            compile_expression(route.condition)
        except WorkbenchError:
            return str(Place(node.place.file, route.line))
    return ""


def _ending(routing: Routing) -> str:
    return "routing: reply" if routing.kind == "reply" else "routing: out"


def _after_failure(routing: Routing, roots: Roots, semantics: Semantics) -> RouteTaken:
    if semantics.error_routes:
        for route in routing.routes:
            if route.status == ERROR and _mismatch(route, ERROR, roots, strict=True) is None:
                return RouteTaken(_to(route), _reason(route, ERROR, roots))
    return RouteTaken(None, "the node failed and has no route for status error")


def _branch(routing: Routing, status: str, semantics: Semantics) -> RouteTaken:
    default = next((r for r in reversed(routing.routes) if r.status is None), None)
    if semantics.on_status:
        for route in routing.routes:
            if route.status == status:
                return RouteTaken(_to(route), f"status is {status}")
        if default is not None:
            return RouteTaken(_to(default), f"status is {status}, which has no route: the default")
        return RouteTaken(None, f"status is {status}, which has no route, and there is no default")
    why = f"{OLD_RUNNER} does not look at the status"
    if default is None:
        return RouteTaken(None, f"{why}, and there is no default: the flow ends here")
    return RouteTaken(_to(default), f"{why}: the default")


def _first_match(
    routes: tuple[Route, ...], status: str, roots: Roots, semantics: Semantics
) -> RouteTaken:
    refused: list[str] = []
    for route in routes:
        if route.legacy_next and not semantics.next_routes:
            continue
        reason = _mismatch(route, status, roots, strict=True)
        if reason is None:
            return RouteTaken(_to(route), _reason(route, status, roots))
        refused.append(reason)
    return RouteTaken(None, f"no route matched, the flow ends here: {'; '.join(refused)}")


def _mismatch(route: Route, status: str, roots: Roots, *, strict: bool = False) -> str | None:
    """Why a route does not fit, or None when it does. `strict` lets a bad condition raise."""
    if route.status is not None and route.status != status:
        return f"status is {status}, not {route.status}"
    if route.condition is None:
        return None
    try:
        condition = compile_expression(route.condition)
    except WorkbenchError as error:
        if strict:
            raise
        return str(error)
    return None if condition.holds(roots) else condition.explain(roots)


def _reason(route: Route, status: str, roots: Roots) -> str:
    said = [f"status is {status}"] if route.status is not None else []
    if route.condition is not None:
        said.append(compile_expression(route.condition).explain(roots))
    return " and ".join(said) or "otherwise"


def _index_taken(routing: Routing, status: str, roots: Roots) -> int | None:
    routes = routing.routes
    fits = [index for index, r in enumerate(routes) if _mismatch(r, status, roots) is None]
    if routing.kind == "branch":
        named = [index for index in fits if routes[index].status is not None]
        return named[0] if named else (fits[-1] if fits else None)
    return fits[0] if fits else None


def _to(route: Route) -> str | None:
    return None if route.reply or route.to in (None, "out") else route.to


def _target(route: Route) -> str:
    to = _to(route)
    return f"the route to {to}" if to else "the route that ends the flow"
