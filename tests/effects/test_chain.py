"""The chain: order, the links a kind of effect meets, and its end (kernel §4)."""

from __future__ import annotations

from workbench.effects.chain import Perform, build_chain
from workbench.effects.record import Recorder
from workbench.model.effect import Effect, EffectRecord, Outcome, ok
from workbench.model.masking import Masker


class Mark:
    """A link that leaves its name on what comes back and lets everything pass."""

    def __init__(self, name: str, met: list[str]) -> None:
        self.name = name
        self.met = met

    def __call__(self, effect: Effect, inner: Perform) -> Outcome:
        self.met.append(f"{self.name} {effect.kind}")
        outcome = inner(effect)
        return ok([*(outcome.value or []), self.name])


class MarkHttp(Mark):
    kinds = frozenset({"http"})


def test_a_link_is_asked_only_about_the_kinds_it_names() -> None:
    met: list[str] = []
    chain = build_chain([Mark("all", met), MarkHttp("http", met)], lambda effect: ok())
    assert chain(Effect("http")).value == ["http", "all"]
    assert chain(Effect("state.read")).value == ["all"]
    assert chain(Effect("http")).value == ["http", "all"]
    assert met == ["all http", "http http", "all state.read", "all http", "http http"]


def test_what_nobody_serves_is_a_failure_named_after_the_kind() -> None:
    failure = build_chain([MarkHttp("http", [])])(Effect("secret.get", "KEY")).failure
    assert failure is not None and failure.code == "secret_get_unavailable"


class Still:
    """A world in which nothing moves."""

    virtual = True
    position = 0

    def now(self) -> int:
        return 0

    def advance(self, micros: int) -> None:
        pass

    def random(self, size: int) -> bytes:
        return bytes(size)


def recorded(outcome: Outcome, caller: str) -> tuple[Outcome, list[EffectRecord]]:
    """What the caller gets of an outcome through a recorder that knows one secret."""
    masker = Masker()
    masker.register("KEY", "hunter2hunter2")
    seen: list[EffectRecord] = []
    chain = build_chain([Recorder(masker, Still(), lambda: 0, seen.append)], lambda _: outcome)
    effect = Effect("component.call", request={}, caller=caller)  # type: ignore[arg-type]
    return chain(effect), seen


def test_what_a_component_gives_a_node_is_masked() -> None:
    outcome, seen = recorded(ok({"said": "hunter2hunter2"}, "wasm"), "engine")
    assert outcome.value == {"said": "⟦secret:KEY:plain⟧"}
    assert seen == []


def test_a_guest_sees_the_real_value_and_its_record_the_masked_one() -> None:
    outcome, (record,) = recorded(ok("hunter2hunter2", "mock"), "guest")
    assert outcome.value == "hunter2hunter2"
    assert record.outcome is not None and record.outcome.value == "⟦secret:KEY:plain⟧"


def test_what_the_engine_answers_itself_comes_back_as_it_is() -> None:
    mine = ok({"text": "⟦secret:KEY:plain⟧"})
    assert recorded(mine, "engine")[0] is mine
