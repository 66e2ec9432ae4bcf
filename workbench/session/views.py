"""What a face is shown: small frozen values made of facts, never of other rooms' objects."""

from __future__ import annotations

import msgspec

from workbench.model.effect import EffectRecord, Outcome
from workbench.model.events import Pause
from workbench.model.findings import Finding
from workbench.model.pack import Pack
from workbench.model.run import Missing, Run, StepRecord, place_name
from workbench.model.values import Json
from workbench.model.waits import Wait


class PackSummary(msgspec.Struct, frozen=True):
    """A pack in a list: opened, or refused with the reason in `problem`."""

    path: str
    pack: Pack | None = None
    problem: Finding | None = None

    @property
    def health(self) -> str:
        """The worst word about it."""
        if self.pack is None:
            return "error"
        words = {finding.severity for finding in self.pack.all_findings}
        return next((word for word in ("error", "warning", "info") if word in words), "ok")


class Preview(msgspec.Struct, frozen=True):
    """A node about to run: its template and what it would be sent."""

    frame: str
    flow: str
    node: str
    template: Json
    value: Json
    missing: tuple[Missing, ...] = ()
    problem: str = ""

    @property
    def where(self) -> str:
        """The path of the node, as `StepRecord.where`."""
        return place_name(self.frame, self.node)


class Evaluation(msgspec.Struct, frozen=True):
    """What an expression is worth, and every path in it that found nothing."""

    value: Json
    missing: tuple[Missing, ...] = ()


class OpenWait(msgspec.Struct, frozen=True):
    """A wait in the inbox, with the key that answers it from anywhere."""

    key: str
    wait: Wait
    run: Run
    input: Json = None


class RunView(msgspec.Struct, frozen=True):
    """A run as a screen first sees it; the stream keeps it current from there."""

    run: Run
    steps: tuple[StepRecord, ...]
    effects: tuple[EffectRecord, ...]
    waits: tuple[Wait, ...]
    pause: Pause | None = None
    live: bool = False
    clock: str = ""
    network: str = "offline"


class CallView(msgspec.Struct, frozen=True):
    """What one component call gave, masked: its outcome (logs included) and the effects the
    component asked for. `operation` is empty when it described itself; the time is in µs."""

    component: str
    operation: str
    outcome: Outcome
    effects: tuple[EffectRecord, ...] = ()
    duration_us: int = 0
