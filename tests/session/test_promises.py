"""The behavioural checks of `durable-model.md` §2.9, inline and shared, on both stores.

Each test bears the name of the digest's check. *Inline* is one service; *shared* is another one
over the same store, which sees the first only through the journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.session.promising import (
    CUSTOM,
    IDENTITIES,
    OWNER,
    SCOPES,
    SESSION,
    TURN,
    Clock,
    Host,
    Waiter,
    ok,
)
from workbench.model.errors import WorkbenchError
from workbench.model.promises import owner_of, session_of
from workbench.model.values import Json
from workbench.model.waits import Resolution, ResolveOutcome, WaitKey, signal_identity, verify
from workbench.session import promises as service
from workbench.store import open_store

ACCEPTED = ResolveOutcome("accepted")
UNKNOWN = ResolveOutcome("unknown_or_revoked")
DEAD = "await_event_unknown_or_revoked"
TIMEOUT, CANCELLED = Resolution("timeout"), Resolution("cancelled")


def already(terminal: Resolution) -> ResolveOutcome:
    return ResolveOutcome("already_resolved", terminal)


@pytest.fixture(params=["memory", "sqlite"])
def inline(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Host]:
    """A service whose run r1 lives in session s1; it looks often, to keep the tests short."""
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.005)
    path = tmp_path / "journal.db" if request.param == "sqlite" else None
    store = open_store(path)
    yield Host(store).begin(OWNER)
    store.close()


@pytest.fixture
def shared(inline: Host) -> Host:
    """Another service over the same store."""
    return Host(inline.store, inline.clock)


def refused(call: object) -> str:
    """The code that a call raises."""
    assert callable(call)
    with pytest.raises(WorkbenchError) as caught:
        call()
    return caught.value.code


def test_key_stable_for_same_scope_and_wait(inline: Host, shared: Host) -> None:
    inline.begin(SESSION)
    keys = {(scope, wait): inline.key(scope, wait) for scope in SCOPES for wait in IDENTITIES}
    assert len({key.key_id for key in keys.values()}) == len(SCOPES) * len(IDENTITIES)
    for (scope, wait), key in keys.items():
        assert shared.key(scope, wait) == key
        assert key.promise_key == f"lash-await-event:{key.key_id}"


def test_a_scope_belongs_to_the_run_whose_id_it_bears() -> None:
    ids = {name: (owner_of(scope), session_of(scope)) for name, scope in SCOPES.items()}
    assert ids == {
        "turn": (OWNER, SESSION),
        "process": (OWNER, None),
        "queue_drain": (OWNER, SESSION),
        "session_delete": (SESSION, SESSION),
        "runtime_operation": (OWNER, None),
    }


@pytest.mark.parametrize(
    ("scope", "wait", "code"),
    [
        ({"type": "process", "process_id": " "}, CUSTOM, "missing_execution_scope_id"),
        (TURN, {"type": "custom", "key": ""}, "invalid_await_event_wait_identity"),
        (TURN, {"type": "custom", "key": "\ud800"}, "await_event_key_hash"),
        ({"type": "process", "process_id": "nobody"}, CUSTOM, DEAD),
        ({**TURN, "session_id": "another"}, CUSTOM, DEAD),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    inline: Host, scope: dict[str, Json], wait: dict[str, Json], code: str
) -> None:
    assert refused(lambda: inline.promises.key(scope, wait)) == code


@pytest.mark.parametrize("wait", IDENTITIES)
def test_early_resolution_accepted_then_observed(inline: Host, shared: Host, wait: str) -> None:
    key = inline.key(wait=wait)
    assert inline.promises.resolve(key, ok({"v": [None, 0]})) == ACCEPTED
    assert inline.store.events()[-1].kind == "wait.armed"
    assert shared.promises.peek(key) == ok({"v": [None, 0]})
    # It counts before the waiter's own cancel and deadline.
    late = {"deadline": inline.clock() - 1, "cancelled": lambda: True}
    assert shared.promises.wait_for(key, **late) == ok({"v": [None, 0]})  # type: ignore[arg-type]


def test_duplicate_returns_first_terminal(inline: Host, shared: Host) -> None:
    key = inline.key()
    assert inline.promises.resolve(key, ok(1)) == ACCEPTED
    for later in (ok(2), TIMEOUT, CANCELLED, Resolution("err", {"code": "E", "message": "m"})):
        assert shared.promises.resolve(key, later) == already(ok(1))
    assert inline.promises.peek(key) == ok(1)


def test_cancel_and_timeout_are_terminal_and_late_resolve_sees_them(
    inline: Host, shared: Host
) -> None:
    slow, tired = inline.key(wait="custom"), inline.key(wait="tool_completion")
    due = inline.clock() + 1
    waiter = inline.waiting(slow, deadline=due)
    other = shared.waiting(slow)
    assert inline.promises.peek(slow) is None
    inline.clock.time = due  # exactly then
    assert waiter.told() == other.told() == TIMEOUT
    assert shared.promises.resolve(slow, ok()) == already(TIMEOUT)
    assert inline.promises.wait_for(tired, cancelled=lambda: True) == CANCELLED
    assert shared.promises.resolve(tired, ok()) == already(CANCELLED)
    ends = {inline.store.wait(key.key_id).resolution for key in (slow, tired)}  # type: ignore[union-attr]
    assert ends == {TIMEOUT, CANCELLED}, "stored, not only told"


def test_a_deadline_belongs_to_the_wait_and_not_to_a_waiter(inline: Host, shared: Host) -> None:
    key, due = inline.key(), inline.clock() + 100
    patient = inline.waiting(key, deadline=due)
    hasty = shared.waiting(key, deadline=due - 50)
    row = inline.store.wait(key.key_id)
    assert row is not None and row.due_at == due
    assert shared.promises.watch(key, 0) is None, "a watcher's patience ends only its own look"
    inline.clock.time = due - 1
    assert inline.promises.resolve(key, ok(7)) == ACCEPTED
    assert patient.told() == hasty.told() == ok(7)


def test_a_deadline_that_passed_unseen_is_kept(inline: Host, shared: Host) -> None:
    key = inline.key()
    gone = Stop()
    waiter = inline.waiting(key, deadline=inline.clock() + 5, cancelled=gone)
    gone.now = True
    assert waiter.told() == "gone"
    inline.clock.time += 5
    assert shared.promises.peek(key) == TIMEOUT
    assert shared.promises.resolve(key, ok()) == already(TIMEOUT)
    kept = inline.store.events()[-1]
    assert (kept.kind, kept.payload["status"]) == ("wait.resolved", "timeout")


class Stop:
    """A waiter that is told to go away without an opinion: its process is ending."""

    now = False

    def __call__(self) -> bool:
        if self.now:
            raise WorkbenchError("gone", "the process ends")
        return False


def test_revoked_session_resolve_value_and_await_exception(inline: Host, shared: Host) -> None:
    inline.begin("other", session="s2")
    key, answered = inline.key(), inline.key(wait="tool_completion")
    elsewhere = inline.promises.key({**TURN, "session_id": "s2", "turn_id": "other"}, CUSTOM)
    inline.promises.resolve(answered, ok())
    waiter, unrelated = shared.waiting(key), shared.waiting(elsewhere)
    assert inline.promises.revoke_session(SESSION) == 1
    assert inline.promises.revoke_session(SESSION) == 0
    assert waiter.told() == DEAD
    for dead in (key, answered):
        assert shared.promises.resolve(dead, ok()) == UNKNOWN
        assert refused(lambda dead=dead: shared.promises.peek(dead)) == DEAD
        assert refused(lambda dead=dead: shared.promises.wait_for(dead)) == DEAD
    assert refused(inline.key) == DEAD, "nothing is minted for a revoked session"
    assert inline.promises.resolve(elsewhere, ok(2)) == ACCEPTED
    assert unrelated.told() == ok(2)


def test_session_cancel_ends_outstanding_waits_and_later_waits_still_work(
    inline: Host, shared: Host
) -> None:
    inline.begin("other", session="s2")
    pending, missing, answered = (
        inline.key(wait=wait) for wait in ("custom", "process_signal", "tool_completion")
    )
    elsewhere = inline.promises.key({**TURN, "session_id": "s2", "turn_id": "other"}, CUSTOM)
    inline.promises.resolve(answered, ok(1))
    waiter, unrelated = inline.waiting(pending), inline.waiting(elsewhere)
    assert shared.promises.cancel_session(SESSION) == 1
    assert waiter.told() == CANCELLED
    assert inline.promises.peek(answered) == ok(1)
    assert inline.store.wait(missing.key_id) is None
    later = inline.waiting(missing)
    assert shared.promises.resolve(missing, ok(2)) == ACCEPTED
    assert later.told() == ok(2)
    assert shared.promises.resolve(elsewhere, ok(3)) == ACCEPTED
    assert unrelated.told() == ok(3)


def test_cancelling_a_run_sweeps_its_promises(inline: Host, shared: Host) -> None:
    """`durable-model.md` §5.3: cancelling is the sweep of one run, also of what the canceller has
    never heard of; keys nobody used are unknown from then on."""
    key, unused = inline.key(), inline.key(wait="tool_completion")
    early = inline.key(wait="process_signal")
    inline.promises.resolve(early, ok(1))
    waiter = shared.waiting(key)
    inline.player.cancel(OWNER)
    assert waiter.told() == CANCELLED
    assert inline.promises.peek(key) == CANCELLED
    assert inline.promises.resolve(key, ok()) == already(CANCELLED)
    assert inline.promises.resolve(unused, ok()) == UNKNOWN
    assert shared.promises.peek(early) == ok(1), "an answer outlives the run's end"


@pytest.mark.parametrize("how", ["resolve", "await"])
def test_tampered_signature_refused_both_ways(inline: Host, how: str) -> None:
    key = inline.key()
    forged = msgspec.structs.replace(key, signature="0" * 64)
    before = inline.rows()
    if how == "resolve":
        assert inline.promises.resolve(forged, ok()) == UNKNOWN
    else:
        assert refused(lambda: inline.promises.wait_for(forged)) == DEAD
    assert inline.rows() == before, "verification comes first: no row was made"
    assert inline.promises.resolve(key, ok()) == ACCEPTED


def test_key_derivation_materialises_nothing(inline: Host) -> None:
    before = inline.rows()
    keys = {inline.key("turn", wait).key_id for wait in IDENTITIES}
    assert len(keys) == len(IDENTITIES)
    assert inline.promises.peek(inline.key()) is None
    assert inline.promises.watch(inline.key(), 0) is None
    assert inline.rows() == before


@pytest.mark.parametrize("end", ["cancel", "finish"])
def test_finished_control_entries_archived_and_bounded(inline: Host, end: str) -> None:
    """The reference moves finished turn-control promises to a bounded archive. Here they are rows
    of their run: readable after it ended, gone with it, so bounded by the runs that are kept."""
    gate, terminal = inline.key(wait="turn_cancel_gate"), inline.key(wait="turn_terminal")
    inline.promises.resolve(gate, ok("stop"))
    if end == "cancel":
        inline.player.cancel(OWNER)
    else:
        inline.player.step(OWNER, to=None)
        inline.player.finish(OWNER)
    assert inline.promises.resolve(terminal, ok("over")) == ACCEPTED, "how a turn ended comes last"
    for _ in range(2):
        assert inline.promises.peek(gate) == ok("stop")
        assert inline.promises.wait_for(terminal) == ok("over")
    inline.store.delete(OWNER)
    assert inline.store.waits(live=False) == []
    assert refused(lambda: inline.promises.peek(gate)) == DEAD


@pytest.mark.parametrize("wait", ["turn_cancel_gate", "turn_terminal"])
def test_control_waiter_cancel_leaves_gate_open(inline: Host, shared: Host, wait: str) -> None:
    gate = inline.key(wait=wait)
    codes = [
        refused(lambda: inline.promises.wait_for(gate, cancelled=lambda: True)),
        refused(lambda: inline.promises.wait_for(gate, deadline=inline.clock())),
    ]
    assert codes == ["turn_control_wait_cancelled", "turn_control_wait_timeout"]
    assert shared.promises.peek(gate) is None
    waiter = shared.waiting(gate)
    assert inline.promises.resolve(gate, ok()) == ACCEPTED
    assert waiter.told() == ok()


def test_sweep_skips_control(inline: Host, shared: Host) -> None:
    keys = [inline.key(wait=wait) for wait in ("turn_cancel_gate", "turn_terminal", "custom")]
    gate, terminal, swept = (inline.waiting(key) for key in keys)
    assert shared.promises.cancel_session(SESSION) == 1
    assert swept.told() == CANCELLED
    inline.player.cancel(OWNER)
    assert shared.promises.peek(keys[0]) is None
    assert shared.promises.peek(keys[1]) is None
    for key, waiter in ((keys[0], gate), (keys[1], terminal)):
        assert shared.promises.resolve(key, ok(key.wait["type"])) == ACCEPTED
        assert waiter.told() == ok(key.wait["type"])


def test_revoke_drains_and_bounds_tombstones(inline: Host) -> None:
    """The reference keeps tombstones of the latest 4096 sessions. Here a revoked key is one whose
    run is gone, and run ids are never used again: 50 revoked sessions leave no row behind."""
    keys = []
    for number in range(50):
        name, session = f"run-{number}", f"session-{number}"
        inline.begin(name, session=session)
        scope: dict[str, Json] = {"type": "turn", "session_id": session, "turn_id": name}
        keys.append(inline.promises.key(scope, CUSTOM))
        inline.promises.resolve(keys[-1], ok(number))
        assert inline.promises.revoke_session(session) == 1
    assert inline.store.waits(live=False) == []
    assert [run.id for run in inline.store.runs()] == [OWNER]
    assert all(inline.promises.resolve(key, ok()) == UNKNOWN for key in keys)


def test_verification_cached(inline: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiter verifies its key once, however often it looks; a look costs no HMAC."""
    key, calls = inline.key(), []

    def counted(secret: bytes, presented: WaitKey) -> bool:
        calls.append(presented)
        return verify(secret, presented)

    monkeypatch.setattr(service, "verify", counted)
    waiter = inline.waiting(key)
    for _ in range(5):
        inline.promises.wake()
    inline.player.cancel(OWNER)
    inline.promises.wake()
    assert waiter.told() == CANCELLED
    assert calls == [key]


