"""A program in a real pseudo-terminal: what it shows, what it costs until it shows it.

Only the standard library, so that the installed wheel can be tried with nothing else around.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# CSI, OSC and DCS strings, and the two-byte escapes.
_CONTROL = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^][^\x1b]*\x1b\\|\x1b[ -~]"
)


class Terminal:
    """Spawns `command` in its own session with a terminal of `columns` x `lines`.

    `raw` is everything it printed, `peak_kb` its largest memory, known once it ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        columns: int = 160,
        lines: int = 45,
    ) -> None:
        self.started = time.perf_counter()
        self.raw = bytearray()
        self.peak_kb = 0
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        env.update(environment or {})
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
                os.chdir(cwd)
                os.execvpe(command[0], list(command), env)
            finally:
                os._exit(127)
        self._exit: int | None = None

    @property
    def text(self) -> str:
        """Everything printed so far without its control sequences."""
        return _CONTROL.sub(b"", bytes(self.raw)).decode("utf-8", "replace")

    def until(self, *words: str, seconds: float = 30) -> float:
        """Read until every word was printed; the seconds since the start. Raises TimeoutError
        with the end of what was printed."""
        deadline = time.perf_counter() + seconds
        while not all(word in self.text for word in words):
            if not self._read(deadline):
                missing = [word for word in words if word not in self.text]
                ended = "" if self._exit is None else f", ended with {self._exit}"
                shown = self.text[-2000:]
                raise TimeoutError(f"never showed {missing}{ended}; its output ends with:\n{shown}")
        return time.perf_counter() - self.started

    def read_for(self, seconds: float) -> int:
        """Read on for so long, or until the program is gone; how many bytes it printed."""
        before, deadline = len(self.raw), time.perf_counter() + seconds
        while self._read(deadline):
            pass
        return len(self.raw) - before

    def resident_kb(self) -> int:
        """The memory the program holds now (Linux; 0 elsewhere and once it ended)."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        except OSError:
            return 0
        return next(
            (int(row.split()[1]) for row in status.splitlines() if row.startswith("VmRSS")), 0
        )

    def type(self, keys: str) -> None:
        """Send keys as a keyboard would."""
        os.write(self._fd, keys.encode())

    def exit_code(self, seconds: float = 15) -> int:
        """Read on until the program ends; its exit code. Raises TimeoutError."""
        deadline = time.perf_counter() + seconds
        while self._exit is None:
            if not self._read(deadline) and time.perf_counter() >= deadline:
                raise TimeoutError(f"did not end; its output ends with:\n{self.text[-2000:]}")
        return self._exit

    def close(self) -> None:
        """Kill the program if it still runs, with everything it started."""
        if self._exit is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._reap()
        os.close(self._fd)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, deadline: float) -> bool:
        """Take what was printed; False at the deadline or when the program is gone."""
        ready, _, _ = select.select([self._fd], [], [], max(0.0, deadline - time.perf_counter()))
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # Linux says EIO once the last writer is gone
            data = b""
        self.raw += data
        if not data and self._exit is None:
            self._reap()
        return bool(data)

    def _reap(self) -> None:
        _, status, usage = os.wait4(self.pid, 0)
        self._exit = os.waitstatus_to_exitcode(status)
        self.peak_kb = usage.ru_maxrss
