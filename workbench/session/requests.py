"""What a face asks for: a run to start, and how to drive one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.model.stepping import Mode
from workbench.model.values import Json


class StartRequest(msgspec.Struct, frozen=True):
    """What to run. `flow` None takes the pack's entry flow; `mocks` None the pack's own
    `mocks.toml` when it has one; limits are milliseconds; `entry` names another way into the flow
    than its start; `run_id` is the id somebody chose for the run, "" makes one; `generation`
    is how many runs started each other before it."""

    pack: Path
    flow: str | None = None
    input: Json = None
    mocks: Path | None = None
    pins: dict[str, Json] = {}
    answers: dict[str, Json] = {}
    semantics: str = "current"
    session: str = ""
    seed: int = 0
    node_timeout_ms: int = 30_000
    run_timeout_ms: int = 600_000
    artifacts_dir: Path | None = None
    run_id: str = ""
    generation: int = 0
    entry: str = ""


class ComponentQuestion(msgspec.Struct, frozen=True):
    """One call of a component without a run. Without an operation the component is asked to
    describe itself; `mocks` and the limit are as for a run."""

    component: str
    operation: str = ""
    input: Json = None
    mocks: Path | None = None
    seed: int = 0
    timeout_ms: int = 30_000


class DriveMode(msgspec.Struct, frozen=True):
    """How a run is driven: the stepping mode it begins in, and what pauses it. `may_repeat`
    lets a live request that may have run already be made again."""

    mode: Mode = "run"
    pause_on_failure: bool = False
    pause_on_missing: bool = False
    may_repeat: bool = False

    @property
    def asks(self) -> bool:
        """Whether someone is there to be asked when a run stands still."""
        return self.mode != "run" or self.pause_on_failure or self.pause_on_missing


HEADLESS = DriveMode()
STEPPING = DriveMode("into", pause_on_failure=True, pause_on_missing=True)
RUNNING = DriveMode("run", pause_on_failure=True, pause_on_missing=True)
