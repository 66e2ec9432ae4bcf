"""The installed wheel, outside the checkout, in a real terminal: `workbench demo` shows its flow
and leaves the terminal as it was.

    python .ci/wheel_demo.py WORKBENCH WORD [WORD ...]

WORKBENCH is the installed script; every WORD must be on the first screens. Exits 0 or 1.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.terminal import Terminal

LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"


def main() -> int:
    script, *words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        state = {
            "HOME": name,
            "XDG_CONFIG_HOME": f"{name}/config",
            "XDG_STATE_HOME": f"{name}/state",
            "XDG_CACHE_HOME": f"{name}/cache",
        }
        with Terminal(
            [str(Path(script).absolute()), "demo"], cwd=home, environment=state
        ) as terminal:
            try:
                seconds = terminal.until(*words, seconds=60)
                terminal.type("\x11")  # ctrl+q
                code = terminal.exit_code()
            except TimeoutError as error:
                print(f"wheel demo: {error}")
                return 1
            if code != 0 or LEAVE_ALTERNATE_SCREEN not in terminal.raw:
                print(f"wheel demo: ended with {code}:\n{terminal.text[-2000:]}")
                return 1
    print(f"wheel demo: showed {', '.join(words)} after {seconds:.1f} s and quit with ctrl+q")
    return 0


if __name__ == "__main__":
    sys.exit(main())
