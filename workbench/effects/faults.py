"""The fault link: failures on purpose, counted so that the same run fails the same way.

The reference's points, modes and message prefixes are kept (`packs-and-engine.md` §10.1); a fault
may also name any effect kind and target, or answer an HTTP request with a status of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.effects.chain import Perform
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.values import Json

FaultMode = Literal["Always", "Once", "Nth", "Rate"]
FaultKind = Literal["Transient", "Permanent", "Timeout", "Trap", "BadInput"]
When = Literal["before", "after"]

# Point -> (effect kind, side). "attempt" is the gate the engine asks at the start of an attempt
# and "pack.resolve" the one asked when a run's pack is resolved (`kernel.md` §4).
POINTS: dict[str, tuple[str, When]] = {
    "BeforeComponentCall": ("component.call", "before"),
    "AfterComponentCall": ("component.call", "after"),
    "BeforeToolCall": ("tool_call", "before"),
    "AfterToolCall": ("tool_call", "after"),
    "StateRead": ("state.read", "before"),
    "StateWrite": ("state.write", "before"),
    "TemplateRender": ("render", "before"),
    "PackResolve": ("pack.resolve", "before"),
    "Timeout": ("attempt", "before"),
}
# A provider's operation is what the reference calls a tool call (§10.1, "Where").
_SAME_KIND = {"provider.invoke": "tool_call"}
PREFIXES: dict[FaultKind, str] = {
    "Transient": "transient",
    "Permanent": "permanent dlq_recommended",
    "Timeout": "timeout",
    "Trap": "wasm_trap",
    "BadInput": "bad_input",
}
CODES: dict[FaultKind, str] = {
    "Transient": "transient",
    "Permanent": "permanent",
    "Timeout": "timeout",
    "Trap": "wasm_trap",
    "BadInput": "bad_input",
}
RETRYABLE: frozenset[str] = frozenset({"Transient", "Timeout"})
# A host failure inside a state call reaches the component under this code.
STATE_CODE = "internal"


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One fault. `kind` is the effect kind it hits, `target` the one target it hits (None: any),
    `number` the n of Nth (from 1) or the percentage of Rate. `http_status` answers with that
    status instead of failing."""

    kind: str
    when: When = "before"
    target: str | None = None
    mode: FaultMode = "Always"
    number: int = 1
    error_kind: FaultKind = "Transient"
    message: str = "injected"
    http_status: int | None = None
    point: str = ""

    @property
    def label(self) -> str:
        """How a row or a message names it: the point, or the kind and target."""
        return self.point or f"{self.kind} {self.target or ''}".rstrip()

    def fires(self, count: int, seed: int) -> bool:
        """Whether the `count`-th hit (from 1) fails."""
        if self.mode == "Once":
            return count == 1
        if self.mode == "Nth":
            return count == max(self.number, 1)
        if self.mode == "Rate":
            return (seed + count) % 100 < min(self.number, 100)
        return True


class _Cell:
    """A fault and its hits: the same fault listed twice counts twice (per index, §10.1)."""

    __slots__ = ("count", "fault")

    def __init__(self, fault: FaultSpec, count: int = 0) -> None:
        self.fault = fault
        self.count = count


class FaultLink:
    """Counts the hits of every fault and lets the first one that fires answer.

    Later faults at the same place are not counted on a hit that fired, as in the reference.
    Used on the run's thread; `replace` may be called from any.
    """

    def __init__(self, faults: Sequence[FaultSpec] = (), seed: int = 0) -> None:
        self._seed = seed
        self._cells = [_Cell(fault) for fault in faults]

    @property
    def faults(self) -> tuple[FaultSpec, ...]:
        return tuple(cell.fault for cell in self._cells)

    @property
    def counts(self) -> tuple[int, ...]:
        """Hits so far, in the order of `faults`."""
        return tuple(cell.count for cell in self._cells)

    def replace(self, faults: Sequence[FaultSpec]) -> None:
        """Exchange the faults; one that is still listed keeps its count."""
        old = list(self._cells)
        cells: list[_Cell] = []
        for fault in faults:
            kept = next((cell for cell in old if cell.fault == fault), None)
            if kept is not None:
                old.remove(kept)
            cells.append(kept or _Cell(fault))
        self._cells = cells

    def restore(self, seen: Iterable[tuple[str, str, str]]) -> None:
        """Count again what a run did before: (kind, target, source) of its effects in order,
        for a resumed or forked run. What a pin or a person answered never came this far."""
        for cell in self._cells:
            cell.count = 0
        for kind, target, source in seen:
            if source in ("pin", "you"):
                continue
            if self._hit(kind, target, "before") is None:
                self._hit(kind, target, "after")

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        if not self._cells:
            return inner(effect)
        fault = self._hit(effect.kind, effect.target, "before")
        if fault is not None:
            return outcome_of(fault)
        outcome = inner(effect)
        if outcome.status == "pending":
            return outcome
        fault = self._hit(effect.kind, effect.target, "after")
        return outcome if fault is None else outcome_of(fault, outcome.logs)

    def _hit(self, kind: str, target: str, when: When) -> FaultSpec | None:
        kind = _SAME_KIND.get(kind, kind)
        for cell in self._cells:
            fault = cell.fault
            if _SAME_KIND.get(fault.kind, fault.kind) != kind or fault.when != when:
                continue
            if fault.target is not None and fault.target != target:
                continue
            cell.count += 1
            if fault.fires(cell.count, self._seed):
                return fault
        return None


def outcome_of(fault: FaultSpec, logs: str = "") -> Outcome:
    """What a fault that fires gives."""
    if fault.http_status is not None:
        body: dict[str, Json] = {"status": fault.http_status, "headers": {}, "body": fault.message}
        return ok(body, "fault", logs)
    code = STATE_CODE if fault.kind.startswith("state.") else CODES[fault.error_kind]
    return failed(
        Failure(
            code,
            f"{PREFIXES[fault.error_kind]}: {fault.message}",
            origin="fault",
            retryable=fault.error_kind in RETRYABLE,
            details={"fault": fault.label, "error_kind": fault.error_kind},
        ),
        "fault",
        logs,
    )
