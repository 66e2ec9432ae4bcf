"""A value under its headline: "In: template │ In: as sent          112 B, 1 missing"."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from textual.app import ComposeResult
from textual.containers import Vertical

from workbench.model.pointers import ABSENT
from workbench.model.values import Json
from workbench.tui.widgets.cells import Fragment, clean, fit
from workbench.tui.widgets.json_lines import SIDE_BY_SIDE
from workbench.tui.widgets.json_view import JsonView
from workbench.tui.widgets.one_line import OneLine


class ValuePane(Vertical):
    """A `JsonView` with a title line.

    `show(title, value, …)` takes what `JsonView.show` takes; `source_title` names the template's
    column ("In: template") when the pane is wide enough for two. `view` is the JsonView.
    """

    DEFAULT_CSS = """
    ValuePane { height: 1fr; }
    ValuePane > OneLine { background: $panel; }
    """

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.view = JsonView()
        self._head = OneLine(self._title_line)
        self._title = self._source_title = self._whole = ""
        self._two = False

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.view

    def show(
        self,
        title: str,
        value: Json,
        *,
        source_title: str = "",
        previous: Json = ABSENT,
        template: Json = ABSENT,
        missing: Mapping[str, str] | None = None,
        ignored: Collection[str] = (),
    ) -> None:
        """Show a value under a title; see `JsonView.show`."""
        self._title, self._source_title = title, source_title
        # One expression that gave a whole value has no rows of its own to stand beside.
        whole = isinstance(template, str) and isinstance(value, (dict, list))
        self._whole = f"  {clean(template, 60)}" if whole else ""
        template = ABSENT if whole else template
        self._two = template is not ABSENT
        self.view.show(
            value, previous=previous, template=template, missing=missing, ignored=ignored
        )
        self._head.show(self._title_line)

    def only_changes(self, on: bool) -> None:
        """Show only what changed, or everything."""
        self.view.changed_only = on
        self._head.show(self._title_line)
        self._head.refresh()

    def _title_line(self, width: int) -> list[Fragment]:
        left = f" {clean(self._title)}"
        note = f"{self.view.headline} "
        if not self._two or width - 2 < SIDE_BY_SIDE:
            left = fit(left + self._whole, width - len(note) - 1)
            return [(left + " ", "strong"), (note, "muted")]
        half = (width - 1) // 2
        right = fit(left, width - half - len(note) - 2)
        return [
            (fit(f" {clean(self._source_title)}", half), "strong"),
            ("│", "muted"),
            (f"{right} ", "strong"),
            (note, "muted"),
        ]
