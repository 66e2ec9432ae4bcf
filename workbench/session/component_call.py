"""One call of one component, without a flow and without a run: nothing is journaled.

The chain is a run's chain as far as it makes sense here: record, faults, component, cassettes,
mocks, live. So masking, grants and limits are those of a run.
"""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from threading import Thread
from time import perf_counter_ns
from typing import TYPE_CHECKING

import msgspec

from workbench.effects.chain import build_chain
from workbench.effects.control import RunControl, Stopped
from workbench.effects.faults import FaultLink
from workbench.effects.record import Recorder
from workbench.language.nodes import emits, exec_call
from workbench.language.semantics import CURRENT
from workbench.model.effect import Effect, EffectRecord, Failure, Outcome, failed
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.flow import Node
from workbench.model.masking import Masker
from workbench.model.pack import Component, Pack
from workbench.model.values import Json
from workbench.session.requests import ComponentQuestion
from workbench.session.views import CallView

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.components import ComponentHost
    from workbench.effects.control import Watchdog
    from workbench.mocks import MocksConfig
    from workbench.model.clock import Now
    from workbench.packs import OpenedPack

replace = msgspec.structs.replace
SESSION = "call"  # also the flow and the node a guest is told


class ComponentCall:
    """Asks a component one question. Raises `component_unknown` when the pack has none such."""

    def __init__(
        self,
        host: ComponentHost,
        watchdog: Watchdog,
        now: Now,
        opened: OpenedPack,
        assets: Path | None,
        mocks: MocksConfig,
        question: ComponentQuestion,
    ) -> None:
        from workbench.components import ComponentLink
        from workbench.mocks import MockWorld, build_links

        self._component = _component(opened.pack, question.component)
        self._question = question
        self._host = host
        self._read = partial(opened.content.read, self._component.entry)
        self._control = RunControl(watchdog)
        self._masker = Masker()
        for name, value in mocks.secrets.map.items():
            self._masker.register(name, value)
        world = MockWorld(mocks, question.seed, now)
        self._recorder = Recorder(self._masker, world, now, _unseen)
        link = ComponentLink(
            host,
            {self._component.id: self._component},
            opened.content,
            control=self._control,
            world=world,
            reveal=self._masker.reveal,
            perform=lambda effect: self._perform(effect),
            session=SESSION,
            flow_id=SESSION,
            assets=assets,
        )
        links = build_links(mocks, world, self._masker, control=self._control)
        faults = FaultLink(mocks.faults, question.seed)
        self._perform = build_chain([self._recorder, faults, link, *links])

    def answer(self) -> CallView:
        """Make the call and wait for it; Ctrl+C stops the guest and is raised again."""
        future: Future[CallView] = Future()
        thread = Thread(target=self._work, args=(future,), name="component-call", daemon=True)
        thread.start()
        try:
            return future.result()
        except KeyboardInterrupt:
            self._control.stop("cancel")
            thread.join(5)
            raise

    def stop(self) -> None:
        """End a call that is being made; `answer` then raises `interrupted`."""
        self._control.stop("cancel")

    def _work(self, future: Future[CallView]) -> None:
        try:
            future.set_result(self._call())
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            future.set_exception(error)

    def _call(self) -> CallView:
        component, question = self._component, self._question
        with suppress(WorkbenchError):  # compiled now, so that the time told is the call's
            self._host.load(component.id, self._read, component.sha256 or None)
        self._recorder.open(1)
        began = perf_counter_ns()
        outcome = self._limited(self._effect())
        spent = (perf_counter_ns() - began) // 1000
        effects = self._recorder.take()
        return CallView(component.id, question.operation, _caused(outcome, effects), effects, spent)

    def _effect(self) -> Effect:
        question = self._question
        if not question.operation:
            return Effect("component.describe", self._component.id)
        given = self._masker.mask(question.input)
        request = {"operation": question.operation, "input": given}
        return Effect("component.call", self._component.id, request, node=SESSION)

    def _limited(self, effect: Effect) -> Outcome:
        limit = self._question.timeout_ms
        scope = self._control.scope(None, limit / 1000, "node")
        try:
            with scope:
                outcome = self._perform(effect)
        except Stopped as stopped:
            if stopped.sticky:
                raise WorkbenchError(
                    "interrupted", "the call was stopped", exit_code=ExitCode.INTERRUPTED
                ) from None
            outcome = failed(Failure("node_timeout", ""), "wasm")
        if scope.reason == "node_limit" and not outcome.ok:
            said = f"the call took longer than its limit of {limit} ms"
            return failed(Failure("node_timeout", said), "wasm", outcome.logs)
        return outcome


def question_of(node: Node, sent: Json) -> ComponentQuestion | None:
    """The call a node makes with this rendered input; None for a node that calls no component."""
    if node.kind not in ("exec", "component") or emits(node, sent):
        return None
    try:
        call = exec_call(node, sent, CURRENT)
    except WorkbenchError:
        return None
    return ComponentQuestion(call.component, call.operation, call.input)


def samples(pack: Pack, component: str, operation: str) -> list[tuple[str, Json]]:
    """Inputs to offer for an operation, named: the examples of its description (when the pack
    was inspected), then what the nodes of the pack send it, templates as they are written."""
    found: list[tuple[str, Json]] = []
    for one in pack.components[component].operations:
        if one.name == operation:
            found.extend((f"example {n}", value) for n, value in enumerate(one.examples, 1))
    for flow in pack.flows.values():
        for node in flow.nodes.values():
            asked = question_of(node, node.mapping)
            if asked is not None and (asked.component, asked.operation) == (component, operation):
                found.append((f"node {flow.id}/{node.id}", asked.input))
    return found


def _component(pack: Pack, name: str) -> Component:
    found = pack.components.get(name)
    if found is None:
        raise WorkbenchError(
            "component_unknown",
            f"the pack has no component {name}",
            where=pack.path,
            hint=f"its components: {', '.join(pack.components) or 'none'}",
            exit_code=ExitCode.USAGE,
        )
    return found


def _caused(outcome: Outcome, effects: tuple[EffectRecord, ...]) -> Outcome:
    """A failure that wraps the effect that failed right before names it, as in a run."""
    last = effects[-1].outcome if effects else None
    failure = outcome.failure
    if failure is None or failure.cause or last is None or last.failure is None:
        return outcome
    return replace(outcome, failure=replace(failure, cause=last.failure.code))


def _unseen(_effect: EffectRecord) -> None:
    """Nobody follows the effects of a single call as they happen."""
