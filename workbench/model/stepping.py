"""How a person drives a run: modes, choices at a pause, breakpoints. Values only."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.model.effect import Outcome
from workbench.model.values import Json

Mode = Literal["run", "over", "into", "out", "cursor"]
Verb = Literal["go", "retry", "answer", "let_go"]


class Choice(msgspec.Struct, frozen=True):
    """What to do after a pause.

    "go" goes on as planned (`input` replaces the node's input when set), "retry" runs a failed
    node again, "answer" answers an effect by hand with `outcome`, "let_go" accepts a failure.
    """

    verb: Verb = "go"
    input: Json = msgspec.UNSET
    outcome: Outcome | None = None


class Breakpoint(msgspec.Struct, frozen=True):
    """Where to stop. `node` names a node of `flow`, or `effect` a kind ("http", "secret.get",
    "state.*") whose target starts with `target`. `condition` is an expression that must hold;
    `after` skips that many hits first."""

    flow: str = ""
    node: str = ""
    effect: str = ""
    target: str = ""
    condition: str = ""
    after: int = 0
    enabled: bool = True

    @property
    def key(self) -> str:
        """What identifies it: one breakpoint a node or effect pattern."""
        return f"{self.flow}/{self.node}" if self.node else f"@{self.effect}:{self.target}"
