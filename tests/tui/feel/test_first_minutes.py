"""Checks of feel 1 to 4 (`experience.md`): what is always said, and how few keys it takes."""

from __future__ import annotations

import re

from tests.tui.feel.tmux import STORY, Tmux
from workbench.tui.actions import TABLE, spell

STATES = ("PAUSED", "WAITING", "RUNNING", "FAILED", "FINISHED", "CANCELLED", "IDLE")
NODES = ("parse", "score", "rate", "approve", "decide", "pay", "receipt", "reject", "notify")
# What a footer may name, but for the keys that end the program.
KEYS = {spell(key) for action in TABLE if action.id != "quit" for key in action.keys}


def says_where_it_is(row: str) -> bool:
    """Row 1: a state word, the node (or that there is none), the clock and the network."""
    node = any(f" in {name} " in f"{row} " for name in NODES) or "no node" in row
    clock = "virtual" in row or "clock real" in row or "real" in row
    network = "offline" in row or " off " in f"{row} "
    return any(word in row for word in STATES) and node and clock and network


def footer(tmux: Tmux) -> list[str]:
    """The keys named at the bottom; none under a dialog."""
    row = tmux.rows[tmux.lines - 1]
    if "═" in row:
        return []
    words = [part.split() for part in re.split(r"\s{2,}", row.strip()) if part.strip()]
    return [part[0] for part in words if len(part) > 1 and part[0] in KEYS]


def as_typed(key: str) -> str:
    return {"Esc": "Escape", "ctrl+p": "C-p", "ctrl+t": "C-t", "ctrl+r": "C-r"}.get(key, key)


def test_the_first_two_minutes(demo: Tmux) -> None:
    """Checks 1, 2 and 4."""
    assert says_where_it_is(demo.rows[0]), demo.rows[0]
    for key, sign in STORY:
        demo.press(key, sign)
        assert says_where_it_is(demo.rows[0]), demo.rows[0]
    pressed = [sign for _, sign in STORY]
    assert pressed.index("Out of parse, the step before") < 3
    assert pressed.index("PAUSED in decide") - pressed.index("Out of parse, the step before") <= 6
    text = " ".join(demo.steady().split())
    assert "✗ PAUSED on error in pay" in demo.rows[0]
    assert 'INVALID_AMOUNT amount must be a number, got ""' in text
    assert "flows/main.ygtc:41" in text
    assert '! amount ""' in text
    assert "R retry" in demo.rows[demo.lines - 1]


def test_every_key_of_every_footer_changes_the_screen(demo: Tmux) -> None:
    """Check 1: on every screen, a reason being a change too."""
    pressed = {"debug": every_key(demo, "", "")}  # and the graph, to which one of them leads
    for key, mark in (("0", "0 Packs"), ("4", "4 Mocks"), ("5", "5 Waits")):
        back_to_the_run(demo)
        demo.press(key, mark)
        pressed[mark] = every_key(demo, mark, key)
    assert {"n", "c", "["} <= pressed["debug"]
    assert {"Enter", "/"} <= pressed["0 Packs"]
    assert {"Enter", "+", "-"} <= pressed["4 Mocks"]
    assert {"Enter", "Esc"} <= pressed["5 Waits"]


def every_key(tmux: Tmux, mark: str, way: str) -> set[str]:
    """Press every key the footer names, also those it names then. `mark` tells the screen, and
    the key `way` leads to it from a run, should one of them leave it."""
    done: set[str] = set()
    while new := [key for key in footer(tmux) if key not in done]:
        before = tmux.text
        done.add(new[0])
        tmux.send(as_typed(new[0]))
        tmux.until(lambda text, before=before: text != before, f"a change by {new[0]}", 10)  # type: ignore[misc]
        leave_dialogs(tmux)
        if mark not in tmux.text:
            back_to_the_run(tmux)
            tmux.press(way, mark)
            tmux.steady(25)
    return done


def leave_dialogs(tmux: Tmux) -> None:
    """Out of what a key opened, back to a screen with keys at its bottom."""
    for _ in range(5):
        text = tmux.steady(40)  # a dialog is drawn after the bottom row that made way for it
        if "EDITING" in text:
            tmux.press("Enter", "EDITING", gone=True)
            continue
        assert says_where_it_is(tmux.rows[0]), text
        if footer(tmux) and "TYPING" not in text:
            return
        # Never twice in a hurry: Esc Esc g is alt+g to a terminal.
        tmux.send("Escape")
        tmux.until(lambda now: footer(tmux) and "TYPING" not in now, "a footer after Esc", 10)
        tmux.steady(90)  # longer than a terminal waits for what may follow an Esc
    raise AssertionError(f"Esc does not lead back\n{tmux.text}")


def back_to_the_run(tmux: Tmux) -> None:
    for _ in range(5):
        text = tmux.steady()
        if "1 Flow" in text:
            return
        if "0 Packs" in text and "TYPING" not in text:
            tmux.press("1", "1 Flow")
        else:
            tmux.send("Escape")
            tmux.until(lambda now, text=text: now != text, "a change by Esc", 10)  # type: ignore[misc]
    raise AssertionError(f"no way back to the run\n{tmux.text}")


def test_a_step_changes_two_rows_of_the_rail(demo: Tmux) -> None:
    """Check 3: the node, the one before it, and the count; nothing moves."""
    demo.press("n", "PAUSED in score")
    if demo.columns < 100:
        demo.press("1", "[1 Flow]")
    width = 46 if demo.columns >= 130 else 40

    def rail() -> list[str]:
        rows = [row[:width] for row in demo.steady().split("\n")]
        end = next((n for n, row in enumerate(rows) if "3 Transcript" in row), demo.lines - 1)
        return rows[1 if demo.columns >= 100 else 3 : end]

    before = rail()
    demo.press("n", "PAUSED in rate")
    pairs = list(zip(before, rail(), strict=True))
    changed = [old for old, new in pairs if old != new]
    nodes = [name for row in changed for name in NODES if f" {name} " in row]
    assert nodes == ["score", "rate"]
    others = [row for row in changed if not any(f" {name} " in row for name in NODES)]
    assert all("1 Flow" in row for row in others), others
