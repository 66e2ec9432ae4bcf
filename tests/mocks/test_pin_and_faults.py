"""Pins and faults: the two links that answer in the world's place."""

from __future__ import annotations

import pytest

from workbench.effects.chain import Perform, build_chain
from workbench.effects.faults import FaultLink, FaultSpec
from workbench.effects.pin import PinLink
from workbench.model.effect import PENDING, Effect, Outcome, ok


class Counted:
    """The rest of the chain: counts, and answers with one outcome."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.count = 0
        self._outcome = outcome or ok("real", "wasm")

    def __call__(self, effect: Effect) -> Outcome:
        self.count += 1
        return self._outcome


def call(node: str = "pay", frame: str = "", kind: str = "component.call") -> Effect:
    return Effect(kind, "comp", None, node=node, frame=frame)


def test_the_most_exact_pin_wins_and_pins_change_while_running() -> None:
    pins = PinLink({"pay": 1, "sub/pay": 2, "sub#2/pay": 3})
    perform = build_chain([pins], Counted())
    seen = [perform(call(frame=frame)).value for frame in ("", "sub#1/", "sub#2/", "x#1/")]
    assert seen == [1, 2, 3, 1]
    assert perform(call()).source == "pin"
    assert perform(call("other")).value == "real"
    assert pins.unpin("pay") and not pins.unpin("pay")
    assert perform(call()).value == "real"
    pins.pin("pay", None)
    assert perform(call()) == ok(None, "pin")
    pins.replace({})
    assert perform(call(frame="sub#2/")).value == "real"


@pytest.mark.parametrize("kind", ["component.call", "provider.invoke", "flow.call", "emit", "wait"])
def test_every_kind_of_node_can_be_pinned(kind: str) -> None:
    assert build_chain([PinLink({"pay": 1})], Counted())(call(kind=kind)).value == 1


def test_what_a_guest_asks_inside_a_pinned_node_is_not_pinned() -> None:
    guest = Effect("tool_call", "t", caller="guest", node="pay")
    perform = build_chain([PinLink({"pay": 1})], Counted())
    assert perform(guest).value == "real"
    assert perform(Effect("sleep", "", caller="guest", node="pay")).value == "real"


def hits(fault: FaultSpec, count: int, seed: int = 0, kind: str | None = None) -> list[bool]:
    perform = build_chain([FaultLink([fault], seed)], Counted())
    return [perform(call(kind=kind or fault.kind)).source == "fault" for _ in range(count)]


def test_modes_count_as_the_reference_does() -> None:
    """packs-and-engine §10.1: once = first, nth = n-th and at least 1, rate by remainder."""
    kind = "component.call"
    assert hits(FaultSpec(kind), 3) == [True, True, True]
    assert hits(FaultSpec(kind, mode="Once"), 3) == [True, False, False]
    assert hits(FaultSpec(kind, mode="Nth", number=2), 3) == [False, True, False]
    assert hits(FaultSpec(kind, mode="Nth", number=0), 3) == [True, False, False]
    assert sum(hits(FaultSpec(kind, mode="Rate", number=30), 100)) == 30
    assert hits(FaultSpec(kind, mode="Rate", number=3), 5) == [True, True, False, False, False]
    assert hits(FaultSpec(kind, mode="Rate", number=3), 4, seed=97) == [False, False, True, True]
    assert hits(FaultSpec(kind, mode="Rate", number=250), 300) == [True] * 300
    assert hits(FaultSpec(kind, mode="Rate", number=0), 100) == [False] * 100


@pytest.mark.parametrize(
    ("error_kind", "code", "message", "retryable"),
    [
        ("Transient", "transient", "transient: injected", True),
        ("Permanent", "permanent", "permanent dlq_recommended: injected", False),
        ("Timeout", "timeout", "timeout: injected", True),
        ("Trap", "wasm_trap", "wasm_trap: injected", False),
        ("BadInput", "bad_input", "bad_input: injected", False),
    ],
)
def test_error_kinds(error_kind: str, code: str, message: str, retryable: bool) -> None:
    fault = FaultSpec("component.call", error_kind=error_kind)  # type: ignore[arg-type]
    failure = build_chain([FaultLink([fault])], Counted())(call()).failure
    assert failure is not None
    assert (failure.code, failure.message, failure.retryable) == (code, message, retryable)
    assert failure.origin == "fault"


def test_state_faults_reach_the_component_as_internal() -> None:
    fault = FaultSpec("state.write", error_kind="Trap", point="StateWrite")
    failure = build_chain([FaultLink([fault])], Counted())(call(kind="state.write")).failure
    assert failure is not None and failure.code == "internal"
    assert failure.message == "wasm_trap: injected"
    assert failure.details == {"fault": "StateWrite", "error_kind": "Trap"}


def test_before_replaces_the_call_and_after_only_its_outcome() -> None:
    before, after = Counted(), Counted(ok("real", "wasm", "printed"))
    build_chain([FaultLink([FaultSpec("component.call")])], before)(call())
    outcome = build_chain([FaultLink([FaultSpec("component.call", "after")])], after)(call())
    assert (before.count, after.count) == (0, 1)
    assert (outcome.source, outcome.logs) == ("fault", "printed")


def test_the_first_that_fires_wins_and_later_ones_are_not_counted() -> None:
    once = FaultSpec("component.call", mode="Once", message="one")
    link = FaultLink([once, once, FaultSpec("component.call", mode="Nth", number=2, message="two")])
    perform = build_chain([link], Counted())
    failures = [perform(call()).failure for _ in range(5)]
    assert [failure.message[11:] if failure else None for failure in failures] == [
        "one",
        "one",
        None,
        "two",
        None,
    ]
    assert link.counts == (5, 4, 3)


def test_targets_kinds_and_providers() -> None:
    link = FaultLink(
        [FaultSpec("http", target="a"), FaultSpec("tool_call", point="BeforeToolCall")]
    )
    perform = build_chain([link], Counted())
    assert perform(Effect("http", "a")).source == "fault"
    assert perform(Effect("http", "b")).source == "wasm"
    assert perform(Effect("provider.invoke", "p")).source == "fault"


def test_an_http_status_is_an_answer() -> None:
    fault = FaultSpec("http", http_status=429, message="slow down")
    outcome = build_chain([FaultLink([fault])], Counted())(Effect("http", "a"))
    assert outcome == ok({"status": 429, "headers": {}, "body": "slow down"}, "fault")


def test_a_pending_wait_is_not_failed_after() -> None:
    link = FaultLink([FaultSpec("wait", "after")])
    assert build_chain([link], Counted(PENDING))(call(kind="wait")) == PENDING
    assert link.counts == (0,)


FAULTS = [
    FaultSpec("component.call", mode="Nth", number=3),
    FaultSpec("component.call", "after", mode="Rate", number=2),
    FaultSpec("http", target="a", mode="Once"),
]
SEEN = [("component.call", "c"), ("http", "b"), ("http", "a"), ("component.call", "c")] * 3


def run(perform: Perform, seen: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    return [(kind, target, perform(Effect(kind, target)).source) for kind, target in seen]


@pytest.mark.parametrize("cut", range(len(SEEN) + 1))
def test_a_restored_link_counts_on(cut: int) -> None:
    whole = FaultLink(FAULTS)
    expected = run(build_chain([whole], Counted()), SEEN)
    link = FaultLink(FAULTS)
    link.restore([*expected[:cut], ("component.call", "c", "pin"), ("http", "a", "you")])
    assert run(build_chain([link], Counted()), SEEN[cut:]) == expected[cut:]
    assert link.counts == whole.counts


def test_exchanged_faults_keep_the_counts_of_those_that_stay() -> None:
    link = FaultLink(FAULTS)
    run(build_chain([link], Counted()), SEEN)
    before = link.counts
    link.replace([FAULTS[2], FaultSpec("wait"), FAULTS[0]])
    assert link.counts == (before[2], 0, before[0])
    assert link.faults == (FAULTS[2], FaultSpec("wait"), FAULTS[0])
