"""Two values and what differs between them, one row a place."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from workbench.model.difference import Comparison
from workbench.model.difference import compare as compare_values
from workbench.model.errors import WorkbenchError
from workbench.model.pointers import dotted
from workbench.model.values import Json, encode
from workbench.tui.bridge import Happened
from workbench.tui.named_value import NamedValue
from workbench.tui.screens.base import WorkbenchScreen
from workbench.tui.widgets.cells import human_bytes
from workbench.tui.widgets.diff_view import DiffView
from workbench.tui.widgets.key_bar import KeyBar
from workbench.tui.widgets.pane import Pane
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.status_strip import StatusStrip, StripState

AT_ONCE = 300_000  # bytes that are compared within a frame; more take a thread


class DiffScreen(WorkbenchScreen):
    """`~` changed, `+` new, `-` gone from A to B. Paths that are ignored stay so until the app
    ends, for every comparison."""

    CSS_PATH = "diff.tcss"
    ACTIONS: ClassVar[tuple[str, ...]] = (
        "open",
        "ignore",
        "ignore_none",
        "find",
        "find_next",
        "find_previous",
        "copy",
        "copy_all",
        "pager",
        "in_editor",
    )

    def __init__(self, before: NamedValue, after: NamedValue) -> None:
        super().__init__()
        self._sides = before, after
        self._found = Comparison()
        self._wanted = ""
        self._large = False

    def compose(self) -> ComposeResult:
        yield StatusStrip(self._strip(), id="strip")
        with Pane("Diff", id="diff"):
            yield ReasonLines(id="sides")
            yield DiffView(id="differences")
        yield KeyBar(id="keys")

    def _strip(self) -> StripState:
        """Row 1 stays what it was below."""
        for screen in reversed(self.app.screen_stack):
            if isinstance(screen, WorkbenchScreen) and screen is not self:
                for strip in screen.query(StatusStrip):
                    return strip.state
        return StripState()

    def on_mount(self) -> None:
        sizes = [size_of(side.value) for side in self._sides]
        self.query_one("#sides", ReasonLines).show(
            [
                ("", f"{letter}  {side.label}   {human_bytes(size)}")
                for letter, side, size in zip("AB", self._sides, sizes, strict=True)
            ]
        )
        self.view.focus()
        self._large = sum(sizes) > AT_ONCE
        self._compare()

    @property
    def view(self) -> DiffView:
        """The rows."""
        return self.query_one(DiffView)

    def _compare(self) -> None:
        before, after = (side.value for side in self._sides)
        ignored = frozenset(self.bench.ignored_paths)
        if not self._large:
            self._show(compare_values(before, after, ignored))
            return
        self.query_one("#diff", Pane).headline = "comparing"

        def work() -> None:
            found = compare_values(before, after, ignored)
            self.app.call_from_thread(self._show, found)

        self.run_worker(work, group="compare", thread=True, exclusive=True, exit_on_error=False)

    def _show(self, found: Comparison) -> None:
        if not self.is_attached:
            return  # it was left meanwhile
        self._found = found
        self.query_one("#diff", Pane).headline = found.headline
        self.view.show(found)
        self.refresh_hints()

    def happened(self, batch: Happened) -> None:
        self.query_one(StatusStrip).update(self._strip())

    # what can be done

    def refuse(self, action_id: str) -> str:
        if action_id == "ignore_none" and not self.bench.ignored_paths:
            return f"no path is ignored: {self.key('ignore')} ignores the one under the cursor"
        if action_id in ("find_next", "find_previous") and not self._wanted:
            return f"nothing was searched: {self.key('find')} finds"
        if action_id in ("open", "ignore", "find", "copy", "copy_all", "pager", "in_editor"):
            return "" if self._found.differences else "nothing differs here"
        return ""

    def hints(self) -> list[str]:
        return ["leave", "open", "ignore", "ignore_none", "copy", "copy_all", "pager", "help"]

    def do_open(self) -> None:
        self.view.action_activate()

    def do_ignore(self) -> None:
        one = self.view.difference
        if one is None:
            return
        self.bench.ignored_paths.add(one.pattern)
        self._compare()
        path = dotted(one.pattern) or "all of it"
        self.say(f"{path} is ignored from now on · {self.key('ignore_none')} ends that")

    def do_ignore_none(self) -> None:
        count = len(self.bench.ignored_paths)
        self.bench.ignored_paths.clear()
        self._compare()
        self.say(f"{count} ignored path{'' if count == 1 else 's'} shown again")

    def do_find(self) -> None:
        self.ask("find", self._wanted, self._find)

    def _find(self, text: str) -> None:
        self._wanted = text
        self.view.search(text)
        if text and not self.view.find():
            self.say(f"nothing here holds {text!r}")

    def do_find_next(self) -> None:
        self.view.find(1)

    def do_find_previous(self) -> None:
        self.view.find(-1)

    def do_copy(self) -> None:
        self.bench.copy(self.view.value_text)

    def do_copy_all(self) -> None:
        self.bench.copy(self._text())

    def _text(self) -> str:
        before, after = self._sides
        heads = [f"A  {before.label}", f"B  {after.label}", self._found.headline]
        return "\n".join([*heads, "", self.view.block_text, ""])

    def do_pager(self) -> None:
        self.bench.show_outside("diff", self._text(), pager=True)

    def do_in_editor(self) -> None:
        self.bench.show_outside("diff", self._text(), pager=False)


def size_of(value: Json) -> int:
    """Bytes of the value as JSON; 0 when it is none."""
    try:
        return len(encode(value))
    except WorkbenchError:
        return 0
