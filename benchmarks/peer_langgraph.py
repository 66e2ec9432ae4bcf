"""The same line of nodes in LangGraph, for `bench_engine`. Imported only when it is installed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict

from benchmarks.rounds import Work


class State(TypedDict):
    """What flows along the line."""

    turn: int
    items: list[Any]


def installed() -> bool:
    """Whether LangGraph and its SQLite checkpointer can be imported."""
    return all(find_spec(name) for name in ("langgraph", "langgraph.checkpoint.sqlite"))


def invoked(nodes: int, state: Any) -> Work:
    """The seconds of a node in a run without checkpointer."""
    graph = _line(nodes, None)
    return _timed(graph, nodes, state, {})


@contextmanager
def saved(path: Path, nodes: int, state: Any) -> Iterator[Work]:
    """The seconds of a node in a run saved to SQLite after every node."""
    saver_class: Any = import_module("langgraph.checkpoint.sqlite").SqliteSaver
    with saver_class.from_conn_string(str(path)) as saver:
        yield _timed(_line(nodes, saver), nodes, state, {"durability": "sync"})


def _timed(graph: Any, nodes: int, state: Any, how: dict[str, Any]) -> Work:
    runs = 0

    def work() -> float:
        nonlocal runs
        runs += 1
        config = {"configurable": {"thread_id": str(runs)}, "recursion_limit": nodes + 10}
        start = time.perf_counter()
        result = graph.invoke(state, config, **how)
        seconds = time.perf_counter() - start
        assert result["turn"] == nodes
        return seconds / nodes

    return work


def _line(nodes: int, saver: Any) -> Any:
    peer: Any = import_module("langgraph.graph")
    graph = peer.StateGraph(State)
    for number in range(1, nodes + 1):
        graph.add_node(f"n{number}", lambda state, number=number: {"turn": number})
        graph.add_edge(peer.START if number == 1 else f"n{number - 1}", f"n{number}")
    graph.add_edge(f"n{nodes}", peer.END)
    return graph.compile(checkpointer=saver)
