"""The link of the chain: finds the pack's component, shows it real values, lets the rest pass."""

from __future__ import annotations

import pytest

from tests import faults
from tests.components.stage import Stage
from workbench.components.link import ComponentLink
from workbench.effects.chain import build_chain
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.errors import WorkbenchError
from workbench.model.pack import Component
from workbench.model.values import Json, sha256


class Content:
    """A pack's bytes in memory."""

    def __init__(self, entries: dict[str, bytes]) -> None:
        self._entries = entries

    def read(self, entry: str) -> bytes:
        if entry not in self._entries:
            raise WorkbenchError("pack_entry_missing", f"the pack has no {entry}", where="p.gtpack")
        return self._entries[entry]

    def entries(self) -> tuple[str, ...]:
        return tuple(sorted(self._entries))

    def fingerprint(self, entry: str) -> str:
        return ""


ECHO = faults.echo()
PACK = {
    "echo": ECHO,
    "http": faults.http_caller(post_input=True),
    "core": faults.core_module(),
    "printer": faults.printer("said\n", ""),
}
COMPONENTS = {
    **{
        name: Component(name, entry=f"components/{name}.wasm", sha256=sha256(data))
        for name, data in PACK.items()
    },
    "gone": Component("gone", entry="components/gone.wasm"),
    "unhashed": Component("unhashed", entry="components/echo.wasm"),
    "forged": Component("forged", entry="components/echo.wasm", sha256="ab" * 32),
}


def reveal(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    return "hunter2" if value == "⟦secret:PASSWORD:plain⟧" else value


class Chain:
    """A chain with the link in it and an end that answers HTTP."""

    def __init__(self, stage: Stage) -> None:
        self.asked: list[Effect] = []
        content = Content({f"components/{name}.wasm": data for name, data in PACK.items()})
        link = ComponentLink(
            stage.host,
            COMPONENTS,
            content,
            control=stage.control,
            world=stage.world,
            reveal=reveal,
            perform=lambda effect: self.perform(effect),
            session="s-9",
            flow_id="main",
        )
        self.perform = build_chain([self._watch, link], self._end)

    def _watch(self, effect: Effect, inner: object) -> Outcome:
        self.asked.append(effect)
        return inner(effect)  # type: ignore[operator, no-any-return]

    def _end(self, effect: Effect) -> Outcome:
        if effect.kind == "http":
            return ok({"status": 200, "headers": {}, "body": effect.request["body"]}, "mock")
        return failed(Failure("nobody", f"{effect.kind} {effect.target}"))

    def call(self, component: str, given: Json = None) -> Outcome:
        request = {"operation": "run", "input": given}
        effect = Effect("component.call", component, request, node="n", frame="f#1/", attempt=2)
        return self.perform(effect)


@pytest.fixture
def chain(stage: Stage) -> Chain:
    return Chain(stage)


def test_the_guest_sees_what_is_masked_everywhere_else(chain: Chain) -> None:
    masked = {"password": "⟦secret:PASSWORD:plain⟧", "user": "ada"}
    outcome = chain.call("echo", masked)
    assert outcome.value == {"password": "hunter2", "user": "ada"}
    assert outcome.source == "wasm"
    assert chain.asked[0].request["input"] == masked


def test_what_a_guest_asks_goes_through_the_whole_chain(chain: Chain) -> None:
    assert chain.call("http", {"n": 1}).value == {"n": 1}
    asked = [(one.kind, one.caller, one.node, one.frame, one.attempt) for one in chain.asked]
    assert asked == [
        ("component.call", "engine", "n", "f#1/", 2),
        ("http", "guest", "n", "f#1/", 2),
    ]


def test_logs_come_along(chain: Chain) -> None:
    assert chain.call("printer").logs == "said\n"


def test_other_effects_and_unknown_components_pass(chain: Chain) -> None:
    assert chain.perform(Effect("sleep")).failure == Failure("nobody", "sleep ")
    assert chain.call("builtin.thing").failure == Failure("nobody", "component.call builtin.thing")


@pytest.mark.parametrize(
    ("component", "code", "where"),
    [
        ("core", "not_a_component", ""),
        ("gone", "pack_entry_missing", "p.gtpack"),
        ("forged", "component_digest", ""),
    ],
)
def test_a_component_that_cannot_be_loaded(
    chain: Chain, component: str, code: str, where: str
) -> None:
    failure = chain.call(component).failure
    assert failure is not None
    assert (failure.code, failure.origin, failure.where) == (code, "host", where)


def test_a_component_without_a_digest_is_hashed(chain: Chain) -> None:
    assert chain.call("unhashed", 3).value == 3
