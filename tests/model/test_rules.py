"""The transition rules: every verb in every status, and what always holds (durable-model §5)."""

from __future__ import annotations

import msgspec
import pytest

from workbench.model import rules
from workbench.model.effect import EffectRecord, Failure
from workbench.model.errors import RuleError
from workbench.model.flow import Definition
from workbench.model.journal import Answer
from workbench.model.run import Position, Run, RunStatus, StepRecord
from workbench.model.values import Json
from workbench.model.waits import (
    Resolution,
    ResolveOutcome,
    Wait,
    sign,
    signal_identity,
    turn_scope,
)

replace = msgspec.structs.replace
START = 1_700_000_000_000_000
SECRET = bytes(range(32))
DEFINITION = Definition("pack", "1", {})
NODE_A, NODE_B = Position("", "main", "a"), Position("", "main", "b")
STATUSES: tuple[RunStatus, ...] = (
    "created", "running", "waiting", "finished", "failed", "cancelled",
)  # fmt: skip
ENDED = frozenset({"finished", "failed", "cancelled"})


def run_in(status: RunStatus = "running", **fields: Json) -> Run:
    base = Run(
        "run", DEFINITION.hash, "pack", "1", "main", "a", "s1", START, START,
        status=status, cursor=() if status in ENDED else (NODE_A,), revision=4,
    )  # fmt: skip
    return replace(base, **fields)


def step_of(ordinal: int = 1, node: str = "a", frame: str = "", **fields: Json) -> StepRecord:
    base = StepRecord("run", ordinal, frame, "main", node, 1, 1, "running")
    return replace(base, **fields)


def wait_of(
    node: str = "a", frame: str = "", visit: int = 1, run: str = "run", **fields: Json
) -> Wait:
    scope, identity = turn_scope("s1", run), signal_identity(run, f"{frame}{node}", visit)
    key = sign(SECRET, scope, identity)
    base = Wait(key.key_id, run, frame, node, visit, key.scope, key.wait, opened_at=START)
    return replace(base, **fields)


ANSWERED: dict[str, Json] = {"resolution": Resolution("ok", 1), "resolved_at": START + 1}
FAILURE = Failure("broken", "it broke")

# Verb -> (command, active steps, waits): legal in one of the statuses that LEGAL names.
Scene = tuple[rules.Command, list[StepRecord], list[Wait]]
VERBS: dict[str, Scene] = {
    "start": (rules.StartRun(), [], []),
    "begin_step": (rules.BeginStep(step_of()), [], []),
    "enter_frame": (rules.EnterFrame(1, Position("a#1/", "sub", "x")), [step_of()], []),
    "end_step": (rules.EndStep(step_of(status="succeeded"), (NODE_B,)), [step_of()], []),
    "skip_step": (rules.EndStep(step_of(status="skipped"), (NODE_B,)), [step_of()], []),
    "route": (rules.RouteStep(step_of(status="failed"), (NODE_B,)), [], []),
    "park": (rules.Park(step_of(status="waiting"), wait_of()), [step_of()], []),
    "resume": (
        rules.Resume(wait_of().key_id, step_of(status="succeeded"), (NODE_B,)),
        [step_of(status="waiting")],
        [wait_of(**ANSWERED)],
    ),
    "finish": (rules.FinishRun(7), [], []),
    "fail": (rules.FailRun(FAILURE), [], []),
    "request_cancel": (rules.RequestCancel(), [], []),
    "cancel": (rules.CancelRun(), [], []),
    "interrupt": (rules.InterruptStep(1), [step_of()], []),
    "transfer": (rules.TransferRun("elsewhere"), [], []),
}
# §5.2's matrix, `from` column; `resume` also leaves a run that another frame keeps running.
LEGAL: dict[str, set[str]] = {
    "start": {"created"},
    "begin_step": {"running"},
    "enter_frame": {"running"},
    "end_step": {"running"},
    "skip_step": {"running"},
    "route": {"running"},
    "park": {"running"},
    "resume": {"waiting", "running"},
    "finish": {"running"},
    "fail": {"running", "waiting"},
    "request_cancel": {"created", "running", "waiting"},
    "cancel": {"created", "running", "waiting"},
    "interrupt": {"running"},
    "transfer": {"created", "running", "waiting"},
}
# What a run that is being cancelled may still do: record how its last step ended, and cancel.
WHILE_CANCELLING = {"end_step", "skip_step", "route", "request_cancel", "cancel", "interrupt"}
AFTER: dict[str, str] = {
    "start": "running", "park": "waiting", "resume": "running", "finish": "finished",
    "fail": "failed", "cancel": "cancelled",
}  # fmt: skip
EVENT: dict[str, str] = {
    "start": "run.started", "begin_step": "step.started", "enter_frame": "frame.entered",
    "end_step": "step.succeeded", "skip_step": "step.skipped", "route": "step.routed",
    "park": "wait.opened", "resume": "wait.consumed", "finish": "run.finished",
    "fail": "run.failed", "request_cancel": "run.cancel_requested", "cancel": "run.cancelled",
    "interrupt": "step.interrupted", "transfer": "run.transferred",
}  # fmt: skip


