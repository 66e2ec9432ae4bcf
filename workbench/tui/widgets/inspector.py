"""The inspector of one node: why first, then what went in, what came out, and what it asked."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from workbench.model.pointers import ABSENT
from workbench.model.values import Json, pretty
from workbench.tui.inspection import Inspection, effect_body, effect_line
from workbench.tui.keymap import Keys
from workbench.tui.widgets.cells import Fragment
from workbench.tui.widgets.json_view import JsonView, missing_notes
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.one_line import OneLine
from workbench.tui.widgets.reason_lines import ReasonLines
from workbench.tui.widgets.value_pane import ValuePane

Tab = tuple[str, str]


class Inspector(Vertical):
    """Shows an `Inspection`. Tabs appear only when they have content; the one chosen stays
    chosen while it exists."""

    DEFAULT_CSS = """
    Inspector { height: 1fr; }
    Inspector > ContentSwitcher { height: 1fr; }
    Inspector #values { height: 1fr; }
    Inspector #in, Inspector #out { height: 1fr; }
    Inspector .away { display: none; }
    """

    class EffectChosen(Message):
        """Enter on an effect: `index` counts the effects of the step."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: Inspection | None = None
        self._tab = "values"
        self._lent_focus = False  # of Out, while there is no output

    def compose(self) -> ComposeResult:
        yield ReasonLines(id="why")
        yield OneLine(id="inspector-tabs")
        with ContentSwitcher(initial="values"):
            with Vertical(id="values"):
                yield ValuePane(id="in")
                yield ValuePane(id="out", classes="away")
            yield LineView(id="effects")
            yield LineView(id="logs")

    # content

    def show(self, seen: Inspection) -> None:
        """Show this node; what is open and scrolled stays with its paths."""
        if seen == self._seen:
            return
        if self._seen is not None and seen.path != self._seen.path:
            for view in self.query(LineView):
                view.pan = 0  # what is another node's begins where it is read
        self._seen = seen
        self.query_one(ReasonLines).show(seen.reasons)
        self._show_values(seen)
        self.query_one("#effects", LineView).replace(map(effect_line, seen.effects))
        self.query_one("#logs", LineView).replace(seen.logs)
        self._show_card(seen)
        if seen.state is not None:
            self._tree("state").show(seen.state[1], previous=seen.state[0])
        if seen.details is not None:
            self._tree("details").show(seen.details)
        tabs = self._tabs()
        if self._tab not in [name for name, _ in tabs]:
            self._tab = "values"
        self.query_one(ContentSwitcher).current = self._tab
        self.query_one("#inspector-tabs", OneLine).show(lambda width: self._tab_row())

    def _show_values(self, seen: Inspection) -> None:
        sent, output = self.query_one("#in", ValuePane), self.query_one("#out", ValuePane)
        before = seen.before_sent if seen.has_before else ABSENT
        template = ABSENT if seen.template is None else seen.template
        if seen.has_sent:
            sent.show(
                "In: as sent",
                seen.sent,
                source_title="In: template",
                previous=before,
                template=template,
                missing=missing_notes(seen.missing),
            )
        else:
            sent.show("In: template, not sent yet", template)
        self._keep_focus(sent, output, seen.has_output)
        output.set_class(not seen.has_output, "away")
        if seen.has_output:
            before_output = seen.before_output if seen.has_before else ABSENT
            output.show(seen.out_title, seen.output, previous=before_output)

    def _keep_focus(self, sent: ValuePane, output: ValuePane, has_output: bool) -> None:
        """A pane that goes takes the focus with it: In has it until Out is there again."""
        if not has_output and output.view.has_focus:
            self._lent_focus = True
            sent.view.focus(scroll_visible=False)
        elif has_output and self._lent_focus:
            self._lent_focus = False
            if sent.view.has_focus:
                output.remove_class("away")
                output.view.focus(scroll_visible=False)

    def _tree(self, name: str) -> JsonView:
        """A tab that few nodes have: its view is made when first wanted."""
        for view in self.query(f"#{name}").results(JsonView):
            return view
        view = JsonView(id=name)
        view.display = False
        self.query_one(ContentSwitcher).mount(view)
        return view

    def _show_card(self, seen: Inspection) -> None:
        if seen.card is None:
            return
        from workbench.model.card_reading import read_card  # most runs never show a card
        from workbench.tui.widgets.card_view import CardView

        card, title = read_card(seen.card), seen.card_title
        shown = self.query(CardView)
        if shown:
            shown.first().show(card, title)
        else:
            view = CardView(card, title, id="card")
            view.display = False
            self.query_one(ContentSwitcher).mount(view)

    def _tabs(self) -> list[Tab]:
        seen = self._seen
        if seen is None:
            return []
        tabs = [("values", "In/Out")]
        if seen.effects:
            tabs.append(("effects", f"Effects {len(seen.effects)}"))
        if seen.state is not None:
            before, after = seen.state
            keys = {*before, *after}
            changed = sum(before.get(key, ABSENT) != after.get(key, ABSENT) for key in keys)
            tabs.append(("state", f"State ~{changed}" if changed else "State"))
        if seen.details is not None:
            tabs.append(("details", "Details"))
        if seen.logs:
            tabs.append(("logs", f"Logs {len(seen.logs)}"))
        if seen.card is not None:
            tabs.append(("card", "Card"))
        return tabs

    def _tab_row(self) -> list[Fragment]:
        row: list[Fragment] = [(" ", "")]
        for name, title in self._tabs():
            front = name == self._tab
            row.append((f"[{title}]" if front else f" {title} ", "strong" if front else ""))
            row.append((" ", ""))
        if len(self._tabs()) > 1:
            keys = getattr(self.app, "keys", Keys())
            row.append((f" {keys.first('next_tab')} next tab", "muted"))
        return row

    def next_tab(self) -> None:
        """The tab after the one in front, around."""
        names = [name for name, _ in self._tabs()]
        if len(names) > 1:
            place = names.index(self._tab) if self._tab in names else 0
            self._tab = names[(place + 1) % len(names)]
            self.query_one(ContentSwitcher).current = self._tab
            self.query_one("#inspector-tabs", OneLine).show(lambda width: self._tab_row())
            self.body.focus()

    @property
    def tab(self) -> str:
        """The name of the tab in front."""
        return self._tab

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front, if the node has it."""
        names = [one for one, _ in self._tabs()]
        while name in names and self._tab != name:
            self.next_tab()

    def only_changes(self) -> bool:
        """Only what changed against the visit before, or everything again; whether it is on."""
        panes = [self.query_one("#in", ValuePane), self.query_one("#out", ValuePane)]
        on = not panes[0].view.changed_only
        for pane in panes:
            pane.only_changes(on)
        return on

    # what is under the cursor

    @property
    def body(self) -> Widget:
        """The view in front: what focus, search and copy are about."""
        if self._tab == "values":
            out = self.query_one("#out", ValuePane)
            if not out.has_class("away") and out.view.has_focus:
                return out.view
            return self.query_one("#in", ValuePane).view
        return self.query_one(f"#{self._tab}", LineView)

    def beside(self, view: Widget) -> list[LineView]:
        """What is searched after a view: In and Out belong together."""
        panes = [self.query_one("#in", ValuePane), self.query_one("#out", ValuePane)]
        views = [pane.view for pane in panes if not pane.has_class("away")]
        return [one for one in views if one is not view] if view in views else []

    @property
    def under_cursor(self) -> tuple[str, Json, str] | None:
        """What the cursor of the view in front is on: what it is called, all of it, and the
        pointer of the part (""); None when nothing is shown."""
        seen, body = self._seen, self.body
        if seen is None:
            return None
        if isinstance(body, JsonView) and self._tab != "values":
            return self._tab.capitalize(), body.value, body.cursor_pointer or ""
        if isinstance(body, JsonView):
            out = body is self.query_one("#out", ValuePane).view
            return (seen.out_title if out else "In"), body.value, body.cursor_pointer or ""
        if self._tab == "effects" and seen.effects:
            place = getattr(body, "cursor", None) or 0
            effect = seen.effects[min(place, len(seen.effects) - 1)]
            return f"Effect {effect.n + 1} {effect.kind}", effect_body(effect), ""
        if self._tab == "card":
            return "Card", seen.card, ""
        return "Logs", "\n".join(seen.logs), ""

    @property
    def headline(self) -> str:
        """What the pane's title says: node, component, source, time."""
        return self._seen.headline if self._seen is not None else ""

    @property
    def where(self) -> str:
        """file:line of the node, or of what went wrong in it."""
        return self._seen.where if self._seen is not None else ""

    @property
    def seen(self) -> Inspection | None:
        """What is shown."""
        return self._seen

    @property
    def block_text(self) -> str:
        """Everything known of the node, as JSON to be read, for `Y`: why it stands, first."""
        seen = self._seen
        if seen is None:
            return ""
        body: dict[str, Json] = {"node": seen.path}
        if seen.where:
            body["at"] = seen.where
        if seen.step is not None and seen.step.error is not None:
            body["error"] = {"code": seen.step.error.code, "message": seen.step.error.message}
        if seen.missing:
            body["why"] = [one.sentence for one in seen.missing]
        if seen.has_sent:
            body["in"] = seen.sent
        if seen.has_output and seen.step is not None:
            body["out"] = seen.output
        return pretty(body)

    def on_line_view_activated(self, event: LineView.Activated) -> None:
        if event.view.id == "effects":
            event.stop()
            self.post_message(self.EffectChosen(event.index))
