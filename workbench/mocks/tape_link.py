"""The cassette link: answers HTTP from recordings, and decides what may go further.

The reference's decision table (`packs-and-engine.md` §5.1) with one difference: `off` turns the
recordings off, not the guard. Nothing passes this link towards the network without a grant.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from workbench.effects.chain import Perform
from workbench.mocks.cassettes import Tape
from workbench.mocks.config import RECORDING
from workbench.mocks.http_request import HttpRequest, read_request
from workbench.mocks.misses import explain_miss, sentence
from workbench.mocks.world import MockWorld
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.values import Json


class TapeLink:
    """One per run; its cursors are in the world."""

    kinds = frozenset({"http"})

    def __init__(self, world: MockWorld) -> None:
        self._world = world

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        try:
            request = read_request(effect.request)
            tape = self._tape(request)
        except WorkbenchError as error:
            return failed(Failure(error.code, error.message, origin="mock"), "mock")
        if tape is not None:
            return ok(self._world.next_play(tape).response, "tape")
        refusal = self._refusal(request)
        if refusal is not None:
            return failed(refusal, "mock")
        outcome = inner(effect)
        if outcome.ok and outcome.source == "live":
            self._keep(request, outcome.value)
        return outcome

    def _tape(self, request: HttpRequest) -> Tape | None:
        world = self._world
        if world.config.http.mode in ("off", "all"):
            return None
        return world.find_tape(request)

    def _refusal(self, request: HttpRequest) -> Failure | None:
        """Why a request without a recording may not go out; None when it may."""
        # Judged by the host it is really sent to, told by the one that may be seen.
        real, mode = self._world.revealed(request), self._world.config.http.mode
        host = (real or request).host
        if not host:
            return _refused("the URL is no http(s) address", {"url": request.url})
        shown = urlsplit(request.url).netloc if real is not None else host
        details: dict[str, Json] = {"host": shown, "method": request.method, "url": request.url}
        granted = self._world.grants.allows(host)
        if mode != "off":
            if not granted and host not in self._world.config.net_allowlist:
                return _refused(f"host {shown} not present in allowlist", details)
            if self._strict() and not self._world.grants.by_hand(host):
                miss = explain_miss(request, self._world.tapes.recordings)
                return Failure(
                    "cassette_miss", sentence(miss), origin="mock", details={**details, **miss}
                )
        return None if granted else _refused(f"host {shown} has no grant to be reached", details)

    def _strict(self) -> bool:
        world = self._world
        mode = world.config.http.mode
        if mode == "once":
            # A run that began to record goes on recording, also after it was resumed.
            return world.tapes.existed and not world.has_recorded
        return mode not in RECORDING

    def _keep(self, request: HttpRequest, response: Json) -> None:
        """Record a live answer; a disk that refuses is a finding, never a failed request."""
        world = self._world
        if world.config.http.mode not in RECORDING:
            return
        number = world.next_number(request)
        try:
            world.tapes.save(request, response, number)
        except WorkbenchError as error:
            world.problems.append(Finding(error.code, "warning", error.where, error.message))


def _refused(message: str, details: dict[str, Json]) -> Failure:
    return Failure("network_refused", message, origin="mock", details=details)
