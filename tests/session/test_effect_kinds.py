"""Effects that a flow asks for by name, on both stores: those carried out for real, those that
only pins, mocks and recordings answer, and what a run does that was cut off inside one
(`durable-model.md` §2.8, §5.10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.session.desk import standing
from tests.session.desk import step as go_on
from tests.session.effecting import begun, child_pack, effect, ended, outputs, pack, run
from tests.session.flows_of_work import write_workflow
from tests.session.others import SOON, following
from tests.session.promising import eventually
from workbench.effects.local_executor import DurableStep
from workbench.mocks import read_mocks
from workbench.model.clock import wall_now
from workbench.model.effect import ok
from workbench.model.effect_envelope import COMMANDS, Envelope, envelope
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import HEADLESS, RUNNING, StartRequest, Workspace

# -- pins, mocks, faults, recordings -------------------------------------------------------------

ASKED: dict[str, tuple[str, Json]] = {
    "llm_call": ("small", {"prompt": "hi"}),
    "tool_call": ("rates", {"action": "get", "args": {}}),
    "exec_code": ("", {"code": "1"}),
    "checkpoint": ("half", {"n": 1}),
    "sleep": ("", {"duration_ms": 5}),
    "durable_step": ("charge", {"amount": 1}),
    "await_event": ("go", {}),
    "peek_await_event": ("go", {}),
    "process": ("list", {}),
}
REAL = {"checkpoint", "sleep", "peek_await_event", "process"}  # await_event would wait
SECRET = "mango-tango-41"


def test_every_kind_is_tried() -> None:
    assert set(ASKED) == set(COMMANDS)


@pytest.mark.parametrize("kind", ASKED)
def test_every_kind_can_be_pinned_mocked_faulted_and_is_masked(
    inline: Workspace, kind: str
) -> None:
    target, request = ASKED[kind]
    name = f"{kind} {target}".rstrip()
    mocks = f"""
[secrets.map]
KEY = "{SECRET}"
[effects."{name}"]
ok = {{ said = "it is {SECRET}" }}
[[faults]]
kind = "{kind}"
mode = {{ Nth = 2 }}
error_kind = "Permanent"
"""
    steps = [
        effect("mocked", kind, target=target, request={**request, "note": "{input.note}"}),
        effect("faulted", kind, "mocked", target=target, request=request),
    ]
    folder = pack(inline, steps, mocks)
    made = run(inline, folder, input={"note": SECRET})
    mocked, faulted = inline.steps(made.id)
    told = {"said": "it is ⟦secret:KEY:plain⟧"}
    resolved = kind in ("await_event", "peek_await_event")
    assert mocked.output == ({"status": "ok", "payload": told} if resolved else told)
    assert (mocked.source, faulted.source) == ("mock", "fault")
    assert faulted.error is not None and faulted.error.code == "permanent"
    rows = inline.effects(made.id)
    assert [(row.kind, row.target, row.source) for row in rows] == [
        (kind, target, "mock"), (kind, target, "fault"),
    ]  # fmt: skip
    assert rows[0].request == {**request, "note": "⟦secret:KEY:plain⟧"}
    assert SECRET not in repr(rows) + repr(inline.steps(made.id))
    pinned = run(inline, folder, pins={"mocked": {"p": 1}, "faulted": [2]})
    assert pinned.status == "finished"
    assert outputs(inline, pinned) == {"mocked": {"p": 1}, "faulted": [2]}


def test_what_is_awaited_is_counted_at_once(desk: Workspace) -> None:
    """Counts are kept while nothing is written, and a promise is written without an event."""
    folder = pack(desk, [effect("hold", "await_event", target="go")])
    reader = desk.events.subscribe()
    made, live = begun(desk, folder)
    for event in following(reader):
        open_waits = desk.wait_counts().open
        if event.kind == "wait.opened":
            assert open_waits == 1
            break
    assert desk.resolve(desk.waits(made.id)[0].key, Resolution("ok"))[0].status == "accepted"
    assert desk.wait_counts().open == 0
    assert ended(desk, live).status == "finished"


@pytest.mark.parametrize("kind", ["llm_call", "exec_code", "tool_call", "durable_step"])
def test_what_nobody_answers_says_so(inline: Workspace, kind: str) -> None:
    target, request = ASKED[kind]
    made = run(inline, pack(inline, [effect("one", kind, target=target, request=request)]))
    assert made.failure is not None and made.failure.code == f"{kind}_unavailable"


def test_what_nobody_answers_can_be_answered_by_hand(inline: Workspace) -> None:
    """The run stands still before it fails: the person at the screen may be the model."""
    folder = pack(inline, [effect("one", "llm_call", target="small", request={"prompt": "hi"})])
    made = inline.start(StartRequest(folder, "work"), RUNNING)
    pause = standing(inline, made)
    assert pause.reason == "missing" and pause.effect is not None
    assert pause.effect.request == {"prompt": "hi"}
    assert go_on(inline, made, "run", verb="answer", outcome=ok({"text": "hello"}, "you")) is None
    assert outputs(inline, made) == {"one": {"text": "hello"}}
    assert [row.source for row in inline.effects(made.id)] == ["you"]


def test_mocks_answer_by_target_by_visit_and_with_errors(inline: Workspace) -> None:
    mocks = """
