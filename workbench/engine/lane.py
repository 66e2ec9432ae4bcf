"""A lane: what one node is performed with. A run has one; a workflow that runs several steps at
once borrows one more for each (`engine.lanes`).

The run's thread begins and settles every step; only `perform` may run on another thread, and it
touches nothing but its lane and the world.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from workbench.effects.chain import Perform
from workbench.effects.control import RunControl, Stopped
from workbench.effects.record import Recorder
from workbench.engine.nodes import Builtins
from workbench.model.effect import Effect, Failure, Outcome, failed
from workbench.model.flow import Node
from workbench.model.run import Position, StepRecord
from workbench.model.values import Json


class Begun(msgspec.Struct):
    """A step that was written down as running: the effect it asks for, or what it came to without
    one. `skipped` says why it is passed over. `duration_us` is how long its effect took."""

    place: Position
    node: Node
    step: StepRecord
    effect: Effect | None = None
    outcome: Outcome | None = None
    skipped: str = ""
    duration_us: int = 0


class Lane(msgspec.Struct, frozen=True):
    """A chain with the recorder and the control that belong to it."""

    perform: Perform
    builtins: Builtins
    recorder: Recorder
    control: RunControl

    def run(
        self, begun: Begun, roots: Callable[[], Mapping[str, Json]], limit_ms: int | None
    ) -> None:
        """Perform the step's effect, within `limit_ms` of active time when it runs code. Raises
        Stopped when the run was cancelled, hit its own limit or the app is closing."""
        started = time.perf_counter_ns()
        if begun.effect is not None:
            self.builtins.roots = roots
            begun.outcome = self._ask(begun.node, begun.effect, limit_ms)
        begun.duration_us = (time.perf_counter_ns() - started) // 1000

    def _ask(self, node: Node, effect: Effect, limit_ms: int | None) -> Outcome:
        if limit_ms is None:
            return self.perform(effect)  # nothing in there could be stopped half-way
        try:
            with self.control.scope(None, limit_ms / 1000, "node") as scope:
                outcome = self.perform(effect)
        except Stopped as stop:
            if stop.reason != "node_limit":
                raise
            return _too_slow(node, limit_ms)
        stopped = scope.reason == "node_limit" and outcome.failure is not None
        return _too_slow(node, limit_ms, outcome.logs) if stopped else outcome


def _too_slow(node: Node, limit_ms: int, logs: str = "") -> Outcome:
    message = f"{node.id} took longer than its limit of {limit_ms} ms"
    return failed(Failure("node_timeout", message, where=node.where()), "wasm", logs)
