"""Stepping back and forking: the state at any step is a fold over the stored steps."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.player import Player
from workbench.model.run import Position, StepRecord
from workbench.model.state import RunState, fold
from workbench.model.waits import Resolution
from workbench.store import open_store

VERBS = st.lists(
    st.tuples(
        st.sampled_from(["step", "step", "egress", "fail", "wait", "call", "leave", "big"]),
        st.sampled_from("abc"),
        st.integers(0, 9),
    ),
    max_size=14,
)


def known(state: RunState) -> dict[str, Any]:
    """A state as plain data."""
    frames = {
        name: (frame.entry, frame.input, frame.payloads, frame.nodes, frame.egress, frame.last)
        for name, frame in state.frames.items()
    }
    return {"frames": frames, "visits": dict(state.visits), "ordinal": state.ordinal}


class Moment(NamedTuple):
    """What was known right after a step, while it was the newest."""

    state: dict[str, Any]
    cursor: tuple[Position, ...]
    calls: tuple[StepRecord, ...]


def play(player: Player, name: str, verbs: list[tuple[str, str, int]]) -> dict[int, Moment]:
    """Run the verbs; the moment after every step."""
    seen: dict[int, Moment] = {}
    for verb, to, number in verbs:
        if verb == "call":
            player.call(name, to)
            continue
        inside = len(player.run(name).cursor) > 1
        ordinal = player.begin(name, {"in": number}).ordinal
        if verb == "wait":
            wait = player.park(name)
            player.answer(wait, Resolution("ok", {"answer": number}))
            player.resume(name, wait, to=to)
        else:
            value = {"text": "x" * 1500, "n": number} if verb == "big" else number
            status = "failed" if verb == "fail" else "succeeded"
            leaving = verb == "leave" and inside
            player.end(name, value, None if leaving else to, status=status, egress=verb == "egress")
        run, steps = player.run(name), player.store.steps(name)
        assert steps[-1].ordinal == ordinal
        calls = tuple(player.active(name))
        seen[ordinal] = Moment(known(fold(run.input, steps)), run.cursor, calls)
        if verb == "leave" and inside:
            player.end(name, {"returned": number}, to=to)
    return seen


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=15, deadline=None)
@given(before=VERBS, after=VERBS, cut=st.integers(0, 20))
def test_a_fork_stands_where_its_parent_stood(
    kind: str,
    before: list[tuple[str, str, int]],
    after: list[tuple[str, str, int]],
    cut: int,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder, "journal.db") if kind == "sqlite" else None)
        player = Player(store)
        start = {"start": 1}
        player.begun("p", input=start)
        with store.drive("p"):
            seen = play(player, "p", before)
        if seen:
            ordinal = sorted(seen)[cut % len(seen)]
            moment, parent = seen[ordinal], store.steps("p")
            prefix = [step for step in parent if step.ordinal <= ordinal]
            assert known(fold(start, parent, upto=ordinal)) == moment.state
            player.fork("f", "p", ordinal, input=start, cursor=moment.cursor)
            assert store.steps("f") == store.steps("p", upto=ordinal) == prefix
            # A call that was open then may have ended since: the fork opens it again.
            player.write("f", *moment.calls)
            assert known(fold(start, store.steps("f"))) == moment.state
            if len(moment.calls) == len(moment.cursor):
                player.end("f", "returned in the fork", to="a")
            play(player, "f", after)
            assert store.steps("p") == parent
            forked = store.steps("f")
            assert [step.ordinal for step in forked] == list(range(1, len(forked) + 1))
            store.delete("p")
            assert store.steps("f") == forked
        store.close()
