"""What the debugger does with the value under the cursor: mark, compare, pager, editor."""

from __future__ import annotations

from workbench.model.pointers import ABSENT
from workbench.tui.inspection import Inspection, inspect
from workbench.tui.named_value import NamedValue, Pairs, natural_pairs, place_name
from workbench.tui.run_model import RunModel
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.widgets.inspector import Inspector
from workbench.tui.widgets.transcript import Transcript

VALUE_ACTIONS = ("mark", "compare", "changed", "pager", "in_editor")


class ValueKeys(WorkbenchScreen):
    """A screen with an inspector and a transcript; `_pane` names the one in front. On the rail
    the value is what the node gave, or what it was sent."""

    run_id: str
    model: RunModel
    _pane: str

    def do_mark(self) -> None:
        from workbench.tui.screens.comparing import mark

        self.say(mark(self.bench, self._value_here()))

    def do_compare(self) -> None:
        from workbench.tui.screens.comparing import compare

        self.say(compare(self.bench, self._value_here(), self._pairs))

    def do_changed(self) -> None:
        on = self.query_one(Inspector).only_changes()
        self.say("only what changed since the visit before" if on else "everything is shown")

    def _value_here(self) -> NamedValue | None:
        inspector = self.query_one(Inspector)
        seen = inspector.seen
        if seen is None:
            return None
        if self._pane == "flow":
            return self.node_value(seen)
        found = inspector.under_cursor
        name = place_name(self.model, seen)
        return None if found is None else NamedValue(f"{name} · {found[0]}", *found[1:])

    def node_value(self, seen: Inspection) -> NamedValue | None:
        """What a node gave, or what it was sent; None before it ran."""
        place = place_name(self.model, seen)
        if seen.has_output and seen.step is not None:
            return NamedValue(f"{place} · {seen.out_title}", seen.output)
        return NamedValue(f"{place} · In", seen.sent) if seen.has_sent else None

    def _pairs(self) -> Pairs:
        seen = self.query_one(Inspector).seen
        return [] if seen is None else self.pairs_at(seen)

    def pairs_at(self, seen: Inspection) -> Pairs:
        """What is worth comparing at a node: within the run, and with the run before."""
        earlier = self.workspace.run_before(self.run_id, seen.path) if seen.step else None
        if earlier is None:
            return natural_pairs(self.model, seen)
        there = RunModel(earlier, self.workspace.definition(earlier.run))
        return natural_pairs(self.model, seen, there, inspect(there, seen.path))

    # pager and editor

    def do_pager(self) -> None:
        self._show_outside(pager=True)

    def do_in_editor(self) -> None:
        self._show_outside(pager=False)

    def _show_outside(self, pager: bool) -> None:
        number = f"run-{self.model.run.number}"
        if self._pane == "log":
            log = self.query_one(Transcript)
            name, text, line = f"{number}-transcript.txt", log.block_text, (log.cursor or 0) + 1
            self.bench.show_outside(name, text, line, pager=pager, run_id=self.run_id)
            return
        here = self._value_here()
        if here is None or here.value is ABSENT:
            self.say("there is no value under the cursor")
            return
        text, line, kind = here.shown
        self.bench.show_outside(f"{here.name}.{kind}", text, line, pager=pager, run_id=self.run_id)