def expected_code(verb: str, status: RunStatus, cancelling: bool) -> str:
    """The error of §5.2's last row, in its order; empty when the verb is legal."""
    if status in ENDED:
        return "" if verb == "request_cancel" else "already_terminal"
    if cancelling and verb not in WHILE_CANCELLING:
        return "cancel_pending"
    return "" if status in LEGAL[verb] else "illegal_transition"


@pytest.mark.parametrize("cancelling", [False, True])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_every_status(verb: str, status: RunStatus, cancelling: bool) -> None:
    command, steps, waits = VERBS[verb]
    run = run_in(status, cancel_requested=cancelling)
    if verb == "finish" and status == "running":
        run = replace(run, cursor=())
    code = expected_code(verb, status, cancelling)
    if code:
        with pytest.raises(RuleError) as caught:
            rules.decide(run, steps, waits, command, START + 9)
        assert caught.value.code == code
        return
    change = rules.decide(run, steps, waits, command, START + 9)
    if verb == "request_cancel" and (status in ENDED or cancelling):
        assert change is None, "a repeat writes nothing"
        return
    assert change is not None
    assert change.expected == 4
    assert change.run.revision == 5
    assert change.run.updated_at == START + 9
    assert change.run.status == AFTER.get(verb, status)
    assert change.run.cancel_requested is (cancelling or verb == "request_cancel")
    (event,) = change.events
    assert (event.kind, event.revision, event.at) == (EVENT[verb], 5, START + 9)


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_run_takes_no_verb(verb: str) -> None:
    command, steps, waits = VERBS[verb]
    with pytest.raises(RuleError) as caught:
        rules.decide(None, steps, waits, command, START)
    assert caught.value.code == "run_unknown"


@pytest.mark.parametrize("status", STATUSES)
def test_a_run_is_created_once(status: RunStatus) -> None:
    command = rules.CreateRun(run_in("created", revision=0), DEFINITION)
    change = rules.decide(None, (), (), command, START)
    assert change is not None
    assert (change.expected, change.run.revision, change.full) == (None, 0, True)
    assert change.definition is DEFINITION
    assert change.events[0].payload == {"flow": "main", "cursor": [["", "main", "a"]]}
    with pytest.raises(RuleError) as caught:
        rules.decide(run_in(status), (), (), command, START)
    assert caught.value.code == "run_exists"


@pytest.mark.parametrize("verb", ["finish", "fail", "cancel", "request_cancel", "park"])
def test_what_must_survive_a_power_cut_asks_for_it(verb: str) -> None:
    command, steps, waits = VERBS[verb]
    run = run_in("running", cursor=() if verb == "finish" else (NODE_A,))
    change = rules.decide(run, steps, waits, command, START)
    assert change is not None and change.full


# -- guards --------------------------------------------------------------------------------------

