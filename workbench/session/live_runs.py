"""The runs driven by this process, and what a person may do to one while it lives.

Every method may be called from any thread; one that finds no driver at work says so with False.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

import msgspec

from workbench.engine.breakpoints import Breakpoints
from workbench.model.stepping import Breakpoint, Choice, Mode
from workbench.model.values import Json

if TYPE_CHECKING:
    from workbench.session.live_run import LiveRun

replace = msgspec.structs.replace


class LiveRuns:
    """Drivers by run, and the breakpoints they share."""

    def __init__(self) -> None:
        self.breakpoints = Breakpoints()
        self._live: dict[str, LiveRun] = {}
        self._lock = RLock()

    def took_up(self, live: LiveRun) -> None:
        """A driver was built: from now on it is the run's."""
        with self._lock:
            self._live[live.run_id] = live

    def living(self) -> list[LiveRun]:
        """The drivers at work."""
        with self._lock:
            return [live for live in self._live.values() if live.alive]

    def live(self, run_id: str) -> LiveRun | None:
        """The driver of a run in this process, if one is at work."""
        with self._lock:
            live = self._live.get(run_id)
        return live if live is not None and live.alive else None

    def go(
        self,
        run_id: str,
        mode: Mode,
        to: tuple[str, str] | None = None,
        choice: Choice | None = None,
    ) -> bool:
        """Leave a pause and go on in `mode`; False when the run is not standing still."""
        live = self.live(run_id)
        if live is None:
            return False
        if choice is not None and choice.input is not msgspec.UNSET:
            choice = replace(choice, input=live.masker.mask(choice.input))
        return live.go(mode, to, choice)

    def pause(self, run_id: str) -> bool:
        """Ask a running run to stand still before its next node."""
        live = self.live(run_id)
        if live is None:
            return False
        live.debugger.request_pause()
        return True

    def pin(self, run_id: str, node: str, output: Json) -> bool:
        """Answer this node with a fixed output for the rest of the run."""
        live = self.live(run_id)
        if live is None:
            return False
        live.pins.pin(node, live.masker.mask(output))
        return True

    def unpin(self, run_id: str, node: str) -> bool:
        """Let the node answer for itself again."""
        live = self.live(run_id)
        return live is not None and live.pins.unpin(node)

    def grant(self, run_id: str, host: str, once: bool = True) -> bool:
        """Let requests to a host out of this run: the next one, or all of them."""
        live = self.live(run_id)
        if live is None:
            return False
        live.grants.grant(host, once)
        return True

    def give_secret(self, run_id: str, name: str, value: str) -> str:
        """Tell a run a secret for as long as this process lives; what stands for it inside."""
        live = self.live(run_id)
        if live is None:
            return value
        live.masker.register(name, value)
        return str(live.masker.mask(value))

    def breakpoint(self, breakpoint_: Breakpoint) -> bool:
        """Set a breakpoint, or remove the one that is there; True when it is set now."""
        if self.breakpoints.drop(breakpoint_.key):
            return False
        self.breakpoints.put(breakpoint_)
        return True
