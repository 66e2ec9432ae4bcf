"""The ticket around write transactions is first come, first served, and survives interrupts."""

from __future__ import annotations

import threading

import pytest

from workbench.store.locks import Ticket, ticket_for


class _Impatient:
    """A lock whose second acquire is interrupted, as by Ctrl-C while waiting for a turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    def acquire(self) -> bool:
        self._taken += 1
        if self._taken == 2:
            raise KeyboardInterrupt
        return self._lock.acquire()

    def release(self) -> None:
        self._lock.release()


def test_turns_come_in_the_order_of_asking() -> None:
    ticket = Ticket()
    order: list[int] = []

    def take(number: int) -> None:
        with ticket:
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(12)]
    with ticket:
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            while ticket.waiting < waiting and thread.is_alive():
                pass
    for thread in threads:
        thread.join(10)
    assert order == list(range(12))
    assert ticket.waiting == 0


def test_only_one_holds_it() -> None:
    ticket, inside, most = Ticket(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(300):
            with ticket:
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (most, inside) == (1, 0)


def test_an_interrupt_while_waiting_leaves_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = Ticket()
    monkeypatch.setattr("workbench.store.locks.new_turn", _Impatient)
    with ticket:
        with pytest.raises(KeyboardInterrupt), ticket:
            pass
        assert ticket.waiting == 0
    with ticket:
        pass


def test_an_exception_inside_gives_the_ticket_back() -> None:
    ticket = Ticket()
    with pytest.raises(ZeroDivisionError), ticket:
        raise ZeroDivisionError
    with ticket:
        pass


def test_one_file_has_one_ticket(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tickets")
    (folder / "link").symlink_to(folder / "journal.db")
    assert ticket_for(folder / "journal.db") is ticket_for(folder / "link")
    assert ticket_for(folder / "journal.db") is not ticket_for(folder / "other.db")
