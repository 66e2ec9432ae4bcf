"""The lines `workbench debug` prints: one plain line a fact, values as indented JSON.

Nothing here moves a cursor. Colour is four SGR codes, and none of them carries meaning: every
word that is coloured is written out too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import cast

from workbench.cli.output import printable, when
from workbench.model.effect import EffectRecord, Failure
from workbench.model.events import Event, Log, Pause
from workbench.model.findings import Finding
from workbench.model.run import Missing, Run, StepRecord, in_branch
from workbench.model.values import Json, short
from workbench.model.waits import Wait

WORDS = {"succeeded": "done", "failed": "FAILED", "interrupted": "cut off"}
_CODES = {"FAILED": "31", "failed": "31", "error": "31", "done": "32", "ok": "32",
          "finished": "32", "waiting": "33", "paused": "33", "timeout": "33"}  # fmt: skip
LONGEST = 400  # characters of a value on an event's line
LARGEST = 20_000  # characters of a value printed in full


class Lines:
    """Turns facts into lines; remembers what it told, so that no fact is told twice."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour
        self._status: dict[str, str] = {}
        self._ended: set[tuple[str, int]] = set()
        self._answered: set[str] = set()
        self._places: dict[tuple[str, int], str] = {}
        self._tell: dict[str, Callable[[Event], Iterator[str]]] = {
            "run.changed": self._run,
            "step.started": self._started,
            "step.ended": self._step,
            "effect": self._effect,
            "log": self._log,
            "wait.opened": self._wait,
            "wait.resolved": self._answer,
            "notice": self._notice,
        }

    def of(self, event: Event) -> list[str]:
        """The lines of one event; often none."""
        tell = self._tell.get(event.kind)
        return list(tell(event)) if tell is not None else []

    def word(self, word: str, width: int = 0) -> str:
        """A word of state, coloured when that is wanted."""
        code = _CODES.get(word, "") if self._colour else ""
        padded = word.ljust(width)
        return f"\x1b[{code}m{padded}\x1b[0m" if code else padded

    def _line(self, event: Event, ordinal: int, where: str, word: str, text: str) -> str:
        number = str(ordinal) if ordinal else ""
        head = f"{clock(event.at)} {number:>3} {printable(where):<14}"
        return f"{head} {self.word(word, 10)} {printable(text)}".rstrip()

    def _run(self, event: Event) -> Iterator[str]:
        run = cast(Run, event.subject)
        if run.ended and self._status.get(run.id) != run.status:
            text = f"run {run.number}"
            if run.failure is not None:
                text += f"  {run.failure.code}  {run.failure.message}"
            elif run.status == "finished":
                text += f"  output {short(run.output, LONGEST)}"
            yield self._line(event, 0, "", run.status, text)
        self._status[run.id] = run.status

    def _started(self, event: Event) -> Iterator[str]:
        step = cast(StepRecord, event.subject)
        self._places[event.run_id, step.ordinal] = step.where
        if step.component == "flow.call" and isinstance(step.input, dict):
            flow = step.input.get("flow_id") or ""
            yield self._line(event, step.ordinal, step.where, "calls", f"flow {flow}")

    def _step(self, event: Event) -> Iterator[str]:
        step = cast(StepRecord, event.subject)
        key = (event.run_id, step.ordinal)
        if key in self._ended:
            if step.route is not None:
                yield self._line(event, step.ordinal, step.where, "let go", step.way)
            return
        self._ended.add(key)
        word = WORDS.get(step.status, step.status)
        if step.status == "succeeded" and isinstance(step.resolution, dict):
            word = str(step.resolution.get("status", word))
        source = "" if step.source == "engine" else step.source
        text = f"{source:<4}  {step.duration_us / 1000:.1f} ms  {step_text(step)}"
        yield self._line(event, step.ordinal, step.where, word, text)

    def _effect(self, event: Event) -> Iterator[str]:
        effect = cast(EffectRecord, event.subject)
        where = self._places.get((event.run_id, effect.ordinal), "")
        word, text = effect_text(effect)
        yield self._line(event, effect.ordinal, where, word, f"{effect.source:<4}  {text}")

    def _log(self, event: Event) -> Iterator[str]:
        log = cast(Log, event.subject)
        yield self._line(event, 0, log.node, "log", log.text[:LONGEST])

    def _wait(self, event: Event) -> Iterator[str]:
        wait = cast(Wait, event.subject)
        yield self._line(event, 0, wait.signal, "waiting", wait.prompt or f"for {wait.kind}")

    def _answer(self, event: Event) -> Iterator[str]:
        wait = cast(Wait, event.subject)
        if wait.key_id not in self._answered and wait.resolution is not None:
            self._answered.add(wait.key_id)
            answer = short(wait.resolution.wire(), LONGEST)
            yield self._line(event, 0, wait.signal, "answered", answer)

    def _notice(self, event: Event) -> Iterator[str]:
        finding = cast(Finding, event.subject)
        place = f"{finding.where}: " if finding.code != "compiling" and finding.where else ""
        yield self._line(event, 0, "", finding.severity, f"{place}{finding.message}")


def clock(micros: int) -> str:
    """`HH:MM:SS.mmm`, local time."""
    stamp = datetime.fromtimestamp(micros / 1_000_000).astimezone()
    return f"{stamp:%H:%M:%S}.{micros // 1000 % 1000:03d}"


