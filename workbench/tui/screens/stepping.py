"""Stepping: what the keys of the debugger do to a run, whichever view of it is in front."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from workbench.model.events import Event
from workbench.model.pack import Pack
from workbench.model.run import Run
from workbench.model.stepping import Breakpoint, Choice
from workbench.session import RUNNING, STEPPING
from workbench.session.settings import Rerun
from workbench.tui.run_model import RunModel
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.screens.rerunning import Arrival, rerun_on_save

OBSERVED = "observed from outside: steer it where it runs"
PAST = "this is the past: Esc leads back to now"
STEPS = ("step_over", "step_into", "step_out", "go_on", "run_to")
STEPPING_ACTIONS = (
    *STEPS,
    "pause",
    "stop",
    "restart",
    "breakpoint",
    "breakpoint_if",
    "back",
    "forward",
)


class Stepping(WorkbenchScreen):
    """A screen that shows a run and steps it. It has the model, the path under its cursor
    (`selected`). `_elsewhere` says that the cursor was put on another node than the current one."""

    run_id: str
    model: RunModel
    selected: str | None
    _elsewhere: bool
    _wanted: tuple[str, tuple[str, str] | None] | None = None
    _arrival: Arrival | None = None
    _compiling = ""
    rerunning = False

    @property
    def stepping(self) -> bool:
        """Whether the person last stepped: an answered wait goes on the way they were going, on
        whichever screen they answer it."""
        return self.run_id not in self.bench.going_on

    @abstractmethod
    def look_again(self) -> None:
        """Bring the screen up to date with the model."""

    def settings_changed(self) -> None:
        super().settings_changed()
        if self.is_mounted:
            self.look_again()

    def show_instead(self, run: Run) -> None:
        """Another run takes the place of this one."""
        self.bench.replace_run(self, run)

    @property
    def strip_facts(self) -> tuple[int, Rerun]:
        """Open waits of the workspace, and what a save does: for the status strip."""
        return self.workspace.wait_counts().open, self.workspace.settings.current.rerun

    # what happened around the run

    def noticed(self, event: Event) -> None:
        """What happened around the run: saves, and things worth a line."""
        if event.kind == "run.paused" and event.run_id == self.run_id:
            wanted, self._wanted = self._wanted, None
            if self._arrival is not None:
                self._arrive()
            elif wanted is not None and event.subject.reason == "start":
                self._go(*wanted)
        elif event.kind == "notice":
            self.say(event.subject.message, bad=event.subject.severity == "error")
            self._compiling = event.subject.message if event.subject.code == "compiling" else ""
        elif event.kind == "step.ended" and event.run_id == self.run_id:
            self.unsay(self._compiling)  # it was for this step, and is over
        elif event.kind == "pack.changed" and self._mine(event.subject.path):
            if not self.notice_save(event.subject):
                self.say("saved: as run")
        elif event.kind == "pack.rejected":
            self.say(f"✗ {event.subject.where}: {event.subject.message}", bad=True)
        elif event.kind == "mocks.changed" and self._mine(str(event.subject.parent)):
            if not rerun_on_save(self, event.subject):
                self.say("mocks.toml saved: in use from the next effect on")

    def notice_save(self, pack: Pack, by_itself: bool = True) -> bool:
        """A version of the run's pack is in use; whether it is another than the run's own. With
        `by_itself` the run may start over as the settings say."""
        self.model.stale = self.model.run.definition != pack.definition.hash
        if self.model.stale and not (by_itself and rerun_on_save(self)):
            self.say(f"saved: {self.key('restart')} goes on with the new version")
        self.refresh_hints()
        return self.model.stale

    def lead_to(self, arrival: Arrival) -> None:
        """Lead a run that is about to stand ready to where another stood, as far as it goes that
        way."""
        self._arrival = arrival
        if self.model.pause is not None:
            self._arrive()

    def _arrive(self) -> None:
        pause = self.model.pause
        if self._arrival is None or pause is None:
            return
        (to, runs_too), self._arrival = self._arrival, None
        if (pause.flow, pause.node) == to and pause.reason in ("start", "cursor"):
            if runs_too:
                self._go("over")
        elif pause.reason == "start":
            self._arrival = (to, runs_too) if runs_too else None
            self._go("run" if to is None else "cursor", to)

    def _mine(self, pack: str) -> bool:
        return Path(pack).resolve() == Path(self.model.run.options.pack_path)

    # what can be done

    def refuse_step(self, action_id: str) -> str:
        """Why one of `STEPPING_ACTIONS` cannot be done now."""
        model = self.model
        if action_id == "pause" and model.run.origin != "observed":
            running = model.live and model.pause is None
            return "" if running else "nothing is running: it stands still already"
        if action_id in ("back", "forward"):
            return self._refuse_time(action_id)
        if model.run.origin == "observed":
            return OBSERVED
        if action_id == "stop":
            return f"the run is {model.run.status} already" if model.run.ended else ""
        if action_id == "restart":
            return PAST if model.past and not model.run.ended else ""
        if action_id not in STEPS:
            return ""
        if model.run.ended:
            return f"the run is {model.run.status}: {self.key('restart')} runs it again"
        if model.past:
            return PAST
        if model.parked:
            return f"the run waits for an answer: {self.key('waits')}"
        if model.live and model.pause is None and model.steps:
            return f"it is running: {self.key('pause')} pauses it"
        if action_id == "run_to" and self.selected is None:
            return "put the cursor on a node first"
        return ""

    def refuse_waits(self) -> str:
        """Why there is nothing to answer: perhaps the run only stands before its wait."""
        model = self.model
        node = model.node_of(model.current) if model.pause is not None and model.current else None
        if node is not None and node.kind == "session.wait" and not model.past:
            return f"nothing is waiting yet: {self.key('step_over')} runs {node.id}, which asks"
        return "nothing is waiting"

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
        if action_id == "waits" and self.model.open_waits:
            return "answer"
        return super().title_of(action_id)

    # stepping

    def _go(self, mode: str, to: tuple[str, str] | None = None) -> None:
        self._present()
        if mode == "run":
            self.bench.going_on.add(self.run_id)
        else:
            self.bench.going_on.discard(self.run_id)
        failure = self.model.pause is not None and self.model.pause.reason == "failure"
        choice = Choice("let_go") if failure else None
        if self.workspace.live(self.run_id) is None:
            self.bench.drive_run(self.run_id, RUNNING if mode == "run" else STEPPING)
        elif self.workspace.go(self.run_id, mode, to, choice):  # type: ignore[arg-type]
            self.model.pause = None
            return
        # It is about to stand ready: a key that came before is not lost. Taking in an answer is
        # a step of its own.
        self._wanted = None if self.model.run.status == "waiting" else (mode, to)

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
            old, run = self.model.run, self.workspace.go_on_with_saved(self.run_id)
            self.show_instead(run)
            said = f"run {run.number} goes on with what was saved, run {old.number} is kept"
            self.bench.call_after_refresh(self.bench.tell, said, False)
            return
        if pause is not None and pause.reason == "failure":
            self._present()
            self.workspace.go(self.run_id, "into", choice=Choice("retry"))
            self.model.pause = None
            return
        self.show_instead(self.workspace.restart(self.run_id))

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
        wanted = Breakpoint(flow.id, name, condition=condition)
        if condition:
            self.workspace.breakpoints.put(wanted)
            self.say(f"stops at {name} when {condition}")
        else:
            on = self.workspace.breakpoint(wanted)
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
