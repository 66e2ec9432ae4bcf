"""What the stream tells: only what is in the journal, without gaps, and never a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tests import faults
from tests.cli.packs import call, write_pack
from tests.session.conftest import asking
from tests.session.desk import Open, standing, step
from tests.session.others import following
from workbench.model.events import Event
from workbench.model.waits import Resolution
from workbench.session import RUNNING, STEPPING, StartRequest


def test_what_the_stream_tells_is_in_the_journal_already(reopen: Open, worldly: Path) -> None:
    """Every fact, checked by another connection the moment it is heard."""
    workspace, other = reopen(), reopen()
    reader = workspace.events.subscribe()
    seen: list[Event] = []
    workspace.start(StartRequest(worldly, input={"n": 1}))
    for event in following(reader):
        seen.append(event)
        subject = event.subject
        if event.kind in ("step.started", "step.ended"):
            row = other.steps(event.run_id)[subject.ordinal - 1]
            assert event.kind == "step.started" or row == subject
        elif event.kind == "wait.opened":
            assert other.store.wait(subject.key_id) is not None
        elif event.kind == "run.changed":
            assert other.find_run(event.run_id).revision >= subject.revision
            if subject.status == "waiting":
                break
    assert [event.seq for event in seen] == list(range(seen[0].seq, seen[0].seq + len(seen)))
    assert seen[0].kind == "run.created"
    told = [
        (event.kind, event.subject.ordinal)
        for event in seen
        if event.kind in ("step.started", "step.ended") and event.subject.component != "flow.call"
    ]
    expected = [(kind, n) for n in (1, 2, 3, 4, 6, 7) for kind in ("step.started", "step.ended")]
    assert told == [*expected, ("step.started", 8)]


def test_a_reader_that_is_slow_loses_the_oldest_and_is_told_how_many(
    reopen: Open, worldly: Path
) -> None:
    workspace = reopen()
    slow, fast = workspace.events.subscribe(bound=5), workspace.events.subscribe()
    workspace.run_here(StartRequest(worldly, input={"n": 1}))
    everything, rest = fast.take(), slow.take()
    assert rest == everything[-5:]
    assert slow.lost() == len(everything) - 5
    assert slow.lost() == fast.lost() == 0


SECRET = "mango-tango-41-not-real"


def test_no_secret_is_ever_told(tmp_path: Path, reopen: Open) -> None:
    """In an input, an output, an edited input, a pin, an answer, a failure, a log."""
    broken = faults.structured_error(code="BAD", message=f"no {SECRET} here", retryable=False)
    pack = write_pack(
        tmp_path / "telling",
        {"main": {"key": call("keeper", {}, "same"),
                  "same": call("echo", {"key": "{{node.key.secret}}", "in": "{{entry}}"}, "pinned"),
                  "pinned": call("echo", {}, "print"), "print": call("printer", {}, "ask"),
                  "ask": asking("bad"), "bad": call("broken", {"said": "{{state.input}}"})}},
        {"keeper": faults.secret_reader("PAY_KEY"), "echo": faults.echo(),
         "printer": faults.printer(f"out {SECRET}\n", f"err {SECRET}\n"), "broken": broken},
        mocks=f'[secrets.map]\nPAY_KEY = "{SECRET}"\n',
    )  # fmt: skip
    workspace = reopen()
    reader = workspace.events.subscribe()
    given = StartRequest(pack, input={"note": SECRET}, pins={"pinned": {"pin": SECRET}})
    run = workspace.start(given, STEPPING)
    standing(workspace, run)
    step(workspace, run)
    edited = {"component": "echo", "input": {"edited": f"Bearer {SECRET}"}}
    step(workspace, run, input=edited)
    assert step(workspace, run, "run") is None
    (item,) = workspace.waits()
    workspace.resolve(item.key, Resolution("ok", {"code": SECRET}), how=RUNNING)
    pause = standing(workspace, run)
    assert pause.reason == "failure" and "⟦secret:PAY_KEY:plain⟧" in pause.sentence
    told = [text(event) for event in reader.take()]
    assert len(told) > 20
    assert all(SECRET not in line for line in told)
    assert sum("⟦secret:PAY_KEY:plain⟧" in line for line in told) >= 8
    view = text(workspace.view(run.id)), text(workspace.preview(run.id))
    assert all(SECRET not in line for line in view)
    workspace.close()
    for path in (tmp_path / "work").rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


def text(value: Any) -> str:
    return str(msgspec.to_builtins(value)) + repr(value)