def step_text(step: StepRecord) -> str:
    """Why a step failed, or which way it went."""
    if step.error is not None:
        return f"{step.error.code}  {step.error.message}"
    if step.route is not None and in_branch(step.frame):
        return step.way
    if step.route is not None:
        return f"→ {step.route.to or 'end'}  ({step.route.why})"
    return ""


def effect_text(effect: EffectRecord) -> tuple[str, str]:
    """What was asked and what came back, as a word and a text. A secret's text is never told."""
    outcome = effect.outcome
    value = outcome.value if outcome is not None else None
    answer = "no answer" if outcome is None else short(value, LONGEST)
    if outcome is not None and outcome.failure is not None:
        answer = f"{outcome.failure.code}  {outcome.failure.message}"
    elif effect.kind == "secret.get":
        answer = "none" if value is None else "****"
    if effect.kind == "http" and isinstance(effect.request, dict):
        asked = f"{effect.request.get('method')} {effect.request.get('url')}"
        if isinstance(value, dict) and "status" in value:
            answer = f"{value['status']}  {_cut(value.get('body'))}"
        return "http", f"{asked} → {answer}"
    asked = effect.target
    if effect.request is not None:
        asked = f"{asked} {short(effect.request, LONGEST)}".lstrip()
    if value is None and outcome is not None and outcome.ok and effect.request is not None:
        return effect.kind, asked  # a write: nothing comes back
    return effect.kind, f"{asked} → {answer}"


def _cut(body: Json) -> str:
    text = body if isinstance(body, str) else short(body, LONGEST)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def value_lines(value: Json) -> list[str]:
    """A value in full, indented, with its size first; cut when it is very large."""
    size = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    text = json.dumps(value, indent=2, ensure_ascii=False)
    lines = [f"  {size} B", *(f"  {printable(line)}" for line in text[:LARGEST].splitlines())]
    if len(text) > LARGEST:
        lines.append(f"  … {len(text) - LARGEST} characters more; = EXPR shows a part")
    return lines


def failure_lines(failure: Failure, missing: tuple[Missing, ...] = ()) -> list[str]:
    """The reason first: code and sentence, the place, then what the templates did not find."""
    place = f"{failure.where}: " if failure.where else ""
    lines = [f"{place}{failure.code}  {failure.message}"]
    lines.extend(f"why: {one.sentence}" for one in missing)
    if failure.details is not None:
        lines.append(f"details {short(failure.details, LONGEST)}")
    return [printable(line) for line in lines]


def input_lines(
    template: Json, value: Json, missing: tuple[Missing, ...] = (), problem: str = ""
) -> list[str]:
    """What a node is sent, its template beside it; what was not found is explained first."""
    lines = [f"! {problem}"] if problem else []
    lines.extend(f"! {one.sentence}" for one in missing)
    lost = {one.pointer for one in missing}
    rows = [
        ("!" if pointer in lost else " ", pointer.strip("/") or "(all)", _plain(asked), sent)
        for pointer, asked, sent in _beside(template, value, "")
    ]
    name = max((len(row[1]) for row in rows), default=0)
    asked = max((min(len(row[2]), 40) for row in rows), default=0)
    for sign, pointer, said, sent in rows:
        sent_text = "" if problem else short(sent, LONGEST)
        lines.append(f"{sign} {pointer:<{name}}  {said:<{asked}}  → {sent_text}")
    return [printable(line) for line in lines]


def _beside(template: Json, value: Json, pointer: str) -> Iterator[tuple[str, Json, Json]]:
    """(pointer, template, value) of every leaf of the template."""
    if isinstance(template, dict) and template:
        for key, item in template.items():
            sent = value.get(key) if isinstance(value, dict) else None
            yield from _beside(item, sent, f"{pointer}/{key}")
    else:
        yield pointer, template, value


def _plain(template: Json) -> str:
    return template if isinstance(template, str) else short(template, LONGEST)


def wait_lines(wait: Wait, key: str, now: int) -> list[str]:
    """One open wait: its question, when it is due, the shape of an answer, and its key. `now` is
    the run's own time, in microseconds."""
    lines = [f"{wait.signal} waits for {wait.kind}{due_text(wait, now)}", f"  {wait.prompt}"]
    if wait.schema is not None:
        lines.append(f"  an ok answer fits {short(wait.schema, LONGEST)}")
    lines.append(f"  key {key}")
    return [printable(line) for line in lines]


def due_text(wait: Wait, now: int) -> str:
    """When a wait is due, both ways of reading it."""
    if wait.due_at is None:
        return ""
    return f" · due {when(wait.due_at)}, in {span(wait.due_at - now)}"


def span(micros: int) -> str:
    """A time to go in its two largest units: "2 d 23 h"."""
    left = max(0, micros // 1_000_000)
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "no time"


def pause_text(pause: Pause, fresh: bool) -> str:
    """Where a run stands and why, as the state line says it."""
    where = pause.where
    if pause.reason == "failure":
        return f"paused on error in {where}"
    if pause.reason in ("effect", "missing"):
        return f"paused in {where}: {pause.sentence}"
    reason = pause.sentence
    if pause.reason == "start":
        reason = "the first node" if fresh else "goes on from here"
    return f"paused before {where} ({reason})"
