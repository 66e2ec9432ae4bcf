"""Checks of feel 5 to 7 (`experience.md`): going back repeats nothing, and typing is safe."""

from __future__ import annotations

import json
import re

from tests.tui.feel.tmux import STORY, Tmux

TYPED = 'nxcR{"a":1}'
PASTE_SECONDS = 1.0


def test_back_and_forward_is_byte_identical(demo: Tmux) -> None:
    """Check 5, and nothing is asked of the world again."""
    demo.to_failure()
    before, written, told = demo.drawn, demo.journal(), demo.transcript.read_bytes()
    assert written["effects"] > 0, "there was something to repeat"
    for name in ("decide", "approve", "rate", "score", "parse"):
        demo.press("[", f"in {name}")
    for name in ("score", "rate", "approve", "decide", "pay"):
        demo.press("]", f"in {name}")
    demo.steady()
    assert demo.drawn == before
    assert demo.journal() == written
    assert demo.transcript.read_bytes() == told


def test_typing_is_safe_and_the_draft_returns(demo: Tmux) -> None:
    """Check 6, in the input of a node and in that of a flow."""
    demo.to_failure()
    strip, written = demo.rows[0], demo.journal()
    demo.press("E", "TYPING")
    demo.press(TYPED, TYPED)
    demo.press("Escape", "TYPING", gone=True)
    assert demo.rows[0] == strip
    demo.press("E", TYPED)
    demo.press("Escape", "TYPING", gone=True)
    demo.press("0", "0 Packs")
    demo.until(lambda text: ">main" in text, "the flow under the cursor")
    demo.press("Enter", "TYPING")
    demo.press(TYPED, TYPED)
    demo.press("Escape", "TYPING", gone=True)
    demo.press("Enter", TYPED)
    assert demo.journal() == written


def big_input(lines: int = 2_000) -> dict[str, object]:
    """A value that is written on so many lines."""
    return {"order": "2041", "items": [f"⟦{number}⟧ x" for number in range(lines - 5)]}


def test_a_big_paste_is_intact_and_on_screen_within_a_second(demo: Tmux) -> None:
    """Check 7, first half: pasted over what stands there, then used."""
    value = big_input()
    text = json.dumps(value, indent=1, ensure_ascii=False)
    assert text.count("\n") + 1 == 2_000
    demo.press("0", "0 Packs")
    demo.until(lambda text: ">main" in text, "the flow under the cursor")
    demo.press("Enter", "valid JSON")
    took: list[float] = []
    while not took or (took[-1] > PASTE_SECONDS and len(took) < 3):  # the machine may be busy
        demo.steady()
        demo.send("F7")  # all of it, to be replaced
        demo.steady()
        demo.paste(text)
        took.append(demo.until(lambda text: "2000" in text and "⟦1994⟧" in text, "its end"))
        demo.until(lambda text: "valid JSON" in text, "that it is valid")
        demo.send("PPage")
        demo.until(lambda text: "⟦1994⟧" not in text, "a page before")
    assert min(took) <= PASTE_SECONDS, took
    before = demo.journal()["runs"]
    demo.press("F5", "PAUSED in parse")
    assert demo.journal()["runs"] == before + 1
    demo.press("n", "step 1")
    lines = (json.loads(line) for line in demo.transcript.read_text("utf-8").splitlines())
    sent = next(line["inputs"] for line in lines if line["phase"] == "start")
    assert sent["payload"]["input"] == value


def test_what_was_opened_stays_open_at_its_row(demo: Tmux) -> None:
    """Check 7, second half: a path of approve's input, through the steps after it and back."""
    for key, sign in STORY[:3]:
        demo.press(key, sign)
    demo.send("2")
    for _ in range(12):
        text = demo.steady(3)
        if re.search(r">\s+▸required", text):
            break
        demo.send("Down")
        demo.until(lambda now, text=text: now != text, "the cursor below")  # type: ignore[misc]
    demo.press("Enter", "▾required")
    for key, sign in STORY[3:7]:
        demo.press(key, sign)
    demo.press("[", "looking back" if demo.columns > 90 else "] forward")
    demo.until(lambda text: "in approve" in text, "the node")
    assert "▾required" in demo.steady()
    row, top = demo.row_of("▾required"), demo.row_of("In: as sent")
    demo.press("]", "PAUSED in decide")
    demo.press("n", "PAUSED in pay")
    demo.press("[", "in decide")
    demo.press("[", "in approve")
    demo.steady()
    assert (demo.row_of("▾required"), demo.row_of("In: as sent")) == (row, top)