GUARDS: dict[str, tuple[Run, Scene]] = {
    "a step that is not at the cursor": (
        run_in(), (rules.BeginStep(step_of(node="b")), [], [])),
    "a step of a frame that is not open": (
        run_in(), (rules.BeginStep(step_of(frame="x#1/")), [], [])),
    "a second active step of a frame": (
        run_in(), (rules.BeginStep(step_of(2)), [step_of(1)], [])),
    "a step beside a waiting one": (
        run_in(), (rules.BeginStep(step_of(2)), [step_of(1, status="waiting")], [])),
    "ending a step that is not active": (
        run_in(), (rules.EndStep(step_of(2, status="succeeded"), ()), [step_of(1)], [])),
    "ending a waiting step": (
        run_in(),
        (rules.EndStep(step_of(status="succeeded"), ()), [step_of(status="waiting")], [])),
    "ending a step as running": (
        run_in(), (rules.EndStep(step_of(), ()), [step_of()], [])),
    "ending a step as waiting": (
        run_in(), (rules.EndStep(step_of(status="waiting"), ()), [step_of()], [])),
    "routing a step that did not fail": (
        run_in(), (rules.RouteStep(step_of(status="succeeded"), ()), [], [])),
    "routing a failure elsewhere": (
        run_in(), (rules.RouteStep(step_of(node="b", status="failed"), ()), [], [])),
    "routing a failure that is tried again": (
        run_in(), (rules.RouteStep(step_of(status="failed"), ()), [step_of(2)], [])),
    "finishing inside a call": (run_in(cursor=()), (rules.FinishRun(1), [step_of(1)], [])),
    "parking a step that is not active": (
        run_in(), (rules.Park(step_of(2, status="waiting"), wait_of()), [step_of(1)], [])),
    "entering from a step that is not active": (
        run_in(), (rules.EnterFrame(3, Position("a#1/", "sub", "x")), [step_of(1)], [])),
    "finishing with a node to run": (run_in(), (rules.FinishRun(1), [], [])),
    "interrupting a waiting step": (
        run_in(), (rules.InterruptStep(1), [step_of(status="waiting")], [])),
    "resuming an unanswered wait": (
        run_in("waiting"),
        (rules.Resume(wait_of().key_id, step_of(status="succeeded"), ()),
         [step_of(status="waiting")], [wait_of()])),
    "resuming a wait that is consumed": (
        run_in("waiting"),
        (rules.Resume(wait_of().key_id, step_of(status="succeeded"), ()),
         [step_of(status="waiting")], [wait_of(**ANSWERED, consumed_at=START + 2)])),
    "resuming an armed answer that no wait opened": (
        run_in("waiting"),
        (rules.Resume(wait_of().key_id, step_of(status="succeeded"), ()),
         [step_of(status="waiting")], [wait_of(**ANSWERED, opened_at=None)])),
    "resuming by another key": (
        run_in("waiting"),
        (rules.Resume(wait_of(visit=2).key_id, step_of(status="succeeded"), ()),
         [step_of(status="waiting")], [wait_of(**ANSWERED)])),
    "resuming a step that does not wait": (
        run_in("waiting"),
        (rules.Resume(wait_of().key_id, step_of(status="succeeded"), ()),
         [step_of()], [wait_of(**ANSWERED)])),
}  # fmt: skip


@pytest.mark.parametrize("name", GUARDS)
def test_guards(name: str) -> None:
    run, (command, steps, waits) = GUARDS[name]
    with pytest.raises(RuleError) as caught:
        rules.decide(run, steps, waits, command, START)
    assert caught.value.code == "illegal_transition"


def test_an_old_trigger_does_not_release_a_new_wait() -> None:
    """ABA: parked, resumed and parked again; the first wait's key names the first wait only."""
    second = wait_of(visit=2, **ANSWERED)
    waiting = [step_of(2, status="waiting", visit=2)]
    stale = rules.Resume(wait_of(visit=1).key_id, step_of(2, status="succeeded", visit=2), ())
    with pytest.raises(RuleError):
        rules.decide(run_in("waiting"), waiting, [second], stale, START)


def test_a_run_waits_only_when_no_other_frame_can_run() -> None:
    inner = wait_of("x", "a#1/")
    cursor = (NODE_A, Position("a#1/", "sub", "x"))
    calling = step_of(1, status="running")
    leaf = step_of(2, "x", "a#1/")
    park = rules.Park(replace(leaf, status="waiting"), inner)
    change = rules.decide(run_in(cursor=cursor), [calling, leaf], [], park, START)
    assert change is not None and change.run.status == "waiting", "callers wait with their leaf"
    beside = (*cursor, Position("b#1/", "sub", "y"))
    change = rules.decide(run_in(cursor=beside), [calling, leaf], [], park, START)
    assert change is not None and change.run.status == "running", "a parallel frame goes on"


