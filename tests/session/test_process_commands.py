"""Process commands on both stores: every one of them, twice, and from a flow (durable-model §2.8,
§5.10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.session.effecting import child_pack, code_of, effect, outputs, pack, run
from tests.session.promising import Waiter, eventually
from workbench.effects.control import RunControl, Watchdog
from workbench.effects.record import Recorder
from workbench.mocks import MockWorld, read_mocks
from workbench.model.clock import wall_now
from workbench.model.effect import Effect, ok
from workbench.model.masking import Masker
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace
from workbench.session.effect_links import EffectParts, effect_links

ID = "{steps.launch.record.process_id}"


def test_a_flow_starts_signals_and_awaits_a_process(desk: Workspace) -> None:
    steps = [
        effect(
            "launch", "process", target="start", request={"registration": {"flow": "child"}}
        ),
        effect("live", "process", "launch", target="list"),
        effect(
            "tell", "process", "live", target="signal",
            request={"process_id": ID, "signal_name": "ask", "request": {"a": 1}},
        ),
        effect("join", "process", "tell", target="await", request={"process_id": ID}),
        effect("all", "process", "join", request={"op": "list", "mode": "all"}),
    ]  # fmt: skip
    made = run(desk, child_pack(desk, steps))
    assert made.failure is None
    said = outputs(desk, made)
    child = said["launch"]["record"]["process_id"]
    assert said["launch"]["record"]["session"] == made.session
    assert [entry["process_id"] for entry in said["live"]["entries"]] == [made.id, child]
    assert said["tell"]["event"]["ordinal"] == 1
    assert said["join"]["output"]["process_id"] == child
    assert said["join"]["output"]["status"] == "finished"
    assert said["join"]["output"]["output"][0] == {"heard": {"a": 1}}
    assert [entry["status"] for entry in said["all"]["entries"]] == ["running", "finished"]


def command(desk: Workspace, op: str, **fields: Json) -> Json:
    return desk.processes()({"op": op, **fields})


def started(desk: Workspace, name: str, folder: Path, session: str = "s1") -> str:
    """A process that stands at its wait."""
    registration = {"id": name, "flow": "child", "pack": str(folder)}
    told = command(
        desk, "start", registration=registration, grant={"session_scope": {"session_id": session}}
    )
    assert told["record"]["session"] == session
    eventually(lambda: desk.find_run(name).status == "waiting")
    eventually(lambda: desk.live(name) is None)
    return name


def test_every_command_may_be_given_twice(desk: Workspace) -> None:
    folder = child_pack(desk, [])
    started(desk, "p1", folder)
    registration = {"id": "p1", "flow": "child", "pack": str(folder)}
    assert command(desk, "start", registration=registration)["record"]["status"] == "waiting"
    other = {**registration, "flow": "work"}
    assert code_of(lambda: command(desk, "start", registration=other)) == "process_exists"
    assert len(desk.runs()) == 1
    signal = {"process_id": "p1", "signal_name": "ask", "signal_id": "x", "request": 1}
    first = command(desk, "signal", **signal)
    assert command(desk, "signal", **{**signal, "request": 2}) == first
    eventually(lambda: desk.find_run("p1").status == "finished")
    output = command(desk, "await", process_id="p1")["output"]
    assert output["output"][0] == {"heard": 1}
    assert command(desk, "await", process_id="p1")["output"] == output


def test_awaiting_a_process_that_nobody_drives_drives_it(desk: Workspace) -> None:
    """Its process died, or its answer came while nobody was there."""
    folder = child_pack(desk, [effect("one", "checkpoint", request=7)])
    made = desk.create(StartRequest(folder, "work"))
    assert command(desk, "await", process_id=made.id)["output"]["output"] == 7
    started(desk, "p1", folder)
    (item,) = desk.waits()
    desk.resolve(item.key, Resolution("ok", "late"), resume=False)
    output = command(desk, "await", process_id="p1")["output"]
    assert output["output"][0] == {"heard": "late"}


def test_signals_count_by_occurrence(desk: Workspace) -> None:
    """Each signal is one occurrence: the second of a name is the next visit's answer."""
    started(desk, "p1", child_pack(desk, []))
    ordinals = [
        command(desk, "signal", process_id="p1", signal_name="later", signal_id=name, request=name)[
            "event"
        ]["ordinal"]
        for name in ("a", "b", "a", "c")
    ]
    assert ordinals == [1, 2, 1, 3]
    armed = [row for row in desk.store.waits("p1", live=False) if row.phase == "armed"]
    assert sorted((row.visit, row.resolved_by) for row in armed) == [
        (1, "signal:a"), (2, "signal:b"), (3, "signal:c"),
    ]  # fmt: skip


def test_cancel_is_cooperative_and_needs_a_process(desk: Workspace) -> None:
    started(desk, "p1", child_pack(desk, []))
    with desk.store.drive("p1"):  # somebody else drives it
        told = command(desk, "cancel", process_id="p1", reason="late")["record"]
        assert (told["status"], told["cancel_requested"]) == ("waiting", True)
    assert command(desk, "cancel", process_id="p1")["record"]["status"] == "cancelled"
    assert command(desk, "cancel", process_id="p1")["record"]["status"] == "cancelled"
    assert code_of(lambda: command(desk, "cancel", process_id="nobody")) == "run_unknown"
    assert code_of(lambda: command(desk, "await", process_id="nobody")) == "run_unknown"
    signal = {"process_id": "p1", "signal_name": "more", "signal_id": "x", "request": 1}
    assert code_of(lambda: command(desk, "signal", **signal)) == "await_event_unknown_or_revoked"


