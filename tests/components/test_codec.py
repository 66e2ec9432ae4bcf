"""Values across the border: every type both ways, what is refused, and that nothing leaks."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.components.mirror import PADDING, Mirror, ask, echo, mirror
from tests.components.stage import Clockwork
from workbench.components.abi import AbiError, Arena, Case, Err, Ok
from workbench.components.imports import LiveCall
from workbench.effects.control import RunControl, Watchdog
from workbench.model.effect import Effect, ok

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = {
    f"{sign}{bits}": st.integers(
        -(1 << bits - 1) if sign == "s" else 0, (1 << bits - (sign == "s")) - 1
    )
    for sign in "su"
    for bits in (8, 16, 32, 64)
}
# Anonymous types; named ones are below.
TYPES: dict[str, st.SearchStrategy[Any]] = {
    **INTEGERS,
    "bool": st.booleans(),
    "float32": st.floats(width=32, allow_nan=False),
    "float64": st.floats(allow_nan=False),
    "char": st.characters(exclude_categories=["Cs"]),
    "string": TEXT,
    "(list u8)": st.binary(),
    "(list u32)": st.lists(INTEGERS["u32"]),
    "(list string)": st.lists(TEXT),
    "(list (tuple string string))": st.lists(st.tuples(TEXT, TEXT)),
    "(list (list u8))": st.lists(st.binary()),
    "(tuple u8 string (list s64))": st.tuples(INTEGERS["u8"], TEXT, st.lists(INTEGERS["s64"])),
    "(option string)": st.none() | TEXT,
    "(option (list u8))": st.none() | st.binary(),
    "(option (option u8))": st.none()
    | st.builds(Case, st.just("some"), st.none() | INTEGERS["u8"]),
    "(result string (error u32))": st.builds(Ok, TEXT) | st.builds(Err, INTEGERS["u32"]),
    "(result (option (list u8)) (error u8))": st.builds(Ok, st.none() | st.binary())
    | st.builds(Err, INTEGERS["u8"]),
    "(result (error string))": st.just(Ok()) | st.builds(Err, TEXT),
    "(result string)": st.builds(Ok, TEXT) | st.just(Err()),
    "(result)": st.sampled_from([Ok(), Err()]),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_value_comes_back_the_same(kind: str) -> None:
    guest = mirror(echo(kind))

    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(TYPES[kind])
    def holds(value: Any) -> None:
        found = guest.turn(value)
        assert found == value and type(found) is type(value)

    holds()


@pytest.mark.parametrize("kind", TYPES)
def test_a_host_function_sees_and_gives_the_same_value(kind: str) -> None:
    seen: list[Any] = []

    def answer(value: Any) -> Any:
        seen.append(value)
        return value

    guest, live = mirror(ask(kind), answer), idle_call()

    @settings(max_examples=8, deadline=None, database=None, derandomize=True)
    @given(TYPES[kind])
    def holds(value: Any) -> None:
        seen.clear()
        assert guest.call((value, *PADDING), live=live) == (value, *PADDING)
        assert seen == [value]

    holds()


def idle_call() -> LiveCall:
    watchdog = Watchdog()  # starts no thread before a limit is set
    return LiveCall(
        Effect(""),
        lambda effect: ok(),
        RunControl(watchdog),
        Clockwork(),
        lambda: None,  # type: ignore[arg-type, return-value]
    )


NAMED = """
  (type $fields (record (field "first-name" string) (field "age" u8)
    (field "nick-name" (option string)) (field "note" (option u8))))
  (export $person "person" (type $fields))
  (type $cases (variant (case "none") (case "number" u32) (case "words" (list string))))
  (export $choice "choice" (type $cases))
  (type $names (enum "red" "dark-green"))
  (export $colour "colour" (type $names))
  (type $bits (flags "read" "write" "run"))
  (export $rights "rights" (type $bits))"""


def named(kind: str) -> Mirror:
    return mirror(echo(kind, NAMED))


def test_records_take_both_spellings_and_ignore_what_they_do_not_know() -> None:
    guest = named("$person")
    whole = {"first-name": "Ada", "age": 36, "nick-name": None, "note": None}
    assert guest.turn({"first-name": "Ada", "age": 36}) == whole
    assert guest.turn({"first_name": "Ada", "age": 36, "extra": object()}) == whole
    full = {"first_name": "A", "age": 0, "nick_name": "Countess", "note": 1}
    assert guest.turn(full) == {
        "first-name": "A", "age": 0, "nick-name": "Countess", "note": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "value", [Case("none"), Case("number", 7), Case("words", ["a", "b"]), Case("words", [])]
)
def test_variants(value: Case) -> None:
    assert named("$choice").turn(value) == value


def test_enums_and_flags() -> None:
    assert named("$colour").turn("dark-green") == "dark-green"
    rights = named("$rights")
    chosen: list[set[str]] = [set(), {"read"}, {"run", "read", "write"}]
    for value in chosen:
        assert rights.turn(value) == value


REFUSED: list[tuple[str, Any, str]] = [
    ("u8", 256, "256 is not a u8 (0 to 255)"),
    ("u8", -1, "-1 is not a u8 (0 to 255)"),
    ("u32", (1 << 33) + 5, "8589934597 is not a u32 (0 to 4294967295)"),
    ("s8", 128, "128 is not a s8 (-128 to 127)"),
    ("u64", 1 << 64, "18446744073709551616 is not a u64 (0 to 18446744073709551615)"),
    ("u32", True, "expected u32, found bool"),
    ("u32", 1.0, "expected u32, found float"),
    ("bool", 1, "expected bool, found int"),
    ("float64", "1", "expected f64, found str"),
    ("float32", 1e39, "1e+39 does not fit f32"),
    ("char", "ab", "expected one character"),
    ("char", "\ud800", "a lone surrogate is not a character"),
    ("string", b"x", "expected string, found bytes"),
    ("string", "\ud800", "a lone surrogate is not text"),
    ("(list u8)", "x", "expected bytes, found str"),
    ("(list u32)", "12", "expected list, found str"),
    ("(list u8)", None, "expected bytes, found NoneType"),
    ("(tuple u8 u8)", (1,), "expected 2 items, found 1"),
    ("(result)", Ok(1), "ok: this case carries no value"),
    ("(result string)", "plain", "expected Ok or Err, found str"),
    ("(option (option u8))", 3, 'expected None or Case("some", value), found int'),
    ("$choice", Case("other"), "no case other; there are none, number, words"),
    ("$choice", Case("number", "x"), "number: expected u32, found str"),
    ("$choice", Case("words", ["a", 1]), "words[1]: expected string, found int"),
    ("$colour", "blue", "'blue' is not one of red, dark-green"),
    ("$colour", [], "[] is not one of red, dark-green"),
    ("$rights", {"fly"}, "no flag fly; there are read, write, run"),
    ("$rights", ["read"], "expected set, found list"),
    ("$person", {"age": 1}, "the field first-name is missing"),
    ("$person", {"first-name": "A", "age": 300}, "age: 300 is not a u8 (0 to 255)"),
    ("$person", {"first-name": "A", "age": 1, "note": -1}, "note: -1 is not a u8 (0 to 255)"),
    ("$person", "Ada", "expected record, found str"),
    ("(list (option u8))", [None, 1, 900], "[2]: 900 is not a u8 (0 to 255)"),
]


@pytest.mark.parametrize(("kind", "value", "problem"), REFUSED)
def test_what_does_not_fit_is_refused_with_its_place(kind: str, value: Any, problem: str) -> None:
    guest = named(kind) if kind.startswith("$") else mirror(echo(kind))
    with pytest.raises(AbiError) as caught:
        guest.turn(value)
    place = "box[0]" + ("" if problem.startswith("[") else ".")
    assert str(caught.value) in (f"{place}{problem}", f"box[0]: {problem}")


def test_a_nan_stays_a_nan() -> None:
    assert math.isnan(mirror(echo("float64")).turn(math.nan))


def test_a_wrong_number_of_arguments() -> None:
    with pytest.raises(AbiError, match="1 arguments are needed, not 2"):
        mirror(echo("u8")).call((1, *PADDING), 2)


def test_an_answer_that_does_not_fit_ends_the_call() -> None:
    guest, live = mirror(ask("u8"), lambda value: 300), idle_call()
    with pytest.raises(Exception, match="a host function failed"):
        guest.call((1, *PADDING), live=live)
    assert isinstance(live.raised, AbiError)


def test_nothing_is_written_past_the_arena() -> None:
    arena = Arena(1)
    for size in range(20):
        at = arena.add(b"x" * size)
        assert at % 8 == 0 and len(arena.buffer) % 8 == 0
        assert arena.buffer[at : at + size] == b"x" * size
    assert arena.fix() % 8 == 0


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def grown_after(work: Any, times: int) -> int:
    for _ in range(30):
        work()
    before = resident()
    for _ in range(times):
        work()
    return resident() - before


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_values_are_freed_both_ways() -> None:
    """Each round moves about 60 KB out and back; 300 leaked rounds would be 18 MB."""
    kind = "(tuple string (list (option string)) (result (error string)))"
    value = ("x" * 30_000, [None, "y" * 15_000], Err("z" * 15_000))
    guest, live = mirror(ask(kind), lambda turned: turned), idle_call()
    assert grown_after(lambda: guest.call((value, *PADDING), live=live), 300) < 4 << 20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_bytes_and_refused_values_are_freed() -> None:
    guest = mirror(echo("(tuple (list u8) u8)"))

    def work() -> None:
        guest.turn((bytes(2000), 1))
        with pytest.raises(AbiError):
            guest.turn((bytes(2000), 300))

    assert grown_after(work, 300) < 4 << 20


def test_threads_do_not_see_each_others_errors() -> None:
    """The stock conversion keeps one last exception for the whole process."""
    wrong: list[object] = []
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        mine = LookupError(f"mine is {number}")

        def answer(value: Any) -> Any:
            if value % 2:
                raise mine
            return value

        guest, live = mirror(ask("u32"), answer), idle_call()
        barrier.wait()
        for n in range(150):
            live.raised = None
            try:
                assert guest.call((n, *PADDING), live=live)[0] == n
            except Exception:  # noqa: BLE001  what was raised is looked at below
                if n % 2 == 0 or live.raised is not mine:
                    wrong.append((number, n, live.raised))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
