"""Remake `shells/*.wat` from whole components printed as text. Needed only when a world changes.

`wasm-tools` (1.2xx) makes the input, one file for each world of `wit/worlds.wit`:

    wasm-tools component embed --dummy-names standard32 --world W wit/worlds.wit -o W.core.wasm
    wasm-tools component new W.core.wasm -o W.wasm && wasm-tools print W.wasm > DIR/W.wat

Then `python make_shells.py DIR` cuts the stub module out of each and writes the shells.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

SHELLS = Path(__file__).with_name("shells")
HOLE = "(core module $main)"


def trim(text: str) -> str:
    """Turn a printed component into a shell: the stub becomes `HOLE`, notes of tools go away."""
    text = _without_blocks(text, "(@producers")
    start = text.index("(core module $main ")
    text = text[:start] + HOLE + text[_end_of_block(text, start) :]
    # Zig and LLVM always call their memory "memory"; following them saves a post-processor.
    text = text.replace('"cm32p2_memory"', '"memory"')
    return re.sub(r"\n[ \t]*(?=\n)", "", text).strip() + "\n"


def _without_blocks(text: str, opening: str) -> str:
    while (start := text.find(opening)) >= 0:
        text = text[:start].rstrip(" ") + text[_end_of_block(text, start) :]
    return text


def _end_of_block(text: str, start: int) -> int:
    """The index after the parenthesis that closes the one at `start`; strings are skipped."""
    depth = 0
    for found in re.compile(r'"(?:[^"\\]|\\.)*"|\(;.*?;\)|[()]').finditer(text, start):
        depth += {"(": 1, ")": -1}.get(found.group(), 0)
        if depth == 0:
            return found.end()
    raise ValueError("unbalanced parentheses")


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    for source in sorted(Path(sys.argv[1]).glob("*.wat")):
        (SHELLS / source.name).write_text(trim(source.read_text("utf-8")), "utf-8")
        print(f"shells/{source.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
