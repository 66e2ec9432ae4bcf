"""The debugger: rail, inspector and transcript of one run, stepped by single keys."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from workbench.model.errors import WorkbenchError
from workbench.model.events import Event, Pause
from workbench.model.run import StepTrail
from workbench.session import Workspace
from workbench.session.last_place import Place
from workbench.tui.bridge import Happened
from workbench.tui.inspection import inspect
from workbench.tui.rail_states import rail_states
from workbench.tui.run_model import RunModel
from workbench.tui.screens.looking import PANES, Looking
from workbench.tui.screens.stepping import STEPPING_ACTIONS, Stepping
from workbench.tui.screens.value_keys import VALUE_ACTIONS
from workbench.tui.strip_line import strip_state
from workbench.tui.widgets.graph_place import GraphPlace
from workbench.tui.widgets.inspector import Inspector
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.pane import Pane, PaneTabs
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.status_strip import StatusStrip
from workbench.tui.widgets.transcript import Transcript


class DebugScreen(Stepping, Looking):
    """One run. What is shown is the model's; what a key does is one session method."""

    CSS_PATH = "debug.tcss"
    AUTO_FOCUS = ""  # the pane in front, see `on_mount`
    ACTIONS: ClassVar[tuple[str, ...]] = (
        *STEPPING_ACTIONS,
        "graph",
        "evaluate",
        "frame_up",
        "frame_down",
        "why",
        "find",
        "find_next",
        "find_previous",
        "follow",
        "transcript",
        "edit_input",
        "edit_source",
        "pin",
        "waits",
        "copy",
        "copy_all",
        *VALUE_ACTIONS,
        "pane_1",
        "pane_2",
        "pane_3",
        "pane_4",
        "pane_5",
        "talk",
        "packs",
        "mock",
        "call",
        "supply",
        "next_tab",
        "zoom",
    )

    def __init__(self, run_id: str, workspace: Workspace, place: Place | None = None) -> None:
        view = workspace.view(run_id)
        super().__init__(run_id, RunModel(view, workspace.definition(view.run)))
        self._told: set[str] = set()
        self.graph_place = GraphPlace()
        self._place = place  # where the person was when they left

    def compose(self) -> ComposeResult:
        yield StatusStrip(id="strip")
        yield PaneTabs(id="tabs")
        with Container(id="panes"):
            with Pane("1 Flow", id="flow"):
                yield Rail(id="rail")
            with Pane("2 Inspect", id="inspect"):
                yield Inspector(id="inspector")
            with Pane("3 Transcript", id="log"):
                yield Transcript(virtual=True, id="transcript")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self._load_transcript()
        self.look_again()
        self.show_pane(self._pane)
        if self._place is not None:
            self._go_back_to(self._place)
        run = self.model.run
        if not (run.ended or run.origin == "observed"):
            self.call_after_refresh(
                self.run_worker, self._read_pack, group="pack", thread=True, exit_on_error=False
            )

    def _read_pack(self) -> None:
        """The pack may have been saved since the run began, and will be watched."""
        try:
            pack = self.workspace.pack(Path(self.model.run.options.pack_path))
        except WorkbenchError as error:
            self.app.call_from_thread(self.say, f"{error} [{error.code}]", True)
            return
        self.workspace.reloader.watch()
        if pack.definition.hash != self.model.run.definition:
            self.app.call_from_thread(self.notice_save, pack, by_itself=False)

    @property
    def shown_place(self) -> Place:
        """What is in front, to come back to."""
        put = self._elsewhere or self.model.current is None
        return Place(
            run=self.run_id,
            node=(self.selected or "") if put else "",
            pane=self._pane,
            tab=self.query_one(Inspector).tab if self.is_mounted else "",
            zoomed=self._zoomed,
        )

    def _go_back_to(self, place: Place) -> None:
        if place.node and self.query_one(Rail).select(place.node):
            self.put_cursor(place.node)
        self.query_one(Inspector).show_tab(place.tab)
        if place.pane in PANES:
            self.show_pane(place.pane)
        if place.zoomed:
            self.do_zoom()
        if place.graph:
            self.call_after_refresh(self.do_graph)

    # facts

    def happened(self, batch: Happened) -> None:
        if batch.lost:
            self._reload()
            return
        mine = [event for event in batch.events if event.run_id == self.run_id]
        news = [event for event in mine if not self._routine(event) and not self.model.knows(event)]
        self.query_one(Transcript).extend(news)
        if self.model.apply(mine):
            self.look_again()
        for event in batch.events:
            self.noticed(event)

    def happened_early(self, batch: Happened) -> None:
        self.model.apply(batch.events)

    def look_outside(self) -> None:
        model = self.model
        if model.live or model.run.ended:
            return
        known = model.run.revision, frozenset(wait.key_id for wait in model.open_waits)
        if self.workspace.pulse(self.run_id) != known:
            self._reload()

    def _routine(self, event: Event) -> bool:
        """No news: a pause that a step asked for or that its failure explains, or an answer or a
        failure that was told already."""
        subject = event.subject
        if isinstance(subject, Pause):
            return subject.reason in ("start", "step", "cursor", "failure")
        if event.kind == "wait.resolved":
            return self._told_before(subject.key_id)
        if event.kind == "step.ended" and subject.status == "failed":
            return self._told_before(f"{subject.ordinal}")  # told again when it is routed
        return False

    def _told_before(self, what: str) -> bool:
        told = what in self._told
        self._told.add(what)
        return told

    def _reload(self) -> None:
        view = self.workspace.view(self.run_id)
        at = self.model.at
        self.model = RunModel(view, self.workspace.definition(view.run))
        self.model.at = at
        self._load_transcript()
        self.look_again()

    def _load_transcript(self) -> None:
        steps = sorted(self.model.steps.values(), key=lambda step: step.ordinal)
        log, run = self.query_one(Transcript), self.model.run
        log.load(StepTrail(step, tuple(self.model.effects_of(step))) for step in steps)
        opened = [Event(0, "wait.opened", run.id, 0, wait) for wait in self.model.open_waits]
        ended = [Event(0, "run.changed", run.id, run.updated_at, run)] if run.ended else []
        log.extend([*opened, *ended])

    def audience_changed(self) -> None:
        self._load_transcript()
        self.look_again()

    def look_again(self) -> None:
        """Bring the panes up to date with the model; each repaints only what changed."""
        model = self.model
        live = self.workspace.live(self.run_id)
        model.live = live is not None
        if live is not None:
            model.clock = live.world.clock_text()
        model.preview = self.workspace.preview(self.run_id) if model.pause else None
        rail = self.query_one(Rail)
        flow = model.flow_of("")
        marks = self.workspace.breakpoints.all()
        rail.show(flow, rail_states(model, marks, self.key("why")), model.frames())
        self.query_one(StatusStrip).update(strip_state(model, *self.strip_facts))
        self.look_at(self.selected if self._stays() else model.current)
        self.refresh_hints()

    def _stays(self) -> bool:
        """The inspector follows the run unless the person put the cursor elsewhere."""
        selected = self.query_one(Rail).selected
        return self.selected is not None and selected == self.selected and self._elsewhere

    def look_at(self, path: str | None) -> None:
        """Show a node in the inspector."""
        if path is None:
            flow = self.model.flow_of("")
            path = flow.start if flow is not None else None
        if path is None:
            return
        self.selected = path
        self.query_one(Inspector).show(inspect(self.model, path, self.key("waits")))
        self.name_panes()

    def name_panes(self) -> None:
        rail, log = self.query_one(Rail), self.query_one(Transcript)
        inspector = self.query_one(Inspector)
        self.query_one("#flow", Pane).headline = rail.headline
        self.query_one("#inspect", Pane).headline = inspector.headline
        self.query_one("#log", Pane).headline = log.headline
        waits = len(self.model.open_waits)
        self.query_one(PaneTabs).show(
            ["1 Flow", "2 Inspect", f"3 Log {log.line_count}", "4 Mocks", f"5 Waits {waits}"],
            self._pane,
            rail.crumbs(self.size.width),
        )

    def on_rail_node_highlighted(self, event: Rail.NodeHighlighted) -> None:
        self._elsewhere = event.path != self.model.current
        self.look_at(event.path)

    def on_rail_node_chosen(self, event: Rail.NodeChosen) -> None:
        self.look_at(event.path)
        self.show_pane("inspect")

    def on_rail_headline_changed(self) -> None:
        self.name_panes()

    def on_transcript_headline_changed(self) -> None:
        self.name_panes()

    # what can be done

    def refuse(self, action_id: str) -> str:
        if action_id in STEPPING_ACTIONS:
            return self.refuse_step(action_id)
        if action_id == "waits" and not self.workspace.wait_counts().open:
            return self.refuse_waits()
        return self.refuse_looking(action_id)

    def do_transcript(self) -> None:
        from workbench.session.transcript_file import TranscriptFile, transcript_of
        from workbench.tui.screens.transcript_file import TranscriptScreen

        path, run = transcript_of(self.workspace, self.run_id), self.model.run
        title = f"run {run.number} · {run.flow_id}"
        self.app.push_screen(TranscriptScreen(TranscriptFile(path), title))

    def hints(self) -> list[str]:
        model = self.model
        if model.run.origin == "observed":
            return ["back", "forward", "copy", "find", "follow", "help", "palette"]
        if model.past:
            return ["back", "forward", "leave", "evaluate", "why", "copy", "help", "palette"]
        if model.parked:
            return ["waits", "back", "evaluate", "restart", "help", "palette"]
        if model.run.ended:
            return ["restart", "back", "edit_input", "evaluate", "help", "palette"]
        if model.live and model.pause is None:
            asked = ["waits"] if model.open_waits else []
            return [*asked, "pause", "stop", "back", "help", "palette"]
        if model.pause is not None and model.pause.effect is not None:
            return ["supply", "go_on", "stop", "evaluate", "help"]
        if model.pause is not None and model.pause.reason == "failure":
            return ["restart", "edit_input", "go_on", "back", "edit_source", "evaluate", "help"]
        ahead = ["step_over", "go_on", "step_into", "back", "breakpoint"]
        return [*ahead, "edit_input", "graph", "help"]

    # the other view of the flow

    def do_graph(self) -> None:
        from workbench.tui.screens.graph import GraphScreen

        self.app.push_screen(GraphScreen(self))
