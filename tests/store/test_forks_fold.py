"""Stepping back and forking: the state at any step is a fold over the stored steps."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.player import Player
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


def play(player: Player, name: str, verbs: list[tuple[str, str, int]]) -> dict[int, Any]:
    """Run the verbs; the state after every step, folded while it was the newest."""
    seen: dict[int, Any] = {}
    for verb, to, number in verbs:
        if verb == "call":
            player.call(name, to)
            continue
        if verb == "leave":
            if len(player.run(name).cursor) == 1:
                continue
            step = player.begin(name)
            player.end(name, number, to=None)
            ordinal = step.ordinal
            # The call itself ends in the same breath.
            player.end(name, {"returned": number}, to=to)
        elif verb == "wait":
            ordinal = player.begin(name).ordinal
            wait = player.park(name)
            player.answer(wait, Resolution("ok", {"answer": number}))
            player.resume(name, wait, to=to)
        else:
            ordinal = player.begin(name, {"in": number}).ordinal
            value = {"text": "x" * 1500, "n": number} if verb == "big" else number
            status = "failed" if verb == "fail" else "succeeded"
            player.end(name, value, to=to, status=status, egress=verb == "egress")
        steps = player.store.steps(name)
        assert steps[-1].ordinal == ordinal
        seen[ordinal] = known(fold(player.run(name).input, steps))
    return seen


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=20, deadline=None)
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
        player.begun("p", input={"start": 1})
        with store.drive("p"):
            seen = play(player, "p", before)
        if seen:
            ordinal = sorted(seen)[cut % len(seen)]
            parent = store.steps("p")
            player.fork("f", "p", ordinal)
            assert store.steps("f") == [step for step in parent if step.ordinal <= ordinal]
            assert store.steps("f") == store.steps("p", upto=ordinal)
            stood = known(fold({"start": 1}, store.steps("f"), upto=ordinal))
            assert stood == known(fold({"start": 1}, parent, upto=ordinal))
            if not any(verb == "leave" for verb, _, _ in before):
                assert stood == seen[ordinal]
            play(player, "f", [item for item in after if item[0] in ("step", "big", "egress")])
            assert store.steps("p") == parent
            ordinals = [step.ordinal for step in store.steps("f")]
            assert ordinals == list(range(1, len(ordinals) + 1))
            store.delete("p")
            assert store.steps("f")[:ordinal] == parent[:ordinal]
        store.close()
