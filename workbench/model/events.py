"""The live stream: numbered facts from a workspace, under every face of it.

The journal's events are the audit trail of one run; these are what a screen or a script follows.
A fact about a run is sent only after it is durable. `subject` holds the value the fact is about,
already masked.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from workbench.model.effect import Effect
from workbench.model.run import place_name

EventKind = Literal[
    "run.created",  # subject Run
    "run.changed",  # subject Run: status, cursor or revision moved
    "run.paused",  # subject Pause
    "run.resumed",  # subject Run
    "step.started",  # subject StepRecord (running)
    "step.ended",  # subject StepRecord (terminal, its route included once routed)
    "effect",  # subject EffectRecord
    "log",  # subject Log: a line printed by a component or said by the engine
    "wait.opened",  # subject Wait
    "wait.resolved",  # subject Wait
    "pack.changed",  # subject Pack: a new version is in use
    "pack.rejected",  # subject Finding: the last good version stays
    "mocks.changed",  # subject Path of the mocks.toml that was saved
    "settings.changed",  # subject Settings: the user's settings file was saved
    "themes.changed",  # subject frozenset of the theme files that were saved
    "notice",  # subject Finding: something worth a line, belonging to no run
]

PauseReason = Literal[
    "start", "step", "breakpoint", "requested", "failure", "effect", "missing", "cursor"
]


class Log(msgspec.Struct, frozen=True):
    """A line for people about a step."""

    node: str
    text: str


class Pause(msgspec.Struct, frozen=True):
    """Why a run stands still. `where` is frame + node; `sentence` the reason for people.

    For reason "failure" the step has run and is not routed yet; for "effect" and "missing" it
    stands inside the step, before `effect`; otherwise before the node runs.
    """

    reason: PauseReason
    frame: str
    flow: str
    node: str
    sentence: str = ""
    ordinal: int = 0
    effect: Effect | None = None

    @property
    def where(self) -> str:
        """The path of the node, as `StepRecord.where`."""
        return place_name(self.frame, self.node)


class Event(msgspec.Struct, frozen=True):
    """One fact. `seq` is gap-free within a workspace session, from 1; `at` UTC microseconds."""

    seq: int
    kind: EventKind
    run_id: str
    at: int
    subject: Any = None
