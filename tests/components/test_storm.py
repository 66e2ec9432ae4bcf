"""Random finish, limit, pause, continue and cancel on real engines that are leased again at once.

A late epoch would show in the next call on that engine: as a trap nobody asked for.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from time import monotonic

import pytest

from tests import faults
from tests.components.stage import Stage
from workbench.components.host import Artifact
from workbench.effects.control import Stopped
from workbench.model.effect import Effect, Outcome, ok

DEADLINE = 300.0


def answers(stage: Stage, dice: random.Random) -> None:
    def answer(effect: Effect) -> Outcome:
        stage.control.check()
        if dice.random() < 0.7:
            stage.control.pause()
        else:
            stage.control.sleep(dice.choice([0, 0.0005, 0.002]))
        return ok({"status": 200, "headers": {}, "body": "1"}, "mock")

    stage.answer = answer


def one_round(stage: Stage, guests: list[Artifact], dice: random.Random) -> str:
    answers(stage, dice)
    limit = dice.choice([0.0005, 0.001, 0.003, 0.05])
    try:
        outcome = stage.call(dice.choice(guests), 1, limit=limit)
    except Stopped as stopped:
        return stopped.reason
    return "ok" if outcome.failure is None else outcome.failure.code


def storm(stage: Stage, rounds: int, workers: int, seed: int) -> Counter[str]:
    guests = [
        stage.host.load(name, wasm)
        for name, wasm in (
            ("echo", faults.echo()),
            ("http", faults.http_caller()),
            ("loop", faults.endless_loop()),
        )
    ]
    tally: Counter[str] = Counter()
    live: dict[int, Stage] = {}
    lock, over = threading.Lock(), threading.Event()

    def work(number: int) -> None:
        dice = random.Random(seed + number)
        for _ in range(rounds // workers):
            mine = live[number] = stage.fresh()
            outcome = one_round(mine, guests, dice)
            with lock:
                tally[outcome] += 1

    def meddle() -> None:
        dice = random.Random(seed)
        while not over.wait(0.0003):
            for one in list(live.values()):
                if dice.random() < 0.5:
                    one.control.resume()
                elif dice.random() < 0.05:
                    one.control.stop(dice.choice(["cancel", "exit"]))

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(workers)]
    meddler = threading.Thread(target=meddle, daemon=True)
    for thread in [*threads, meddler]:
        thread.start()
    until = monotonic() + DEADLINE
    for thread in threads:
        thread.join(max(0.0, until - monotonic()))
    assert not any(thread.is_alive() for thread in threads), "a call never came back"
    over.set()
    meddler.join(DEADLINE)
    return tally


WAYS = {"ok", "component_timeout", "cancel", "exit"}


def test_a_thousand_interleavings_on_real_engines(stage: Stage) -> None:
    tally = storm(stage, rounds=1000, workers=4, seed=11)
    assert tally.total() == 1000
    assert set(tally) <= WAYS
    assert tally["ok"] and tally["component_timeout"] and tally["cancel"]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("workers", [4, 12])
def test_twenty_thousand_interleavings_on_real_engines(stage: Stage, workers: int) -> None:
    tally = storm(stage, rounds=20_000, workers=workers, seed=workers)
    assert tally.total() == 20_000 // workers * workers
    assert set(tally) <= WAYS
