"""The sample pack misbehaving: every fault has its code, and the workbench goes on after each."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.samples.sample_runs import PACKS, load, presets, run_pack
from workbench.model.events import Event, Pause
from workbench.model.exit_codes import ExitCode
from workbench.model.run import Run
from workbench.session import StartRequest, Workspace
from workbench.session.outcome import exit_code
from workbench.session.requests import RUNNING

PACK = "misbehaving"
SOON = 10.0
# fault -> (code, what it wraps, where in its own flow, exit code of a command)
FAULTS: dict[str, tuple[str, str, int, ExitCode]] = {
    "trap": ("component_trap", "", 6, ExitCode.FAILED),
    "loop": ("node_timeout", "", 6, ExitCode.TIME_LIMIT),
    "hog": ("component_memory", "", 6, ExitCode.FAILED),
    "stack": ("component_stack", "", 6, ExitCode.FAILED),
    "bad_json": ("component_bad_output", "", 6, ExitCode.FAILED),
    "bad_utf8": ("component_bad_output", "", 6, ExitCode.FAILED),
    "huge": ("component_output_too_large", "", 6, ExitCode.FAILED),
    "exit": ("component_exit", "", 6, ExitCode.FAILED),
    "denied_host": ("HTTP_FAILED", "network_refused", 6, ExitCode.NETWORK_REFUSED),
    "denied_import": ("host_denied", "", 6, ExitCode.FAILED),
    "no_secret": ("MISSING_SECRET", "secret_missing", 6, ExitCode.FAILED),
    "no_cassette": ("HTTP_FAILED", "cassette_miss", 6, ExitCode.NETWORK_REFUSED),
    "no_component": ("component_missing", "", 6, ExitCode.FAILED),
    "no_lookup": ("INVALID_AMOUNT", "", 11, ExitCode.FAILED),
    "bad_condition": ("bad_expression", "", 9, ExitCode.FAILED),
}
CODES = {fault: row[0] for fault, row in FAULTS.items()} | {"sleep": "ok", "flaky": "ok"}
MISSING = {"denied_host", "no_secret", "no_cassette"}


def test_there_is_a_preset_a_flow_and_a_choice_for_every_fault() -> None:
    menu = load(PACK, "flows/main.ygtc")["nodes"]["menu"]
    flows = {entry["id"] for entry in load(PACK, "pack.yaml")["flows"]}
    told = (PACKS / PACK / "README.md").read_text("utf-8")
    assert set(menu["emit.response"]["choices"]) == set(CODES)
    assert {name: given["fault"] for name, given in presets(PACK).items()} == {n: n for n in CODES}
    assert flows - {"main", "tour"} == set(CODES)
    assert [name for name in CODES if f"| `{name}` |" not in told] == []
    assert [code for code, *_ in FAULTS.values() if f"`{code}`" not in told] == []


def test_the_menu_tells_every_fault_and_ends_well(bench: Workspace) -> None:
    for preset, given in presets(PACK).items():
        if preset in ("loop", "hog"):
            continue  # the tour has them
        run = run_pack(bench, PACK, given)
        assert (run.status, run.output[-1]["code"]) == ("finished", CODES[preset]), preset
    unknown = run_pack(bench, PACK, {"fault": "flood"})
    assert unknown.output[-1]["code"] == "unknown"


def test_the_tour_passes_all_faults_in_one_run(bench: Workspace) -> None:
    run = run_pack(bench, PACK, flow="tour")
    assert run.status == "finished"
    assert run.output[-1]["codes"] == CODES
    failed = {step.node for step in bench.steps(run.id) if step.status == "failed"}
    assert failed == set(FAULTS) | {"flaky"}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_without_an_error_route_fails_with_its_code_and_place(
    fault: str, bench: Workspace
) -> None:
    run = run_pack(bench, PACK, flow=fault)
    code, cause, line, command = FAULTS[fault]
    assert run.failure is not None
    assert (run.failure.code, run.failure.cause) == (code, cause)
    assert run.failure.where == f"flows/{fault}.ygtc:{line}"
    assert "\n" not in run.failure.message
    assert exit_code(run) == command
    healthy = run_pack(bench, "refund-approval", flow="ping")
    assert healthy.status == "finished"


def test_a_trap_and_the_hog_name_their_functions(bench: Workspace) -> None:
    for fault, frames in {
        "trap": ["bare!require_a_line", "bare!total_of_order", "bare!invoke"],
        "hog": ["bare!handle_alloc_error", "bare!eat", "bare!invoke"],
    }.items():
        run = run_pack(bench, PACK, flow=fault)
        assert run.failure is not None
        assert run.failure.details["backtrace"] == frames


def test_a_miss_names_what_differs_from_the_nearest_recording(bench: Workspace) -> None:
    run = run_pack(bench, PACK, flow="no_cassette")
    assert run.failure is not None
    assert "weather.json" in run.failure.message
    assert 'city=Lyon", not "' in run.failure.message
    assert run.failure.message.endswith('city=Lima"')


def test_a_missing_lookup_names_the_nearest_key(bench: Workspace) -> None:
    run = run_pack(bench, PACK, flow="no_lookup")
    [missing] = [missing for step in bench.steps(run.id) for missing in step.missing]
    assert missing.sentence == (
        "flows/no_lookup.ygtc:11 asks {{node.price.ammount}}: no such key ammount."
        " Nearest: amount (12.0)"
    )


def test_the_flaky_one_is_tried_three_times_and_time_passes_between(bench: Workspace) -> None:
    run = run_pack(bench, PACK, flow="flaky")
    tries = [step for step in bench.steps(run.id) if step.node == "flaky"]
    assert [(step.attempt, step.status) for step in tries] == [
        (1, "failed"),
        (2, "failed"),
        (3, "succeeded"),
    ]
    assert {step.visit for step in tries} == {1}
    assert tries[0].error is not None and tries[0].error.details == {"queue": 6}
    assert tries[2].vt - tries[0].vt == 500_000
    assert run.output[-1] == {"attempts": 3}


def test_the_sleeper_is_back_at_once_on_the_virtual_clock(bench: Workspace) -> None:
    begin = time.monotonic()
    run = run_pack(bench, PACK, flow="sleep")
    assert time.monotonic() - begin < 9
    assert run.output[-1] == {"slept_ms": 10_000}


def test_the_sleeper_meets_its_limit_on_the_clock_on_the_wall(bench: Workspace) -> None:
    run = run_pack(bench, PACK, flow="sleep", mocks=PACKS / PACK / "real-clock.toml")
    assert run.failure is not None
    assert (run.failure.code, exit_code(run)) == ("node_timeout", ExitCode.TIME_LIMIT)


@pytest.mark.parametrize("fault", ["trap", "bad_condition", "no_component", *sorted(MISSING)])
def test_a_run_stands_still_on_the_fault_and_is_let_go(fault: str, bench: Workspace) -> None:
    reader = bench.events.subscribe()
    run = bench.start(StartRequest(pack=PACKS / PACK, flow=fault), RUNNING)
    reasons = ["missing", "failure"] if fault in MISSING else ["failure"]
    for reason in reasons:
        pause = next_pause(reader)
        assert (pause.reason, pause.node) == (reason, fault)
        assert bench.go(run.id, "run")
    live = bench.live(run.id)
    assert live is None or live.join(SOON)
    bench.events.unsubscribe(reader)
    ended: Run = bench.find_run(run.id)
    assert ended.failure is not None
    assert ended.failure.code == CODES[fault]


def next_pause(reader: Any) -> Pause:
    """The next pause on the stream; what came before it is dropped."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        for event in reader.wait(SOON):
            if isinstance(event, Event) and event.kind == "run.paused":
                assert isinstance(event.subject, Pause)
                return event.subject
    raise AssertionError("the run did not stand still")


def test_the_secret_the_pack_has_is_shown_nowhere(bench: Workspace) -> None:
    run = run_pack(bench, PACK, flow="no_secret")
    told = [bench.find_run(run.id), *bench.steps(run.id), *bench.effects(run.id)]
    assert "kept-for-the-other-door" not in json.dumps([repr(part) for part in told])
