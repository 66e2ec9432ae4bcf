"""The controller over a run's journal, on both stores (`durable-model.md` §2.8, §2.9)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.session.promising import (
    CUSTOM,
    IDENTITIES,
    OWNER,
    SESSION,
    TURN,
    Clock,
    Host,
    Waiter,
    ok,
)
from workbench.effects.chain import Perform
from workbench.effects.control import Stopped
from workbench.effects.controller import EffectController
from workbench.effects.faults import FaultLink, FaultSpec
from workbench.effects.local_executor import (
    AwaitOptions,
    DurableStep,
    Executor,
    ProcessExecutor,
    Runner,
    SleepOnly,
)
from workbench.effects.pin import PinLink
from workbench.model.effect import Effect, Outcome
from workbench.model.effect_envelope import Envelope, envelope
from workbench.model.errors import WorkbenchError
from workbench.model.masking import Masker
from workbench.model.values import Json
from workbench.model.waits import Resolution, WaitKey
from workbench.session import promises as service
from workbench.store import open_store
from workbench.store.sqlite import SqliteStore

SCOPE: dict[str, Json] = {"session_id": SESSION, "turn_id": OWNER}


@pytest.fixture(params=["memory", "sqlite"])
def host(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Host]:
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.005)
    path = tmp_path / "journal.db" if request.param == "sqlite" else None
    store = open_store(path)
    yield Host(store).begin(OWNER)
    store.close()


def controller(host: Host, **how: object) -> EffectController:
    """One that knows nothing but the journal: every call is a new owner."""
    return EffectController(host.store, OWNER, host.clock, host.promises, **how)  # type: ignore[arg-type]


def step(value: Json = None, key: str = "e1") -> Envelope:
    return envelope(SCOPE, key, {"type": "durable_step", "step_id": "charge", "input": value})


def sleep(millis: int = 1000, key: str = "nap") -> Envelope:
    return envelope(SCOPE, key, {"type": "sleep", "duration_ms": millis})


def awaiting(key: WaitKey, effect_id: str = "wait") -> Envelope:
    wire = {"scope": key.scope, "wait": key.wait, "key_id": key.key_id, "signature": key.signature}
    return envelope(SCOPE, effect_id, {"type": "await_event", "key": wire})


def process(op: str = "cancel", **fields: Json) -> Envelope:
    command = {"op": op, "process_id": "p1", **fields}
    return envelope(SCOPE, f"process:{op}:p1", {"type": "process", "command": command})


class Counted:
    """A closure that counts: it adds one to what it is given."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[Json] = []
        self.fails = fails

    def __call__(self, value: Json) -> Json:
        self.calls.append(value)
        if self.fails:
            raise WorkbenchError(self.fails, "it cannot be done")
        return {"sum": value + 1}


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(WorkbenchError) as caught:
        call()
    return caught.value.code


def test_same_key_and_hash_returns_the_recorded_outcome_without_executing(host: Host) -> None:
    run = Counted()
    outcome = controller(host).execute(step(1), DurableStep(run))
    for _ in range(2):
        assert controller(host).execute(step(1), DurableStep(run)) == outcome
        assert outcome.wire() == {"type": "durable_step", "value": {"sum": 2}}
    one = controller(host)
    assert one.execute(step(1), Executor()) == one.execute(step(1)) == outcome
    assert run.calls == [1]
    assert controller(host).execute(step(5, "e2"), DurableStep(run)).value == {"sum": 6}
    rows = host.store.effects(OWNER)
    assert [(row.kind, row.target, row.state) for row in rows] == [
        ("durable_step", "charge", 1), ("durable_step", "charge", 1),
    ]  # fmt: skip
    assert [row.request_hash for row in rows] == [step(1).hash, step(5, "e2").hash]
    assert host.store.intents(OWNER) == []


def test_a_recorded_failure_is_told_again_without_executing(host: Host) -> None:
    run = Counted(fails="no_funds")
    for _ in range(3):
        assert code_of(lambda: controller(host).execute(step(1), DurableStep(run))) == "no_funds"
    assert run.calls == [1]

    def broken(value: Json) -> Json:
        raise ZeroDivisionError("by zero")

    failed = step(1, "e2")
    codes = {code_of(lambda: controller(host).execute(failed, DurableStep(broken))) for _ in "ab"}
    assert codes == {"durable_step_failed"}


