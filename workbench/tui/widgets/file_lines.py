"""The lines of a file of any size: what is on the screen is read from it when it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.session.transcript_file import Entry, TranscriptFile
from workbench.tui.widgets.brief import brief
from workbench.tui.widgets.cells import Fragment, clean, fit, fit_middle
from workbench.tui.widgets.line_view import MAX_CHARS, LineView

_TONES = {"done": "good", "FAILED": "bad", "starts": "muted"}


class FileLines(LineView):
    """Rows of a `TranscriptFile`; call `counted()` when it knows more of them."""

    DEFAULT_CSS = "FileLines { height: 1fr; }"

    def __init__(self, file: TranscriptFile, *, id: str | None = None) -> None:
        super().__init__(follows=True, id=id)
        self.set_reactive(LineView.following, False)
        self.file = file

    @property
    def line_count(self) -> int:
        return len(self.file)

    def fragments(self, index: int, width: int) -> Sequence[Fragment]:
        return entry_fragments(self.file.entry(index), width)

    def counted(self) -> None:
        """More lines are known, or fewer: the file was begun anew."""
        if self.line_count < self._count:
            self.rebuilt()
        elif self.line_count > self._count:
            self.grew()


def entry_fragments(entry: Entry, width: int) -> list[Fragment]:
    """The columns of a row `width` cells wide: time from 66 on, then step, node, word, source."""
    if not entry.at:
        return [(clean(entry.text, MAX_CHARS), "")]
    fragments: list[Fragment] = []
    if width >= 66:
        fragments.append(((entry.at if width >= 95 else entry.at[:8]) + " ", "muted"))
    fragments.append((f"{entry.ordinal or '':>3} ", "muted"))
    fragments.append((fit_middle(clean(entry.node), 14 if width >= 95 else 9) + " ", "name"))
    fragments.append((fit(clean(entry.word), 9) + " ", _TONES.get(entry.word, "")))
    if width >= 56:
        fragments.append((fit(clean(entry.source), 5) + " ", "muted"))
    text = "" if entry.value is None else brief(entry.value, MAX_CHARS)
    fragments.append((clean(text, MAX_CHARS), "bad" if entry.word == "FAILED" else ""))
    return fragments
