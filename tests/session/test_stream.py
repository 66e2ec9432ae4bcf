"""The stream of facts: numbered without gaps for whoever reads, free when nobody does."""

from __future__ import annotations

from workbench.session.stream import EventStream


def test_a_reader_sees_what_comes_from_now_on_in_order_and_without_gaps() -> None:
    stream = EventStream(lambda: 7)
    stream.emit("notice", subject="nobody hears this")
    reader = stream.subscribe()
    for word in ("a", "b", "c"):
        stream.emit("notice", "run", word)
    events = reader.take()
    assert [event.subject for event in events] == ["a", "b", "c"]
    first = events[0].seq
    assert [event.seq for event in events] == [first, first + 1, first + 2]


def test_who_left_hears_nothing_more() -> None:
    stream = EventStream(lambda: 7)
    reader, other = stream.subscribe(), stream.subscribe()
    stream.unsubscribe(reader)
    stream.emit("notice")
    assert reader.take() == []
    assert len(other.take()) == 1


def test_a_reader_is_woken_once_for_what_it_has_not_taken() -> None:
    stream, calls = EventStream(lambda: 7), [0]

    def wake() -> None:
        calls[0] += 1

    reader = stream.subscribe()
    stream.emit("notice")
    reader.wake_with(wake)
    assert calls == [1]  # for what was there already
    stream.emit("notice")
    assert calls == [1]
    assert len(reader.take(1)) == 1
    assert calls == [2]  # one is left
    reader.take()
    assert calls == [2]
    stream.emit("notice")
    assert calls == [3]
