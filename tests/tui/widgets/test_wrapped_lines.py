"""The quick wrapping of an editor cuts every line where Textual's own does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.document._document import Document
from textual.document._wrapped_document import WrappedDocument

from workbench.tui.widgets.wrapped_lines import WrappedLines

LINES = st.one_of(
    st.text("ab -.", max_size=30),  # short and long words of one cell each
    st.text("ab \t", max_size=30),
    st.text("a é世\u0301 ", max_size=20),
)


def cuts(document: WrappedDocument) -> list[object]:
    return [
        document._wrap_offsets,
        document._tab_width_cache,
        document._offset_to_line_info,
        document._line_index_to_offsets,
        document.height,
    ]


@given(st.lists(LINES, min_size=1, max_size=8), st.sampled_from([0, 1, 2, 5, 10, 20]))
def test_lines_are_cut_where_textual_cuts_them(lines: list[str], width: int) -> None:
    text = "\n".join(lines)
    quick, theirs = WrappedLines(Document(text)), WrappedDocument(Document(text))
    quick.wrap(width)
    theirs.wrap(width)
    assert cuts(quick) == cuts(theirs)