def test_another_hash_under_the_same_key_is_a_divergence(host: Host) -> None:
    run = Counted()
    controller(host).execute(step(1), DurableStep(run))
    with pytest.raises(WorkbenchError) as caught:
        controller(host).execute(step(2), DurableStep(run))
    assert caught.value.code == "runtime_effect_replay_divergence"
    assert caught.value.message == (
        "replay key e1 asks anew: 1 place differs from what was recorded: /command/input"
    )
    other = envelope(SCOPE, "e1", {"type": "sleep", "duration_ms": 1})
    assert code_of(lambda: controller(host).execute(other)) == "runtime_effect_replay_divergence"
    assert run.calls == [1]


class Killed(BaseException):
    """The owner dies in the middle."""


def test_in_progress_of_a_dead_owner_is_taken_over_with_its_original_due_time(host: Host) -> None:
    slept: list[float] = []

    def dies(seconds: float) -> None:
        raise Killed

    with pytest.raises(Killed):
        controller(host).execute(sleep(1000), SleepOnly(dies))
    (row,) = host.store.intents(OWNER)
    assert (row.kind, row.state, row.at) == ("sleep", 0, host.clock())
    host.clock.time += 400_000
    with pytest.raises(Killed):
        controller(host).execute(sleep(1000), SleepOnly(dies))
    host.clock.time += 100_000
    assert controller(host).execute(sleep(1000), SleepOnly(slept.append)).kind == "sleep"
    assert slept == [0.5], "the second owner's death did not move it either"
    assert controller(host).execute(sleep(1000)).kind == "sleep"
    assert len(host.store.effects(OWNER)) == 1
    late = sleep(1000, "late")
    with pytest.raises(Killed):
        controller(host).execute(late, SleepOnly(dies))
    host.clock.time += 9_000_000
    controller(host).execute(late, SleepOnly(slept.append))
    assert slept == [0.5, 0.0]


def test_a_durable_step_of_a_dead_owner_runs_again_and_is_recorded_once(host: Host) -> None:
    """Effects are at-least-once, results exactly-once."""
    run = Counted()

    def dies(value: Json) -> Json:
        run(value)
        raise Killed

    with pytest.raises(Killed):
        controller(host).execute(step(1), DurableStep(dies))
    for _ in range(2):
        assert controller(host).execute(step(1), DurableStep(run)).value == {"sum": 2}
    assert run.calls == [1, 1]
    assert [row.state for row in host.store.effects(OWNER)] == [1]


def test_a_live_owner_is_the_only_one(host: Host) -> None:
    """The driver lock of the run stands in for the lease: no clock decides who owns it."""
    with host.store.drive(OWNER):
        assert code_of(lambda: host.store.drive(OWNER).__enter__()) == "run_busy"


