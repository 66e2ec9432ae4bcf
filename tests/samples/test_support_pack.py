"""The sample pack support-triage: who wrote, what about, the cards, and every way to the end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.samples.sample_runs import PACKS, load, presets, run_pack
from tests.samples.stock_host import World, call_node
from workbench.model.ingress import IngressEnvelope
from workbench.model.run import Run
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace
from workbench.session.conversation import Delivered, send

PACK = "support-triage"
TOKEN = b"heron"
GRACE = "https://api.crm.test/customers/grace@hopper.test"
PERSON = b'{"name":"Grace Hopper","plan":"team","since":"2024-11-02"}'
HOUR = 3_600_000_000


def ok(component: str, op: str, value: Any, world: World | None = None) -> Any:
    answer = call_node(wasm(component), op, json.dumps(value), world)
    assert answer.tag == "ok", vars(answer.payload)
    return json.loads(answer.payload)


def err(component: str, op: str, value: Any, world: World | None = None) -> dict[str, Any]:
    answer = call_node(wasm(component), op, json.dumps(value), world)
    assert answer.tag == "err", answer.payload
    return dict(vars(answer.payload))


def wasm(component: str) -> bytes:
    return (PACKS / PACK / "components" / f"{component}.wasm").read_bytes()


# the components, seen by wasmtime alone


def test_the_state_store_is_asked_before_the_crm_and_remembers_for_it() -> None:
    world = World(secrets={"CRM_TOKEN": TOKEN}, answers={("GET", GRACE): (200, PERSON)})
    first = ok("crm.lookup", "find", {"email": "grace@hopper.test"}, world)
    second = ok("crm.lookup", "find", {"email": "grace@hopper.test"}, world)
    assert (first.pop("source"), second.pop("source")) == ("crm", "state")
    assert first == second == {"known": True, "email": "grace@hopper.test", **json.loads(PERSON)}
    [(method, url, headers, body)] = world.requests
    assert (method, url, body) == ("GET", GRACE, None)
    assert headers == {"authorization": "Bearer heron", "accept": "application/json"}
    assert world.state == {"customer/grace@hopper.test": PERSON}
    assert [fields["source"] for _, fields in world.logged] == ["crm", "state"]


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [(503, "CRM_UNAVAILABLE", True), (429, "CRM_UNAVAILABLE", True), (401, "CRM_REFUSED", False)],
)
def test_a_crm_in_trouble_is_a_structured_error(status: int, code: str, retryable: bool) -> None:
    world = World(secrets={"CRM_TOKEN": TOKEN}, answers={("GET", GRACE): (status, b"")})
    why = err("crm.lookup", "find", {"email": "grace@hopper.test"}, world)
    assert (why["code"], why["retryable"]) == (code, retryable)
    assert str(status) in why["message"]


def test_a_writer_nobody_knows_is_no_error_and_is_not_remembered() -> None:
    world = World(secrets={"CRM_TOKEN": TOKEN}, answers={("GET", GRACE): (404, b"{}")})
    found = ok("crm.lookup", "find", {"email": "grace@hopper.test"}, world)
    assert (found["known"], found["name"], found["plan"]) == (False, "grace", "none")
    assert world.state == {}


def test_the_lookup_names_what_it_misses() -> None:
    assert err("crm.lookup", "find", {"email": ""})["code"] == "NO_SENDER"
    why = err("crm.lookup", "find", {"email": "grace@hopper.test"}, World())
    assert why["code"] == "MISSING_SECRET" and "CRM_TOKEN" in why["message"]
    damaged = World(state={"customer/x": b'"no object"'})
    assert err("crm.lookup", "find", {"email": "x"}, damaged)["code"] == "BAD_CUSTOMER"


@pytest.mark.parametrize(
    ("text", "plan", "status", "urgency", "rules"),
    [
        ("Hello", "none", "other", 5, []),
        ("Hello", "enterprise", "other", 25, ["enterprise"]),
        ("Invoice 8841 is wrong", "team", "billing", 10, ["money"]),
        ("The shop IS DOWN", "team", "other", 55, ["outage"]),
        ("The shop is down, urgent", "team", "urgent", 70, ["outage", "asks-for-haste"]),
        ("It is down and I was charged", "team", "urgent", 60, ["outage", "money"]),
        (
            "is down, nobody can pay, asap",
            "enterprise",
            "urgent",
            100,
            ["outage", "business-stopped", "asks-for-haste", "enterprise"],
        ),
    ],
)
def test_a_class_comes_with_its_reasons(
    text: str, plan: str, status: str, urgency: int, rules: list[str]
) -> None:
    found = ok("support.classify", "classify", {"text": text, "plan": plan})
    assert (found["status"], found["urgency"]) == (status, urgency)
    assert [reason["rule"] for reason in found["reasons"]] == rules
    assert all(reason["why"] in found["because"] for reason in found["reasons"])


def test_cases_are_numbered_on_and_kept() -> None:
    world = World()
    opening = {"from": "a@b.test", "kind": "other", "topic": "how-to", "urgency": 5}
    numbers = [ok("support.cases", "open", opening, world)["number"] for _ in range(2)]
    assert numbers == ["C-1", "C-2"]
    assert world.state["cases/last"] == b"2"
    assert json.loads(world.state["case/C-2"])["topic"] == "how-to"
    broken = World(state={"cases/last": b'"many"'})
    assert err("support.cases", "open", opening, broken)["code"] == "BAD_COUNTER"


# the flows


@pytest.mark.parametrize(
    ("preset", "answers", "words", "note"),
    [
        ("urgent", {"decision": "take", "note": "On it."}, "An engineer has taken", "On it."),
        ("urgent", {"decision": "pass"}, "The next shift takes", "none"),
        ("urgent", None, "Nobody has answered yet", "The person on call did not answer in time."),
        ("billing", {"wish": "refund"}, "We send back", "none"),
        ("billing", {"wish": "explain", "note": "8841"}, "A colleague goes through", "8841"),
        ("billing", {"wish": "call"}, "We call you", "none"),
        ("billing", None, "Your case stays open", "none"),
    ],
)
def test_every_answer_has_its_own_end(
    preset: str, answers: dict[str, str] | None, words: str, note: str, bench: Workspace
) -> None:
    answer = Resolution("timeout") if answers is None else Resolution("ok", answers)
    signal = "escalate/person" if preset == "urgent" else "choose"
    run = run_pack(bench, PACK, presets(PACK)[preset], answers={signal: answer})
    assert run.status == "finished"
    reply = run.output[-1]
    assert reply["body"][2]["text"].startswith(words)
    assert {"title": "Note", "value": note} in reply["body"][3]["facts"]


def test_the_ways_go_by_status(bench: Workspace) -> None:
    ways = {}
    for preset, given in presets(PACK).items():
        steps = bench.steps(run_pack(bench, PACK, given).id)
        ways[preset] = [step.where for step in steps]
    assert ways == {
        "urgent": ["customer", "classify", "escalate", "escalate#1/page", "escalate#1/person"],
        "billing": ["customer", "classify", "ask", "choose"],
        "unknown": ["customer", "classify", "open", "reply"],
    }


@pytest.mark.parametrize(
    ("preset", "signal", "hours"), [("urgent", "escalate#1/person", 4), ("billing", "choose", 24)]
)
def test_a_wait_fits_the_card_before_it(
    preset: str, signal: str, hours: int, bench: Workspace
) -> None:
    run = run_pack(bench, PACK, presets(PACK)[preset])
    assert run.status == "waiting"
    [waiting] = [one for one in bench.waits() if one.run.id == run.id]
    assert waiting.wait.signal == signal
    assert waiting.wait.due_at == bench.clock(run)[0] + hours * HOUR
    card = bench.steps(run.id)[-2].output
    inputs = {part["id"]: part for part in card["body"] if part["type"].startswith("Input.")}
    [submit] = [action for action in card["actions"] if action["type"] == "Action.Submit"]
    schema = waiting.wait.schema
    assert set(schema["properties"]) == set(inputs) | set(submit["data"])
    assert set(schema["required"]) == {
        name for name, part in inputs.items() if "isRequired" in part
    }
    for name, part in inputs.items():
        if part["type"] == "Input.ChoiceSet":
            for choice in part["choices"]:
                answer = {name: choice["value"], "note": "", **submit["data"]}
                Draft202012Validator(schema).validate(answer)


def test_every_card_is_one(bench: Workspace) -> None:
    cards = [
        node["emit.response"]
        for file in ("flows/main.ygtc", "flows/escalate.ygtc")
        for node in load(PACK, file)["nodes"].values()
        if "emit.response" in node
    ]
    assert len(cards) == 3
    for card in cards:
        assert (card["type"], card["version"]) == ("AdaptiveCard", "1.5")
    elements = {part["type"] for card in cards for part in [*card["body"], *card["actions"]]}
    assert elements == {
        "TextBlock", "FactSet", "Image", "Input.ChoiceSet", "Input.Text",
        "Action.Submit", "Action.OpenUrl",
    }  # fmt: skip


def test_a_wait_of_the_sub_flow_is_answered_by_its_key(bench: Workspace) -> None:
    run = run_pack(bench, PACK, presets(PACK)["urgent"])
    [waiting] = [one for one in bench.waits() if one.run.id == run.id]
    refused, _ = bench.resolve(waiting.key, Resolution("ok", {"decision": "perhaps"}))
    assert refused.status != "accepted"
    outcome, _ = bench.resolve(waiting.key, Resolution("ok", {"decision": "take"}))
    assert outcome.status == "accepted"
    live = bench.live(run.id)
    assert live is None or live.join(10)
    assert bench.find_run(run.id).status == "finished"
    writes = {e.target: e.request for e in bench.effects(run.id) if e.kind == "state.write"}
    assert writes["cases/last"] == 42
    assert writes["case/C-42"]["choice"] == "take"


def test_the_token_reaches_the_crm_and_no_record(bench: Workspace) -> None:
    run: Run = bench.run_here(StartRequest(pack=PACKS / PACK, input=presets(PACK)["billing"]))
    [request] = [effect for effect in bench.effects(run.id) if effect.kind == "http"]
    assert request.source == "tape"
    assert request.request["headers"]["authorization"] == "Bearer ⟦secret:CRM_TOKEN:plain⟧"
    told = [repr(part) for part in (run, *bench.steps(run.id), *bench.effects(run.id))]
    assert "blue-heron" not in "".join(told)


def test_the_machine_asks_waits_and_has_the_answer_classified(bench: Workspace) -> None:
    def say(text: str) -> Delivered:
        envelope = IngressEnvelope("demo", "feedback", user="grace", payload={"text": text})
        return send(bench, PACKS / PACK, envelope)

    asked = say("Hi")
    assert asked.replies == ({"text": "How did we do?"},)
    assert [question.prompt for question in asked.questions] == ["How did we do?"]
    answered = say("My invoice is wrong, urgent")
    assert answered.run.id == asked.run.id and answered.run.status == "finished"
    assert answered.run.output["status"] == "done"
    assert answered.run.output["response"]["topic"] == "billing"
    sources = [step.source for step in bench.steps(answered.run.id)]
    assert sources == ["mock", "you", "wasm", "engine"]
