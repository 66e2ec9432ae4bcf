"""The status row of a run as words: state, node, step, clock, network, waits. Pure."""

from __future__ import annotations

from workbench.session.settings import Rerun
from workbench.tui.run_model import RunModel
from workbench.tui.widgets.status_strip import StripState

_RERUN = {
    "off": ("", ""),
    "here": ("on save: to here", "save→here"),
    "whole": ("on save: whole", "save→whole"),
}
_STATUS = {"finished": "DONE", "failed": "FAILED", "cancelled": "CANCELLED"}


def strip_state(model: RunModel, waits: int, rerun: Rerun = "off") -> StripState:
    """What row 1 says about a run at the moment looked at, and what a save would do to it."""
    run = model.run
    state, reason, bad = _state(model)
    shown = model.step_at(model.current or "")
    clock = model.clock or "stopped"
    return StripState(
        pack=run.pack_id,
        pack_version=run.pack_version,
        flow=run.flow_id,
        run=f"run {run.number}",
        state=state,
        reason=reason,
        bad=bad,
        node=_where(model),
        step=str(shown.ordinal if shown is not None else model.now),
        clock=clock,
        clock_short=_short_clock(clock),
        network=model.network,
        network_short="off" if model.network == "offline" else "live",
        waits=waits,
        note=_RERUN[rerun][0],
        note_short=_RERUN[rerun][1],
    )


def _where(model: RunModel) -> str:
    """The node in question; every one that waits when nothing else can go on."""
    if model.parked and not model.past:
        waiting = {wait.signal for wait in model.open_waits}
        return ", ".join(at.where for at in model.run.cursor if at.where in waiting)
    return model.current or ""


def _state(model: RunModel) -> tuple[str, str, bool]:
    """The state word, what follows it, and whether it is a failure."""
    if model.past:
        return "PAUSED", "looking back", False
    pause = model.pause
    if pause is not None:
        if pause.reason == "failure":
            return "PAUSED", "on error", True
        return "PAUSED", "on an effect" if pause.reason in ("effect", "missing") else "", False
    if model.run.status == "waiting":
        return "WAITING", "", False
    if model.run.ended:
        return _STATUS[model.run.status], "", model.run.status == "failed"
    if model.live:
        return "RUNNING", "", False
    if model.run.origin == "observed":
        return "RUNNING", "outside", False
    return "PAUSED", "" if model.run.status == "created" else "as left", False


def _short_clock(clock: str) -> str:
    """The offset in brackets when there is one, else the first word."""
    if "(" in clock:
        return clock[clock.index("(") + 1 : clock.rindex(")")]
    return clock.split(" ")[0]
