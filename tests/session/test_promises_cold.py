"""The cold suite of `durable-model.md` §2.9: independent hosts over one journal, never a shared
handle, and one of them in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.faults.assembling import REPOSITORY
from tests.session.others import SOON
from tests.session.promising import (
    CUSTOM,
    IDENTITIES,
    OWNER,
    SCOPES,
    SESSION,
    TURN,
    Host,
    Waiter,
    eventually,
    ok,
)
from tests.session.test_promises import ACCEPTED, CANCELLED, DEAD, UNKNOWN, already, refused
from workbench.model.waits import Resolution, WaitKey
from workbench.session import promises as service
from workbench.store.sqlite import SqliteStore

Opened = Callable[[], Host]


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Opens hosts, each with a store of its own on the same journal."""
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.005)
    stores: list[SqliteStore] = []

    def open_host() -> Host:
        stores.append(SqliteStore(tmp_path / ".greentic" / "workbench.db"))
        return Host(stores[-1])

    yield open_host
    for store in stores:
        store.close()


@pytest.mark.parametrize("wait", IDENTITIES)
def test_mint_resolve_peek_await_by_different_hosts_for_each_identity(
    cold: Opened, wait: str
) -> None:
    cold().begin(OWNER, SESSION)
    for scope in SCOPES:
        key = cold().key(scope, wait)
        waiter = cold().waiting(key)
        assert cold().promises.peek(key) is None
        assert cold().promises.resolve(key, ok({"from": scope})) == ACCEPTED
        assert waiter.told() == cold().promises.peek(key) == ok({"from": scope})
        assert cold().promises.wait_for(key) == ok({"from": scope})


def test_first_writer_wins_across_hosts(cold: Opened) -> None:
    cold().begin(OWNER)
    hosts = [cold() for _ in range(4)]
    for number in range(25):
        key = hosts[0].promises.key(TURN, {"type": "custom", "key": f"race-{number}"})
        verdicts: list[tuple[int, str, Resolution | None]] = []

        def race(
            n: int,
            key: WaitKey = key,
            verdicts: list[tuple[int, str, Resolution | None]] = verdicts,
        ) -> None:
            outcome = hosts[n].promises.resolve(key, ok(n))
            verdicts.append((n, outcome.status, outcome.terminal))

        racers = [Waiter(partial(race, n)) for n in range(4)]
        for racer in racers:
            racer.told()
        (winner,) = [n for n, status, _ in verdicts if status == "accepted"]
        assert {terminal for _, status, terminal in verdicts if status != "accepted"} == {
            ok(winner)
        }
        assert cold().promises.peek(key) == ok(winner)


def test_key_bytes_equal_after_reopen(cold: Opened) -> None:
    first = cold().begin(OWNER, SESSION)
    tokens = [first.key(scope, wait).token for scope in SCOPES for wait in IDENTITIES]
    first.store.close()
    again = cold()
    assert [again.key(scope, wait).token for scope in SCOPES for wait in IDENTITIES] == tokens


TAMPERED: dict[str, Callable[[WaitKey], WaitKey]] = {
    "signature": lambda key: _with(key, signature=key.key_id),
    "key_id": lambda key: _with(key, key_id=key.signature),
    "scope": lambda key: _with(key, scope={**TURN, "turn_id": "r2"}),
    "wait": lambda key: _with(key, wait={"type": "custom", "key": "k2"}),
    "session": lambda key: _with(key, scope={**TURN, "session_id": "s2"}),
}


def _with(key: WaitKey, **fields: object) -> WaitKey:
    return msgspec.structs.replace(key, **fields)


@pytest.mark.parametrize("how", TAMPERED)
def test_tamper_matrix_of_five_on_resolve_peek_and_await(cold: Opened, how: str) -> None:
    first = cold().begin(OWNER).begin("r2", session="s2")
    key = first.key()
    waiter = first.waiting(key)
    before = first.rows()
    forged = TAMPERED[how](key)
    assert cold().promises.resolve(forged, ok("mine")) == UNKNOWN
    assert refused(lambda: cold().promises.peek(forged)) == DEAD
    assert refused(lambda: cold().promises.wait_for(forged)) == DEAD
    assert first.rows() == before, "the original is untouched and nothing else was written"
    assert cold().promises.resolve(key, ok("real")) == ACCEPTED
    assert waiter.told() == ok("real")


