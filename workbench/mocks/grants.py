"""Which hosts may be reached for real: those of `[http] grant`, and those a person lets out."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock


class Grants:
    """Exact host names, lower-case. Granting is for any thread, asking for the run's."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._lock = Lock()
        self._configured = frozenset(host.lower() for host in hosts)
        self._granted: set[str] = set()
        self._once: dict[str, int] = {}

    def configure(self, hosts: Iterable[str]) -> None:
        """Replace what the configuration grants; what a person granted stays."""
        with self._lock:
            self._configured = frozenset(host.lower() for host in hosts)

    def grant(self, host: str, once: bool = False) -> None:
        """Let requests to a host out: all from now on, or just the next one."""
        with self._lock:
            if once:
                self._once[host.lower()] = self._once.get(host.lower(), 0) + 1
            else:
                self._granted.add(host.lower())

    def revoke(self, host: str) -> None:
        """Take back what a person granted; the configuration's word stands."""
        with self._lock:
            self._granted.discard(host.lower())
            self._once.pop(host.lower(), None)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that may be reached now, sorted: empty means offline."""
        with self._lock:
            return tuple(sorted(self._configured | self._granted | set(self._once)))

    def by_hand(self, host: str) -> bool:
        """True when a person, not the configuration, let this host out."""
        with self._lock:
            return host in self._granted or host in self._once

    def allows(self, host: str) -> bool:
        with self._lock:
            return host in self._configured or host in self._granted or host in self._once

    def take(self, host: str) -> bool:
        """Like `allows`, and uses up a grant for one request if that is what allows it."""
        with self._lock:
            if host in self._configured or host in self._granted:
                return True
            left = self._once.pop(host, 0)
            if left > 1:
                self._once[host] = left - 1
            return left > 0