EXECUTORS: dict[str, Executor] = {
    "unavailable": Executor(),
    "sleep": SleepOnly(lambda seconds: None),
    "await-event": AwaitOptions(),
    "process": ProcessExecutor(lambda command: {}),
    "durable step": DurableStep(lambda value: value),
    "turn": Runner(llm_call=lambda asked: "hi", exec_code=lambda asked: 2),
}
KINDS: dict[str, dict[str, Json]] = {
    "llm_call": {"request": {}},
    "tool_call": {"call": {}},
    "exec_code": {"code": ""},
    "checkpoint": {"checkpoint": "c"},
    "sleep": {"duration_ms": 0},
    "durable_step": {"step_id": "s", "input": None},
}
SERVED = {
    ("sleep", "sleep"), ("durable step", "durable_step"), ("turn", "llm_call"),
    ("turn", "exec_code"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_each_local_executor_executes(host: Host, name: str) -> None:
    """§2.8: any other command is a mismatch, and nothing of it is kept against a better one."""
    for kind, fields in KINDS.items():
        asked = envelope(SCOPE, kind, {"type": kind, **fields})
        if (name, kind) in SERVED:
            assert controller(host).execute(asked, EXECUTORS[name]).kind == kind
            continue
        code = code_of(lambda asked=asked: controller(host).execute(asked, EXECUTORS[name]))  # type: ignore[misc]
        how = "unavailable" if name == "unavailable" else "mismatch"
        assert code == f"runtime_effect_local_executor_{how}"
        better = Runner(**{kind: lambda asked: "at last"})
        assert controller(host).execute(asked, better).value == "at last"


def test_a_process_command_needs_a_process_executor(host: Host) -> None:
    for executor in EXECUTORS.values():
        if executor.name == "process":
            continue
        code = code_of(lambda executor=executor: controller(host).execute(process(), executor))  # type: ignore[misc]
        assert code == "runtime_effect_local_executor_unavailable"
    told = controller(host).execute(process(), ProcessExecutor(lambda command: {"record": 1}))
    assert told.wire() == {"type": "process", "result": {"op": "cancel", "record": 1}}


def test_a_process_command_runs_on_a_thread_of_its_own(host: Host) -> None:
    seen: list[str] = []

    def serve(command: dict[str, Json]) -> Json:
        seen.append(threading.current_thread().name)
        if command["op"] == "cancel":
            raise WorkbenchError("run_unknown", "no such run")
        raise KeyError("crash")

    executor = ProcessExecutor(serve)
    assert code_of(lambda: controller(host).execute(process(), executor)) == "run_unknown"
    crashed = process("await")
    code = code_of(lambda: controller(host).execute(crashed, executor))
    assert code == "runtime_effect_process_task_join"
    assert seen == ["process-cancel", "process-await"]


def test_a_cancelled_sleep_is_an_error_and_leaves_it_to_the_next_owner(host: Host) -> None:
    def woken(seconds: float) -> None:
        raise Stopped("exit")

    code = code_of(lambda: controller(host).execute(sleep(), SleepOnly(woken)))
    assert code == "runtime_effect_sleep_cancelled"
    assert controller(host).execute(sleep(), SleepOnly(lambda seconds: None)).kind == "sleep"


def test_await_event_takes_cancel_and_deadline_from_its_executor(host: Host) -> None:
    early, slow, tired = (
        host.key(wait=wait) for wait in ("custom", "tool_completion", "process_signal")
    )
    host.promises.resolve(early, ok(1))
    one = controller(host)
    # Any other executor waits without a deadline and is never cancelled.
    assert one.execute(awaiting(early, "a"), Executor()).value == ok(1).wire()
    due = AwaitOptions(deadline=host.clock())
    assert one.execute(awaiting(slow, "b"), due).value == {"status": "timeout"}
    cancelled = AwaitOptions(lambda: True)
    assert one.execute(awaiting(tired, "c"), cancelled).value == {"status": "cancelled"}
    gate = host.key(wait="turn_cancel_gate")
    told = code_of(lambda: one.execute(awaiting(gate, "d"), cancelled))
    assert told == "turn_control_wait_cancelled"
    host.promises.resolve(gate, ok(2))
    assert one.execute(awaiting(gate, "d"), cancelled).value == ok(2).wire()


def test_peek_await_event_tells_what_stands(host: Host) -> None:
    key = host.key()
    command = {**awaiting(key).command, "type": "peek_await_event"}
    assert controller(host).execute(envelope(SCOPE, "p1", command)).value is None
    host.promises.resolve(key, ok(1))
    assert controller(host).execute(envelope(SCOPE, "p2", command)).value == ok(1).wire()
    # A peek is an effect like any other: asked again under its key it says what it said.
    assert controller(host).execute(envelope(SCOPE, "p1", command)).value is None


@pytest.mark.parametrize("wait", IDENTITIES)
def test_parked_owner_killed_another_host_resolves_and_two_re_drives_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    """§2.9, cold: the owner dies while it waits; another host resolves; one re-drive returns the
    terminal, the promise's session is revoked, and the second re-drive still returns it: the
    journalled outcome wins. Here the promise is another session's, for what a session's own
    revocation deletes is re-driven by nobody."""
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.005)
    stores = [SqliteStore(tmp_path / "journal.db") for _ in range(5)]
    hosts = [Host(store) for store in stores]
    hosts[0].begin(OWNER).begin("r2", session="s2")
    scope: dict[str, Json] = {"type": "turn", "session_id": "s2", "turn_id": "r2"}
    key = hosts[0].promises.key(scope, IDENTITIES[wait])

    def dies() -> bool:
        raise Killed

    with pytest.raises(Killed):
        controller(hosts[1]).execute(awaiting(key), AwaitOptions(dies))
    assert hosts[2].promises.resolve(key, ok("told")).status == "accepted"
    assert controller(hosts[3]).execute(awaiting(key)).value == ok("told").wire()
    hosts[2].promises.revoke_session("s2")
    assert code_of(lambda: hosts[3].promises.peek(key)) == "await_event_unknown_or_revoked"
    assert controller(hosts[4]).execute(awaiting(key)).value == ok("told").wire()
    for store in stores:
        store.close()


def test_a_revoked_key_raises_through_the_controller(host: Host) -> None:
    host.begin("r2", session="s2")
    key = host.promises.key({**TURN, "session_id": "s2", "turn_id": "r2"}, CUSTOM)
    waiter = Waiter(lambda: controller(host).execute(awaiting(key)))
    host.promises.revoke_session("s2")
    assert waiter.told() == "await_event_unknown_or_revoked"


# -- what every kind has in common ---------------------------------------------------------------

SECRET = "mango-tango-41"
EVERY: dict[str, dict[str, Json]] = {
    **KINDS,
    "llm_call": {"request": {"model": "m", "prompt": SECRET}},
    "tool_call": {"call": {"tool_name": "t", "args": {"key": SECRET}}},
    "exec_code": {"code": f"pay({SECRET!r})"},
    "checkpoint": {"checkpoint": {"id": "c", "note": SECRET}},
    "durable_step": {"step_id": "s", "input": {"key": SECRET}},
    "process": {"command": {"op": "start", "registration": {"id": "p1", "input": {"key": SECRET}}}},
}


def any_executor(kind: str, answer: Callable[[], Json]) -> Executor:
    if kind == "process":
        return ProcessExecutor(lambda command: {"record": answer()})
    return Runner(**{kind: lambda asked: answer()})


@pytest.mark.parametrize("kind", EVERY)
def test_record_and_replay_of_every_kind_is_masked(host: Host, kind: str) -> None:
    masker = Masker()
    masker.register("PAY_KEY", SECRET)
    asked, calls = envelope(SCOPE, "e", {"type": kind, **EVERY[kind]}), []

    def answer() -> Json:
        calls.append(kind)
        return {"said": f"it is {SECRET}"}

    first = controller(host, masker=masker).execute(asked, any_executor(kind, answer))
    again = controller(host, masker=masker).execute(asked)
    assert first == again and calls == [kind]
    if kind != "sleep":
        assert "⟦secret:PAY_KEY:plain⟧" in repr(first.value)
    assert SECRET not in repr(host.store.effects(OWNER)) + repr(first)


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_can_be_pinned_and_faulted(host: Host, kind: str) -> None:
    asked = envelope(SCOPE, "e", {"type": kind, **EVERY[kind]})
    fault = FaultLink([FaultSpec(kind, mode="Once", error_kind="Permanent")])
    told = code_of(lambda: controller(host, around=fault).execute(asked))
    assert told == "permanent"
    assert code_of(lambda: controller(host).execute(asked)) == "permanent", "a failure is kept"
    pins = PinLink({"e2": {"pinned": True}})

    def around(effect: Effect, inner: Perform) -> Outcome:
        return pins(effect, inner)

    other = envelope(SCOPE, "e2", {"type": kind, **EVERY[kind]})
    assert controller(host, around=around).execute(other).value == {"pinned": True}
    assert host.store.effects(OWNER)[-1].source == "pin"


def test_deadlines_of_the_controller_are_in_the_clock_s_time() -> None:
    clock = Clock()
    host = Host(open_store(None), clock).begin(OWNER)
    key = host.key()
    waiter = Waiter(
        lambda: controller(host).execute(awaiting(key), AwaitOptions(deadline=clock() + 5))
    )
    clock.time += 5
    host.promises.wake()
    assert waiter.told().value == {"status": "timeout"}
    assert host.promises.resolve(key, ok()).terminal == Resolution("timeout")