@pytest.mark.parametrize(("verb", "word"), [("fail", "failed"), ("cancel", "cancelled")])
def test_a_terminal_verb_closes_steps_and_waits(verb: str, word: str) -> None:
    steps = [step_of(1), step_of(2, "x", "a#1/", status="waiting")]
    asked, told = wait_of("x", "a#1/"), wait_of("y", "a#1/", **ANSWERED)
    armed = wait_of("z", opened_at=None, **ANSWERED)
    change = rules.decide(run_in("waiting"), steps, [asked, told, armed], VERBS[verb][0], START + 9)
    assert change is not None
    assert (change.run.status, change.run.cursor) == (word, ())
    assert [(step.ordinal, step.status, step.ended) for step in change.steps] == [
        (1, "cancelled", START + 9),
        (2, "cancelled", START + 9),
    ]
    closed, kept = change.waits
    assert closed.resolution == Resolution("cancelled")
    assert (closed.resolved_at, closed.consumed_at) == (START + 9, START + 9)
    assert kept.resolution == told.resolution, "an answer that was given stays (I4)"
    assert (kept.resolved_at, kept.consumed_at) == (START + 1, START + 9)
    assert change.dropped_waits == (armed.key_id,)


# -- answers (§5.3) ------------------------------------------------------------------------------

YES = Resolution("ok", {"yes": True})
FRESH = wait_of(opened_at=None)


@pytest.mark.parametrize("status", STATUSES)
def test_an_open_wait_takes_the_first_answer_while_its_run_lives(status: RunStatus) -> None:
    answer = rules.answer_wait(run_in(status), wait_of(), FRESH, YES, START + 5, "me")
    if status in ENDED:
        assert answer == Answer(ResolveOutcome("unknown_or_revoked"))
        return
    assert answer.outcome.status == "accepted"
    assert answer.wait == wait_of(resolution=YES, resolved_at=START + 5, resolved_by="me")
    assert answer.event is not None
    assert (answer.event.kind, answer.event.revision) == ("wait.resolved", None)
    assert answer.event.payload == {"key_id": FRESH.key_id, "status": "ok"}


@pytest.mark.parametrize("status", STATUSES)
def test_a_wait_that_is_not_there_yet_is_armed_while_its_run_lives(status: RunStatus) -> None:
    answer = rules.answer_wait(run_in(status), None, FRESH, YES, START + 5)
    if status in ENDED:
        assert answer == Answer(ResolveOutcome("unknown_or_revoked"))
        return
    assert answer.wait is not None
    assert (answer.wait.phase, answer.wait.resolved_by) == ("armed", None)
    assert answer.event is not None and answer.event.kind == "wait.armed"


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("payload", [None, False, 0, "", {"yes": True}])
def test_the_second_answer_learns_the_first_even_after_the_run(
    status: RunStatus, payload: Json
) -> None:
    first = Resolution("ok", payload)
    for row in (
        wait_of(resolution=first, resolved_at=START),
        wait_of(resolution=first, resolved_at=START, consumed_at=START + 1),
        wait_of(resolution=first, resolved_at=START, opened_at=None),
    ):
        answer = rules.answer_wait(run_in(status), row, FRESH, Resolution("timeout"), START + 5)
        assert answer == Answer(ResolveOutcome("already_resolved", first))


@pytest.mark.parametrize("row", [None, wait_of(), wait_of(**ANSWERED)])
def test_a_stranger_learns_nothing(row: Wait | None) -> None:
    answer = rules.answer_wait(None, row, FRESH, YES, START)
    assert answer == Answer(ResolveOutcome("unknown_or_revoked"))


@pytest.mark.parametrize("cancelling", [False, True])
def test_an_answer_never_touches_the_run(cancelling: bool) -> None:
    run = run_in("waiting", cancel_requested=cancelling)
    answer = rules.answer_wait(run, wait_of(), FRESH, Resolution("cancelled"), START)
    assert answer.outcome.status == "accepted"
    assert answer.event is not None and answer.event.revision is None


# -- changes in one transaction ------------------------------------------------------------------


def test_two_changes_become_one() -> None:
    end = rules.EndStep(
        step_of(1, status="succeeded"), (NODE_B,), (EffectRecord(1, 0, "x", "t", "h"),)
    )
    first = rules.decide(run_in(), [step_of(1)], [], end, START)
    assert first is not None
    begin = rules.BeginStep(step_of(2, "b"))
    second = rules.decide(first.run, [], [], begin, START + 1)
    assert second is not None
    both = first.then(second)
    assert (both.expected, both.run) == (4, second.run)
    assert [event.revision for event in both.events] == [5, 6]
    assert [step.ordinal for step in both.steps] == [1, 2]
    assert both.effects == end.effects
    ended = rules.decide(second.run, [begin.step], [], rules.CancelRun(), START + 2)
    assert ended is not None
    whole = both.then(ended)
    assert whole.full
    assert [(step.ordinal, step.status) for step in whole.steps] == [
        (1, "succeeded"),
        (2, "cancelled"),
    ]
