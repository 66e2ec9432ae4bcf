"""A run that could not even start leaves its `run.json` too, with the stage and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from workbench.model.clock import wall_now
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.recording.run_directory import RunDirectory
from workbench.recording.run_summary import write_early_failure
from workbench.recording.transcript import RunIds, Transcript
from workbench.session.paths import prepare_state
from workbench.session.requests import StartRequest
from workbench.session.workspace import Workspace


@contextmanager
def record_early_failure(workspace: Workspace, request: StartRequest) -> Iterator[None]:
    """Write the early failure of the block, then let it go on; a wrong command line leaves
    nothing."""
    try:
        yield
    except WorkbenchError as error:
        if error.exit_code != ExitCode.USAGE and not workspace.begun:
            with suppress(WorkbenchError, OSError):
                _record(workspace, request, error)
        raise


def _record(workspace: Workspace, request: StartRequest, error: WorkbenchError) -> None:
    now = wall_now()
    if request.artifacts_dir is not None:
        directory = RunDirectory.at(request.artifacts_dir)
    else:
        root = prepare_state(workspace.state)
        directory = RunDirectory.create(root, now, workspace.new_id())
    ids = RunIds(session_id=request.session or "none", flow_id=request.flow or "unknown")
    transcript = Transcript(directory.transcript, ids, wall_now)
    transcript.verify_failed(f"pack verification failed: {error.message}")
    transcript.close()
    write_early_failure(directory, ids, error, request.pack, now)
