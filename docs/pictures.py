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
from pathlib import Path

HERE = Path(__file__).resolve().parent
# name -> size, theme, keys pressed one after another
PICTURES: dict[str, tuple[tuple[int, int], str, tuple[str, ...]]] = {
    "failure": ((140, 38), "dusk", ("c", "w", "right", "enter")),
    "stepping": ((140, 38), "dusk", ("n", "n", "n")),
    "answer": ((120, 32), "paper", ("c", "w")),
    "packs": ((120, 32), "dusk", ("0",)),
    "graph": ((120, 40), "dusk", ("c", "w", "right", "enter", "g")),
    "mocks": ((120, 32), "paper", ("4",)),
    "inbox": ((120, 32), "dusk", ("c", "5")),
    "narrow": ((80, 24), "paper", ("c", "w", "right", "enter")),
}


def main() -> None:
    """Take them all, or those named on the command line."""
    sys.path.insert(0, str(HERE.parent))
    for name in sys.argv[1:] or PICTURES:
        with tempfile.TemporaryDirectory() as home:
            os.environ |= dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME"), home)
            os.environ["TEXTUAL_ANIMATIONS"] = "none"
            picture = asyncio.run(_take(*PICTURES[name]))
        (HERE / f"{name}.svg").write_text(picture, encoding="utf-8")


async def _take(size: tuple[int, int], theme: str, keys: tuple[str, ...]) -> str:
    from workbench.session import StartRequest, Workspace
    from workbench.session.demo import prepare_demo
    from workbench.tui.app import WorkbenchApp

    folder = prepare_demo()
    workspace = Workspace(folder)
    pack = folder / "refund-approval"
    run = workspace.create(StartRequest(pack, input=workspace.presets(pack)["small"]))
    app = WorkbenchApp(workspace, folder, run_id=run.id, theme_name=theme)
    try:
        async with app.run_test(size=size) as pilot:
            await pilot.pause(1.5)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.7)
            svg = app.export_screenshot(title="workbench")
    finally:
        workspace.close()
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace(
        "Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono"
    )


if __name__ == "__main__":
    main()
