"""The tree of packs and flows, its cursor marked by a sign and not by colour alone."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from workbench.session.views import PackSummary
from workbench.tui.widgets.glyphs import CURSOR

# What a row stands for: a pack, one flow of it, or one entry point of that flow ("" is its start).
Row = tuple[PackSummary, str | None, str]


class PackTree(Tree[Row]):
    """Packs with their flows below them, and the other ways into a flow below it."""

    DEFAULT_CSS = "PackTree { background: $background; scrollbar-size-vertical: 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("packs", id=id)
        self.show_root = False
        self.guide_depth = 2

    def render_label(self, node: TreeNode[Row], base_style: Style, style: Style) -> Text:
        mark = CURSOR if node is self.cursor_node else " "
        return Text.assemble((mark, style), super().render_label(node, base_style, style))

    def put_cursor(self, node: TreeNode[Row]) -> None:
        """The cursor on a node, just added or not."""
        if self.last_line >= 0:  # asking makes the tree number its lines
            self.move_cursor(node)
