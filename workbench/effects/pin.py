"""The pin link: a value a person fixed stands in for what a node would have given.

A pin is keyed by a node id ("score": every visit in every frame), by frame path and node id
without visit numbers ("refund/score"), or by the exact place ("refund#2/score"). The most exact
one wins. Pins may change while the run goes on: the table is replaced, never edited in place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from workbench.effects.chain import Perform
from workbench.model.effect import Effect, Outcome, ok
from workbench.model.run import place_name
from workbench.model.values import Json

_VISIT = re.compile(r"#\d+(?=/)")


class PinLink:
    """Answers what nodes ask (never what guests ask) from the table of pins: the outcome is what
    the node gives, an ok answer for a wait."""

    def __init__(self, pins: Mapping[str, Json] | None = None) -> None:
        self._pins: dict[str, Json] = dict(pins or {})

    @property
    def pins(self) -> Mapping[str, Json]:
        """The table as it is now; not to be changed."""
        return self._pins

    def pin(self, key: str, output: Json) -> None:
        """Fix what a node gives from its next call on. Safe from any thread."""
        self._pins = {**self._pins, key: output}

    def unpin(self, key: str) -> bool:
        """Let the node speak for itself again; False when it was not pinned."""
        kept = {name: output for name, output in self._pins.items() if name != key}
        found = len(kept) != len(self._pins)
        self._pins = kept
        return found

    def replace(self, pins: Mapping[str, Json]) -> None:
        """Exchange all pins at once (a saved mocks.toml was read again)."""
        self._pins = dict(pins)

    def key_for(self, frame: str, node: str) -> str | None:
        """The pin that applies to a node in a frame, or None."""
        pins = self._pins
        if pins:
            place = place_name(frame, node)
            for key in (place, _VISIT.sub("", place), node):
                if key in pins:
                    return key
        return None

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        pins = self._pins
        if not pins or effect.caller != "engine":
            return inner(effect)
        key = self.key_for(effect.frame, effect.node)
        if key is None or key not in pins:
            return inner(effect)
        return ok(pins[key], "pin")
