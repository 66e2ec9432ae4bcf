"""The cache of compiled components: found again, private, repaired, compiled once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import faults
from tests.components.stage import SOON, Clockwork, new_host, on_thread
from workbench.components import artifacts
from workbench.components.artifacts import ArtifactCache, new_engine
from workbench.components.host import ComponentHost
from workbench.components.worlds import CallRequest
from workbench.effects.control import RunControl, Watchdog
from workbench.model.effect import Outcome, ok
from workbench.model.errors import WorkbenchError
from workbench.model.values import sha256

ECHO = faults.echo()
DIGEST = sha256(ECHO)


class Compiles:
    """Counts compiles; as `on_compile` of a host."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def __call__(self, name: str, size: int) -> None:
        self.seen.append((name, size))


@pytest.fixture
def compiles() -> Compiles:
    return Compiles()


def compiled_files(folder: Path) -> list[Path]:
    return sorted((folder / "components").iterdir())


def called(host: ComponentHost, name: str = "echo") -> Outcome:
    watchdog = Watchdog()
    try:
        return host.call(
            host.load(name, ECHO),
            CallRequest("run", 7),
            perform=lambda effect: ok(),
            control=RunControl(watchdog),
            world=Clockwork(),
        )
    finally:
        watchdog.close()


def test_compiled_once_and_found_by_the_next_process(tmp_path: Path, compiles: Compiles) -> None:
    first = new_host(tmp_path, on_compile=compiles)
    assert not first.cached(DIGEST)
    assert first.load("echo", ECHO).sha256 == DIGEST
    assert first.load("again", ECHO).name == "again"
    assert compiles.seen == [("echo", len(ECHO))]
    first.close()
    second = new_host(tmp_path, on_compile=compiles)
    assert second.cached(DIGEST)
    assert called(second).value == 7
    assert len(compiles.seen) == 1
    second.close()


def test_the_bytes_are_not_asked_for_when_the_compiled_form_is_there(tmp_path: Path) -> None:
    first = new_host(tmp_path)
    first.load("echo", ECHO)
    first.close()

    def read() -> bytes:
        raise AssertionError("there is nothing to compile")

    second = new_host(tmp_path)
    assert second.load("echo", read, DIGEST).world == "greentic:component/node@0.5.0"
    second.close()


def test_the_cache_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "components"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    host = new_host(tmp_path)
    host.load("echo", ECHO)
    assert folder.stat().st_mode & 0o777 == 0o700
    (compiled,) = compiled_files(tmp_path)
    assert compiled.stat().st_mode & 0o777 == 0o600
    assert DIGEST in compiled.name and artifacts.SETTINGS in compiled.name
    host.close()


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"x" + data[1:]]
)
def test_a_damaged_file_is_compiled_again(
    tmp_path: Path, compiles: Compiles, damage: Callable[[bytes], bytes]
) -> None:
    first = new_host(tmp_path)
    first.load("echo", ECHO)
    first.close()
    (compiled,) = compiled_files(tmp_path)
    compiled.write_bytes(damage(compiled.read_bytes()))
    second = new_host(tmp_path, on_compile=compiles)
    assert called(second).value == 7
    assert len(compiles.seen) == 1
    second.close()


def test_a_file_removed_while_in_use_is_compiled_again(tmp_path: Path, compiles: Compiles) -> None:
    host = new_host(tmp_path, on_compile=compiles)
    artifact = host.load("echo", ECHO)
    (compiled,) = compiled_files(tmp_path)
    compiled.unlink()
    assert called(host, artifact.name).value == 7
    assert len(compiles.seen) == 2
    host.close()


def test_a_file_that_is_not_what_it_was_said_to_be(tmp_path: Path) -> None:
    host = new_host(tmp_path)
    with pytest.raises(WorkbenchError) as caught:
        host.load("echo", ECHO, "0" * 64)
    assert caught.value.code == "component_digest"
    host.close()


def test_a_compiled_form_is_not_run_for_a_file_that_is_another(
    tmp_path: Path, compiles: Compiles
) -> None:
    """The digest alone finds the compiled form; what tells files apart says which to compare."""
    new_host(tmp_path, on_compile=compiles).load("echo", ECHO, DIGEST, "1-aa")
    reads: list[str] = []

    def read() -> bytes:
        reads.append("again")
        return ECHO

    host = new_host(tmp_path, on_compile=compiles)
    host.load("echo", read, DIGEST, "1-aa")
    assert (reads, len(compiles.seen)) == ([], 1)  # compared by the process before
    host.load("copy", read, DIGEST, "2-bb")
    host.load("copy", read, DIGEST, "2-bb")
    assert (reads, len(compiles.seen)) == (["again"], 1)
    with pytest.raises(WorkbenchError) as caught:
        host.load("edited", lambda: faults.trap(), DIGEST, "3-cc")
    assert caught.value.code == "component_digest"
    host.close()


def test_many_threads_compile_once(tmp_path: Path, compiles: Compiles) -> None:
    host = new_host(tmp_path, on_compile=compiles)
    start = threading.Barrier(6)

    def load() -> str:
        start.wait(SOON)
        return host.load("echo", ECHO).sha256

    assert {run.result(SOON) for run in [on_thread(load) for _ in range(6)]} == {DIGEST}
    assert len(compiles.seen) == 1
    host.close()


def test_a_directory_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiles: Compiles
) -> None:
    def broken(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", broken)
    host = new_host(tmp_path, on_compile=compiles)
    assert called(host).value == 7
    assert host.cached(DIGEST)
    assert len(compiles.seen) == 1, "kept in memory instead"
    assert compiled_files(tmp_path) == [], "and nothing half written is left"
    host.close()


def test_somebody_elses_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    host = new_host(tmp_path)
    with pytest.raises(WorkbenchError) as caught:
        host.load("echo", ECHO)
    assert caught.value.code == "component_cache_unsafe"
    host.close()


def test_an_old_file_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ArtifactCache(tmp_path)
    engine = new_engine()
    cache.open(engine, "echo", DIGEST, lambda: ECHO)
    os.utime(cache.path(DIGEST), (1, 1))
    monkeypatch.setattr(artifacts, "LARGEST_CACHE", 30_000)
    other = faults.trap()
    cache.open(engine, "trap", sha256(other), lambda: other)
    assert cache.has(sha256(other)) and not cache.has(DIGEST)


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "component.wasm"
    path.write_bytes(ECHO)
    was = path.stat()
    host = new_host(tmp_path)
    assert host.load_file("echo", path).sha256 == DIGEST
    path.write_bytes(ECHO[::-1])
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))  # now only reading it would tell
    assert host.load_file("echo", path).sha256 == DIGEST
    path.write_bytes(faults.trap())
    assert host.load_file("echo", path).sha256 == sha256(faults.trap())
    host.close()


def test_warming_compiles_in_the_background(tmp_path: Path) -> None:
    done = threading.Event()
    seen: list[str] = []

    def on_compile(name: str, size: int) -> None:
        seen.append(threading.current_thread().name)
        if name == "last":
            done.set()

    host = new_host(tmp_path, on_compile=on_compile)
    host.warm("broken", lambda: faults.garbage(), None)
    host.warm("echo", lambda: ECHO, DIGEST)
    host.warm("last", faults.trap)
    assert done.wait(SOON)
    assert host.cached(DIGEST)
    assert set(seen) == {"workbench-compile"}
    host.close()
