"""The mock links: secrets, state, telemetry, tools, prepared answers and sleep, from the world.

Each answers the effect kinds it names. Values here are masked; the record link puts real ones in
front of the guest.
"""

from __future__ import annotations

import re

from workbench.effects.chain import Perform
from workbench.effects.control import RunControl
from workbench.language.semantics import CURRENT
from workbench.language.waiting import duration_us, wait_spec
from workbench.mocks.world import MockWorld
from workbench.model.effect import PENDING, Effect, Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.values import decode
from workbench.model.waits import Resolution

_VISIT = re.compile(r"#\d+(?=/)")
_LONGEST_SLEEP_S = 1e8
_UNSAFE = re.compile(r"[^A-Za-z0-9]")


class SecretLink:
    """`secret.get` from `[secrets.map]`, as the masker's placeholder. A missing secret is None,
    or the failure `secret_missing` when the configuration is strict. One that the policy does not
    allow, or that is no text, is a failure in the reference's words (§7)."""

    kinds = frozenset({"secret.get"})

    def __init__(self, world: MockWorld) -> None:
        self._world = world

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        secrets = self._world.config.secrets
        name = effect.target
        if secrets.allow is not None and name not in secrets.allow:
            said = f"secret {name} denied by policy"
            return failed(Failure("secret_denied", said, origin="mock"), "mock")
        if name in secrets.unreadable:
            said = f"secret {name} not valid UTF-8: {secrets.unreadable[name]}"
            return failed(Failure("secret_not_text", said, origin="mock"), "mock")
        value = secrets.map.get(name)
        if value is not None:
            return ok(self._world.masker.mask(value), "mock")
        if not secrets.strict:
            return ok(None, "mock")
        message = f"secret {name} unavailable: it is not in [secrets.map]"
        details = {"missing": name, "known": sorted(secrets.map)}
        return failed(Failure("secret_missing", message, origin="mock", details=details), "mock")


class StateLink:
    """`state.read`, `state.write` and `state.delete` on the world's key-value state."""

    kinds = frozenset({"state.read", "state.write", "state.delete"})

    def __init__(self, world: MockWorld) -> None:
        self._world = world

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        kind, kv = effect.kind, self._world.kv
        if kind == "state.read":
            return ok(kv.get(effect.target), "mock")
        if kind == "state.write":
            kv[effect.target] = effect.request
        else:
            kv.pop(effect.target, None)
        return ok(None, "mock")


class TelemetryLink:
    """Telemetry stays here: the effect's record is where it can be read (§5.3)."""

    kinds = frozenset({"telemetry"})

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        return ok(None, "mock")


class ToolLink:
    """`tool_call` from script files, when `[tools] short_circuit` says so (§5.4). A missing or
    broken script is an error, not a reason to look further. A provider's operation is a tool's
    action; a provider without a script answers for itself."""

    kinds = frozenset({"tool_call", "provider.invoke"})

    def __init__(self, world: MockWorld) -> None:
        self._world = world

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        tools = self._world.config.tools
        if not tools.short_circuit or tools.script_dir is None:
            return inner(effect)
        called = "operation" if effect.kind == "provider.invoke" else "action"
        action = effect.request.get(called) if isinstance(effect.request, dict) else None
        file = script_name(effect.target, action if isinstance(action, str) else "")
        if effect.kind == "provider.invoke" and not (tools.script_dir / file).exists():
            return inner(effect)
        try:
            value = decode((tools.script_dir / file).read_bytes(), file)
        except OSError as error:
            return self._bad("tool_script_missing", f"failed to read mock script {file}", error)
        except WorkbenchError as error:
            return self._bad("tool_script_invalid", f"mock script {file} is not valid json", error)
        return ok(self._world.masker.mask(value), "mock")

    @staticmethod
    def _bad(code: str, message: str, error: OSError | WorkbenchError) -> Outcome:
        why = error.message if isinstance(error, WorkbenchError) else error.strerror
        return failed(Failure(code, f"{message}: {why}", origin="mock"), "mock")


class WaitLink:
    """Prepared answers of `[waits.NAME]`: a wait that has one never stops the run.

    The value of an answered wait is the resolution in wire form. A prepared timeout lets a
    virtual clock run on for as long as the wait would have taken. A wait without an
    answer is pending: this is the last link that waits reach. An await-event by name is answered
    in the same way; without an answer it goes on and blocks.
    """

    kinds = frozenset({"wait", "await_event"})

    def __init__(self, world: MockWorld) -> None:
        self._world = world

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        answer = self.answer(effect.target, effect.visit)
        if answer is None:
            return PENDING if effect.kind == "wait" else inner(effect)
        if answer.status == "timeout":
            self._world.advance(_timeout_us(effect))
        return ok(self._world.masker.mask(answer.wire()), "mock")

    def answer(self, signal: str, visit: int) -> Resolution | None:
        """The answer for a visit of a signal, written exactly or without visit numbers."""
        waits = self._world.config.waits
        answers = waits.get(signal) or waits.get(_VISIT.sub("", signal))
        return answers[min(max(visit, 1), len(answers)) - 1] if answers else None


class SleepLink:
    """`sleep` moves a virtual clock, takes no time on a frozen one and is real on a real one."""

    kinds = frozenset({"sleep"})

    def __init__(self, world: MockWorld, control: RunControl) -> None:
        self._world = world
        self._control = control

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        millis = effect.request.get("duration_ms") if isinstance(effect.request, dict) else None
        if not isinstance(millis, (int, float)) or isinstance(millis, bool) or millis < 0:
            message = "a sleep needs duration_ms, 0 or more"
            return failed(Failure("sleep_invalid", message, origin="mock"), "mock")
        if self._world.virtual:
            self._world.advance(int(millis * 1000))
            return ok(None, "mock")
        self._control.sleep(min(millis / 1000, _LONGEST_SLEEP_S))
        return ok(None, "engine")


def _timeout_us(effect: Effect) -> int:
    """How long this wait would have waited; 0 when it does not say."""
    asked = effect.request
    try:
        if effect.kind == "await_event":
            timeout = asked.get("timeout") if isinstance(asked, dict) else None
            return 0 if timeout is None else duration_us(timeout)
        spec = wait_spec(asked, CURRENT)
    except WorkbenchError:
        return 0
    return 0 if spec is None else spec.timeout_us or 0


def script_name(tool: str, action: str) -> str:
    """The file of a prepared tool answer; whatever is no ASCII letter or digit becomes `_`."""
    return f"{_UNSAFE.sub('_', tool)}__{_UNSAFE.sub('_', action)}.json"
