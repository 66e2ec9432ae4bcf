"""A guest's clocks, dice, streams and files: from the world, into the logs, read-only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import faults
from tests.components.files import folder_maker
from tests.components.stage import LONG_AGO, Stage
from tests.faults.assembling import build
from tests.faults.core_text import Texts, node_core
from workbench.components import capture
from workbench.components.abi import AbiError
from workbench.components.capture import LARGEST_LOG
from workbench.components.shape import Interface
from workbench.components.wasi import MOST_RANDOM, overrides


def test_clock_and_dice_come_from_the_world(stage: Stage) -> None:
    value = stage.call(faults.dice_and_clock()).value
    assert value["random"] == int.from_bytes(bytes(range(8)), "little")
    assert value["seconds"] == LONG_AGO // 1_000_000 and value["nanoseconds"] == 0
    assert value["monotonic"] == LONG_AGO * 1000
    assert stage.world.position == 8
    stage.world.time += 1_500_250
    value = stage.call(faults.dice_and_clock()).value
    assert value["random"] == int.from_bytes(bytes(range(8, 16)), "little")
    assert value["nanoseconds"] == 500_250_000


def test_the_same_world_gives_the_same_answers(stage: Stage) -> None:
    first, second = stage.fresh(), stage.fresh()
    assert first.call(faults.dice_and_clock()) == second.call(faults.dice_and_clock())


def test_what_is_left_to_wasmtime() -> None:
    clock = "wasi:clocks/monotonic-clock@0.2.6"
    assert set(overrides(Interface(clock, {"now": None})) or ()) == {"now"}
    unknown = Interface(clock, {"now": None, "brand-new": None})
    assert overrides(unknown) is None, "half an interface cannot be taken over"
    assert overrides(Interface("wasi:io/poll@0.2.6", {"poll": None})) is None


def test_random_requests_are_bounded(stage: Stage) -> None:
    served = overrides(Interface("wasi:random/random@0.2.6", {"get-random-bytes": None}))
    assert served is not None
    with pytest.raises(AbiError):
        served["get-random-bytes"](stage, [MOST_RANDOM + 1])  # type: ignore[arg-type]


def test_assets_are_there_and_read_only(stage: Stage, tmp_path: Path) -> None:
    guest = folder_maker(stage.host)
    assert stage.call(guest).value[0] == "", "nothing is opened unless it is given"
    assert stage.call(guest, assets=tmp_path).value == ["/assets", "not-permitted"]
    assert list(tmp_path.iterdir()) == []


def test_an_assets_folder_that_is_gone(stage: Stage, tmp_path: Path) -> None:
    guest = folder_maker(stage.host)
    assert stage.call(guest, assets=tmp_path / "none").value[0] == ""


def chatterbox(writes: int) -> bytes:
    """Prints 4,000 bytes as often as it is told."""
    texts = Texts()
    write = "[method]output-stream.blocking-write-and-flush"
    imports = (
        wasi("cli/stdout", "get-stdout", "stdout", "(result i32)")
        + wasi("io/streams", write, "write", "(param i32 i32 i32 i32)")
        + wasi("io/streams", "output-stream_drop", "close", "(param i32)")
    )
    body = f"""(local $to i32) (local $left i32)
    (local.set $to (call $stdout)) (local.set $left (i32.const {writes}))
    (loop $more
      (call $write (local.get $to) {texts.at("chatter " * 500)} (i32.const 512))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $close (local.get $to))
    (call $ok {texts.at('{"said":true}')})"""
    return build("node-v05-wasi", node_core(body, texts, imports=imports))


def wasi(interface: str, name: str, label: str, kind: str) -> str:
    return f'(import "cm32p2|wasi:{interface}@0.2" "{name}" (func ${label} {kind}))'


def test_the_middle_of_too_much_output_is_left_out(stage: Stage) -> None:
    logs = stage.call(chatterbox(100)).logs
    assert logs.startswith("chatter chatter") and logs.endswith("chatter ")
    assert f"\n… {400_000 - LARGEST_LOG} bytes left out …\n" in logs
    assert len(logs) < LARGEST_LOG + 50


def test_endless_output_takes_no_room(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files are swept while the guest prints; how it began and ended is still told."""
    monkeypatch.setattr(capture, "SWEEP_S", 0.001)
    monkeypatch.setattr(capture, "LARGEST_FILE", 512 << 10)
    monkeypatch.setattr(stage.host, "_sweeper", capture.Sweeper())
    monkeypatch.setattr(stage.host, "_idle", [])
    outcome = stage.call(chatterbox(3000))
    assert outcome.ok
    assert outcome.logs.startswith("chatter chatter") and outcome.logs.endswith("chatter ")
    assert "bytes left out" in outcome.logs and "\0" not in outcome.logs
    assert len(outcome.logs) < LARGEST_LOG + 50
    stage.host._sweeper.close()


def test_a_trimmed_file_goes_on() -> None:
    printed = capture.Capture()
    half = LARGEST_LOG // 2
    with open(printed.paths[0].decode(), "wb", buffering=0) as guest:
        guest.write(b"a" * LARGEST_LOG)
        printed.trim(LARGEST_LOG)
        assert len(printed.text()) == LARGEST_LOG, "not more than allowed yet"
        guest.write(b"b")
        printed.trim(LARGEST_LOG)
        assert os.stat(guest.fileno()).st_blocks == 0
        assert printed.text() == "a" * half + "\n… 1 bytes left out …\n" + "a" * (half - 1) + "b"
        guest.write(b"c" * 10)
        ended = "a" * (half - 11) + "b" + "c" * 10
        assert printed.text() == "a" * half + "\n… 11 bytes left out …\n" + ended
        printed.trim(5)
        assert printed.text() == "a" * half + "\n… 11 bytes left out …\n" + ended
    printed.rewind()
    assert printed.text() == ""
    printed.close()
