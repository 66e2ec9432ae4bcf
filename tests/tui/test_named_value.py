"""What values are called, what is shown of them elsewhere, and what is worth comparing."""

from __future__ import annotations

import json

from workbench.model.difference import compare
from workbench.model.pointers import ABSENT
from workbench.tui.expression_paths import completed, paths_in
from workbench.tui.named_value import NamedValue
from workbench.tui.widgets.diff_rows import diff_rows, diff_text, row_fragments

BODY = json.dumps({"lines": [1, 2], "note": "n" * 80})
WHOLE = {"id": 7, "body": BODY, "text": "one\ntwo"}


def test_a_part_is_shown_in_the_whole_and_a_text_by_itself() -> None:
    value = NamedValue("Out", WHOLE)
    assert value.shown[1:] == (1, "json")
    text, line, kind = NamedValue("Out", WHOLE, "/body").shown
    assert (json.loads(text), line, kind) == (json.loads(BODY), 1, "json")
    text, line, _ = NamedValue("Out", WHOLE, "/body/{json}/lines/1").shown
    assert text.splitlines()[line - 1].strip() == "2"
    assert NamedValue("Out", WHOLE, "/body/{json}/note").shown == ("n" * 80, 1, "txt")
    assert NamedValue("Out", WHOLE, "/text").shown == ("one\ntwo", 1, "txt")
    text, line, kind = NamedValue("Out", WHOLE, "/id").shown
    assert (text.splitlines()[line - 1].strip(), kind) == ('"id": 7,', "json")
    assert NamedValue("Logs", "a line", "").shown == ("a line", 1, "txt")
    assert NamedValue("Out", WHOLE, "/nothing").value is ABSENT


def test_a_prompt_completes_the_path_at_its_end_level_by_level() -> None:
    paths = paths_in({"node": {"rate": {"body": [{"n": 1}]}, "odd key": 1}, "entry": {}})
    assert paths == [
        "node", "entry", "node.rate", "node.rate.body", "node.rate.body[0]", "node.rate.body[0].n"
    ]  # fmt: skip
    assert completed("no", paths) == "node"
    assert completed("1 == node.r", paths) == "1 == node.rate"
    assert completed("node.rate.body[0].n", paths) is None
    assert completed("not ", paths) is None


def test_long_texts_show_where_they_begin_to_differ_and_open_line_by_line() -> None:
    start = "kept " * 20
    found = compare({"t": f"{start}one"}, {"t": f"{start}two"}).differences
    row = next(diff_rows(found, (), 80))
    shown = "".join(text for text, _ in row_fragments(row, 80, 4))
    assert shown.startswith("~ ▸ t")
    assert "one" in shown and "two" in shown and len(shown) <= 80
    found = compare({"t": "a\nb\nc"}, {"t": "a\nB\nc"}).differences
    opened = list(diff_rows(found, {"/t"}, 80))
    assert [(row.sign, row.text) for row in opened[1:]] == [
        ("", "a"), ("-", "b"), ("+", "B"), ("", "c")
    ]  # fmt: skip
    assert diff_text(found) == '~ t  "a\\nb\\nc" → "a\\nB\\nc"'
