"""What the memory store keeps of one run, and the order of its lists."""

from __future__ import annotations

from workbench.model.effect import EffectRecord
from workbench.model.run import Run, StepRecord
from workbench.model.waits import Wait

Attempt = tuple[str, str, int, int]


class Record:
    """One run with all that belongs to it."""

    __slots__ = (
        "active", "attempts", "children", "deleted", "effects", "externals", "live", "parent",
        "run", "seqs", "steps", "waits",
    )  # fmt: skip

    def __init__(self, run: Run, parent: Record | None) -> None:
        self.run = run
        self.parent = parent
        self.children: list[Record] = []
        self.deleted = False
        self.steps: dict[int, StepRecord] = {}
        self.effects: dict[int, dict[int, EffectRecord]] = {}
        self.waits: dict[str, None] = {}
        self.seqs: list[int] = []
        # Guards: frame -> active ordinal, frame -> live wait, attempt -> ordinal, external id.
        self.active: dict[str, int] = {}
        self.live: dict[str, str] = {}
        self.attempts: dict[Attempt, int] = {}
        self.externals: dict[str, int] = {}

    @property
    def first(self) -> int:
        """The last ordinal that is inherited."""
        return self.run.parent_ordinal or 0


def is_live(wait: Wait) -> bool:
    return wait.opened_at is not None and wait.consumed_at is None


def inbox_order(wait: Wait) -> tuple[bool, int, bool, int, str]:
    """Soonest due first, then oldest; no deadline and not opened come last."""
    return (
        wait.due_at is None,
        wait.due_at or 0,
        wait.opened_at is None,
        wait.opened_at or 0,
        wait.key_id,
    )
