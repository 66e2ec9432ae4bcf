"""Flows that are lines of nodes, run through the whole session, for `bench_engine`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from benchmarks.bench_store import state_of
from benchmarks.rounds import Work
from workbench.components import ComponentHost
from workbench.components.worlds import CallRequest
from workbench.effects.chain import unavailable
from workbench.effects.control import RunControl, Watchdog
from workbench.mocks import MockWorld, read_mocks
from workbench.model.journal import Change, Store
from workbench.model.run import Run
from workbench.model.values import Json, encode
from workbench.session import Workspace
from workbench.session.requests import DriveMode, StartRequest
from workbench.store import open_store
from workbench.store.sqlite import SqliteStore

SAMPLE_PACK = Path(__file__).resolve().parent.parent / "sample_packs" / "refund-approval"
LIMIT_S = 120.0
PAUSED_AT_START = DriveMode("into")


class FullStore(SqliteStore):
    """Waits for the disk at every commit."""

    def commit(self, change: Change) -> Run:
        return super().commit(msgspec.structs.replace(change, full=True))


class Line:
    """A pack with one flow, and a workspace to run it in; calling it times one run, for which
    `run_input` is given a new number."""

    def __init__(
        self,
        root: Path,
        nodes: dict[str, Json],
        run_input: Callable[[int], Json],
        store: Store,
        components: tuple[str, ...] = (),
    ) -> None:
        self.nodes = len(nodes)
        self.store = store
        self._run_id = ""
        self._inputs = map(run_input, count(1))
        self._workspace = Workspace(root, store=store, cache=root.parent / "cache")
        pack = _pack(root / "pack", nodes, components)
        self._request = StartRequest(pack=pack)

    def __call__(self) -> float:
        """The seconds of one node of a run that ends well."""
        request = msgspec.structs.replace(self._request, input=next(self._inputs))
        run = self._workspace.start(request, PAUSED_AT_START)
        self._run_id = run.id
        live = self._workspace.live(run.id)
        assert live is not None and live.control.wait_paused(LIMIT_S)
        start = time.perf_counter()
        live.go("run")
        ended = live.join(LIMIT_S)
        seconds = time.perf_counter() - start
        assert ended and live.run.status == "finished", live.run
        return seconds / self.nodes

    def calls(self) -> float:
        """The seconds of one node's effect in a run: the call through the chain, as the run
        itself noted it (whole microseconds), without rendering, routing, journal or transcript."""
        self()
        spent = [step.duration_us for step in self.store.steps(self._run_id)]
        return sum(spent) / len(spent) / 1e6

    def close(self) -> None:
        self._workspace.close()


@contextmanager
def no_op_line(
    root: Path, nodes: int, size: int, *, journal: bool = True, full: bool = False
) -> Iterator[Work]:
    """A line of no-op nodes, each handing on about `size` bytes with one field changed."""
    line: dict[str, Json] = {}
    for number in range(1, nodes + 1):
        source = "prev" if number > 1 else "entry"
        given = {"turn": number, "items": f"{{{{{source}.items}}}}"}
        line[f"n{number}"] = {"qa.process": {"input": given}}
    store = _store(root, journal, full)
    with closing(Line(root, line, lambda number: state_of(size, number), store)) as work:
        yield work


@dataclass(frozen=True)
class Sample:
    """A call of a sample component that asks nothing of its host."""

    component: str
    operation: str
    input: Json


SAMPLES = (
    Sample("refunds.letter", "number", {"order": "2041", "charge": "ch_77"}),
    Sample(
        "refunds.risk",
        "score",
        {"order": "2041", "amount": 512, "currency": "USD", "iban": "DE89370400440532013000"},
    ),
)


@contextmanager
def component_line(root: Path, nodes: int, sample: Sample, *, journal: bool) -> Iterator[Line]:
    """A line of nodes that all make the sample's call."""
    call = {"component": sample.component, "input": sample.input}
    node = {"component.exec": call, "operation": sample.operation}
    line = {f"n{number}": node for number in range(1, nodes + 1)}
    store, components = _store(root, journal), (sample.component,)
    with closing(Line(root, line, lambda number: {"run": number}, store, components)) as work:
        yield work


@contextmanager
def component_alone(cache: Path, calls: int, sample: Sample) -> Iterator[Work]:
    """The same call made of the component host, within a node's time limit."""
    host, watchdog = ComponentHost(cache / "components"), Watchdog()
    control, world = RunControl(watchdog), MockWorld(read_mocks(None))
    artifact = host.load_file(sample.component, _wasm(sample.component))
    request = CallRequest(sample.operation, sample.input, flow_id="main", node_id="n1")

    def work() -> float:
        good = 0
        start = time.perf_counter()
        for _ in range(calls):
            with control.scope(None, LIMIT_S, "node"):
                outcome = host.call(
                    artifact, request, perform=unavailable, control=control, world=world
                )
            good += outcome.ok
        seconds = time.perf_counter() - start
        assert good == calls
        return seconds / calls

    with closing(host), closing(watchdog):
        yield work


def _store(root: Path, journal: bool, full: bool = False) -> Store:
    if not journal:
        return open_store(None)
    return (FullStore if full else SqliteStore)(root / "workbench.db")


def _pack(root: Path, nodes: dict[str, Json], components: tuple[str, ...]) -> Path:
    """A source pack of one flow whose nodes stand in a line; JSON is YAML."""
    names = list(nodes)
    line = {
        name: {**node, "routing": [{"to": after}] if after else "out"}
        for (name, node), after in zip(nodes.items(), [*names[1:], None], strict=True)
    }
    flow = {"id": "main", "type": "messaging", "start": names[0], "nodes": line}
    (root / "flows").mkdir(parents=True)
    (root / "flows" / "main.ygtc").write_bytes(encode(flow))
    entry = {"id": "main", "file": "flows/main.ygtc", "tags": ["default"]}
    listed = [{"id": name, "wasm": f"{name}.wasm"} for name in components]
    pack = {"pack_id": "bench", "version": "1.0.0", "flows": [entry], "components": listed}
    (root / "pack.yaml").write_bytes(encode(pack))
    for name in components:
        (root / f"{name}.wasm").write_bytes(_wasm(name).read_bytes())
    return root


def _wasm(component: str) -> Path:
    return SAMPLE_PACK / "components" / f"{component}.wasm"
