"""Take the README's pictures from the real app: `python docs/pictures.py`.

Each picture is the app itself, driven by keys over a fresh copy of the sample packs and saved as
SVG without web fonts, so that a reader's browser asks nobody for anything.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REFUND, TRIAGE, COLLEAGUE = "refund-approval", "support-triage", "new-colleague"
TO_FAILURE = ("c", "w", "right", "enter")


@dataclass(frozen=True)
class Picture:
    """What is opened and pressed before it is taken: a key's name, or " text" to be typed. Without
    a preset nothing runs and the packs are shown, the cursor on the pack; `before` is the preset of
    a run that was run earlier."""

    keys: tuple[str, ...]
    size: tuple[int, int] = (120, 32)
    theme: str = "dusk"
    pack: str = REFUND
    preset: str = "small"
    before: str = ""


PICTURES = {
    "failure": Picture(TO_FAILURE, (140, 38)),
    "stepping": Picture(("n", "n", "n"), (140, 38)),
    "answer": Picture(("c", "w", "right", "tab", " fine with me"), theme="paper"),
    "packs": Picture(("0",)),
    "graph": Picture((*TO_FAILURE, "g"), (120, 40)),
    "mocks": Picture(("4",), theme="paper"),
    "inbox": Picture(("c", "5")),
    "narrow": Picture(TO_FAILURE, (80, 24), "paper"),
    "workflow": Picture(("c", "1"), (120, 26), pack=COLLEAGUE, preset="lab"),
    "diff": Picture(("n", "n", "1", "k", "D", "down", "enter"), (120, 24), "paper", before="large"),
    "call": Picture(("n", "n", "C", "enter", "f5"), (120, 24), "paper"),
    "talk": Picture(
        ("6", "enter", " I was charged twice", "enter"), (120, 26), pack=TRIAGE, preset=""
    ),
}


def main() -> None:
    """Take them all, or those named on the command line."""
    sys.path.insert(0, str(HERE.parent))
    for name in sys.argv[1:] or PICTURES:
        with tempfile.TemporaryDirectory() as home:
            os.environ |= dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME"), home)
            os.environ["TEXTUAL_ANIMATIONS"] = "none"
            picture = asyncio.run(_take(PICTURES[name]))
        (HERE / f"{name}.svg").write_text(picture, encoding="utf-8")


async def _take(wanted: Picture) -> str:
    from workbench.session import RUNNING, StartRequest, Workspace
    from workbench.session.demo import prepare_demo
    from workbench.tui.app import WorkbenchApp

    folder = prepare_demo()
    workspace = Workspace(folder)
    pack = folder / wanted.pack
    run_id = None
    if wanted.before:
        given = workspace.presets(pack)[wanted.before]
        workspace.start(StartRequest(pack, input=given), RUNNING)
    if wanted.preset:
        given = workspace.presets(pack)[wanted.preset]
        run_id = workspace.create(StartRequest(pack, input=given)).id
    app = WorkbenchApp(workspace, folder, run_id=run_id, theme_name=wanted.theme)
    try:
        async with app.run_test(size=wanted.size) as pilot:
            await pilot.pause(1.5)
            if run_id is None:
                app.show_pack(str(pack))
                await pilot.pause(0.7)
            for key in wanted.keys:
                await pilot.press(*(key[1:] if key.startswith(" ") else [key]))
                await pilot.pause(0.7)
            svg = app.export_screenshot(title="workbench")
    finally:
        workspace.close()
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace(
        "Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono"
    )


if __name__ == "__main__":
    main()