[[effects.llm_call]]
ok = "first"
[effects."llm_call big"]
err = { code = "too_long", message = "too many words" }
[effects."await_event late"]
timeout = true
[effects.exec_code]
timeout = true
"""
    steps = [
        effect("small", "llm_call", target="small", request={"prompt": "a"}),
        effect("late", "await_event", "small", target="late", request={"timeout": "1h"}),
        effect("code", "exec_code", "late", request={"code": "1"}),
    ]
    folder = pack(inline, steps, mocks)
    made = run(inline, folder, pins={"code": 7})
    assert outputs(inline, made) == {
        "small": {"output": "first"}, "late": {"status": "timeout"}, "code": 7,
    }  # fmt: skip
    made = run(inline, folder)
    assert made.failure is not None
    assert (made.failure.code, made.failure.origin) == ("timeout", "mock")
    (inline.root / "other").mkdir()
    big = write_workflow(
        inline.root / "other" / "pack", [effect("big", "llm_call", target="big")], mocks=mocks
    )
    made = run(inline, big)
    assert made.failure is not None
    assert (made.failure.code, made.failure.message) == ("too_long", "too many words")


def test_what_answered_can_be_kept_as_a_mock(desk: Workspace) -> None:
    steps = [effect("all", "process", target="list", request={"mode": "all"})]
    folder = pack(desk, steps)
    made = run(desk, folder)
    (row,) = desk.effects(made.id)
    assert desk.keep_effect(made.id, row) == "mocks.toml [effects] process list"
    again = run(desk, folder)
    assert desk.steps(again.id)[0].source == "mock"
    assert outputs(desk, again) == outputs(desk, made)


def test_a_kind_without_prepared_answers_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "mocks.toml").write_text("[effects.llm_cal]\nok = 1\n")
    (finding,) = read_mocks(tmp_path / "mocks.toml").findings
    assert finding.code == "mocks_wrong_value"
    assert "nearest is llm_call" in finding.message


def test_a_workspace_executes_envelopes_for_a_run(desk: Workspace) -> None:
    """Pins, faults and mocks of the run stand before the executor; its driver shuts others out."""
    mocks = f"""
