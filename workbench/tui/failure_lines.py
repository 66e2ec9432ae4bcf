"""What a failure says beyond its sentence, in a few lines: the frames of a trap, other details."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.model.values import Json
from workbench.tui.widgets.brief import brief
from workbench.tui.widgets.cells import clean

FRAMES = 3  # of a backtrace; the Details tab has all
_LONGEST = 160


def detail_lines(details: Json) -> Iterator[str]:
    """A line a frame, innermost first; one line for the other details."""
    if details is None or details in ({}, [], ""):
        return
    rest = details
    if isinstance(details, dict) and isinstance(details.get("backtrace"), list):
        frames = details["backtrace"]
        for place, frame in enumerate(frames[:FRAMES]):
            yield f"  {'at' if not place else 'in'} {clean(str(frame), _LONGEST)}"
        if len(frames) > FRAMES:
            yield f"  … {len(frames) - FRAMES} frames more: o shows Details"
        rest = {key: item for key, item in details.items() if key != "backtrace"}
    if rest:
        text = clean(rest, _LONGEST) if isinstance(rest, str) else brief(rest, _LONGEST)
        yield f"  details {text}"
