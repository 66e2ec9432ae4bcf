"""Promise services over a journal, for tests: hosts, waiters on threads, and keys of every kind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.session.others import SOON
from tests.store.player import START, Player
from workbench.model.errors import WorkbenchError
from workbench.model.journal import Store
from workbench.model.values import Json
from workbench.model.waits import Resolution, WaitKey
from workbench.session.promises import Promises

SESSION = "s1"
OWNER = "r1"

# Every scope a run may own, and every identity (§2.1). A session's own scope belongs to the run
# that opened it, whose id it bears.
SCOPES: dict[str, dict[str, Json]] = {
    "turn": {"type": "turn", "session_id": SESSION, "turn_id": OWNER},
    "process": {"type": "process", "process_id": OWNER},
    "queue_drain": {"type": "queue_drain", "session_id": SESSION, "drain_id": OWNER},
    "session_delete": {"type": "session_delete", "session_id": SESSION},
    "runtime_operation": {"type": "runtime_operation", "operation_id": OWNER},
}
IDENTITIES: dict[str, dict[str, Json]] = {
    "tool_completion": {"type": "tool_completion", "tool_call_id": "call-1"},
    "process_signal": {
        "type": "process_signal", "process_id": "p1", "signal_name": "ready", "ordinal": 1,
    },
    "custom": {"type": "custom", "key": "k1"},
    "turn_cancel_gate": {"type": "turn_cancel_gate"},
    "turn_terminal": {"type": "turn_terminal"},
}  # fmt: skip
CUSTOM = IDENTITIES["custom"]
TURN = SCOPES["turn"]


def ok(value: Json = "yes") -> Resolution:
    return Resolution("ok", value)


class Clock:
    """Microseconds that move when told."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> int:
        return self.time


class Host:
    """One promise service over one store object; `begin` makes runs that own scopes."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self.store = store
        self.clock = clock or Clock()
        self.promises = Promises(lambda: store, self.clock)
        self.player = Player(store)

    def begin(self, *names: str, session: str = SESSION) -> Host:
        for name in names:
            self.player.begun(name, session=session)
        return self

    def owner(self, scope: str = "turn") -> Host:
        """A live run that owns the named scope."""
        return self.begin(SESSION if scope == "session_delete" else OWNER)

    def key(self, scope: str = "turn", wait: str = "custom") -> WaitKey:
        return self.promises.key(SCOPES[scope], IDENTITIES[wait])

    def rows(self) -> list[Any]:
        """All that a promise could have left behind."""
        return [*self.store.waits(live=False), *self.store.events()]

    def waiting(self, key: WaitKey, **how: Any) -> Waiter:
        """A waiter on a thread of its own that has written down that it waits."""
        waiter = Waiter(lambda: self.promises.wait_for(key, **how))
        eventually(lambda: self.store.wait(key.key_id) is not None or waiter.done)
        return waiter


class Waiter:
    """Somebody who waits on a thread; `told` is what came of it."""

    def __init__(self, wait: Callable[[], Any]) -> None:
        self._result: Any = "nothing yet"
        self._wait = wait
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._wait()
        except WorkbenchError as error:
            self._result = error.code

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def told(self, within: float = SOON) -> Any:
        """The answer, or the code of what was raised."""
        self._thread.join(within)
        assert self.done, "still waiting"
        return self._result


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds; it must do so soon."""
    pause = threading.Event()
    for _ in range(int(SOON / 0.002)):
        if holds():
            return
        pause.wait(0.002)
    raise AssertionError("it never happened")
