"""Calling one operation of one component, again and again, without a flow around it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from workbench.model.errors import WorkbenchError
from workbench.model.pack import Pack
from workbench.model.pointers import ABSENT
from workbench.model.values import Json, pretty
from workbench.session import ComponentQuestion
from workbench.session.views import CallView
from workbench.tui.bridge import Happened
from workbench.tui.call_lines import (
    OperationRow,
    answer_lines,
    operation_rows,
    row_text,
    world_lines,
)
from workbench.tui.inspection import effect_body
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.pane import Pane
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.status_strip import StatusStrip, StripState
from workbench.tui.widgets.value_pane import ValuePane

if TYPE_CHECKING:
    from workbench.session.component_call import ComponentCall

KEPT = 20  # earlier inputs of an operation that are offered again
# Inputs that were sent, newest first, by pack, component and operation: until the app ends.
_sent: dict[tuple[str, str, str], list[Json]] = {}


class CallScreen(WorkbenchScreen):
    """Enter asks for an input and calls, R calls again, x or Esc ends a call that takes long.

    A component is called in a thread of its own; the screen never waits for one.
    """

    CSS_PATH = "call.tcss"
    ACTIONS: ClassVar[tuple[str, ...]] = (
        "open",
        "edit_input",
        "restart",
        "stop",
        "pane_4",
        "packs",
        "copy",
        "pager",
        "in_editor",
        "reload",
    )

    def __init__(self, path: Path, first: ComponentQuestion | None = None) -> None:
        super().__init__()
        self.path = path
        self._first = first or ComponentQuestion("")
        self._pack: Pack | None = None
        self._rows: list[OperationRow] = []
        self._answers: dict[OperationRow, CallView] = {}
        self._call: ComponentCall | None = None
        self._calling: OperationRow | None = None
        self._looking = True

    def compose(self) -> ComposeResult:
        yield StatusStrip(id="strip")
        with Horizontal(id="columns"):
            with Pane("Operations", id="list"):
                yield LineView(id="operations")
            with Pane("Answer", id="answer"), Vertical():
                yield ReasonLines(id="said")
                yield ValuePane(id="value")
                yield LineView(id="world")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.query_one("#operations", LineView).focus()
        self.do_reload()

    def happened(self, batch: Happened) -> None:
        """A saved component is looked into again; what its old version answered stays to see."""
        for event in batch.events:
            if event.kind == "pack.changed":
                saved = Path(event.subject.path).resolve()
                if saved == self.path.resolve():
                    self.say(f"{event.subject.id} was saved: calls go to the new version")
                    self.do_reload()

    # what can be called

    def do_reload(self) -> None:
        self._looking = True
        self._say_state()
        self.run_worker(self._look, group="look", thread=True, exclusive=True)

    def _look(self) -> None:
        """Look into the components, off the event loop: they may have to be compiled."""
        try:
            pack: Pack | None = self.workspace.inspect(self.path)
            problem = ""
        except WorkbenchError as error:
            pack, problem = None, f"{error} [{error.code}]"
        self.app.call_from_thread(self._looked, pack, problem)

    def _looked(self, pack: Pack | None, problem: str) -> None:
        if not self.is_mounted:
            return
        self._looking = False
        self._pack = pack
        self.say(problem, bad=True)
        row = self.row
        kept = row.name if row is not None else ""
        self._rows = operation_rows(pack) if pack is not None else []
        view = self.query_one("#operations", LineView)
        view.replace([row_text(one) for one in self._rows] or ["The pack carries no component."])
        places = [n for n, one in enumerate(self._rows) if one.name == kept]
        places += [n for n, one in enumerate(self._rows) if self._belongs(one)]
        if self._rows:
            view.move_cursor(places[0] if places else 0)
        self.query_one("#list", Pane).headline = pack.id if pack is not None else "refused"
        self._show()

    def _belongs(self, row: OperationRow) -> bool:
        """Whether the cursor may begin on it: the operation asked for, or any where none was."""
        first = self._first
        if not row.operation or first.component not in ("", row.component):
            return False
        return first.operation in ("", row.operation)

    @property
    def row(self) -> OperationRow | None:
        """The operation under the cursor."""
        cursor = self.query_one("#operations", LineView).cursor
        return self._rows[cursor] if cursor is not None and cursor < len(self._rows) else None

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        if event.view.id == "operations":
            self._show()

    def on_line_view_activated(self, event: LineView.Activated) -> None:
        if event.view.id == "operations":
            self.action_perform("open")
        else:
            self._show_effect(event.index)

    def _show_effect(self, index: int) -> None:
        """All of one effect, until the cursor moves on among the operations."""
        row = self.row
        view = self._answers.get(row) if row is not None else None
        if view is not None and index < len(view.effects):
            effect = view.effects[index]
            title = f"{effect.kind} {effect.target}"
            self.query_one(ValuePane).show(title, effect_body(effect))

    # the answer

    def _show(self) -> None:
        """The last answer of the operation under the cursor."""
        row = self.row
        view = self._answers.get(row) if row is not None else None
        value, world = self.query_one(ValuePane), self.query_one("#world", LineView)
        self.query_one("#answer", Pane).headline = row.name if row is not None else ""
        if view is None:
            self.query_one("#said", ReasonLines).show(self._invitation(row))
            value.show("Answer", ABSENT)
            world.replace([])
        else:
            self.query_one("#said", ReasonLines).show(answer_lines(view))
            value.show("Answer" if view.outcome.failure is None else "Details", self._value())
            world.replace(world_lines(view) or ["It asked the world for nothing and was silent."])
        self._say_state()
        self.refresh_hints()

    def _invitation(self, row: OperationRow | None) -> list[tuple[str, str]]:
        if self._looking:
            return [("", "looking into the components …")]
        if row is None:
            return [("", "There is nothing to call here.")]
        what = "asks for an input and calls it" if row.operation else "lets it describe itself"
        return [("", f"{self.key('open').capitalize()} {what}."), *self._noticed(row)]

    def _noticed(self, row: OperationRow) -> list[tuple[str, str]]:
        """What was found about the component itself, on its own row."""
        if row.operation or self._pack is None:
            return []
        entry = self._pack.components[row.component].entry
        found = [one for one in self._pack.findings if one.where == entry]
        tones = {"error": "bad", "warning": "warn"}
        return [(tones.get(one.severity, "muted"), f"! {one.message}") for one in found]

    def _say_state(self) -> None:
        moving = self._looking or self._call is not None
        state = "RUNNING" if moving else "IDLE"
        reason = self._calling.name if self._calling is not None else ""
        strip = StripState(pack=self.path.name, state=state, reason=reason)
        self.query_one(StatusStrip).update(strip)

    # calling

    def refuse(self, action_id: str) -> str:
        if action_id == "stop":
            return "" if self._call is not None else "no call is being made"
        if action_id in ("open", "edit_input", "restart"):
            if self._call is not None:
                return f"a call is being made: {self.key('stop')} ends it"
            if self.row is None:
                return "there is nothing to call here"
        if action_id == "restart" and not self._history():
            return "this was not called yet"
        if action_id == "edit_input" and self.row is not None and not self.row.operation:
            return "a description takes no input"
        if action_id in ("copy", "pager", "in_editor") and self._value() is ABSENT:
            return "there is no answer"
        return ""

    def title_of(self, action_id: str) -> str:
        titles = {"open": "call", "restart": "again", "stop": "end it", "edit_input": "input"}
        return titles.get(action_id) or super().title_of(action_id)

    def hints(self) -> list[str]:
        first = ["stop"] if self._call is not None else ["open", "restart"]
        return [*first, "copy", "pager", "pane_4", "leave", "help"]

    def _history(self) -> list[Json]:
        row = self.row
        return [] if row is None else _sent.get(self._key(row), [])

    def _key(self, row: OperationRow) -> tuple[str, str, str]:
        return str(self.path), row.component, row.operation

    def do_open(self) -> None:
        row = self.row
        assert row is not None
        if row.operation:
            self.do_edit_input()
        else:
            self._make(row, None)

    def do_edit_input(self) -> None:
        from workbench.session.component_call import samples
        from workbench.session.input_schemas import sample_of
        from workbench.tui.screens.input_editor import InputEditor

        row = self.row
        assert row is not None and self._pack is not None
        history = self._history()
        offered = [(f"call {len(history) - n}", value) for n, value in enumerate(history)]
        asked = self._first
        if asked.operation and (asked.component, asked.operation) == (row.component, row.operation):
            offered.insert(0, ("what the node was sent", asked.input))
        offered += samples(self._pack, row.component, row.operation)
        if not offered and row.schema is not None:
            offered.append(("from its schema", sample_of(row.schema)))

        def took(value: tuple[Json] | None) -> None:
            if value is not None:
                self._make(row, value[0])

        editor = InputEditor(
            f"Call {row.name}",
            offered[0][1] if offered else {},
            "call",
            samples=offered,
            offer="examples, nodes and earlier calls",
            draft=" ".join(self._key(row)),
            schema=row.schema,
            form=True,
        )
        self.app.push_screen(editor, took)

    def do_restart(self) -> None:
        row = self.row
        assert row is not None
        self._make(row, self._history()[0])

    def _make(self, row: OperationRow, given: Json) -> None:
        """Call in a thread; one at a time."""
        if self._call is not None:
            return
        question = ComponentQuestion(row.component, row.operation, given)
        try:
            call = self.workspace.asking(self.path, question)
        except WorkbenchError as error:
            self.say(f"{error} [{error.code}]", bad=True)
            return
        sent = _sent.setdefault(self._key(row), [])
        sent[:] = [given, *(one for one in sent if one != given)][:KEPT]
        self._call, self._calling = call, row
        self._say_state()
        self.refresh_hints()
        self.run_worker(lambda: self._answer(call, row), group="call", thread=True)

    def _answer(self, call: ComponentCall, row: OperationRow) -> None:
        try:
            view: CallView | None = call.answer()
            problem = ""
        except WorkbenchError as error:
            view, problem = None, f"{error} [{error.code}]"
        self.app.call_from_thread(self._answered, row, view, problem)

    def _answered(self, row: OperationRow, view: CallView | None, problem: str) -> None:
        self._call = self._calling = None
        if not self.is_mounted:
            return
        self.say(problem, bad=True)
        if view is not None:
            self._answers[row] = view
        self._show()

    def do_stop(self) -> None:
        if self._call is not None:
            self._call.stop()

    def do_leave(self) -> None:
        if self._call is not None:
            self._call.stop()
        else:
            self.bench.leave(self)

    def on_unmount(self) -> None:
        if self._call is not None:
            self._call.stop()

    # the value

    def _value(self) -> Json:
        row = self.row
        view = self._answers.get(row) if row is not None else None
        if view is None:
            return ABSENT
        failure = view.outcome.failure
        if failure is None:
            return view.outcome.value
        return ABSENT if failure.details is None else failure.details

    def do_copy(self) -> None:
        self.bench.copy(pretty(self._value()))

    def do_pager(self) -> None:
        self.bench.show_outside("answer.json", pretty(self._value()), pager=True)

    def do_in_editor(self) -> None:
        self.bench.show_outside("answer.json", pretty(self._value()), pager=False)

    def do_pane_4(self) -> None:
        self.bench.go_to_mocks(str(self.path))

    def do_packs(self) -> None:
        self.bench.go_to_packs()
