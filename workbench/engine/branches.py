"""The branches of a workflow: what its steps are sent, where it goes on, when it is over.

The rules are pure and elsewhere (`model.workflow`, `language.steps`); here they meet the ledger
of one run. Everything else about a step is what it is for a node: one effect, one record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from workbench.engine.ledger import Ledger
from workbench.language.steps import skipped, step_input
from workbench.model import workflow
from workbench.model.effect import Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.flow import Flow, Node
from workbench.model.rules import FailRun, FinishRun
from workbench.model.run import Missing, Position, StepRecord
from workbench.model.state import RunState
from workbench.model.values import Json

# Asks nothing that takes time: it is settled where it stands, whatever else runs.
_AT_ONCE = frozenset({"emit", "condition"})


class Env(msgspec.Struct, frozen=True):
    """The environment twice: `hidden` has a placeholder for each value, which may be written;
    `real` is for conditions, which keep nothing of what they looked at."""

    hidden: Mapping[str, Json] = {}
    real: Mapping[str, Json] = {}


class StepInput(msgspec.Struct, frozen=True):
    """What a step is sent; or why it is passed over, or what it comes to without being asked."""

    value: Json = None
    missing: tuple[Missing, ...] = ()
    skipped: str = ""
    outcome: Outcome | None = None


class Branches:
    """The workflow that a run is; used on the run's thread."""

    def __init__(self, flow: Flow, ledger: Ledger, state: RunState, env: Env | None = None) -> None:
        self.flow = flow
        self._ledger = ledger
        self._state = state
        self._env = env or Env()

    def roots(self) -> dict[str, Json]:
        """What templates see: the input, what the steps gave, the environment."""
        return {**self._state.roots("@"), "env": self._env.hidden}

    def input(self, node: Node) -> StepInput:
        """Fill in what the step is sent, after `skip_if` and `requires`."""
        roots = self.roots()
        real = {**roots, "env": self._env.real}
        try:
            why = skipped(node, real)
            if why:
                return StepInput(skipped=why)
            missing = workflow.missing_skills(self.flow, node)
            if missing:
                said = f"Missing skills: {', '.join(missing)}"
                failure = Failure("missing_skills", said, where=node.where())
                return StepInput(outcome=failed(failure))
            rendered = step_input(node, roots if node.component != "condition" else real)
        except WorkbenchError as error:
            where = error.where or node.where()
            return StepInput(outcome=failed(Failure(error.code, error.message, where=where)))
        return StepInput(rendered.value, rendered.missing)

    def places(self, running: list[Node], running_on: bool) -> list[Position]:
        """The steps that may begin now, in the order of the document, while `running` are being
        performed. Sequential steps run one at a time; a wait does not hold up anybody."""
        free = [
            place
            for place in self._ledger.run.cursor
            if self._ledger.active_in(place.frame) is None
        ]
        if not running_on:
            return [] if running else free
        if any(_sequential(node) for node in running):
            free = [place for place in free if not _sequential(self.flow.nodes[place.node])]
        return free

    def beside(self, place: Position) -> bool:
        """Whether a step is worth a lane of its own."""
        node = self.flow.nodes[place.node]
        return node.kind not in (*_AT_ONCE, "session.wait") and node.component not in _AT_ONCE

    def note(self, record: StepRecord) -> tuple[Position, ...]:
        """A step stands as `record` says; where the run stands then."""
        self._state.branches[record.node] = record
        return workflow.cursor(self.flow, self._state.branches)

    def conclude(self) -> Literal["moved", "ended"]:
        """End the run when no step runs, waits or may begin any more."""
        end = workflow.verdict(self.flow, self._state.branches)
        if end is None:
            return "moved"
        self._ledger.apply(FailRun(end.failure) if end.failure else FinishRun(end.output))
        self._ledger.flush()
        return "ended"


def _sequential(node: Node) -> bool:
    return node.kind != "session.wait" and (
        node.step is None or node.step.execution == "sequential"
    )