def test_a_key_of_another_journal_is_refused_alike(cold: Opened, tmp_path: Path) -> None:
    cold().begin(OWNER)
    other = SqliteStore(tmp_path / "other.db")
    foreign = Host(other).begin(OWNER).key()
    other.close()
    assert cold().promises.resolve(foreign, ok()) == UNKNOWN
    assert refused(lambda: cold().promises.peek(foreign)) == DEAD


def test_revocation_survives_reopen_and_blocks_minting(cold: Opened) -> None:
    first = cold().begin(OWNER)
    key = first.key()
    waiter = cold().waiting(key)
    assert cold().promises.revoke_session(SESSION) == 1
    assert waiter.told() == DEAD
    first.store.close()
    later = cold()
    assert refused(later.key) == DEAD
    assert later.promises.resolve(key, ok()) == UNKNOWN
    assert refused(lambda: later.promises.peek(key)) == DEAD
    assert later.rows() == []


def test_sweep_skips_control_across_hosts(cold: Opened) -> None:
    first = cold().begin(OWNER)
    gate, swept = first.key(wait="turn_cancel_gate"), first.key()
    waiters = cold().waiting(gate), cold().waiting(swept)
    assert cold().promises.cancel_session(SESSION) == 1
    assert waiters[1].told() == CANCELLED
    assert cold().promises.peek(gate) is None
    assert cold().promises.resolve(gate, ok()) == ACCEPTED
    assert waiters[0].told() == ok()


def test_attach_before_and_after_publish_across_hosts(cold: Opened) -> None:
    terminal = cold().begin(OWNER).key(wait="turn_terminal")
    before = cold().waiting(terminal)
    cold().player.cancel(OWNER)
    assert cold().promises.resolve(terminal, ok({"status": "cancelled"})) == ACCEPTED
    after = Waiter(lambda: cold().promises.wait_for(terminal))
    assert before.told() == after.told() == ok({"status": "cancelled"})


def test_a_deadline_set_by_one_host_ends_the_wait_of_all(cold: Opened) -> None:
    first, second = cold().begin(OWNER), cold()
    key, due = first.key(), first.clock() + 10
    waiters = first.waiting(key, deadline=due), second.waiting(key)
    second.clock.time = due
    assert [waiter.told() for waiter in waiters] == [Resolution("timeout")] * 2
    assert cold().promises.resolve(key, ok()) == already(Resolution("timeout"))


def test_helper_process_in_a_separate_os_process(cold: Opened, tmp_path: Path) -> None:
    """Another process waits for what is answered here, and answers what is waited for here: a
    waiter of this process knows within a second."""
    here = cold().begin(OWNER)
    theirs, ours = here.key(), here.key(wait="tool_completion")
    waiting = subprocess.Popen(
        [*WORKBENCH, "await", theirs.token, "--json", "--workspace", str(tmp_path)],
        cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    waiter = here.waiting(ours)
    answered = subprocess.run(
        [*WORKBENCH, "resolve", ours.token, "--ok", '{"by":"them"}', "--workspace", str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=SOON, check=False,
    )  # fmt: skip
    assert waiter.told(1.0) == ok({"by": "them"}), answered.stderr
    assert waiting.poll() is None
    assert here.promises.resolve(theirs, ok({"by": "us"})) == ACCEPTED
    out, err = waiting.communicate(timeout=SOON)
    assert json.loads(out) == {"resolution": {"status": "ok", "payload": {"by": "us"}}}, err
    assert waiting.returncode == 0


WORKBENCH = [sys.executable, "-m", "workbench"]


def test_a_waiter_that_is_killed_leaves_the_promise_to_the_next(cold: Opened) -> None:
    """§2.4: nothing in memory matters; whoever waits next reads the same row."""
    first = cold().begin(OWNER)
    key = first.key()
    waiter = cold().waiting(key)
    row = first.store.wait(key.key_id)
    assert row is not None and row.phase == "pending"
    assert cold().promises.resolve(key, ok()) == ACCEPTED
    assert waiter.told() == ok()
    eventually(lambda: cold().promises.peek(key) == ok())
    assert cold().promises.key(TURN, CUSTOM) == key
