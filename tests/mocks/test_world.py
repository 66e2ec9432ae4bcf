"""Clock, dice and state, and that a restored world is the one that was left."""

from __future__ import annotations

import hashlib
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mocks.setting import NOW, Recorded, config_of, http
from workbench.mocks import MocksConfig, MockWorld
from workbench.mocks.clock import span
from workbench.mocks.dice import Dice
from workbench.model.effect import Effect, EffectRecord, Outcome, ok
from workbench.model.masking import Masker

HOUR = 3_600_000_000


def world(text: str = "", seed: int = 0) -> MockWorld:
    return MockWorld(config_of(text), seed, now=lambda: NOW)


def test_the_random_stream_is_sha256_of_seed_and_block() -> None:
    blocks = b"".join(hashlib.sha256(b"7" + n.to_bytes(8, "big")).digest() for n in range(4))
    assert Dice("7").take(128) == blocks
    assert Dice("7").take(0) == b""
    assert Dice("7", 31).take(3) == blocks[31:34]


@given(st.lists(st.integers(0, 100), max_size=12))
def test_the_random_stream_depends_on_the_position_only(sizes: list[int]) -> None:
    whole = Dice("s").take(sum(sizes))
    dice = Dice("s")
    assert b"".join(dice.take(size) for size in sizes) == whole
    assert dice.position == sum(sizes)


def test_the_configured_seed_counts_before_the_runs() -> None:
    assert world("random.seed = 7", seed=1).random(8) == world("random.seed = 7", 2).random(8)
    assert world(seed=7).random(8) == world("random.seed = 7").random(8)
    assert world(seed=1).random(8) != world(seed=2).random(8)


VIRTUAL = '[time]\nmode = "virtual"\n'


def test_without_a_time_table_the_clock_is_real() -> None:
    assert world().clock.mode == "real"
    assert world("[time]\nstart = 2026-01-01T00:00:00Z\n").clock.mode == "virtual"


def test_a_virtual_clock_moves_only_when_told_and_never_back() -> None:
    here = world(VIRTUAL)
    assert here.virtual and here.now() == NOW
    here.advance(5)
    here.advance(-9)
    assert here.now() == NOW + 5


def test_a_frozen_clock_stands_and_a_real_one_follows_the_wall() -> None:
    frozen = world('[time]\nmode = "frozen"\nstart = 2026-01-01T00:00:00Z\n')
    frozen.advance(HOUR)
    assert frozen.virtual and frozen.now() == 1_767_225_600_000_000
    wall = iter([NOW, NOW + 1, NOW + 2])
    real = MockWorld(config_of('[time]\nmode = "real"\n'), now=lambda: next(wall))
    real.advance(HOUR)
    assert not real.virtual and [real.now(), real.now()] == [NOW + 1, NOW + 2]


def test_the_clock_in_words() -> None:
    here = world(VIRTUAL)
    assert here.clock_text(UTC) == "virtual Sat 14:02"
    here.advance(24 * HOUR)
    assert here.clock_text(UTC) == "virtual Sun 14:02 (+24 h)"
    frozen = world('[time]\nmode = "frozen"\nstart = 2026-03-07T14:02:00Z\n')
    assert frozen.clock_text(UTC) == "frozen Sat 14:02"
    assert world('[time]\nmode = "real"\n').clock_text(UTC) == "real 14:02"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "1 min"),
        (60, "1 h"),
        (90, "1 h 30 min"),
        (47 * 60, "47 h"),
        (48 * 60, "2 d"),
        (71 * 60, "2 d 23 h"),
    ],
)
def test_a_span_in_words(minutes: int, words: str) -> None:
    assert span(minutes * 60_000_000) == words


TEXT = """
net_allowlist = ["a.example"]
[kv]
k0 = 1
k1 = { token = "mango-tango-41" }
[secrets.map]
KEY = "mango-tango-41"
[http]
record_replay_dir = "tapes"
[random]
seed = 3
"""

