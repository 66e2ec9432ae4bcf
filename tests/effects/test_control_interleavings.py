"""Random finish, limit, pause, continue and cancel: no hang, no late interrupt.

The guests here are counters. `tests/components` does the same with real engines.
"""

from __future__ import annotations

import queue
import random
import threading
from time import monotonic

import pytest

from workbench.effects.control import RunControl, Stopped, Watchdog

DEADLINE = 60.0


class Lease:
    """Stands for a leased engine: an interrupt outside its call is a late hit."""

    def __init__(self) -> None:
        self.in_use = False
        self.hit = threading.Event()
        self.late = 0

    def interrupt(self) -> None:
        if not self.in_use:
            self.late += 1
        self.hit.set()


class Tally:
    def __init__(self) -> None:
        self.late = 0
        self.paused_limits = 0
        self.outcomes: dict[str, int] = {}

    def count(self, outcome: str) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def one_call(control: RunControl, lease: Lease, dice: random.Random) -> str:
    """Up to three host calls, some of which pause; a guest that runs on until interrupted."""
    control.enter(None, dice.choice([0.0005, 0.002, 0.05]), "node")
    lease.hit.clear()
    try:
        control.enter(lease.interrupt, None, "call")
        lease.in_use = True
        try:
            for _ in range(dice.randint(0, 3)):
                control.check()
                if dice.random() < 0.7:
                    control.pause()
                else:
                    control.sleep(dice.choice([0, 0.0005, 0.001]))
            if dice.random() < 0.5:
                lease.hit.wait(DEADLINE)  # a loop that only the interrupt ends
                return "interrupted"
            return "finished"
        finally:
            control.leave()
            lease.in_use = False
    except Stopped as stopped:
        return stopped.reason
    finally:
        control.leave()


def storm(rounds: int, workers: int, seed: int) -> Tally:
    watchdog, tally, lock = Watchdog(), Tally(), threading.Lock()
    live: dict[int, RunControl] = {}
    over = threading.Event()
    leases: queue.SimpleQueue[Lease] = queue.SimpleQueue()

    def work(number: int) -> None:
        dice = random.Random(seed + number)
        for _ in range(rounds // workers):
            try:
                lease = leases.get_nowait()
            except queue.Empty:
                lease = Lease()
            control = RunControl(watchdog)
            live[number] = control
            outcome = one_call(control, lease, dice)
            with lock:
                tally.count(outcome)
                tally.late += lease.late
            lease.late = 0
            leases.put(lease)

    def meddle() -> None:
        dice = random.Random(seed)
        while not over.wait(0.0002):
            for control in list(live.values()):
                if dice.random() < 0.5:
                    control.resume()
                elif dice.random() < 0.05:
                    control.stop(dice.choice(["cancel", "exit"]))

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
    watchdog.close()
    return tally


def test_a_thousand_interleavings_neither_hang_nor_hit_late() -> None:
    tally = storm(rounds=1000, workers=4, seed=7)
    assert tally.late == 0
    assert sum(tally.outcomes.values()) == 1000
    assert {"finished", "interrupted", "node_limit", "cancel"} <= set(tally.outcomes)


@pytest.mark.long
@pytest.mark.parametrize("workers", [4, 12])
def test_twenty_thousand_interleavings(workers: int) -> None:
    tally = storm(rounds=20_000, workers=workers, seed=workers)
    assert tally.late == 0
    assert sum(tally.outcomes.values()) == 20_000 // workers * workers


def test_one_resume_for_each_pause_is_enough() -> None:
    watchdog = Watchdog()
    control = RunControl(watchdog)
    went_on = threading.Semaphore(0)

    def work() -> None:
        for _ in range(300):
            with control.scope(None, 30, "node"):
                control.pause()
            went_on.release()

    threading.Thread(target=work, daemon=True).start()
    for _ in range(300):
        assert control.wait_paused(DEADLINE)
        control.resume()
        assert went_on.acquire(timeout=DEADLINE), "a resume was lost"
    watchdog.close()
