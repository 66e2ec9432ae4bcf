"""The boxed graph on the whole screen: the same run as the debugger below it, stepped by the same
keys. It owns nothing of the run; what changed here is there again when `g` leads back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult

from workbench.model.run import Run
from workbench.tui.bridge import Happened
from workbench.tui.graph_layout import last_visit
from workbench.tui.graph_states import walked
from workbench.tui.inspection import Inspection, inspect
from workbench.tui.rail_states import rail_states
from workbench.tui.run_model import callers
from workbench.tui.screens.stepping import STEPPING_ACTIONS, Stepping
from workbench.tui.strip_line import strip_state
from workbench.tui.widgets.cells import Fragment
from workbench.tui.widgets.flow_graph import FlowGraph
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.status_strip import StatusStrip

if TYPE_CHECKING:
    from workbench.tui.screens.debug import DebugScreen


class GraphScreen(Stepping):
    """Over a `DebugScreen`, which stays below it and keeps the model current."""

    CSS_PATH = "graph.tcss"
    ACTIONS: ClassVar[tuple[str, ...]] = (
        *STEPPING_ACTIONS,
        "graph",
        "frame_up",
        "frame_down",
        "find",
        "find_next",
        "find_previous",
        "waits",
        "copy",
        "mark",
        "compare",
    )

    def __init__(self, debugger: DebugScreen) -> None:
        super().__init__()
        self.debugger = debugger
        self.run_id = debugger.run_id
        self.model = debugger.model
        self.selected = debugger.selected
        self._elsewhere = False
        self._found = ""

    def compose(self) -> ComposeResult:
        yield StatusStrip(id="strip")
        yield OneLine(id="coverage")
        yield FlowGraph(self.debugger.graph_place, id="graph")
        yield OneLine(id="node")
        yield ReasonLines(id="why")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        kept = self.selected
        self._draw()
        if kept is not None:
            self.graph.select(kept)
        self.graph.focus()

    @property
    def graph(self) -> FlowGraph:
        """The drawing."""
        return self.query_one(FlowGraph)

    # facts

    def happened(self, batch: Happened) -> None:
        """The debugger below comes first and takes them in."""
        self._draw()
        for event in batch.events:
            self.noticed(event)

    def look_outside(self) -> None:
        self.debugger.look_outside()
        if self.debugger.model is not self.model:
            self._draw()

    def audience_changed(self) -> None:
        self._draw()

    def look_again(self) -> None:
        self.debugger.look_again()
        self._draw()

    def _draw(self) -> None:
        """Bring the screen up to date; the graph repaints only the rows that changed."""
        self.model = model = self.debugger.model
        marks = self.workspace.breakpoints.all()
        self.graph.show(
            model.flow_of(""),
            rail_states(model, marks, self.key("why")),
            model.frames(),
            walked(model),
            standing=model.past or model.pause is not None or model.run.status == "waiting",
        )
        self.query_one(StatusStrip).update(strip_state(model, *self.strip_facts))
        self.query_one("#coverage", OneLine).show(self._coverage)
        self._describe()
        self.refresh_hints()

    def _coverage(self, width: int) -> list[Fragment]:
        title = "rail [graph]"
        free = width - len(self.graph.headline) - len(title) - 3
        flow = f" · {self.model.run.flow_id}"
        shown = flow if len(flow) <= free else ""
        return [(f" {title}", "strong"), (shown, ""), (f" · {self.graph.headline}", "")]

    def _describe(self) -> None:
        """The node under the cursor in one line, and why it stands as it does."""
        self.selected = self.graph.selected
        if self.selected is None:
            return
        seen = inspect(self.model, self.selected, self.key("waits"))
        self.query_one("#node", OneLine).show(lambda width: [(f" {seen.headline}", "strong")])
        self.query_one(ReasonLines).show(seen.reasons[:2])

    def on_flow_graph_node_highlighted(self, event: FlowGraph.NodeHighlighted) -> None:
        self._elsewhere = event.path != self.model.current
        self._describe()
        self.refresh_hints()

    def on_flow_graph_node_chosen(self, event: FlowGraph.NodeChosen) -> None:
        self._back_to_the_rail()
        self.debugger.show_pane("inspect")

    # what can be done

    def refuse(self, action_id: str) -> str:
        if action_id in STEPPING_ACTIONS:
            return self.refuse_step(action_id)
        if action_id == "waits" and not self.workspace.wait_counts().open:
            return self.refuse_waits()
        if action_id in ("find_next", "find_previous") and not self._found:
            return f"nothing was searched: {self.key('find')} finds"
        if action_id == "frame_up":
            return "" if self._caller() is not None else "this is the outermost flow"
        if action_id == "frame_down":
            return "" if self._called() is not None else "this node called no flow"
        return ""

    def hints(self) -> list[str]:
        wanted = [name for name in self.debugger.hints() if name in self.offered]
        return [*wanted[:5], "graph", *wanted[5:]]

    def title_of(self, action_id: str) -> str:
        return "rail" if action_id == "graph" else super().title_of(action_id)

    # back to the rail

    def do_graph(self) -> None:
        self._back_to_the_rail()

    def do_leave(self) -> None:
        if self.model.past:
            self.model.at = None
            self.look_again()
        else:
            self._back_to_the_rail()

    def _back_to_the_rail(self) -> None:
        debugger, selected = self.debugger, self.graph.selected
        self.app.pop_screen()
        if selected is not None:
            debugger.put_cursor(selected)
        debugger.look_again()

    def show_instead(self, run: Run) -> None:
        """The new run's debugger, and its graph over it."""
        place, bench = self.debugger.graph_place, self.bench
        self.app.pop_screen()
        bench.replace_run(self.debugger, run)
        debugger = bench.debugger_of(run.id)
        if debugger is not None:
            debugger.graph_place = place
            debugger.call_after_refresh(debugger.do_graph)

    # the cursor

    def node_words(self) -> list[tuple[str, str]]:
        """Every node by path with its state word, those of closed sub-flows too."""
        words = dict(self.debugger.node_words())
        states = rail_states(self.model, ())
        for frame, flow in self.model.frames().items():
            for path in (f"{frame}{name}" for name in flow.nodes):
                words.setdefault(path, states[path].word if path in states else "pending")
        return list(words.items())

    def put_cursor(self, path: str) -> None:
        """The cursor on a node; the sub-flows it is in are opened."""
        for caller in callers(path):
            if caller in self.graph.graph.boxes:
                self.graph.open(caller)
        self.graph.select(path)
        self.graph.focus()

    # sub-flows

    def _caller(self) -> str | None:
        """The node whose sub-flow the cursor is in, or stands open under it."""
        above = callers(self.selected or "")
        if above:
            return above[-1]
        box = self.graph.graph.boxes.get(self.selected or "")
        return box.path if box is not None and box.inside else None

    def _called(self) -> str | None:
        return last_visit(self.model.frames(), self.selected or "")

    def do_frame_up(self) -> None:
        caller = self._caller()
        if caller is not None:
            self.graph.open(caller, False)
            self.graph.select(caller)

    def do_frame_down(self) -> None:
        frame = self._called()
        flow = self.model.flow_of(frame) if frame is not None else None
        if flow is not None and self.selected is not None:
            self.graph.open(self.selected)
            self.graph.select(f"{frame}{flow.start}")

    # finding, copying, waits

    def do_find(self) -> None:
        self.ask("find a node", self._found, self._find)

    def _find(self, text: str) -> None:
        self._found = text
        self.graph.search(text)
        if text and not self.graph.find():
            self.say(f"no node here is called {text!r}")

    def do_find_next(self) -> None:
        self.graph.find(1)

    def do_find_previous(self) -> None:
        self.graph.find(-1)

    def do_copy(self) -> None:
        self.bench.copy(self.selected or "")

    @property
    def _seen(self) -> Inspection | None:
        return inspect(self.model, self.selected) if self.selected is not None else None

    def do_mark(self) -> None:
        from workbench.tui.screens.comparing import mark

        seen = self._seen
        self.say(mark(self.bench, self.debugger.node_value(seen) if seen is not None else None))

    def do_compare(self) -> None:
        from workbench.tui.screens.comparing import compare

        seen = self._seen
        if seen is not None:
            here = self.debugger.node_value(seen)
            self.say(compare(self.bench, here, lambda: self.debugger.pairs_at(seen)))

    def do_waits(self) -> None:
        self.debugger.do_waits()
