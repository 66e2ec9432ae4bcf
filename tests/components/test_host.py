"""The host as a whole: many calls at once, calls in calls, and closing it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests import faults
from tests.components.stage import SOON, Stage, failure_code, new_host, on_thread
from workbench.components.host import MOST_IDLE_SEATS
from workbench.effects.control import Watchdog
from workbench.model.effect import Effect, Outcome, ok


def test_many_threads_get_their_own_answers(stage: Stage) -> None:
    echo = stage.host.load("echo", faults.echo())
    trap = stage.host.load("trap", faults.trap())
    wrong: list[object] = []

    def work(number: int) -> None:
        mine = stage.fresh()
        for n in range(60):
            if n % 3 == 0:
                failure = mine.call(trap).failure
                if failure is None or failure.code != "component_trap":
                    wrong.append(failure)
            elif mine.call(echo, [number, n]).value != [number, n]:
                wrong.append((number, n))

    for run in [on_thread(lambda number=number: work(number)) for number in range(6)]:  # type: ignore[misc]
        run.result(60)
    assert wrong == []


def test_idle_engines_are_not_hoarded(stage: Stage) -> None:
    stages = [stage.fresh() for _ in range(MOST_IDLE_SEATS + 3)]
    together = threading.Barrier(len(stages))

    def answer(effect: Effect) -> Outcome:
        together.wait(SOON)
        return ok({"status": 200, "body": "1"})

    guest = stage.host.load("http", faults.http_caller())
    for one in stages:
        one.answer = answer
    runs = [on_thread(lambda one=one: one.call(guest)) for one in stages]  # type: ignore[misc]
    assert [run.result(SOON).value for run in runs] == [1] * len(stages)
    assert len(stage.host._idle) <= MOST_IDLE_SEATS


def test_closing_the_host_stops_what_runs(tmp_path: Path) -> None:
    watchdog, host = Watchdog(), new_host(tmp_path)
    stage = Stage(host, watchdog)
    guest = host.load("loop", faults.endless_loop())
    run = on_thread(lambda: stage.call(guest))
    while not host._leased:
        assert not run.done()
    host.close()
    failure = run.result(SOON).failure
    assert failure is not None and failure.code == "component_cancelled"
    assert failure_code(stage.call(guest)) == "component_cancelled"
    host.close()
    host.warm("late", faults.echo)
    watchdog.close()


def test_the_room_opens_without_wasmtime() -> None:
    import subprocess
    import sys

    code = (
        "import sys, workbench.components as room; assert 'wasmtime' not in sys.modules;"
        "room.ComponentHost; assert 'wasmtime' in sys.modules;"
        "print(sorted(room.__all__))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "ComponentLink" in told.stdout
    import workbench.components as room

    with pytest.raises(AttributeError):
        room.Nothing  # noqa: B018