ASKS = st.one_of(
    st.tuples(st.just("state.write"), st.sampled_from(["k0", "k1", "k2"]), st.integers(0, 9)),
    st.tuples(st.just("state.delete"), st.sampled_from(["k0", "k1", "k2"]), st.none()),
    st.tuples(st.just("state.read"), st.sampled_from(["k0", "k1"]), st.none()),
    st.tuples(st.just("http"), st.sampled_from(["/1", "/2", "/none"]), st.none()),
    st.tuples(st.just("secret.get"), st.sampled_from(["KEY", "NO"]), st.none()),
    st.tuples(
        st.just("sleep"), st.just(""), st.fixed_dictionaries({"duration_ms": st.integers(0, 9)})
    ),
    st.tuples(st.just("random"), st.just(""), st.integers(0, 40)),
)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> MocksConfig:
    folder: Path = tmp_path_factory.mktemp("pack")
    tapes = folder / "tapes"
    tapes.mkdir()
    for path in ("1", "2"):
        for number in ("", "-2", "-3"):
            (tapes / f"{path}{number}.json").write_text(
                f'{{"status": 200, "body": "{path}{number}",'
                f' "request": {{"url": "https://a.example/{path}"}}, "match": ["url"]}}'
            )
    return config_of(TEXT, folder)


def perform(run: Recorded, ask: tuple[str, str, object]) -> Outcome | bytes:
    kind, target, request = ask
    if kind == "random":
        assert isinstance(request, int)
        # A guest takes random bytes inside a call; a telemetry effect closes its record.
        data = run.world.random(request)
        run.perform(Effect("telemetry", "t", None, caller="guest"))
        return data
    if kind == "http":
        return run.perform(http(f"https://a.example{target}"))
    return run.perform(Effect(kind, target, request, caller="guest"))


@given(st.lists(ASKS, max_size=25), st.data())
@settings(max_examples=60, deadline=None)
def test_a_restored_world_goes_on_like_the_one_that_was_left(
    config: MocksConfig, asks: list[tuple[str, str, object]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(asks)))
    one = Recorded(config)
    for ask in asks[:cut]:
        perform(one, ask)
    other = Recorded(config, one.records)
    assert other.world.state() == one.world.state()
    for ask in asks[cut:]:
        assert perform(other, ask) == perform(one, ask)
    assert other.world.state() == one.world.state()


def test_restoring_goes_back_in_time_too(config: MocksConfig) -> None:
    run = Recorded(config)
    for n in range(3):
        run.perform(http("https://a.example/1"))
        run.perform(Effect("state.write", "k0", n, caller="guest"))
    states = run.world.state()
    run.world.restore(run.records[:2])
    assert run.world.kv["k0"] == 0
    assert run.perform(http("https://a.example/1")).value["body"] == "1-2"
    run.world.restore(run.records[:6])
    assert run.world.state() == states


def test_only_what_happened_in_this_world_is_applied_again() -> None:
    def record(
        n: int, kind: str, target: str, source: str, outcome: Outcome | None
    ) -> EffectRecord:
        return EffectRecord(1, n, kind, target, "", n, outcome, source)  # type: ignore[arg-type]

    here = world("[kv]\na = 0\n")
    here.restore(
        [
            record(1, "state.write", "a", "fault", Outcome("err")),
            record(2, "state.write", "b", "you", ok()),
            record(3, "state.write", "c", "mock", None),
            record(4, "state.write", "d", "mock", ok()),
            record(5, "state.delete", "a", "pin", ok()),
        ]
    )
    assert here.kv == {"a": 0, "d": 4}


def test_the_last_steps_clock_and_dice_count_over_its_effects() -> None:
    effect = EffectRecord(1, 0, "telemetry", "", "", outcome=ok(), vt=NOW + 5, rnd=10, at=NOW - 60)
    here = world(VIRTUAL)
    here.restore([effect], vt=NOW + HOUR, rnd=64)
    assert (here.now(), here.position) == (NOW + HOUR, 64)
    assert here.clock.start == NOW - 60, "time began when the run did, not when it was resumed"
    here.restore([effect], vt=0, rnd=0)
    assert (here.now(), here.position) == (NOW + 5, 10)
    here.restore([])
    assert (here.now(), here.position) == (NOW - 60, 0)


def test_a_new_configuration_keeps_what_the_run_did() -> None:
    run = Recorded(config_of("[kv]\na = 1\nb = 1\nc = 1\n"))
    for key in ("a", "b"):
        run.perform(Effect("state.write", key, "mine", caller="guest"))
    text = '[kv]\na = 1\nb = 2\nd = 4\n[http]\nmode = "all"\ngrant = ["x.example"]\n'
    run.world.replace_config(config_of(text))
    assert run.world.kv == {"a": "mine", "b": 2, "c": 1, "d": 4}
    assert run.world.grants.hosts == ("x.example",)


def test_state_in_the_world_is_masked_when_the_secrets_are_known(config: MocksConfig) -> None:
    here = MockWorld(config, now=lambda: NOW)
    here.bind(Masker())
    assert here.kv["k1"] == {"token": "⟦secret:KEY:plain⟧"}
