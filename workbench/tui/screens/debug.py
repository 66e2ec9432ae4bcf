"""The debugger: rail, inspector and transcript of one run, stepped by single keys."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from workbench.model.events import Event, Pause
from workbench.model.run import StepTrail
from workbench.model.stepping import Breakpoint, Choice
from workbench.session import RUNNING, STEPPING, Workspace
from workbench.tui.bridge import Happened
from workbench.tui.inspection import inspect
from workbench.tui.rail_states import rail_states
from workbench.tui.run_model import RunModel
from workbench.tui.screens.looking import Looking
from workbench.tui.strip_line import strip_state
from workbench.tui.widgets.inspector import Inspector
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.pane import Pane, PaneTabs
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.status_strip import StatusStrip
from workbench.tui.widgets.transcript import Transcript

STEPS = ("step_over", "step_into", "step_out", "go_on", "run_to")


class DebugScreen(Looking):
    """One run. What is shown is the model's; what a key does is one session method."""

    CSS_PATH = "debug.tcss"
    ACTIONS: ClassVar[tuple[str, ...]] = (
        *STEPS,
        "pause",
        "stop",
        "restart",
        "breakpoint",
        "breakpoint_if",
        "back",
        "forward",
        "evaluate",
        "frame_up",
        "frame_down",
        "why",
        "find",
        "find_next",
        "find_previous",
        "follow",
        "edit_input",
        "edit_source",
        "pin",
        "waits",
        "copy",
        "copy_all",
        "pane_1",
        "pane_2",
        "pane_3",
        "pane_4",
        "pane_5",
        "packs",
        "mock",
        "supply",
        "next_tab",
        "zoom",
    )

    def __init__(self, run_id: str, workspace: Workspace) -> None:
        view = workspace.view(run_id)
        super().__init__(run_id, RunModel(view, workspace.definition(view.run)))
        # How the person last moved: an answered wait goes on the same way.
        self.stepping = True
        self._answers_told: set[str] = set()

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
        # The width class is known once the screen has a size; a narrow one shows the inspector.
        self.call_after_refresh(self._first_focus)

    def _first_focus(self) -> None:
        self.show_pane("inspect" if self.has_class("-narrow") else "flow")

    # facts

    def happened(self, batch: Happened) -> None:
        if batch.lost:
            self._reload()
            return
        mine = [event for event in batch.events if event.run_id == self.run_id]
        self.query_one(Transcript).extend(event for event in mine if not self._routine(event))
        if self.model.apply(mine):
            self.look_again()
        for event in batch.events:
            self._noticed(event)

    def _noticed(self, event: Event) -> None:
        """What happened around the run: saves, and things worth a line."""
        if event.kind == "notice":
            self.say(event.subject.message, bad=event.subject.severity == "error")
        elif event.kind == "pack.changed" and self._mine(event.subject.path):
            self.model.stale = self.model.run.definition != event.subject.definition.hash
            self.say("saved: R goes on with the new version" if self.model.stale else "saved: as run")
            self.refresh_hints()
        elif event.kind == "pack.rejected":
            self.say(f"✗ {event.subject.where}: {event.subject.message}", bad=True)
        elif event.kind == "mocks.changed" and self._mine(str(event.subject.parent)):
            self.say("mocks.toml saved: in use from the next effect on")

    def _mine(self, pack: str) -> bool:
        return Path(pack).resolve() == Path(self.model.run.options.pack_path)

    def _routine(self, event: Event) -> bool:
        """No news: a pause that a step asked for or that its failure explains, or an answer that
        was told already."""
        subject = event.subject
        if isinstance(subject, Pause):
            return subject.reason in ("start", "step", "cursor", "failure")
        if event.kind == "wait.resolved":
            told = subject.key_id in self._answers_told
            self._answers_told.add(subject.key_id)
            return told
        return False

    def _reload(self) -> None:
        view = self.workspace.view(self.run_id)
        at = self.model.at
        self.model = RunModel(view, self.workspace.definition(view.run))
        self.model.at = at
        self._load_transcript()
        self.look_again()

    def _load_transcript(self) -> None:
        steps = sorted(self.model.steps.values(), key=lambda step: step.ordinal)
        self.query_one(Transcript).load(
            StepTrail(step, tuple(self.model.effects_of(step))) for step in steps
        )

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
        rail.show(flow, rail_states(model, self.workspace.breakpoints.all()), model.frames())
        self.query_one(StatusStrip).update(strip_state(model, len(self.workspace.waits())))
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
        self.query_one(Inspector).show(inspect(self.model, path))
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
        model = self.model
        if action_id in STEPS or action_id == "restart":
            return self._refuse_step(action_id)
        if action_id == "pause":
            running = model.live and model.pause is None
            return "" if running else "nothing is running: it stands still already"
        if action_id == "stop" and model.run.ended:
            return f"the run is {model.run.status} already"
        if action_id in ("back", "forward"):
            return self._refuse_time(action_id)
        if action_id == "waits" and not self.workspace.waits():
            return "nothing is waiting"
        return self.refuse_looking(action_id)

    def _refuse_step(self, action_id: str) -> str:
        model = self.model
        if action_id == "restart":
            return ""
        if model.run.ended:
            return f"the run is {model.run.status}: R runs it again"
        if model.past:
            return "this is the past: Esc leads back to now"
        if model.run.status == "waiting":
            return "the run waits for an answer: w"
        if model.live and model.pause is None:
            return "it is running: p pauses it"
        if action_id == "run_to" and self.selected is None:
            return "put the cursor on a node first"
        return ""

    def _refuse_time(self, action_id: str) -> str:
        if action_id == "forward":
            return "" if self.model.past else "this is the present"
        return "" if self.model.steps and self.model.at != 0 else "this is the beginning"

    def title_of(self, action_id: str) -> str:
        failure = self.model.pause is not None and self.model.pause.reason == "failure"
        if action_id == "restart" and failure and not self.model.past:
            return "retry"
        if action_id == "leave" and self.model.past:
            return "to now"
        return super().title_of(action_id)

    def hints(self) -> list[str]:
        model = self.model
        if model.past:
            return ["back", "forward", "leave", "evaluate", "why", "copy", "help", "palette"]
        if model.run.status == "waiting":
            return ["waits", "back", "evaluate", "restart", "help", "palette"]
        if model.run.ended:
            return ["restart", "back", "edit_input", "evaluate", "help", "palette"]
        if model.live and model.pause is None:
            return ["pause", "stop", "back", "help", "palette"]
        if model.pause is not None and model.pause.effect is not None:
            return ["supply", "go_on", "stop", "evaluate", "help"]
        if model.pause is not None and model.pause.reason == "failure":
            return ["restart", "edit_input", "go_on", "back", "edit_source", "evaluate", "help"]
        return ["step_over", "go_on", "step_into", "back", "breakpoint", "edit_input", "help"]

    # stepping

    def _go(self, mode: str, to: tuple[str, str] | None = None) -> None:
        self._present()
        self.stepping = mode != "run"
        failure = self.model.pause is not None and self.model.pause.reason == "failure"
        choice = Choice("let_go") if failure else None
        if self.workspace.live(self.run_id) is None:
            self.bench.drive_run(self.run_id, RUNNING if mode == "run" else STEPPING)
            return
        if self.workspace.go(self.run_id, mode, to, choice):  # type: ignore[arg-type]
            self.model.pause = None

    def _present(self) -> None:
        self._elsewhere = False
        if self.model.past:
            self.model.at = None
            self.say("back in the present")

    def do_step_over(self) -> None:
        self._go("over")

    def do_step_into(self) -> None:
        self._go("into")

    def do_step_out(self) -> None:
        self._go("out")

    def do_go_on(self) -> None:
        self._go("run")

    def do_run_to(self) -> None:
        assert self.selected is not None
        frame, slash, name = self.selected.rpartition("/")
        flow = self.model.flow_of(f"{frame}{slash}")
        if flow is not None:
            self._go("cursor", (flow.id, name))

    def do_pause(self) -> None:
        self.workspace.pause(self.run_id)
        self.say("pausing before the next node")

    def do_stop(self) -> None:
        self.workspace.stop(self.run_id)

    def do_restart(self) -> None:
        pause = self.model.pause
        if self.model.stale:
            self.bench.replace_run(self, self.workspace.go_on_with_saved(self.run_id))
            return
        if pause is not None and pause.reason == "failure":
            self._present()
            self.workspace.go(self.run_id, "into", choice=Choice("retry"))
            self.model.pause = None
            return
        self.bench.replace_run(self, self.workspace.restart(self.run_id))

    def do_breakpoint(self) -> None:
        self._set_breakpoint("")

    def _set_breakpoint(self, condition: str) -> None:
        if self.selected is None:
            self.say("put the cursor on a node first")
            return
        frame, slash, name = self.selected.rpartition("/")
        flow = self.model.flow_of(f"{frame}{slash}")
        if flow is None:
            return
        on = self.workspace.breakpoint(Breakpoint(flow.id, name, condition=condition))
        self.say(f"breakpoint {'set' if on else 'removed'} at {name}")
        self.look_again()

    def do_breakpoint_if(self) -> None:
        self.ask("stop here when", "entry.amount > 500", self._set_breakpoint)

    # time

    def do_back(self) -> None:
        self.model.back()
        self._elsewhere = False
        self.look_again()

    def do_forward(self) -> None:
        self.model.forward()
        self._elsewhere = False
        self.look_again()
