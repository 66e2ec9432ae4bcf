"""A short run as model events: a branch, an HTTP call, a secret, a log and a failure."""

from __future__ import annotations

from workbench.model.effect import EffectRecord, Failure, Outcome
from workbench.model.events import Event, Log
from workbench.model.run import RouteTaken, Run, StepRecord, StepTrail
from workbench.model.waits import Resolution, Wait

# 2025-11-22 14:02:05.002 UTC, the moment in experience.md's picture.
T0 = 1_763_820_125_002_000


def step(ordinal: int, node: str, status: str = "succeeded", **more: object) -> StepRecord:
    """A step of run "r"."""
    fields: dict[str, object] = {"frame": "", "flow": "main", "visit": 1, "attempt": 1} | more
    return StepRecord("r", ordinal, node=node, status=status, **fields)  # type: ignore[arg-type]


DECIDE = step(5, "decide", route=RouteTaken("pay", "amount > 500 is false (480)"))
PAY = step(
    6,
    "pay",
    "failed",
    source="wasm",
    error=Failure("INVALID_AMOUNT", 'amount must be a number, got ""'),
)
CHARGE = EffectRecord(
    6, 0, "http", "api.pay.test", "h",
    {"method": "POST", "url": "https://api.pay.test/charge", "body": "x" * 38},
    Outcome("ok", {"status": 400, "headers": {}, "body": '{"error":"amount"}'}),
    source="tape",
)  # fmt: skip
SECRET = EffectRecord(
    6, 1, "secret.get", "PAY_KEY", "h", None, Outcome("ok", "⟦secret:PAY_KEY:raw⟧"), source="mock"
)


def event(kind: str, subject: object, after_ms: int = 0) -> Event:
    """An event of run "r", `after_ms` after T0."""
    return Event(1, kind, "r", T0 + after_ms * 1000, subject)  # type: ignore[arg-type]


def short_run() -> list[Event]:
    """Seven rows."""
    return [
        event("step.started", DECIDE),
        event("step.ended", DECIDE),
        event("step.started", PAY, 2000),
        event("effect", EffectRecord(6, 9, "component.call", "payments.pay", "h"), 2050),
        event("effect", CHARGE, 2112),
        event("effect", SECRET, 2113),
        event("log", Log("pay", "[b]charging[/b]\nsecond line"), 2500),
        event("step.ended", PAY, 2978),
        event("run.changed", Run("r", "d", "p", "1", "main", "main", "s", 0, 0, "failed", number=7,
                                 failure=PAY.error), 2980),
    ]  # fmt: skip


def trail() -> list[StepTrail]:
    """The same steps as recorded history: five rows."""
    return [StepTrail(DECIDE), StepTrail(PAY, (CHARGE, SECRET))]


def waiting() -> list[Event]:
    """A wait opened and answered."""
    opened = Wait("k", "r", "", "approval", 1, {}, {}, prompt="Approve 480 EUR?")
    answered = Wait(
        "k", "r", "", "approval", 1, {}, {}, resolved_by="you",
        resolution=Resolution("ok", {"approved": True}),
    )  # fmt: skip
    return [event("wait.opened", opened), event("wait.resolved", answered)]
