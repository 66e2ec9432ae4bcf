"""The half of the line debugger that only looks: values, effects, frames, the steps behind.

Looking never repeats anything: it reads the journal, and the preview of the node about to run.
"""

from __future__ import annotations

from workbench.cli.arguments import usage
from workbench.cli.card_text import card_text
from workbench.cli.debug_lines import (
    Lines,
    due_text,
    effect_text,
    failure_lines,
    input_lines,
    pause_text,
    step_text,
    value_lines,
    wait_lines,
)
from workbench.cli.output import printable
from workbench.model.card_reading import card_in
from workbench.model.cards import Card
from workbench.model.effect import Effect
from workbench.model.events import Pause
from workbench.model.run import Position, Run, StepRecord
from workbench.model.stepping import Breakpoint
from workbench.model.values import short
from workbench.model.wait_card import wait_card
from workbench.session import Workspace
from workbench.session.views import OpenWait

INSIDE = frozenset({"failure", "effect", "missing"})  # pauses with a step already begun


class Looking:
    """One run as it stands. `pause` is None while it runs, waits or has ended; `past` is the
    ordinal looked at, None in the present."""

    def __init__(self, workspace: Workspace, run: Run, lines: Lines) -> None:
        self.workspace = workspace
        self.run = run
        self.lines = lines
        self.pause: Pause | None = None
        self.past: int | None = None

    def say(self, *lines: str) -> None:
        for line in lines:
            print(line, flush=True)

    def state(self) -> None:
        """The state line, and the reason before any data."""
        view = self.workspace.view(self.run.id)
        done = sum(1 for step in view.steps if step.status == "succeeded")
        words = [self._standing(done == 0), f"{done} done"]
        words += [word for word in (view.clock, view.network) if word]
        words.append(f"waits {self.workspace.wait_counts().open}")
        self.say("-- " + printable(" · ".join(words)))
        pause, step = self.pause, view.steps[-1] if view.steps else None
        if pause is None:
            self._show_wait()
        elif pause.reason == "failure" and step is not None and step.error is not None:
            self.say(*failure_lines(step.error, step.missing))
            self.say("retry [JSON] · pin JSON, then retry · go lets it fail or be routed")
        elif pause.reason in ("effect", "missing"):
            self._show_effect(pause.effect)
        else:
            preview = self.workspace.preview(self.run.id)
            if preview is not None:
                problem = (preview.problem,) if preview.problem else ()
                missing = [one.sentence for one in preview.missing]
                self.say(*(printable(f"! {text}") for text in (*problem, *missing)))

    def _standing(self, fresh: bool) -> str:
        if self.pause is not None:
            text = pause_text(self.pause, fresh)
            return text.replace("paused", self.lines.word("paused"), 1)
        failure = self.run.failure
        place = f" at {failure.where}" if failure is not None and failure.where else ""
        return self.lines.word(self.run.status) + place

    def _show_wait(self) -> None:
        item = self._open_wait()
        if item is None:
            return
        card = wait_card(item.wait, self.workspace.steps(item.run.id))
        if card is not None:
            self._show_card(card)
        self.say(*wait_lines(item.wait, item.key, self._now(item)))
        for other in self.workspace.waits(self.run.id):
            name = other.wait.signal
            if name != item.wait.signal:
                self.say(printable(f"{name} waits too: ok {name} JSON answers it"))
        self.say("answer: ok JSON · err CODE MESSAGE · timeout · cancel")

    def _show_card(self, card: Card) -> None:
        version = f" {card.version}" if card.version else ""
        lines = (f"  {line}" for line in card_text(card))
        self.say(f"card{printable(version)}:", *(printable(line) for line in lines))

    def _now(self, item: OpenWait) -> int:
        """The time of a waiting run, which may be virtual: that of its last step."""
        steps = self.workspace.steps(item.run.id)
        return steps[-1].vt if steps else 0

    def _show_effect(self, effect: Effect | None) -> None:
        if effect is not None and effect.request is not None:
            self.say(f"asked {printable(short(effect.request, 400))}")
        self.say("ok JSON · err CODE MESSAGE · timeout · grant HOST, then retry · go accepts it")

    def _open_wait(self) -> OpenWait | None:
        mine = iter(self.workspace.waits(self.run.id))
        return next(mine, None)

    def _step(self) -> StepRecord | None:
        """The step looked at: the one of the past, or the last one."""
        steps = self.workspace.steps(self.run.id)
        if self.past is not None:
            return next((step for step in steps if step.ordinal == self.past), None)
        return steps[-1] if steps else None

    def evaluate(self, text: str) -> None:
        if not text:
            raise usage("= takes an expression")
        found = self.workspace.explain(self.run.id, text, self.past)
        self.say(*(printable(f"! {one.lost}") for one in found.missing))
        self.say(*value_lines(found.value))

    def back(self, text: str) -> None:
        last = self._last()
        inside = self.pause is not None and self.pause.reason in INSIDE
        first_back = last - 1 if inside else last
        self._look_at(first_back if self.past is None else self.past - 1)

    def forward(self, text: str) -> None:
        if self.past is None or self.past >= self._last():
            self.past = None
            self.state()
        else:
            self._look_at(self.past + 1)

    def _last(self) -> int:
        steps = self.workspace.steps(self.run.id)
        return steps[-1].ordinal if steps else 0

    def _look_at(self, ordinal: int) -> None:
        if ordinal < 1:
            self.say("there is nothing before the first node")
            return
        self.past = ordinal
        step = self._step()
        if step is not None:
            text = f"step {ordinal} {step.where}  {step.status}  {step_text(step)}".rstrip()
            self.say(printable(text))

    def input(self, text: str) -> None:
        before = self.pause is not None and self.pause.reason not in INSIDE
        preview = self.workspace.preview(self.run.id) if before and self.past is None else None
        if preview is not None:
            shown = (preview.template, preview.value, preview.missing, preview.problem)
            self.say(f"{preview.where} would be sent", *input_lines(*shown))
            return
        step = self._step()
        if step is None:
            self.say("nothing has run yet")
            return
        flow = self.workspace.definition(self.run).flows[step.flow]
        template = flow.nodes[step.node].mapping
        self.say(f"{step.where} (step {step.ordinal}) was sent")
        self.say(*input_lines(template, step.input, step.missing))

    def output(self, text: str) -> None:
        step = self._step()
        if step is None:
            self.say("nothing has run yet")
            return
        self.say(f"{step.where} (step {step.ordinal}) {step.status}")
        if step.error is not None:
            self.say(*failure_lines(step.error, step.missing))
        elif step.status == "succeeded":
            card = None if text == "json" else card_in(step.output)
            if card is not None:
                self._show_card(card)
                self.say("  o json shows it as it is")
            else:
                self.say(*value_lines(step.output))

    def effects(self, text: str) -> None:
        step = self._step()
        trail = self.workspace.trail(self.run.id, step.ordinal) if step is not None else None
        if step is None or trail is None or not trail.effects:
            self.say("no effects" if step is None else f"{step.where} had no effects")
            return
        for effect in trail.effects:
            word, told = effect_text(effect)
            self.say(printable(f"  {effect.n:2} {word:<10} {effect.source:<5} {told}"))

    def backtrace(self, text: str) -> None:
        """The frames, innermost first."""
        step = self._step()
        if self.past is not None and step is not None:
            places = [*_frames_above(step), Position(step.frame, step.flow, step.node)]
        else:
            places = list(self.run.cursor)
        flows = self.workspace.definition(self.run).flows
        for depth, place in enumerate(reversed(places)):
            flow = flows.get(place.flow)
            node = flow.nodes.get(place.node) if flow is not None else None
            where = f"  {node.where()}" if node is not None else ""
            flow_id = f"  flow {place.flow}" if place.flow else ""
            self.say(printable(f"  {depth} {place.where}{flow_id}{where}"))

    def breakpoint(self, text: str) -> None:
        if not text:
            found = self.workspace.breakpoints.all()
            for item in found:
                condition = f" if {item.condition}" if item.condition else ""
                self.say(printable(f"  {item.flow}/{item.node}{condition}"))
            if not found:
                self.say("no breakpoints; b NODE [if EXPR] sets one")
            return
        name, _, condition = text.partition(" if ")
        flow, node = self._node(name)
        there = self.workspace.breakpoints.at_node(flow, node)
        if condition and there is not None:
            self.workspace.breakpoint(there)  # a new condition replaces the old one
        wanted = Breakpoint(flow=flow, node=node, condition=condition.strip())
        is_set = self.workspace.breakpoint(wanted)
        self.say(f"breakpoint {'set' if is_set else 'removed'}: {flow}/{node}")

    def waits(self, text: str) -> None:
        items = self.workspace.waits()
        for item in items:
            place = f"{item.run.number}:{item.wait.signal}"
            due = due_text(item.wait, self._now(item))
            self.say(printable(f"  {place}  {item.run.pack_id}  {item.wait.prompt}{due}"))
        if not items:
            self.say("nothing waits")

    def _node(self, text: str) -> tuple[str, str]:
        """(flow, node) of `NODE` in the current flow or the only one that has it, or
        `FLOW/NODE`."""
        name = text.strip()
        flows = self.workspace.definition(self.run).flows
        flow_id, slash, node = name.rpartition("/")
        here = self.run.cursor[-1].flow if self.run.cursor else self.run.flow_id
        if slash:
            found = [flow_id] if flow_id in flows and node in flows[flow_id].nodes else []
        elif here in flows and node in flows[here].nodes:
            found = [here]
        else:
            found = [key for key, flow in flows.items() if node in flow.nodes]
        if len(found) == 1:
            return found[0], node
        known = ", ".join(flows[here].nodes) if here in flows else "none"
        raise usage(f"which node is {name!r}? Known: {known}, or FLOW/NODE")


def _frames_above(step: StepRecord) -> list[Position]:
    """The calls a past step stood under; their flows are not kept, so they are left empty."""
    parts = step.frame.split("/")[:-1]
    return [
        Position("".join(f"{part}/" for part in parts[:depth]), "", part.partition("#")[0])
        for depth, part in enumerate(parts)
    ]