def test_transfer_moves_processes_and_their_waits_stay_answerable(desk: Workspace) -> None:
    folder = child_pack(desk, [])
    started(desk, "p1", folder)
    started(desk, "p2", folder)
    keys = {item.run.id: item.key for item in desk.waits()}
    ids = {"from_scope": "s1", "to_scope": "s2", "process_ids": ["p1"]}
    assert command(desk, "transfer", **ids) == {} == command(desk, "transfer", **ids)

    def listed(session: str) -> list[str]:
        entries = command(desk, "list", session_scope=session, mode="live")["entries"]
        return [entry["process_id"] for entry in entries]

    assert (listed("s1"), listed("s2")) == (["p2"], ["p1"])
    wrong = {**ids, "from_scope": "s3", "to_scope": "s4"}
    assert code_of(lambda: command(desk, "transfer", **wrong)) == "process_not_granted"
    assert desk.resolve(keys["p1"], Resolution("ok", 1))[0].status == "accepted"
    eventually(lambda: desk.find_run("p1").status == "finished")
    assert desk.promises.cancel_session("s2") == 0
    assert desk.promises.cancel_session("s1") == 1


def test_delete_session_revokes_all_its_keys(desk: Workspace) -> None:
    folder = child_pack(desk, [])
    started(desk, "p1", folder)
    started(desk, "p2", folder, "s2")
    keys = {item.run.id: item.key for item in desk.waits()}
    watcher = Waiter(lambda: desk.watch(keys["p1"]))
    assert command(desk, "delete_session", session_id="s1")["report"] == {"deleted": ["p1"]}
    assert watcher.told() == "await_event_unknown_or_revoked"
    assert command(desk, "delete_session", session_id="s1")["report"] == {"deleted": []}
    assert desk.resolve(keys["p1"], Resolution("ok"))[0].status == "unknown_or_revoked"
    assert desk.resolve(keys["p2"], Resolution("ok"), resume=False)[0].status == "accepted"


@pytest.mark.parametrize(
    ("op", "request_", "code"),
    [
        ("fly", {}, "runtime_effect_envelope_invalid"),
        ("await", {}, "runtime_effect_envelope_invalid"),
        ("list", {"mode": "some"}, "process_mode"),
        ("delete_session", {"session_id": " "}, "missing_execution_scope_id"),
        ("start", {"registration": {"flow": "nowhere"}}, "flow_unknown"),
    ],
)
def test_a_command_that_cannot_be_fails_its_step(
    inline: Workspace, op: str, request_: Json, code: str
) -> None:
    made = run(inline, pack(inline, [effect("one", "process", target=op, request=request_)]))
    assert made.failure is not None and made.failure.code == code


def test_a_run_neither_awaits_nor_deletes_itself(desk: Workspace) -> None:
    made = desk.create(StartRequest(child_pack(desk, []), "child"))
    ours = desk.processes(made)
    awaits = {"op": "await", "process_id": made.id}
    deletes = {"op": "delete_session", "session_id": made.session}
    assert code_of(lambda: ours(awaits)) == "process_awaits_itself"
    assert code_of(lambda: ours(deletes)) == "process_in_session"


def test_runs_that_start_each_other_come_to_an_end(desk: Workspace) -> None:
    steps = [effect("on", "process", target="start", request={"registration": {"flow": "work"}})]
    folder = child_pack(desk, steps)
    first = run(desk, folder)
    eventually(lambda: len(desk.runs()) > 1)
    child = desk.find_run(outputs(desk, first)["on"]["record"]["process_id"])
    assert (first.options.generation, child.options.generation) == (0, 1)
    eventually(lambda: any(one.status == "failed" for one in desk.runs()))
    (last,) = [one for one in desk.runs() if one.status == "failed"]
    assert last.failure is not None and last.failure.code == "process_depth"
    assert (last.options.generation, len(desk.runs())) == (32, 33)


def test_a_start_that_was_cut_off_finds_its_process_again(desk: Workspace) -> None:
    """The id of a started process belongs to its node and visit: asking anew starts nothing."""
    steps = [
        effect("launch", "process", target="start", request={"registration": {"flow": "child"}})
    ]
    folder = child_pack(desk, steps)
    made = run(desk, folder)
    child = outputs(desk, made)["launch"]["record"]["process_id"]
    control, world = RunControl(Watchdog()), MockWorld(read_mocks(None))
    parts = EffectParts(made, desk.store, wall_now, world, desk.promises, desk.processes, control)
    recorder = Recorder(Masker(), parts.world, wall_now, lambda record: None)
    links = effect_links(parts, control, recorder, lambda effect: ok())[1]
    again = Effect(
        "process", "start", {"registration": {"flow": "child"}}, node="launch", frame="@launch/"
    )
    process = next(link for link in links if "process" in link.kinds)  # type: ignore[attr-defined]
    outcome = process(again, lambda effect: ok())
    assert outcome.value["record"]["process_id"] == child
    assert len(desk.runs()) == 2
