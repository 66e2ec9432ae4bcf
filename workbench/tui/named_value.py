"""A value with what people call it: "run 3 · step 4 rate · Out .body.amount". Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.model.pointers import ABSENT, INSIDE, dotted, line_of, nested, value_at
from workbench.model.run import StepRecord
from workbench.model.values import Json, pretty
from workbench.tui.inspection import Inspection
from workbench.tui.run_model import RunModel


@dataclass(frozen=True, slots=True)
class NamedValue:
    """`whole` is called `name`; `pointer` leads to the part that is meant ("" for all of it)."""

    name: str
    whole: Json
    pointer: str = ""

    @property
    def value(self) -> Json:
        """The part that is meant, or ABSENT."""
        return value_at(self.whole, self.pointer)

    @property
    def label(self) -> str:
        """What people call it, with the path of the part."""
        return f"{self.name} .{dotted(self.pointer)}" if self.pointer else self.name

    @property
    def shown(self) -> tuple[str, int, str]:
        """For a pager: the text that shows it, the line it begins at, and the kind of file. A
        string, or the JSON in it, is shown by itself; anything else in the whole around it."""
        outer, inside, rest = self.pointer.rpartition(f"/{INSIDE}")
        value, pointer = value_at(self.whole, outer + inside), rest
        if not inside:
            value, pointer = self.whole, self.pointer
        part = value_at(value, pointer)
        if isinstance(part, str) and (nested(part) is not ABSENT or "\n" in part or len(part) > 60):
            value, pointer = part if nested(part) is ABSENT else nested(part), ""
        if isinstance(value, str):
            return value, 1, "txt"
        return pretty(value), line_of(value, pointer), "json"

    def all_of_it(self) -> NamedValue:
        """The whole value."""
        return replace(self, pointer="")

    def is_place(self, other: NamedValue | None) -> bool:
        """Whether both name the same part of the same value."""
        return other is not None and (self.name, self.pointer) == (other.name, other.pointer)


def place_name(model: RunModel, seen: Inspection) -> str:
    """ "run 3 · step 4 rate, visit 2"; without a step "run 3 · rate"."""
    if seen.step is None:
        return f"run {model.run.number} · {seen.path}"
    return _step_name(model, seen.step)


def _step_name(model: RunModel, step: StepRecord) -> str:
    again = f", visit {step.visit}" if step.visit > 1 else ""
    again += f", try {step.attempt}" if step.attempt > 1 else ""
    return f"run {model.run.number} · step {step.ordinal} {step.where}{again}"


Pairs = list[tuple[str, NamedValue, NamedValue]]


def natural_pairs(
    model: RunModel,
    seen: Inspection,
    run_before: RunModel | None = None,
    seen_there: Inspection | None = None,
) -> Pairs:
    """What is worth comparing at a node when nothing is marked: (title, A, B). `seen_there` is
    the same node in the run before this one."""
    here = place_name(model, seen)
    sent = NamedValue(f"{here} · In", seen.sent)
    given = NamedValue(f"{here} · {seen.out_title}", seen.output)
    earlier = model.before(seen.step) if seen.step is not None else None
    pairs: Pairs = []
    if earlier is not None:
        again = "try" if earlier.visit == seen.step.visit else "visit"  # type: ignore[union-attr]
        there = _step_name(model, earlier)
        if seen.has_output and earlier.status == "succeeded":
            before = NamedValue(f"{there} · Out", seen.before_output)
            pairs.append((f"Out: this {again} against the one before", before, given))
        before = NamedValue(f"{there} · In", seen.before_sent)
        pairs.append((f"In: this {again} against the one before", before, sent))
    if seen.has_sent and seen.has_output:
        if seen.step is None:  # it has not run: what it would get, and what came before it
            pairs.append((f"{seen.out_title} against In", given, sent))
        else:
            pairs.append(("In against Out", sent, given))
    if run_before is not None and seen_there is not None and seen_there.step is not None:
        there, which = place_name(run_before, seen_there), f"run {run_before.run.number}"
        if seen.has_output and seen_there.has_output:
            other = NamedValue(f"{there} · Out", seen_there.output)
            pairs.append((f"Out: this run against {which}", other, given))
        if seen.has_sent and seen_there.has_sent:
            other = NamedValue(f"{there} · In", seen_there.sent)
            pairs.append((f"In: this run against {which}", other, sent))
    return pairs
