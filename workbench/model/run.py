"""Runs and steps: the rows of the journal (`durable-model.md` §5.2 as `kernel.md` §2 changes it).

Times are integer UTC microseconds. A *frame* is the path of flow.call steps above a step: the
root is "", a sub-flow called by the second visit of node `pay` is "pay#2/".

What is made for every node is `gc=False`: JSON and frozen structs make no cycles, and thousands of
them live on, so the collector would walk them again and again for nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.model.effect import EffectRecord, Failure, Source
from workbench.model.findings import Finding
from workbench.model.values import Json

RunStatus = Literal["created", "running", "waiting", "finished", "failed", "cancelled"]
StepStatus = Literal[
    "pending",  # only of an observed step: outside it is known, but has not begun
    "running",
    "waiting",
    "succeeded",
    "failed",
    "skipped",
    "interrupted",
    "cancelled",
]
TERMINAL: frozenset[str] = frozenset({"finished", "failed", "cancelled"})
ACTIVE_STEP: frozenset[str] = frozenset({"running", "waiting"})


class Position(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a frame stands: the next (or active) node of `flow` in `frame`."""

    frame: str
    flow: str
    node: str

    @property
    def where(self) -> str:
        """The path of the node, see `place_name`."""
        return place_name(self.frame, self.node)


def child_frame(frame: str, node: str, visit: int) -> str:
    """The frame of the flow that `node` calls on this visit."""
    return f"{frame}{node}#{visit}/"


def branch_frame(step: str) -> str:
    """The frame in which a step of a workflow runs: branches run side by side."""
    return f"@{step}/"


def in_branch(frame: str) -> bool:
    """Whether a frame is a workflow's branch, or below one."""
    return frame.startswith("@")


def place_name(frame: str, node: str) -> str:
    """A node's path as people, waits and pins name it: frame and node, a branch left out (a step
    of a workflow has a name of its own)."""
    return f"{frame.partition('/')[2]}{node}" if in_branch(frame) else f"{frame}{node}"


def leaves(cursor: tuple[Position, ...]) -> list[Position]:
    """The positions that stand for themselves, none below them: one, or one a branch."""
    return [
        place
        for place in cursor
        if not any(
            other.frame != place.frame and other.frame.startswith(place.frame) for other in cursor
        )
    ]


class RunOptions(msgspec.Struct, frozen=True):
    """How a run was started, kept so that another process can go on with it the same way.

    Limits are milliseconds. `seed` starts the random stream; `pins` are node id -> output.
    `began` is when the clock of a fork's first ancestor began; 0 for a run that is no fork.
    `generation` counts the runs that started each other down to this one as processes.
    """

    pack_path: str = ""
    mocks_path: str = ""
    semantics: str = "current"
    node_timeout_ms: int = 30_000
    run_timeout_ms: int = 600_000
    max_steps: int = 10_000
    max_depth: int = 32
    seed: int = 0
    pins: dict[str, Json] = {}
    answers: dict[str, Json] = {}  # signal name -> resolution in wire form
    artifacts_dir: str = ""
    began: int = 0
    generation: int = 0


class Run(msgspec.Struct, frozen=True, gc=False):
    """One execution of a flow. `number` is the small number people use ("run 7"), given by the
    store. `cursor` holds one position per frame, the leaf last; empty when ended. Of a workflow
    it holds the steps that run, wait or may begin, in the order of its document."""

    id: str
    definition: str
    pack_id: str
    pack_version: str
    flow_id: str
    entry: str
    session: str
    created_at: int
    updated_at: int
    status: RunStatus = "created"
    cursor: tuple[Position, ...] = ()
    cancel_requested: bool = False
    revision: int = 0
    origin: Literal["managed", "observed"] = "managed"
    number: int = 0
    parent: str | None = None
    parent_ordinal: int | None = None
    input: Json = None
    output: Json = None
    failure: Failure | None = None
    options: RunOptions = RunOptions()

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


class RouteTaken(msgspec.Struct, frozen=True, gc=False):
    """Which way a node went: `to` None ended the flow; `why` is a sentence with the values.

    `restart` marks the 2026-02 retry, which begins again at the entry with a fresh state.
    """

    to: str | None
    why: str = ""
    restart: bool = False


class Missing(msgspec.Struct, frozen=True):
    """A template lookup that found nothing (`kernel.md` §5, last rule).

    `pointer` is where in the node's mapping, `expression` what was asked, `reached` how far the
    path got, `keys` what was there, `nearest` the likeliest key and `value` what it holds.
    """

    pointer: str
    expression: str
    reached: str
    missing: str
    keys: tuple[str, ...] = ()
    nearest: str | None = None
    value: Json = None
    where: str = ""

    @property
    def lost(self) -> str:
        """What is missing, for where the expression was just asked: how far it got, and what is
        there."""
        from workbench.model.values import short

        near = f" Nearest: {self.nearest} ({short(self.value, 40)})." if self.nearest else ""
        place = self.reached or "The roots"
        there = f"{place} has {', '.join(self.keys)}" if self.keys else f"{place} has no keys"
        return f"{self.expression}: no such key {self.missing}.{near} {there}"

    @property
    def sentence(self) -> str:
        """One line for people: what was asked, what is missing and the nearest key."""
        from workbench.model.values import short

        near = f". Nearest: {self.nearest} ({short(self.value, 40)})" if self.nearest else ""
        place = f"{self.where} asks" if self.where else "asks"
        return f"{place} {self.expression}: no such key {self.missing}{near}"


class StepRecord(msgspec.Struct, frozen=True, gc=False):
    """One attempt at one visit of one node. Terminal records never change.

    `input` is what was sent, `output` the node's payload. `route` is set when the step ended and
    the flow moved on; `resolution` is a wait's answer in wire form.
    """

    run_id: str
    ordinal: int
    frame: str
    flow: str
    node: str
    visit: int
    attempt: int
    status: StepStatus
    component: str = ""
    input: Json = None
    output: Json = None
    error: Failure | None = None
    egress: bool = False
    source: Source = "engine"
    origin: Literal["managed", "observed"] = "managed"
    external_id: str | None = None
    resolution: Json = None
    route: RouteTaken | None = None
    missing: tuple[Missing, ...] = ()
    findings: tuple[Finding, ...] = ()
    logs: str = ""
    vt: int = 0
    rnd: int = 0
    started: int = 0
    ended: int = 0
    duration_us: int = 0

    @property
    def where(self) -> str:
        """`frame` and node as one path: "receipt#1/format"."""
        return place_name(self.frame, self.node)

    @property
    def way(self) -> str:
        """Why the step led where it did: "why → node". A step of a workflow leads nowhere by
        itself: then just why. Empty when it has not been settled."""
        if self.route is None or in_branch(self.frame):
            return self.route.why if self.route is not None else ""
        return f"{self.route.why} → {self.route.to or 'end'}"


class StepTrail(msgspec.Struct, frozen=True):
    """A step with the effects it caused, as inspectors and transcripts read it."""

    step: StepRecord
    effects: tuple[EffectRecord, ...] = ()
