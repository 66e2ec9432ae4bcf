"""Model events as transcript rows, kept as strings (`performance.md` §4: objects cost GC pauses).

A packed row is one string of fields joined by the unit separator: a letter for the kind (and the
effect's n), then time, ordinal, node, word, status, source, text. Its columns are cut only when
the row comes on screen. Packing is the hot path: keep it to one pass and no objects that stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import Literal, NamedTuple

from workbench.model.effect import EffectRecord
from workbench.model.events import Event, Log, Pause
from workbench.model.findings import Finding
from workbench.model.run import Run, StepRecord, StepTrail
from workbench.model.waits import Wait
from workbench.tui.widgets.brief import brief, effect_summary
from workbench.tui.widgets.cells import Fragment, clean, fit, fit_middle
from workbench.tui.widgets.veil import veiled

SEPARATOR = "\x1f"
STEP_WORDS = {
    "pending": "pending",
    "running": "running",
    "waiting": "waiting",
    "succeeded": "done",
    "failed": "FAILED",
    "skipped": "skipped",
    "interrupted": "cut off",
    "cancelled": "cancelled",
}
# A node's own call and rendering say nothing the step's row does not say.
QUIET_EFFECTS = frozenset({"component.call", "render", "wait"})
_TONES = {"done": "good", "ok": "good", "FAILED": "bad", "failed": "bad", "error": "bad",
          "err": "bad", "finished": "good", "waiting": "warn", "paused": "warn",
          "timeout": "warn", "warning": "warn"}  # fmt: skip

RowKind = Literal["step", "effect", "log", "run", "wait", "notice"]

_KINDS: dict[str, RowKind] = {
    "s": "step", "e": "effect", "l": "log", "r": "run", "w": "wait", "n": "notice"
}  # fmt: skip


class RowRef(NamedTuple):
    """What a row is about: `ordinal` of the step (0 none), `where` frame + node, `n` of the
    effect (-1 none)."""

    kind: RowKind
    ordinal: int
    n: int
    where: str


class RowPacker:
    """Turns events into packed rows, remembering which step an effect belongs to.

    `zone` is the time zone of the time column (None: the machine's). With `virtual` the steps'
    and effects' virtual time is shown instead of the moment the fact was sent; a fact without
    one has that of the fact before.
    """

    def __init__(self, zone: tzinfo | None = None, virtual: bool = False) -> None:
        self._zone = zone
        self.virtual = virtual
        self._names: dict[str, str] = {}  # "run:ordinal" -> frame + node
        self._ordinals: dict[str, str] = {}  # "run:node" -> latest ordinal
        self._run_states: dict[str, str] = {}
        self._vt = 0
        self._second = -1
        self._clock = ""
        self._writers: dict[str, Callable[[Event], str | None]] = {
            "step.started": self._step_started,
            "step.ended": self._step_ended,
            "effect": self._effect,
            "log": self._log,
            "run.created": self._run,
            "run.changed": self._run,
            "run.paused": self._paused,
            "wait.opened": self._wait,
            "wait.resolved": self._wait,
            "pack.rejected": self._finding,
            "notice": self._finding,
        }

    def pack(self, events: Iterable[Event]) -> list[str]:
        """The rows of these events; some facts have none, a log has one per line."""
        rows: list[str] = []
        writers = self._writers
        for event in events:
            writer = writers.get(event.kind)
            row = writer(event) if writer is not None else None
            if row is None:
                continue
            if event.kind == "log" and "\n" in row:
                rows.extend(self._log_lines(row))
            else:
                rows.append(row)
        return rows

    def pack_trails(self, trails: Iterable[StepTrail]) -> list[str]:
        """The rows of recorded steps: each one's effects, then the step."""
        events: list[Event] = []
        for trail in trails:
            step = trail.step
            events.append(Event(0, "step.started", step.run_id, step.started, step))
            for effect in trail.effects:
                events.append(Event(0, "effect", step.run_id, effect.at or step.started, effect))
            if step.logs:
                log = Log(step.node, step.logs.rstrip("\n"))
                events.append(Event(0, "log", step.run_id, step.ended, log))
            if step.status not in ("pending", "running"):
                events.append(Event(0, "step.ended", step.run_id, step.ended, step))
        return self.pack(events)

    def time(self, micros: int) -> str:
        """`HH:MM:SS.mmm`; the clock part is formatted once per second shown."""
        second, rest = divmod(micros, 1_000_000)
        if second != self._second:
            self._second = second
            self._clock = datetime.fromtimestamp(second, self._zone).strftime("%H:%M:%S")
        return f"{self._clock}.{rest // 1000:03d}"

    def _moment(self, virtual: int, event: Event) -> int:
        if not self.virtual:
            return event.at
        self._vt = virtual or self._vt
        return self._vt or event.at

    # -- one writer per kind of event; each gives a packed row or None ------------------------

    def _step_started(self, event: Event) -> None:
        step: StepRecord = event.subject
        self._remember(step)

    def _remember(self, step: StepRecord) -> str:
        where = clean(step.where)
        self._names[f"{step.run_id}:{step.ordinal}"] = where
        self._ordinals[f"{step.run_id}:{step.node}"] = str(step.ordinal)
        return where

    def _step_ended(self, event: Event) -> str:
        step: StepRecord = event.subject
        where = self._remember(step)
        word, source = STEP_WORDS[step.status], step.source
        if step.status == "succeeded" and isinstance(step.resolution, dict):
            word = str(step.resolution.get("status", word))
        at = self.time(self._moment(step.vt, event))
        shown = "" if source == "engine" else source
        return (
            f"s\x1f{at}\x1f{step.ordinal}\x1f{where}\x1f{word}\x1f\x1f{shown}\x1f{step_text(step)}"
        )

    def _effect(self, event: Event) -> str | None:
        effect: EffectRecord = event.subject
        if effect.kind in QUIET_EFFECTS and effect.state == 1:
            return None
        where = self._names.get(f"{event.run_id}:{effect.ordinal}", "")
        word, status, text = effect_summary(effect)
        if effect.state == 0:
            status = "sent"
        at = self.time(self._moment(effect.vt, event))
        shown = "" if effect.source == "engine" else effect.source
        return (
            f"e{effect.n}\x1f{at}\x1f{effect.ordinal}\x1f{where}\x1f{word}\x1f{status}\x1f{shown}"
            f"\x1f{text}"
        )

    def _log(self, event: Event) -> str:
        log: Log = event.subject
        ordinal = self._ordinals.get(f"{event.run_id}:{log.node}", "0")
        node = clean(log.node)
        at = self.time(self._moment(0, event))
        return f"l\x1f{at}\x1f{ordinal}\x1f{node}\x1flog\x1f\x1f\x1f{log.text}"

    def _log_lines(self, row: str) -> list[str]:
        head, _, text = row.rpartition(SEPARATOR)
        return [f"{head}{SEPARATOR}{line}" for line in text.splitlines()]

    def _run(self, event: Event) -> str | None:
        run: Run = event.subject
        if self._run_states.get(run.id) == run.status:
            return None
        self._run_states[run.id] = run.status
        if run.status == "running" or run.status == "waiting":
            return None
        word = "FAILED" if run.status == "failed" else run.status
        text = f"run {run.number} · {run.flow_id}"
        if run.failure is not None:
            text += f" · {run.failure.code}  {run.failure.message}"
        elif run.status == "finished":
            text += f" → {brief(run.output)}"
        return self._plain("run", event, "", word, text)

    def _paused(self, event: Event) -> str:
        pause: Pause = event.subject
        where = clean(pause.where)
        return self._plain("run", event, where, "paused", pause.sentence or pause.reason,
                           pause.ordinal)  # fmt: skip

    def _wait(self, event: Event) -> str:
        wait: Wait = event.subject
        if event.kind == "wait.opened":
            return self._plain("wait", event, clean(wait.signal), "waiting",
                               wait.prompt or f"for {wait.kind}")  # fmt: skip
        answer = wait.resolution
        by = f" by {wait.resolved_by}" if wait.resolved_by else ""
        text = f"answered{by}"
        if answer is not None and answer.payload is not None:
            text += f" → {brief(answer.payload)}"
        word = answer.status if answer is not None else "answered"
        return self._plain("wait", event, clean(wait.signal), word, text)

    def _finding(self, event: Event) -> str | None:
        if veiled():
            return None
        finding: Finding = event.subject
        place = f"{finding.where}: " if finding.where else ""
        return self._plain("notice", event, "", finding.severity, f"{place}{finding.message}")

    def _plain(
        self, kind: RowKind, event: Event, where: str, word: str, text: str, ordinal: int = 0
    ) -> str:
        at = self.time(self._moment(0, event))
        return f"{kind[0]}\x1f{at}\x1f{ordinal}\x1f{where}\x1f{word}\x1f\x1f\x1f{text}"


def step_text(step: StepRecord) -> str:
    """What a step's row says: why it failed, which way it went and why, or what came out."""
    if step.error is not None:
        return f"{step.error.code}  {step.error.message}"
    if step.missing:
        return f"! missing: {step.missing[0].sentence}"
    if step.findings and not veiled():
        return f"! {step.findings[0].message}"
    if step.route is not None and step.route.why:
        return step.way
    if step.status == "succeeded":
        return brief(step.output)
    return ""


def row_ref(row: str) -> RowRef:
    """What a packed row is about."""
    code, _, ordinal, where, _ = row.split(SEPARATOR, 4)
    return RowRef(_KINDS[code[0]], int(ordinal), int(code[1:] or -1), where)


def row_value(row: str) -> str:
    """The text column in full, for copying."""
    return row.split(SEPARATOR, 7)[7]


def row_holds(row: str, wanted: str) -> bool:
    """Whether the visible columns hold `wanted` (lower case); columns count as one space apart."""
    if " " in wanted:
        row = row.replace(SEPARATOR + SEPARATOR, SEPARATOR).replace(SEPARATOR, " ")
        return row.lower().find(wanted, row.index(" ")) >= 0
    return row.lower().find(wanted, row.index(SEPARATOR)) >= 0


def row_fragments(row: str, width: int, limit: int) -> list[Fragment]:
    """The columns of a packed row for a pane `width` cells wide.

    From 95 cells: time with milliseconds, step, node, word and status, source, text; from 66 the
    time in seconds; from 56 no time; below that no source either.
    """
    _, at, ordinal, where, word, status, source, text = row.split(SEPARATOR, 7)
    tone = _TONES.get(word, "")
    if status.isdigit() and int(status) >= 400:
        tone = "warn"
    wide = width >= 95
    fragments: list[Fragment] = []
    if width >= 66:
        fragments.append(((at if wide else at[:8]) + " ", "muted"))
    fragments.append((f"{ordinal if ordinal != '0' else '':>2} ", "muted"))
    fragments.append((fit_middle(where, 16 if width >= 150 else 9) + " ", "name"))
    state = word if not status else f"{word:<6} {status}" if wide else f"{word} {status}"
    fragments.append((fit(state, 12 if wide else 11) + " ", tone))
    if width >= 56:
        fragments.append((fit(source, 5) + " ", "muted"))
    fragments.append((clean(text, limit), "bad" if word == "FAILED" else ""))
    return fragments
