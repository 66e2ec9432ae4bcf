"""A defect of our own, told as one sentence, its traceback kept in a file for whoever mends it."""

from __future__ import annotations

import traceback
from contextlib import suppress
from pathlib import Path

from workbench.model.errors import WorkbenchError
from workbench.session.paths import user_state


def internal_error(error: BaseException) -> WorkbenchError:
    """The sentence for an exception nobody expected; what happened is in `crash.txt`.

    The file holds names and lines of our own code, not the values they handled.
    """
    kind = type(error).__name__
    saved = _save(error)
    place = f"; details in {saved}" if saved is not None else ""
    return WorkbenchError("internal_error", f"the workbench itself failed ({kind}){place}")


def _save(error: BaseException) -> Path | None:
    target = user_state() / "crash.txt"
    lines = [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    with suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join([type(error).__name__, *lines, ""]), encoding="utf-8")
        return target
    return None
