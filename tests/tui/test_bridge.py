"""The pace of the screen: at once after a silence, never more than thirty drains a second."""

from __future__ import annotations

import asyncio

from workbench.session.stream import EventStream
from workbench.tui.bridge import GATHER, Drain, Happened, Pace


def test_a_flood_is_drained_at_most_thirty_times_in_any_second_and_a_key_at_once() -> None:
    pace, now, drains = Pace(), 100.0, []
    while now < 105:
        now += pace.wait(now)
        drains.append(now)
    assert max(sum(at <= one < at + 1 for one in drains) for at in drains) <= 30
    assert len([at for at in drains if at > 101]) >= 100  # and hardly less
    now += 1
    assert [pace.wait(now), pace.wait(now + 0.01)] == [GATHER, GATHER]


def test_a_drain_is_woken_by_the_first_fact_and_takes_those_that_follow_with_it() -> None:
    async def script() -> None:
        stream = EventStream(lambda: 7)
        drain, arrived = Drain(stream.subscribe()), asyncio.Event()
        taken: list[Happened] = []

        def pump() -> None:
            batch = drain.take()
            assert batch is not None  # never called for nothing
            taken.append(batch)
            if sum(len(one.events) for one in taken) == 3:
                arrived.set()

        drain.start(pump)

        for _ in range(3):  # the loop cannot turn in between
            stream.emit("notice")
        await asyncio.wait_for(arrived.wait(), 5)
        assert len(taken) == 1

    asyncio.run(script())


def test_a_fact_after_the_loop_has_ended_harms_nobody() -> None:
    stream = EventStream(lambda: 7)
    drain = Drain(stream.subscribe())

    async def script() -> None:
        drain.start(lambda: None)

    asyncio.run(script())
    stream.emit("notice")
    assert drain.take() is not None
