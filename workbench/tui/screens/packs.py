"""The packs: a tree of packs and flows, what each is, and starting a run of one."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input
from textual.widgets.tree import TreeNode
from textual.worker import Worker, WorkerState

from workbench.model.pack import Pack
from workbench.model.values import Json, short
from workbench.session import RUNNING, STEPPING, StartRequest
from workbench.session.views import PackSummary
from workbench.session.wait_desk import WaitCounts
from workbench.tui.bridge import Happened
from workbench.tui.pack_lines import (
    as_counted,
    entry_label,
    entry_points,
    flow_label,
    flow_lines,
    goes_by,
    inbox_word,
    nothing_lines,
    pack_label,
    pack_lines,
    wrapped,
)
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.screens.starting import begin, shell_lines, way_lines
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.pack_tree import PackTree, Row
from workbench.tui.widgets.pane import Pane
from workbench.tui.widgets.rail import Rail
from workbench.tui.widgets.status_strip import StatusStrip, StripState

UNFOLDED = 8  # packs up to which every flow is shown
START = ("open", "step_over", "go_on")


class PacksScreen(WorkbenchScreen):
    """Every pack below a folder. Enter shows what a flow would be sent, n steps it, F5 runs it."""

    CSS_PATH = "packs.tcss"
    AUTO_FOCUS = "#tree"  # the first that could have it is the filter, and letters would be text
    home: ClassVar[bool] = True
    ACTIONS: ClassVar[tuple[str, ...]] = (
        "open",
        "step_over",
        "go_on",
        "edit_input",
        "find",
        "waits",
        "pane_1",
        "pane_4",
        "pane_5",
        "talk",
        "call",
        "reload",
        "copy",
    )

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self._found: list[PackSummary] = []
        self._filter = ""
        self._typed: dict[tuple[str, str], Json] = {}
        self._loading = True
        self._wanted: tuple[str, str | None] | None = None
        self._counts: WaitCounts | None = None

    def compose(self) -> ComposeResult:
        yield StatusStrip(id="strip")
        with Horizontal(id="columns"):
            with Pane("0 Packs", id="list"):
                yield Input(placeholder="only packs and flows with", id="filter")
                yield PackTree(id="tree")
                yield LineView(way_lines(), id="ways")
            with Pane("About", id="about"), Vertical():
                yield LineView(id="facts")
                yield Rail(id="preview")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.query_one("#filter").display = self.query_one("#ways").display = False
        self._say_state()
        self.do_reload()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._say_state()

    # the list

    def do_reload(self) -> None:
        self._loading = True
        for item in self._found:
            self.workspace.shelf.forget(Path(item.path))
        self.run_worker(
            lambda: self.workspace.packs(self.root),
            name="packs",
            group="packs",
            thread=True,
            exclusive=True,
            exit_on_error=False,
        )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker.name != "packs":
            return
        if event.state is WorkerState.SUCCESS:
            self._loading = False
            self._found = self._recent_first(event.worker.result or [])
            self._fill()
            self.bench.watch_packs()
        elif event.state is WorkerState.ERROR:
            self._loading = False
            self.say(str(event.worker.error), bad=True)
            self._fill()

    def _recent_first(self, found: list[PackSummary]) -> list[PackSummary]:
        """The packs that ran last before the others, those as people count: p2 before p10."""
        ran = list(dict.fromkeys(run.options.pack_path for run in self.workspace.runs(200)))
        ranks = {path: rank for rank, path in enumerate(ran)}

        def order(item: PackSummary) -> tuple[int, list[tuple[int, str]]]:
            return ranks.get(str(Path(item.path).resolve()), len(ran)), as_counted(item.path)

        return sorted(found, key=order)

    def _fill(self) -> None:
        tree = self.query_one(PackTree)
        row = self.row
        kept = (*self._wanted, "") if self._wanted else row and (row[0].path, row[1], row[2])
        tree.clear()
        wanted = self._filter.lower()
        places: dict[tuple[str, str | None, str] | None, TreeNode[Row]] = {}
        # Many packs are a list to look through, a few are all there to be seen.
        unfolded = len(self._found) <= UNFOLDED or bool(wanted)
        for item in self._found:
            flows = list(item.pack.flows.values()) if item.pack is not None else []
            shown = [flow for flow in flows if goes_by(item, wanted, f"/{flow.id}")]
            if not shown and not goes_by(item, wanted):
                continue
            branch = tree.root.add(Text(pack_label(item)), (item, None, ""), expand=unfolded)
            places[item.path, None, ""] = branch
            for flow in shown:
                leaf = branch.add_leaf(Text(flow_label(flow)), (item, flow.id, ""))
                places[item.path, flow.id, ""] = leaf
                for entry in entry_points(flow):
                    below = branch.add_leaf(Text(entry_label(flow, entry)), (item, flow.id, entry))
                    places[item.path, flow.id, entry] = below
                if places[item.path, None, ""] is branch and not goes_by(item, wanted):
                    places[item.path, None, ""] = leaf  # this flow was looked for, not its pack
                if item.health != "error" and item.pack and flow.id == item.pack.entry.flow_id:
                    # Where to begin: an entry flow that runs.
                    places.setdefault(None, leaf if unfolded else branch)
        tree.root.expand()
        self._name_list(len(tree.root.children))
        place = places.get(kept) or places.get(None) or next(iter(places.values()), None)
        if place is not None:
            if place.parent is not None:
                place.parent.expand()
            tree.put_cursor(place)
        self._wanted = None if self._found else self._wanted
        self._describe(place.data if place is not None else None)
        self._say_state()

    def _name_list(self, shown: int) -> None:
        """How many packs, and of what; without any, the ways to begin stand there instead."""
        name = self.root.resolve().name or "/"
        count = f"{shown} of {len(self._found)}" if self._filter else f"{len(self._found)}"
        tail = f" · /{self._filter}" if self._filter else ""
        self.query_one("#list", Pane).headline = f"{count} in {name}{tail}"
        ways, tree = self.query_one("#ways", LineView), self.query_one(PackTree)
        away = ways.display
        ways.display = not self._found and not self._loading
        tree.display = not ways.display
        if away != ways.display:
            (ways if ways.display else tree).focus()
        self.refresh_hints()

    @property
    def empty(self) -> bool:
        """Nothing is here but the ways to begin."""
        return not self._found and not self._loading

    def move_to(self, root: Path) -> None:
        """Show the packs below another folder, or another pack."""
        self.root = self.bench.root = root
        self._filter, self._wanted = "", None
        self._found = []
        self.do_reload()

    def audience_changed(self) -> None:
        self._fill()

    def show(self, path: str, flow_id: str | None) -> None:
        """Put the cursor on a pack, or on one flow of it, once the packs are read."""
        self._wanted = (path, flow_id)
        self._filter = ""
        if not self._loading:
            self._fill()

    def _say_state(self) -> None:
        counts = self._counts = self.workspace.wait_counts()
        waits, away = counts.open, inbox_word(counts.due, counts.answered)
        state, name = "RUNNING" if self._loading else "IDLE", self.root.resolve().name
        note = "TYPING · Esc leaves" if self.typing else away
        self.query_one(StatusStrip).update(
            StripState(pack=name or "packs", state=state, waits=waits, note=note)
        )

    def on_descendant_focus(self) -> None:
        self._say_state()
        self.refresh_hints()

    def look_outside(self) -> None:
        if self.workspace.wait_counts() != self._counts:
            self._say_state()

    @property
    def typing(self) -> bool:
        """Whether letters are text now."""
        return self.query_one("#filter", Input).has_focus

    # the row under the cursor

    @property
    def row(self) -> Row | None:
        """The pack and flow under the cursor."""
        node = self.query_one(PackTree).cursor_node
        return node.data if node is not None else None

    def _chosen(self) -> tuple[PackSummary, str] | None:
        """The flow a start would run: the one under the cursor, or the pack's entry flow."""
        row = self.row
        if row is None or row[0].pack is None:
            return None
        flow_id = row[1] or row[0].pack.entry.flow_id
        return (row[0], flow_id) if flow_id is not None else None

    def on_tree_node_highlighted(self) -> None:
        self._describe(self.row)
        self.refresh_hints()

    def on_resize(self) -> None:
        # The panes have their new width only after this.
        self.call_after_refresh(lambda: self._describe(self.row))

    def on_tree_node_selected(self, event: PackTree.NodeSelected[Row]) -> None:
        row = event.node.data
        if row is not None and (row[1] is not None or row[0].pack is None):
            self.action_perform("open")

    def _describe(self, row: Row | None) -> None:
        facts, preview = self.query_one("#facts", LineView), self.query_one("#preview", Rail)
        width = facts.size.width - 2
        if row is None:
            lines = wrapped(nothing_lines(self._loading, self.root, self._filter), width)
            more = ["", "From a shell:", *shell_lines()] if self.empty else []
            facts.replace([*lines, *more])
            preview.show(None, {}, {})
            self.query_one("#about", Pane).headline = ""
            return
        item, flow_id, entry = row
        chosen = self._chosen()
        if flow_id is None or item.pack is None:
            facts.replace(wrapped(pack_lines(item), width))
        else:
            text = short(self._input(item, flow_id), 200)
            told = flow_lines(item.pack, item.pack.flows[flow_id], text, entry)
            facts.replace(wrapped(told, width))
        flow = item.pack.flows[chosen[1]] if item.pack is not None and chosen else None
        preview.show(flow, {}, {})
        about = self.query_one("#about", Pane)
        about.headline = flow_id or (item.pack.id if item.pack is not None else "refused")

    def _input(self, item: PackSummary, flow_id: str) -> Json:
        """What a start would send: what was typed, the last input, or a sample."""
        typed = self._typed.get((item.path, flow_id))
        if typed is not None:
            return typed
        offered = self.workspace.inputs(Path(item.path), flow_id)
        return offered[0][1] if offered else {}

    # what can be done

    def refuse(self, action_id: str) -> str:
        if action_id == "open" and self.empty:
            return ""
        if action_id in (*START, "edit_input", "talk"):
            row = self.row
            if row is None:
                return "there is no pack here"
            if row[0].pack is None:
                return "this pack was refused: its reason is on the right"
            chosen = self._chosen()
            if chosen is None:
                return row[0].pack.entry.why
            if not row[0].pack.flows[chosen[1]].nodes:
                return f"flow {chosen[1]} has nothing to run"
        if action_id in ("waits", "pane_5") and not self.workspace.wait_counts().open:
            return "nothing is waiting"
        if action_id == "pane_1" and not self.workspace.runs(1):
            return "nothing has run here yet"
        if action_id == "call":
            row = self.row
            if row is None or row[0].pack is None or not row[0].pack.components:
                return "there is no component to call here"
        if action_id == "copy" and self.row is None:
            return "there is nothing to copy"
        return ""

    def title_of(self, action_id: str) -> str:
        titles = {"open": "choose" if self.empty else "input", "go_on": "run", "pane_1": "last run"}
        if self.typing:
            titles = {"open": "to the list", "leave": "no filter"}
        return titles.get(action_id) or super().title_of(action_id)

    def hints(self) -> list[str]:
        if self.typing:
            return ["open", "leave"]
        if self.empty:
            return ["open", "settings", "help", "palette", "quit"]
        return ["open", "step_over", "go_on", "find", "pane_1", "waits", "help", "palette"]

    def _start(self, stepping: bool) -> None:
        chosen = self._chosen()
        assert chosen is not None
        item, flow_id = chosen
        entry, value = self.row[2] if self.row is not None else "", self._input(item, flow_id)
        request = StartRequest(Path(item.path), flow_id, value, entry=entry)
        run = self.workspace.start(request, STEPPING if stepping else RUNNING)
        if not stepping:
            self.bench.going_on.add(run.id)
        self.bench.open_run(run.id)

    def do_open(self) -> None:
        if self.empty:
            begin(self, self.query_one("#ways", LineView).cursor or 0)
        else:
            self.do_edit_input()

    def on_line_view_activated(self, event: LineView.Activated) -> None:
        if event.view.id == "ways":
            self.action_perform("open")

    def do_step_over(self) -> None:
        self._start(stepping=True)

    def do_go_on(self) -> None:
        self._start(stepping=False)

    def do_edit_input(self) -> None:
        from workbench.tui.screens.input_form import flow_input

        chosen = self._chosen()
        assert chosen is not None
        item, flow_id = chosen

        def took(value: tuple[Json] | None) -> None:
            if value is not None:
                self._typed[item.path, flow_id] = value[0]
                self.attempt(lambda: self._start(stepping=True))  # an entry point may need more

        value, draft = self._input(item, flow_id), f"{item.path}#{flow_id}"
        editor = flow_input(self.workspace, Path(item.path), flow_id, value, "step it", draft=draft)
        self.app.push_screen(editor, took)

    def do_find(self) -> None:
        line = self.query_one("#filter", Input)
        line.display = True
        line.value = self._filter
        self.set_focus(line)  # at once: the next key is already for it

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "filter" and event.value != self._filter:
            self._filter = event.value
            self._fill()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "filter":
            self._leave_filter()

    def _leave_filter(self) -> None:
        """Back to the list; the line stays while it keeps something away."""
        line = self.query_one("#filter", Input)
        line.display = bool(self._filter)
        self.query_one(PackTree).focus()

    def do_waits(self) -> None:
        self.bench.go_to_waits()

    def do_pane_1(self) -> None:
        self.bench.open_run(self.workspace.runs(1)[0].id)

    def do_pane_4(self) -> None:
        row = self.row
        if row is not None:
            self.bench.go_to_mocks(row[0].path)

    def do_pane_5(self) -> None:
        self.bench.go_to_waits()

    def do_talk(self) -> None:
        chosen = self._chosen()
        if chosen is not None and chosen[0].pack is not None:
            self.bench.go_to_talk(Path(chosen[0].path), chosen[0].pack.id, chosen[1])

    def do_call(self) -> None:
        row = self.row
        if row is not None:
            self.bench.go_to_call(row[0].path)

    def do_copy(self) -> None:
        row = self.row
        self.bench.copy(row[0].path if row is not None else "")

    def do_leave(self) -> None:
        line = self.query_one("#filter", Input)
        if self._filter or line.has_focus:
            self._filter = line.value = ""
            self._fill()
            self._leave_filter()
        else:
            self.bench.leave(self)

    def happened(self, batch: Happened) -> None:
        kinds = {event.kind for event in batch.events}
        if kinds & {"wait.opened", "wait.resolved", "run.changed"}:
            self._say_state()
        for event in batch.events:
            if event.kind == "pack.rejected":
                self.say(f"✗ {event.subject.where}: {event.subject.message}", bad=True)
            elif event.kind == "pack.changed":
                self.say(f"{event.subject.id} was saved: the new version is in use")
                self._swap(event.subject)

    def _swap(self, pack: Pack) -> None:
        """A new version of a pack that is in the list."""
        for index, item in enumerate(self._found):
            if Path(item.path).resolve() == Path(pack.path).resolve():
                self._found[index] = PackSummary(item.path, pack)
                self._fill()
