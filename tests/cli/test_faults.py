"""Every fault component gives a clear code and sentence, and the next run works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import faults
from tests.cli.commands import Commands
from tests.cli.packs import call, write_pack

REAL_CLOCK = '[time]\nmode = "real"\n'

# name -> component, exit code, the failure's code, words its sentence holds
CASES: dict[str, tuple[Callable[[], bytes], int, str, str]] = {
    "trap": (faults.trap, 1, "component_trap", "unreachable"),
    "out_of_bounds": (faults.out_of_bounds, 1, "component_trap", "out of bounds"),
    "divide_by_zero": (faults.divide_by_zero, 1, "component_trap", "divide by zero"),
    "stack_overflow": (faults.stack_overflow, 1, "component_stack", "stack"),
    "endless_loop": (faults.endless_loop, 124, "node_timeout", "200 ms"),
    "sleeper": (faults.sleeper, 124, "node_timeout", "200 ms"),
    "memory_hog": (faults.memory_hog, 1, "OUT_OF_MEMORY", "refused a page"),
    "bad_pointer": (faults.bad_pointer, 1, "component_bad_output", "out of bounds"),
    "bad_utf8": (faults.bad_utf8, 1, "component_bad_output", "UTF-8"),
    "bad_json": (faults.bad_json, 1, "component_bad_output", "JSON"),
    "huge_output": (faults.huge_output, 1, "component_output_too_large", "8 MiB"),
    "structured_error": (
        lambda: faults.structured_error(retryable=False),
        1,
        "UPSTREAM_BUSY",
        "the upstream asked for a pause",
    ),
    "cancellable_loop": (faults.cancellable_loop, 124, "node_timeout", "200 ms"),
    "modern_error": (faults.modern_error, 1, "UPSTREAM_BUSY", "come back later"),
    "exits": (faults.exits, 1, "component_exit", "exit"),
    "core_module": (faults.core_module, 1, "not_a_component", "component"),
    "garbage": (faults.garbage, 1, "not_a_component", ""),
    "asks_for": (faults.asks_for, 1, "component_link", "exports no world"),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_fault_ends_in_a_code_and_a_sentence_and_the_next_run_works(
    cli: Commands, work: Path, case: str
) -> None:
    component, exit_code, code, words = CASES[case]
    pack = write_pack(
        work / "faulty",
        {"main": {"broken": call("fault")}, "fine": {"echo": call("echo", {"n": 1})}},
        {"fault": component(), "echo": faults.echo()},
        mocks=REAL_CLOCK,
    )
    limit = "200" if exit_code == 124 else "20000"
    said = cli("run", pack, "--json", "--node-timeout", limit)
    assert said.code == exit_code, said.err
    error = said.json["error"]
    assert error["node_id"] == "broken"
    assert error["code"] == code or (not code and error["code"])
    assert words.lower() in error["message"].lower()
    assert len(error["message"].splitlines()) == 1
    assert len(error["message"]) < 600
    assert "Traceback" not in said.err + said.out
    again = cli("run", pack, "--flow", "fine", "--json")
    assert (again.code, again.json["output"]) == (0, {"n": 1})


def test_a_large_answer_within_bounds_passes(cli: Commands, work: Path) -> None:
    pack = write_pack(
        work / "big", {"main": {"a": call("big")}}, {"big": faults.huge_output(1 << 20)}
    )
    said = cli("run", pack, "--json")
    assert said.code == 0
    assert len(said.json["output"]) == (1 << 20) - 2


def test_a_component_that_needs_three_attempts_gets_them(cli: Commands, work: Path) -> None:
    pack = write_pack(
        work / "flaky",
        {"main": {"call": call("flaky", {"n": 7})}},
        {"flaky": faults.fails_then_works(3, backoff_ms=5)},
    )
    said = cli("run", pack, "--json")
    assert (said.code, said.json["output"]) == (0, {"n": 7})
    assert [step["status"] for step in said.json["steps"]] == ["failed", "failed", "succeeded"]
