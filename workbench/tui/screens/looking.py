"""Looking around in a run: panes, tabs, finding, evaluating, copying, editing. No stepping here."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from textual.widget import Widget

from workbench.model.run import StepRecord
from workbench.model.stepping import Choice
from workbench.model.values import Json, encode
from workbench.tui.expression_paths import paths_in
from workbench.tui.inspection import Inspection, effect_body, inspect
from workbench.tui.named_value import NamedValue, place_name
from workbench.tui.run_model import RunModel
from workbench.tui.screens.stepping import OBSERVED, PAST
from workbench.tui.screens.value_keys import ValueKeys
from workbench.tui.widgets.inspector import Inspector
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.pane import Pane, PaneTabs
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.transcript import Transcript
from workbench.tui.workflow_lines import why_step

PANES = ("flow", "inspect", "log")
# What only a run that is driven here takes.
CHANGING = ("edit_input", "edit_source", "pin", "mock", "supply", "pane_4")


class Looking(ValueKeys):
    """The half of the debugger that changes nothing in the run. `DebugScreen` brings the panes
    up to date and steps."""

    def __init__(self, run_id: str, model: RunModel) -> None:
        super().__init__()
        self.run_id = run_id
        self.model = model
        self.selected: str | None = None
        self._pane = "inspect" if self.has_class("-narrow") else "flow"
        self.add_class(f"-front-{self._pane}", update=False)
        self._zoomed = False
        self._found = ""
        self._asked: list[str] = []  # expressions, the latest last
        self._elsewhere = False

    @abstractmethod
    def look_at(self, path: str | None) -> None:
        """Show a node in the inspector."""

    @abstractmethod
    def look_again(self) -> None:
        """Bring the panes up to date with the model."""

    @abstractmethod
    def name_panes(self) -> None:
        """Bring the titles up to date."""

    def refuse_looking(self, action_id: str) -> str:
        """Why a looking action cannot be done now."""
        if action_id in CHANGING and self.model.run.origin == "observed":
            return OBSERVED
        if action_id in ("find_next", "find_previous") and not self._found:
            return f"nothing was searched: {self.key('find')} finds"
        if action_id in ("frame_up", "frame_down"):
            return self._refuse_frame(action_id)
        pause = self.model.pause
        if action_id == "supply" and (pause is None or pause.effect is None):
            return "it stands at no request"
        if action_id == "edit_source" and not self.query_one(Inspector).where:
            return "this node has no place in a file"
        if action_id == "edit_input" and self.model.live and self.model.pause is None:
            return f"it is running: {self.key('pause')} pauses it"
        if action_id == "edit_input" and self.model.past and not self.model.run.ended:
            return PAST
        return ""

    def _refuse_frame(self, action_id: str) -> str:
        if action_id == "frame_up":
            return "" if "/" in (self.selected or "") else "this is the outermost flow"
        return "" if self._child() else "this node called no flow"

    def _child(self) -> str | None:
        frames = [f for f in self.model.frames() if f.startswith(f"{self.selected}#")]
        flow = self.model.flow_of(frames[-1]) if frames else None
        return f"{frames[-1]}{flow.start}" if flow is not None else None

    # panes

    def show_pane(self, name: str, focus: bool = True) -> None:
        """Bring a pane to the front (narrow screens show one) and focus it."""
        self._pane = name
        for pane in PANES:
            self.set_class(pane == name, f"-front-{pane}")
        if focus:
            self._content(name).focus()
        self.name_panes()

    def _content(self, name: str) -> Widget:
        if name == "flow":
            return self.query_one(Rail)
        if name == "log":
            return self.query_one(Transcript)
        return self.query_one(Inspector).body

    def do_pane_1(self) -> None:
        self.show_pane("flow")

    def do_pane_2(self) -> None:
        self.show_pane("inspect")

    def do_pane_3(self) -> None:
        self.show_pane("log")

    def do_pane_4(self) -> None:
        self.bench.go_to_mocks(self.model.run.options.pack_path, self.model.run.options.mocks_path)

    def do_packs(self) -> None:
        self.bench.go_to_packs()

    def do_supply(self) -> None:
        from workbench.tui.screens.supplying import supply

        pause = self.model.pause
        if pause is not None and pause.effect is not None:
            supply(self, self.run_id, pause.effect, pause.sentence)

    def do_mock(self) -> None:
        """The effect under the cursor, or the last one of the node, becomes a mock."""
        seen = self.query_one(Inspector).seen
        if seen is None or not seen.effects:
            self.say("this node asked for nothing")
            return
        content = self._content(self._pane)
        cursor = content.cursor if isinstance(content, LineView) and content.id == "effects" else -1
        effect = seen.effects[cursor if cursor is not None else -1]
        self.say(f"kept in {self.workspace.keep_effect(self.run_id, effect)}")

    def do_call(self) -> None:
        """The node's component by itself, with what the node was sent."""
        from workbench.session.component_call import question_of

        seen = self.query_one(Inspector).seen
        node = self.model.node_of(seen.path) if seen is not None else None
        asked = None
        if seen is not None and node is not None:
            ahead = self.workspace.preview(self.run_id) if seen.step is None else None
            sent = seen.step.input if seen.step is not None else node.mapping
            if ahead is not None and f"{ahead.frame}{ahead.node}" == seen.path:
                sent = ahead.value
            asked = question_of(node, sent)
        if asked is None:
            self.say("this node calls no component")
        else:
            self.bench.go_to_call(self.model.run.options.pack_path, asked)

    def do_pane_5(self) -> None:
        self.bench.go_to_waits()

    def do_talk(self) -> None:
        self.bench.go_to_talk_of(self.model.run)

    def do_waits(self) -> None:
        mine = self.workspace.waits(self.run_id)
        if mine:  # a workflow may have several: the one under the cursor, else the first
            here = [item for item in mine if item.wait.signal == self.selected]
            self.bench.answer((here or mine)[0])
        else:
            self.bench.go_to_waits()

    def on_pane_tabs_chosen(self, event: PaneTabs.Chosen) -> None:
        self.action_perform(f"pane_{event.index + 1}")

    def on_descendant_focus(self) -> None:
        for pane in self.query(Pane):
            if pane.has_focus_within and pane.id in PANES:
                self.show_pane(pane.id, focus=False)

    def do_zoom(self) -> None:
        self._zoomed = not self._zoomed
        self.set_class(self._zoomed, "-zoom")

    def do_next_tab(self) -> None:
        self.query_one(Inspector).next_tab()
        self.name_panes()

    def on_inspector_effect_chosen(self, event: Inspector.EffectChosen) -> None:
        from workbench.tui.screens.note import NoteScreen

        seen = self.query_one(Inspector).seen
        if seen is not None and event.index < len(seen.effects):
            effect = seen.effects[event.index]
            title = f"Effect {effect.n + 1} of {seen.path}"
            name = f"{place_name(self.model, seen)} · Effect {effect.n + 1} {effect.kind}"
            value = NamedValue(name, effect_body(effect))
            self.app.push_screen(NoteScreen(title, value=value, run_id=self.run_id))

    def do_leave(self) -> None:
        if self._zoomed:
            self.do_zoom()
        elif self.query_one(Transcript).filter:
            self.query_one(Transcript).set_filter("")
        elif self.model.past:
            self.model.at = None
            self.look_again()
        else:
            self.bench.leave(self)

    # finding

    def do_find(self) -> None:
        label = "filter the transcript (! hides)" if self._pane == "log" else "find"
        self.ask(label, self._found, self._find)

    def _find(self, text: str) -> None:
        self._found = text
        if self._pane == "log":
            self.query_one(Transcript).set_filter(text)
            return
        view = self._view()
        views = [view, *self.query_one(Inspector).beside(view)]
        for one in views:
            one.search(text)
        found = next((one for one in views if text and one.find()), None)
        if found is not None and found is not view:
            found.focus()
        if text and found is None:
            self.say(f"nothing here holds {text!r}")

    def _view(self) -> LineView:
        content = self._content(self._pane)
        return content if isinstance(content, LineView) else self.query_one(Rail)

    def do_find_next(self) -> None:
        self._view().find(1)

    def do_find_previous(self) -> None:
        self._view().find(-1)

    def do_follow(self) -> None:
        log = self.query_one(Transcript)
        log.following = not log.following
        self.say("following the end" if log.following else "not following")

    # frames and reasons

    def node_words(self) -> list[tuple[str, str]]:
        """Every node on the rail by path, with its state word."""
        return self.query_one(Rail).words()

    def do_frame_up(self) -> None:
        caller = (self.selected or "").removesuffix("/").rpartition("/")[0].rpartition("#")[0]
        self.put_cursor(caller)

    def do_frame_down(self) -> None:
        child = self._child()
        if child is not None:
            self.put_cursor(child)

    def put_cursor(self, path: str) -> None:
        """The cursor of the rail on a node, and the inspector with it."""
        self.query_one(Rail).select(path)
        self._elsewhere = path != self.model.current
        self.look_at(path)

    def do_why(self) -> None:
        from workbench.tui.screens.note import NoteScreen

        told = why_step(self.model, self.selected or "")
        if told:
            self.app.push_screen(NoteScreen("Why it stands there", told))
            return
        step = self.model.step_at(self.selected or "")
        routed = step is not None and step.route is not None
        rows = self.workspace.why_not(self.run_id, step) if step is not None and routed else []
        if not rows:
            deciders = self._deciders()
            rows = [row for one in deciders for row in self.workspace.why_not(self.run_id, one)]
        if not rows:
            self.say("no decision led past this node yet")
            return
        lines = [f"→ {target}: {why}" for target, why in rows]
        self.app.push_screen(NoteScreen("Why this way", lines))

    def _deciders(self) -> list[StepRecord]:
        frame, slash, name = (self.selected or "").rpartition("/")
        found = []
        for step in self.model.visible():
            node = self.model.node_of(step.where)
            routes = node.routing.routes if node is not None else ()
            if step.frame == f"{frame}{slash}" and any(route.to == name for route in routes):
                found.append(step)
        return found[-1:]

    # asking

    def do_evaluate(self) -> None:
        from workbench.tui.screens.prompt import PromptScreen

        def took(text: str | None) -> None:
            if text:
                self.attempt(lambda: self._evaluate(text))

        roots = self.workspace.roots(self.run_id, self.model.at, self._frame)
        prompt = PromptScreen("=", self._first_guess(), recall=self._asked, paths=paths_in(roots))
        self.app.push_screen(prompt, took)

    @property
    def _frame(self) -> str:
        """The flow that the node under the cursor is in."""
        frame, slash, _ = (self.selected or "").rpartition("/")
        return f"{frame}{slash}"

    def _first_guess(self) -> str:
        """What was asked last, or what a template of this node did not find."""
        seen = self.query_one(Inspector).seen
        missing = seen.missing if seen is not None else ()
        lost = missing[0].expression.strip("{} ") if missing else ""
        return self._asked[-1] if self._asked else lost

    def _evaluate(self, text: str) -> None:
        from workbench.tui.screens.note import NoteScreen

        self._asked[:] = [*(one for one in self._asked if one != text), text]
        found = self.workspace.explain(self.run_id, text, self.model.at, self._frame)
        name = f"run {self.model.run.number} · step {self.model.now} = {text}"
        value, lost = NamedValue(name, found.value), [one.lost for one in found.missing]
        self.app.push_screen(NoteScreen(f"= {text}", lost, value=value, run_id=self.run_id))

    # copying and editing

    def do_copy(self) -> None:
        self.bench.copy(self._value_under_cursor())

    def do_copy_all(self) -> None:
        content = self._content(self._pane)
        text = getattr(content, "block_text", None)
        self.bench.copy(text if isinstance(text, str) else self.query_one(Inspector).block_text)

    def _value_under_cursor(self) -> str:
        content = self._content(self._pane)
        if isinstance(content, Rail):
            return content.selected or ""
        text = getattr(content, "value_text", "")
        return str(text)

    def do_edit_source(self) -> None:
        self.bench.edit_source(self.model.run.options.pack_path, self.query_one(Inspector).where)

    def do_edit_input(self) -> None:
        from workbench.tui.screens.input_form import flow_input, node_input

        model = self.model
        pause = model.pause
        pack, run = Path(model.run.options.pack_path), model.run
        if pause is None:
            again = flow_input(
                self.workspace, pack, run.flow_id, run.input, "run again", draft=f"{self.run_id}#"
            )
            self.app.push_screen(again, self._run_with)
            return
        seen = inspect(model, pause.where)
        verb = "retry with it" if pause.reason == "failure" else "send it"
        draft, node = f"{self.run_id}#{seen.path}", model.node_of(seen.path)
        editor = node_input(self.workspace, pack, node, seen, verb, draft=draft)
        self.app.push_screen(editor, lambda value: self._send(seen, value))

    def _run_with(self, value: tuple[Json] | None) -> None:
        if value is not None:
            run = self.workspace.restart(self.run_id, run_input=value)
            self.bench.replace_run(self, run)

    def _send(self, seen: Inspection, value: tuple[Json] | None) -> None:
        if value is None or self.model.pause is None:
            return
        payload = value[0]
        node = self.model.node_of(seen.path)
        if seen.inner and node is not None and isinstance(node.mapping, dict):
            payload = {**node.mapping, seen.inner: payload}
        failure = self.model.pause.reason == "failure"
        choice = Choice("retry" if failure else "go", input=payload)
        if self.workspace.go(self.run_id, "into", choice=choice):
            self.model.pause = None

    def do_pin(self) -> None:
        from workbench.tui.screens.input_editor import InputEditor

        path = self.selected or ""
        if self.workspace.unpin(self.run_id, path):
            self.say(f"{path} answers for itself again")
            return
        step = self.model.step_at(path)
        value = step.output if step is not None and step.status == "succeeded" else {}

        def took(output: tuple[Json] | None) -> None:
            if output is not None and self.workspace.pin(self.run_id, path, output[0]):
                size = len(encode(output[0]))
                again, away = self.key("restart"), self.key("pin")
                self.say(f"{path} is pinned to {size} B: {again} retries, {away} lets it go")

        title = f"Pin the output of {path}"
        editor = InputEditor(title, value, "pin it", draft=f"{self.run_id}#{path}!")
        self.app.push_screen(editor, took)