[secrets.map]
KEY = "{SECRET}"
[effects."durable_step mocked"]
ok = 1
[pins]
pinned = 2
"""
    steps = [effect("one", "checkpoint")]
    made = desk.create(StartRequest(pack(desk, steps, mocks), "work"))
    scope: dict[str, Json] = {"session_id": made.session, "turn_id": made.id}

    def asked(name: str) -> Envelope:
        command = {"type": "durable_step", "step_id": name, "input": SECRET}
        return envelope(scope, name, command)

    real = DurableStep(lambda value: f"did {value}")
    with desk.controller(made.id) as controller:
        with pytest.raises(WorkbenchError) as busy, desk.controller(made.id):
            pass
        assert busy.value.code == "run_busy"
        told = {name: controller.execute(asked(name), real).value
                for name in ("mocked", "pinned", "done")}  # fmt: skip
    assert told == {"mocked": 1, "pinned": 2, "done": "did ⟦secret:KEY:plain⟧"}
    with desk.controller(made.id) as controller:
        assert {name: controller.execute(asked(name)).value for name in told} == told
    assert SECRET not in repr(desk.effects(made.id))


# -- sleep, checkpoint ---------------------------------------------------------------------------


def test_a_sleep_moves_a_virtual_clock_and_takes_a_real_one_its_time(desk: Workspace) -> None:
    steps = [effect("nap", "sleep", request={"duration_ms": 90_000})]
    made = run(desk, pack(desk, steps, '[time]\nmode = "virtual"\n'))
    (step,) = desk.steps(made.id)
    (row,) = desk.effects(made.id)
    assert step.vt - made.created_at >= 90_000_000 > step.duration_us
    assert (row.kind, row.vt) == ("sleep", step.vt)
    real = write_workflow(desk.root / "real", [effect("nap", "sleep", request={"duration_ms": 30})])
    made = run(desk, real)
    assert desk.steps(made.id)[0].duration_us >= 30_000


def test_a_real_sleep_is_cut_short_and_ends_when_it_was_first_due(desk: Workspace) -> None:
    steps = [effect("nap", "sleep", request={"duration_ms": 3_600_000})]
    made, live = begun(desk, pack(desk, steps))
    eventually(lambda: bool(desk.steps(made.id)))
    live.stop("exit")
    left = ended(desk, live)
    assert (left.status, desk.steps(made.id)[0].status) == ("running", "interrupted")
    began = desk.steps(made.id)[0].started
    now = began + 3_600_000_000 - 20_000  # a later process, 20 ms before it is due
    later = Workspace(desk.root, store=desk.store, now=lambda: now)
    try:
        resumed = later.resume(made.id, HEADLESS)
        assert resumed.join(SOON)
        assert [step.status for step in later.steps(made.id)] == ["interrupted", "succeeded"]
    finally:
        later.live(made.id)


def test_a_checkpoint_is_on_the_disk_before_it_answers(desk: Workspace) -> None:
    steps = [
        effect("mark", "checkpoint", target="half", request={"n": 1}),
        effect("nap", "sleep", "mark", request={"duration_ms": 0}),
    ]
    made = run(desk, pack(desk, steps))
    assert outputs(desk, made)["mark"] == {"n": 1}
    row = desk.effects(made.id)[0]
    assert (row.kind, row.target, row.state) == ("checkpoint", "half", 1)
    assert desk.store.intents(made.id) == []


# -- await_event ---------------------------------------------------------------------------------


def test_an_await_event_is_in_the_inbox_and_goes_on_when_it_is_answered(desk: Workspace) -> None:
    made, live = begun(desk, pack(desk, [effect("hold", "await_event", target="go")]))
    eventually(lambda: bool(desk.waits()))
    (item,) = desk.waits()
    assert (item.wait.signal, item.wait.phase, item.run.id) == ("go", "pending", made.id)
    assert desk.peek(item.key) is None
    outcome, _ = desk.resolve(
        f"{made.number or desk.find_run(made.id).number}:go", Resolution("ok", 5)
    )
    assert outcome.status == "accepted"
    assert ended(desk, live).status == "finished"
    assert outputs(desk, made)["hold"] == {"status": "ok", "payload": 5}
    assert desk.steps(made.id)[0].source == "you"
    assert desk.waits() == []


def test_an_await_event_answered_early_does_not_wait(desk: Workspace) -> None:
    folder = pack(desk, [effect("hold", "await_event", target="go")])
    made = desk.create(StartRequest(folder, "work"))
    key = desk.promises.key(
        {"type": "process", "process_id": made.id},
        {"type": "process_signal", "process_id": made.id, "signal_name": "go", "ordinal": 1},
    )
    assert desk.resolve(key.token, Resolution("ok", "early"))[0].status == "accepted"
    assert ended(desk, desk.resume(made.id)).status == "finished"
    assert outputs(desk, made)["hold"] == {"status": "ok", "payload": "early"}


def test_an_await_event_keeps_its_deadline_when_it_was_cut_off(desk: Workspace) -> None:
    steps = [effect("hold", "await_event", target="go", request={"timeout": "1h"})]
    made, live = begun(desk, pack(desk, steps))
    eventually(lambda: bool(desk.waits()))
    live.stop("exit")
    assert ended(desk, live).status == "running"
    (item,) = desk.waits()
    due = item.wait.due_at
    assert due is not None and due > wall_now()
    later = Workspace(desk.root, store=desk.store, now=lambda: due)
    assert ended(later, later.resume(made.id)).status == "finished"
    assert outputs(later, made)["hold"] == {"status": "timeout"}
    row = desk.store.wait(item.wait.key_id)
    assert row is not None and (row.due_at, row.resolution) == (due, Resolution("timeout"))


def test_an_early_answer_is_masked_as_the_run_masks(inline: Workspace) -> None:
    mocks = f'[secrets.map]\nKEY = "{SECRET}"\n'
    folder = pack(inline, [effect("hold", "await_event", target="go")], mocks)
    made = inline.create(StartRequest(folder, "work"))
    scope: dict[str, Json] = {"type": "process", "process_id": made.id}
    key = inline.promises.key(scope, {"type": "custom", "key": "k"})
    inline.promises.resolve(key, Resolution("ok", {"told": SECRET}))
    assert inline.promises.peek(key) == Resolution("ok", {"told": "⟦secret:KEY:plain⟧"})
    assert SECRET not in repr(inline.store.waits(live=False))


def test_time_spent_awaiting_counts_for_no_limit(desk: Workspace) -> None:
    """Also not of the run, when its steps wait side by side."""
    steps = [
        {**effect(name, "await_event", target=name), "execution": "parallel"}
        for name in ("one", "two")
    ]
    made, live = begun(desk, pack(desk, steps))
    eventually(lambda: len(desk.waits()) == 2)
    left = live.control.remaining()
    assert left is not None and live.control.remaining() == left, "its clock stands"
    for item in desk.waits():
        desk.resolve(item.key, Resolution("ok", item.wait.signal))
    assert ended(desk, live).status == "finished"
    assert {step.output["payload"] for step in desk.steps(made.id)} == {"one", "two"}


def test_cancelling_a_run_ends_its_await_and_its_promise(desk: Workspace) -> None:
    made, live = begun(desk, pack(desk, [effect("hold", "await_event", target="go")]))
    eventually(lambda: bool(desk.waits()))
    key = desk.waits()[0].key
    assert desk.stop(made.id)
    assert ended(desk, live).status == "cancelled"
    assert desk.peek(key) == Resolution("cancelled")
    assert desk.waits() == []


def test_a_flow_peeks_and_awaits_a_promise_by_its_key(desk: Workspace) -> None:
    waiting = desk.run_here(StartRequest(child_pack(desk, []), "child"))
    key = desk.waits()[0].key
    folder = write_workflow(
        desk.root / "watch",
        [
            effect("look", "peek_await_event", request={"key": key}),
            effect("hold", "await_event", "look", request={"key": key}),
            effect("again", "peek_await_event", "hold", request={"key": key}),
        ],
    )
    made, live = begun(desk, folder)
    eventually(lambda: len(desk.steps(made.id)) == 2)
    desk.resolve(key, Resolution("ok", "hi"), resume=False)
    assert ended(desk, live).status == "finished"
    told = {"status": "ok", "payload": "hi"}
    assert outputs(desk, made) == {"look": None, "hold": told, "again": told}
    desk.delete(waiting.id, force=True)
    dead = run(desk, folder)
    assert dead.failure is not None and dead.failure.code == "await_event_unknown_or_revoked"
