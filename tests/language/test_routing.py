"""Which way a node goes, under both generations (kernel §5; packs-and-engine §3.3, §4.3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.language.routing import choose, error_route, status_of, why_not
from workbench.language.semantics import ALL, CURRENT, RUNNER_2026_02, Semantics
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Route, Routing

ROOTS: dict[str, Any] = {"entry": {}, "prev": {"amount": 480, "kind": "refund"}, "node": {}}

BRANCH = Routing(
    "branch", (Route("yes", status="approved"), Route("no", status="rejected"), Route("other"))
)
CUSTOM = Routing(
    "custom",
    (
        Route("boss", condition="amount > 500"),
        Route("timeout", status="timeout"),
        Route(None, condition="kind == 'spam'"),
        Route("pay"),
    ),
)


def to(routing: Routing, status: str = "ok", semantics: Semantics = CURRENT, **more: Any) -> Any:
    return choose(routing, status, ROOTS, semantics, **more).to


@pytest.mark.parametrize("semantics", ALL, ids=lambda s: s.name)
def test_plain_ways(semantics: Semantics) -> None:
    assert to(Routing("end", (Route(None),)), "ok", semantics) is None
    assert to(Routing("reply", (Route(None, reply=True),)), "ok", semantics) is None
    assert to(Routing(), "ok", semantics) is None
    assert to(Routing("next", (Route("b"),)), "whatever", semantics) == "b"


def test_a_branch_looks_at_the_status_then_at_the_default() -> None:
    assert to(BRANCH, "approved") == "yes"
    assert to(BRANCH, "rejected") == "no"
    assert to(BRANCH, "ok") == "other"
    assert to(Routing("branch", BRANCH.routes[:2]), "ok") is None
    assert to(BRANCH, "approved", RUNNER_2026_02) == "other"
    assert to(Routing("branch", BRANCH.routes[:2]), "approved", RUNNER_2026_02) is None


def test_custom_routes_are_tried_in_order() -> None:
    assert to(CUSTOM) == "pay"
    assert to(CUSTOM, "timeout") == "timeout"
    large = {"prev": {"amount": 501}}
    assert choose(CUSTOM, "timeout", large, CURRENT).to == "boss"
    spam = {"prev": {"kind": "spam"}}
    assert choose(CUSTOM, "ok", spam, CURRENT).to is None
    assert to(CUSTOM, "ok", RUNNER_2026_02) is None


def test_reasons_carry_the_values() -> None:
    large = {"prev": {"amount": 501}}
    assert choose(CUSTOM, "ok", large, CURRENT).why == "amount > 500 is true (501)"
    assert choose(BRANCH, "approved", ROOTS, CURRENT).why == "status is approved"
    assert (
        "no route matched" in choose(Routing("custom", CUSTOM.routes[:1]), "ok", ROOTS, CURRENT).why
    )
    why = choose(CUSTOM, "ok", ROOTS, RUNNER_2026_02).why
    assert why.startswith("the 2026-02 runner")
    assert why.endswith("with success")


def test_a_failed_node_needs_its_own_route() -> None:
    plain = Routing("next", (Route("b"),))
    assert error_route(plain, CURRENT) is None
    assert to(plain, "error", CURRENT, failed=True) is None
    assert to(BRANCH, "error", CURRENT, failed=True) is None
    routed = Routing("branch", (Route("mend", status="error"), Route("b")))
    found = error_route(routed, CURRENT)
    assert found is not None
    assert found.to == "mend"
    assert to(routed, "error", CURRENT, failed=True) == "mend"
    assert error_route(routed, RUNNER_2026_02) is None
    assert to(routed, "error", RUNNER_2026_02, failed=True) is None


def test_an_output_that_says_error_is_not_a_failure() -> None:
    assert status_of({"status": "error"}) == "error"
    assert to(Routing("next", (Route("b"),)), "error") == "b"
    assert to(BRANCH, "error") == "other"


@pytest.mark.parametrize(
    ("output", "status"),
    [
        ({"status": "done"}, "done"),
        ({"status": 3}, "ok"),
        ({"status": ""}, "ok"),
        ([], "ok"),
        (None, "ok"),
    ],
)
def test_the_status_of_an_output(output: Any, status: str) -> None:
    assert status_of(output) == status


def test_legacy_next_is_followed_only_now() -> None:
    routing = Routing("custom", (Route("b", legacy_next=True),), raw=[{"next": "b"}])
    assert to(routing) == "b"
    assert to(routing, "ok", RUNNER_2026_02) is None


def test_a_condition_nobody_can_read_stops_the_choice() -> None:
    with pytest.raises(WorkbenchError) as caught:
        to(Routing("custom", (Route("b", condition="amount >"),)))
    assert caught.value.code == "bad_expression"


def test_why_not_tells_about_every_route() -> None:
    told = [(route.to, reason) for route, reason in why_not(CUSTOM, "ok", ROOTS)]
    assert told == [
        ("boss", "amount > 500 is false (480)"),
        ("timeout", "status is ok, not timeout"),
        (None, "kind == 'spam' is false (\"refund\")"),
        ("pay", "taken"),
    ]
    later = why_not(CUSTOM, "ok", {"prev": {"amount": 501}})
    assert later[0][1] == "taken"
    assert later[3][1] == "the route to boss was taken before it"
    broken = why_not(Routing("custom", (Route("b", condition="("),)), "ok", ROOTS)
    assert "expected a value" in broken[0][1]


routes = st.builds(
    Route,
    to=st.none() | st.sampled_from(["a", "b", "out"]),
    condition=st.none() | st.sampled_from(["amount > 1", "amount > 999", "nope", "x in y"]),
    status=st.none() | st.sampled_from(["ok", "error", "timeout"]),
)
routings = st.builds(
    Routing,
    kind=st.sampled_from(["end", "reply", "next", "branch", "custom"]),
    routes=st.lists(routes, max_size=4).map(tuple),
)


@given(
    routings, st.sampled_from(["ok", "error", "timeout", "x"]), st.booleans(), st.sampled_from(ALL)
)
def test_every_choice_is_one_of_the_routes_and_has_a_reason(
    routing: Routing, status: str, failed: bool, semantics: Semantics
) -> None:
    taken = choose(routing, status, ROOTS, semantics, failed=failed)
    assert taken.to is None or taken.to in {route.to for route in routing.routes}
    assert taken.to != "out"
    assert taken.why
    if failed and taken.to is not None:
        assert any(route.to == taken.to and route.status == "error" for route in routing.routes)


@given(
    routings.filter(lambda r: r.kind in ("branch", "custom")), st.sampled_from(["ok", "timeout"])
)
def test_why_not_agrees_with_the_choice(routing: Routing, status: str) -> None:
    if routing.kind == "branch" and any(route.condition for route in routing.routes):
        return  # a branch has no conditions (§3.3): any makes the routing custom
    taken = choose(routing, status, ROOTS, CURRENT)
    told = [route for route, reason in why_not(routing, status, ROOTS) if reason == "taken"]
    assert [None if r.to == "out" else r.to for r in told] in ([taken.to], [])
    assert told or taken.to is None