def test_two_sessions_do_not_share_a_lock(inline: Host) -> None:
    """Waiting holds no lock at all: with a waiter in each of 20 sessions every other operation
    on every session goes through, and each waiter hears only its own answer."""
    keys, waiters = [], []
    for number in range(20):
        inline.begin(f"run-{number}", session=f"session-{number}")
        scope: dict[str, Json] = {"type": "process", "process_id": f"run-{number}"}
        keys.append(inline.promises.key(scope, CUSTOM))
        waiters.append(inline.waiting(keys[-1]))
    for number in reversed(range(20)):
        assert inline.promises.peek(keys[number]) is None
        assert inline.promises.resolve(keys[number], ok(number)) == ACCEPTED
    assert [waiter.told() for waiter in waiters] == [ok(number) for number in range(20)]


def test_attach_before_and_after_publish(inline: Host, shared: Host) -> None:
    key = inline.key(wait="turn_terminal")
    before = shared.waiting(key)
    assert inline.promises.resolve(key, ok("done")) == ACCEPTED
    after = Waiter(lambda: shared.promises.wait_for(key))
    assert before.told() == after.told() == ok("done")


def test_an_answer_between_the_look_and_the_sleep_is_not_slept_over(
    inline: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference can lose a wake-up there (§2.4). With the slow look switched off, a waiter
    whose answer comes exactly then is told at once."""
    monkeypatch.setattr(service, "LOOK_SECONDS", 60.0)
    key = inline.key()

    def answered_meanwhile() -> bool:
        inline.promises.resolve(key, ok(1))
        return False

    assert inline.waiting(key, cancelled=answered_meanwhile).told() == ok(1)
    watched = inline.key(wait="tool_completion")

    def answered_too() -> bool:
        inline.promises.resolve(watched, ok(2))
        return False

    waiter = Waiter(partial(inline.promises.watch, watched, 50, answered_too))
    assert waiter.told() == ok(2)
    for number in range(50):
        raced = inline.promises.key(TURN, {"type": "custom", "key": f"race-{number}"})
        racer = Waiter(partial(inline.promises.wait_for, raced))
        assert inline.promises.resolve(raced, ok(number)) == ACCEPTED
        assert racer.told() == ok(number)


def test_waiters_and_resolvers_agree_on_one_terminal(inline: Host, shared: Host) -> None:
    for number in range(30):
        key = inline.promises.key(TURN, {"type": "custom", "key": f"many-{number}"})
        waiters = [Waiter(partial(host.promises.wait_for, key)) for host in (inline, shared)]
        told: list[ResolveOutcome] = []

        def race(n: int, key: WaitKey = key, told: list[ResolveOutcome] = told) -> None:
            told.append(inline.promises.resolve(key, ok(n)))

        racers = [Waiter(partial(race, n)) for n in range(3)]
        for racer in racers:
            racer.told()
        shared.promises.wake()
        won = inline.promises.peek(key)
        assert won is not None
        assert sorted(outcome.status for outcome in told) == ["accepted", *["already_resolved"] * 2]
        assert {outcome.terminal for outcome in told} == {None, won}
        assert [waiter.told() for waiter in waiters] == [won, won]


def test_a_node_s_own_wait_is_a_promise_like_any_other(inline: Host, shared: Host) -> None:
    """Waiting for a wait before its node parks there, and while it stands open."""
    identity = signal_identity(OWNER, "a", 1)
    key = inline.promises.key(TURN, identity)
    early = shared.waiting(key, deadline=inline.clock() + 1)
    row = inline.store.wait(key.key_id)
    assert row is not None and (row.phase, row.due_at) == ("pending", None), "its node decides"
    inline.player.begin(OWNER)
    wait = inline.player.park(OWNER)
    assert (wait.key_id, wait.phase) == (key.key_id, "open")
    assert inline.promises.resolve(key, ok(1)) == ACCEPTED
    assert early.told() == ok(1)
    inline.player.resume(OWNER, wait)
    assert inline.promises.wait_for(key) == ok(1), "also when it was consumed"


def test_promises_somebody_waits_for_are_told_apart_from_the_rest(inline: Host) -> None:
    for wait in ("custom", "tool_completion"):
        inline.waiting(inline.key(wait=wait), deadline=inline.clock() + 10)
    inline.promises.resolve(inline.key(wait="process_signal"), ok())
    found = {(row.signal, row.kind, row.prompt) for row, _ in inline.store.inbox()}
    assert found == {("k1", "event", "k1"), ("call-1", "tool", "call-1")}
    assert inline.store.waits() == [], "no node stands at them"
    assert inline.promises.cancel_session(SESSION) == 2
    assert inline.store.inbox() == []


def test_deadlines_are_told_in_the_clock_s_time(inline: Host) -> None:
    """I13: a deadline is absolute and stored; a later service neither extends nor forgets it."""
    key, due = inline.key(), inline.clock() + 1000
    stop = Stop()
    waiter = inline.waiting(key, deadline=due, cancelled=stop)
    stop.now = True
    assert waiter.told() == "gone"
    clock = Clock()
    clock.time = due - 1
    later = Host(inline.store, clock)
    again = later.waiting(key, deadline=due + 1_000_000)
    assert later.promises.peek(key) is None
    clock.time = due
    assert again.told() == TIMEOUT
