"""The routing of a node, from what an author wrote or a compiler stored (packs-and-engine §3.3).

Both readings end as the same `Routing`: the kind old runners look at, and the routes in one shape.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.model.findings import Finding
from workbench.model.flow import Route, Routing
from workbench.model.values import Json, short
from workbench.packs.located import Located, from_json

END = Routing()
REPLY = Routing("reply", (Route(None, reply=True),))
_KNOWN = frozenset({"to", "out", "reply", "status", "condition", "next", "on_message"})
_TEXT_KEYS = ("to", "status", "condition", "next")


def compile_routing(
    part: Located | None, where: Callable[[int], str]
) -> tuple[Routing, list[Finding]]:
    """The routing an author wrote. `where` turns a line into a finding's place.

    What cannot be read becomes an error finding and is left out; it never raises.
    """
    if part is None or part.value is None or part.value == []:
        return END, []
    if part.value == "out":
        return END, []
    if part.value == "reply":
        return REPLY, []
    if not isinstance(part.value, list):
        message = f"routing is `out`, `reply` or a list of routes, not {short(part.value, 40)}"
        return END, [Finding("bad_routing", "error", where(part.line), message)]
    found: list[Finding] = []
    routes: list[Route] = []
    for item in part.items:
        route = _route(item, where, found)
        if route is not None:
            routes.append(route)
    return _compiled(tuple(routes), part), found


def decode_routing(stored: Json, node_name: Callable[[Json], str]) -> Routing:
    """The routing a compiler stored (§2.2): "End", "Reply", Next, Branch or Custom.

    `node_name` turns a symbol (an index or a text) into a node id and raises WorkbenchError for a
    bad one. An unknown form is kept as custom routing without routes.
    """
    if stored is None or stored == "End":
        return END
    if stored == "Reply":
        return REPLY
    if isinstance(stored, dict) and len(stored) == 1:
        ((form, body),) = stored.items()
        if form == "Next":
            to = node_name(body.get("node_id") if isinstance(body, dict) else body)
            return Routing("next", (Route(to),))
        if form == "Branch" and isinstance(body, dict):
            return _stored_branch(body, node_name)
        if form == "Custom":
            return _stored_custom(body)
        if form in ("End", "Reply"):
            return REPLY if form == "Reply" else END
    return Routing("custom", (), stored)


def _stored_branch(body: dict[str, Json], node_name: Callable[[Json], str]) -> Routing:
    on_status = body.get("on_status")
    routes = [
        Route(node_name(to), status=str(status))
        for status, to in (on_status.items() if isinstance(on_status, dict) else ())
    ]
    if body.get("default") is not None:
        routes.append(Route(node_name(body["default"])))
    return Routing("branch", tuple(routes))


def _stored_custom(body: Json) -> Routing:
    routing, _ = compile_routing(from_json(body), str)
    return Routing("custom", routing.routes, body)


def _compiled(routes: tuple[Route, ...], part: Located) -> Routing:
    """The compile table for a list of routes."""
    if not routes:
        return END
    conditional = any(route.condition is not None or route.legacy_next for route in routes)
    if conditional:
        return Routing("custom", routes, part.value)
    if len(routes) == 1:
        return _single(routes[0], part)
    if any(route.to is None for route in routes):
        return Routing("custom", routes, part.value)
    by_status = {route.status: route for route in routes if route.status is not None}
    defaults = [route for route in routes if route.status is None]
    return Routing("branch", (*by_status.values(), *defaults[-1:]))


def _single(route: Route, part: Located) -> Routing:
    if route.reply:
        return REPLY
    if route.status is not None:
        return Routing("custom", (route,), part.value)
    return END if route.to is None else Routing("next", (route,))


def _route(item: Located, where: Callable[[int], str], found: list[Finding]) -> Route | None:
    """One route of a list; None when it cannot be read, and then `found` says why."""
    place = where(item.line)
    if not isinstance(item.value, dict):
        said = f"a route is an object such as {{to: next_node}}, not {short(item.value, 40)}"
        found.append(Finding("bad_route", "error", place, said))
        return None
    fields: dict[str, Json] = dict(item.value)
    if isinstance(fields.get("status"), bool | int | float):
        fields["status"] = short(fields["status"])
        said = f'a status is text: write status: "{fields["status"]}"'
        found.append(Finding("bad_route", "warning", place, said))
    for key in _TEXT_KEYS:
        if not isinstance(fields.get(key), str | None):
            said = f"`{key}` of a route is text, not {short(fields[key], 40)}"
            found.append(Finding("bad_route", "error", place, said))
            return None
    found.extend(_oddities(fields, place))
    legacy = not fields.get("to") and bool(fields.get("next"))
    target = fields.get("to") or fields.get("next") or None
    reply = fields.get("reply") is True
    leaves = reply or fields.get("out") is True or target == "out"
    # Such a route is for the turn that resumes a parked card, which no engine here has.
    condition = "false" if fields.get("on_message") is True else fields.get("condition")
    return Route(
        to=None if leaves else target,
        condition=condition or None,
        status=fields.get("status") or None,
        reply=reply,
        legacy_next=legacy and not leaves,
        line=item.line,
    )


def _oddities(fields: dict[str, Json], place: str) -> list[Finding]:
    """What a runner would pass over in silence."""
    said: list[str] = []
    unknown = [key for key in fields if key not in _KNOWN]
    if unknown:
        said.append(f"no runner knows `{unknown[0]}` on a route")
    if fields.get("on_message") is True:
        said.append("a route with `on_message` is never taken here")
    if not any(fields.get(key) for key in ("to", "next", "out", "reply")):
        said.append("this route names no node, so taking it ends the flow")
    return [Finding("odd_route", "warning", place, sentence) for sentence in said]
