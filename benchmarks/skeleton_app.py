"""Textual apps that do nothing, to measure a start against: `skeleton` has the widgets a
workbench needs, `bare` a single line. Both say READY and end on ctrl+q.

    python -m benchmarks.skeleton_app skeleton|bare
"""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.widgets import Footer, Header, RichLog, Static, Tabs, TextArea, Tree

READY = "skeleton-is-ready"


class Bare(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        yield Static(READY)


class Skeleton(App[None]):
    """Header, tree, tabs, log, editor and footer, empty but for a line each."""

    CSS = "Tree { height: 8; } RichLog { height: 6; } TextArea { height: 6; }"

    def compose(self) -> ComposeResult:
        yield Header()
        tree: Tree[None] = Tree(READY)
        tree.root.add_leaf("node")
        yield tree
        yield Tabs("one", "two", "three")
        yield RichLog()
        yield TextArea("{}")
        yield Footer()


if __name__ == "__main__":
    (Bare if sys.argv[1:] == ["bare"] else Skeleton)().run()
