"""The sample pack refund-approval: its components, its files, and the story they tell."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.faults.assembling import REPOSITORY
from tests.samples.stock_host import World, call_node, stream_node, surface

PACK = REPOSITORY / "sample_packs" / "refund-approval"
CONTROL = "greentic:component/control@0.5.0"
HTTP = "greentic:http/http-client@1.1.0"
STATE = "greentic:state/state-store@1.0.0"
TYPES = "greentic:interfaces-types/types@0.1.0"
IMPORTS = {
    "refunds.parse": [CONTROL],
    "refunds.risk": [CONTROL],
    "rates.convert": [CONTROL, HTTP, TYPES, STATE],
    "payments.pay": [
        CONTROL,
        HTTP,
        TYPES,
        "greentic:secrets-store/secrets-store@1.1.0",
        STATE,
        "greentic:telemetry/logger-api@1.0.0",
    ],
    "refunds.letter": ["greentic:component/control@0.4.0"],
}
CHARGE = "https://api.pay.test/charge"
RATE = "https://api.rates.test/latest?from={}&to=EUR"


def load(name: str) -> Any:
    return yaml.safe_load((PACK / name).read_text("utf-8"))


def wasm(component: str) -> bytes:
    return (PACK / "components" / f"{component}.wasm").read_bytes()


def recorded_rate(currency: str) -> tuple[int, bytes]:
    """The answer a cassette in the reference's own form holds for a GET (§5.1 fingerprint)."""
    name = hashlib.sha256(b"GET" + RATE.format(currency).encode()).hexdigest()
    cassette = json.loads((PACK / "cassettes" / "http" / f"{name}.json").read_text("utf-8"))
    return cassette["status"], cassette["body"].encode()


def world_of_the_pack() -> World:
    paid = json.loads((PACK / "cassettes" / "http" / "charge-any-amount.json").read_text("utf-8"))
    request = paid["request"]
    assert (request["method"], request["url"], paid["match"]) == ("POST", CHARGE, ["method", "url"])
    answers = {("GET", RATE.format(c)): recorded_rate(c) for c in ("USD", "GBP", "CHF", "EUR")}
    answers["POST", CHARGE] = (paid["status"], paid["body"].encode())
    return World(secrets={"PAY_KEY": b"mango"}, answers=answers)


def ok(component: str, op: str, value: Any, world: World | None = None) -> Any:
    answer = call_node(wasm(component), op, json.dumps(value), world)
    assert answer.tag == "ok", vars(answer.payload)
    return json.loads(answer.payload)


def err(component: str, op: str, value: Any, world: World | None = None) -> dict[str, Any]:
    answer = call_node(wasm(component), op, json.dumps(value), world)
    assert answer.tag == "err", answer.payload
    return dict(vars(answer.payload))


@pytest.mark.parametrize("component", sorted(IMPORTS))
def test_a_component_imports_and_exports_what_its_shell_promises(component: str) -> None:
    version = "0.4.0" if component == "refunds.letter" else "0.5.0"
    assert surface(wasm(component)) == (
        sorted(IMPORTS[component]),
        [f"greentic:component/node@{version}"],
    )


def test_the_planted_typo_is_on_line_41_and_nowhere_else() -> None:
    lines = (PACK / "flows" / "main.ygtc").read_text("utf-8").split("\n")
    assert [n for n, line in enumerate(lines, 1) if "amout" in line] == [41]


@pytest.mark.parametrize("preset", sorted(path.stem for path in (PACK / "presets").iterdir()))
def test_with_the_typo_repaired_every_preset_gets_its_money(preset: str) -> None:
    entry = json.loads((PACK / "presets" / f"{preset}.json").read_text("utf-8"))
    world = world_of_the_pack()
    refund = ok("refunds.parse", "parse", entry)
    ok("refunds.risk", "score", refund)
    wanted = {"amount": refund["amount"], "from": refund["currency"], "to": "EUR"}
    rate = ok("rates.convert", "convert", wanted, world)["body"]
    order = {"account": refund["iban"], "amount": rate["amount"], "currency": "EUR", "note": "n"}
    paid = ok("payments.pay", "charge", order, world)
    assert paid["charge"] == {"id": "ch_5f2c", "status": "paid"}
    expected = {"small": 480.0, "large": 4872.0, "text": 67.73}[preset]
    assert paid["amount"] == rate["amount"] == expected


def test_a_request_is_read_from_fields_and_from_words() -> None:
    expected = {"order": "2041", "amount": 512.0, "currency": "USD", "iban": "DE89 3704"}
    assert ok("refunds.parse", "parse", expected | {"unknown": 1}) == expected
    text = "Refund order 2041, 512 USD to DE89 3704"
    assert ok("refunds.parse", "parse", {"text": text}) == expected
    assert err("refunds.parse", "parse", {"amount": 3})["code"] == "NO_ORDER"
    lost = err("refunds.parse", "parse", {"order": "1", "amount": "3"})
    assert (lost["code"], lost["message"]) == (
        "NO_AMOUNT",
        'the request names no amount, got "3"',
    )


def test_the_risk_score_says_why() -> None:
    calm = {"amount": 999.99, "currency": "EUR", "iban": "DE89"}
    assert ok("refunds.risk", "score", calm) == {"score": 5, "level": "low", "reasons": []}
    wild = ok("refunds.risk", "score", {"amount": 1000, "currency": "GBP", "iban": "FR14"})
    assert (wild["score"], wild["level"]) == (90, "high")
    assert [(r["rule"], r["points"]) for r in wild["reasons"]] == [
        ("large-amount", 45),
        ("foreign-currency", 15),
        ("account-abroad", 25),
    ]


def test_the_decision_follows_the_answer() -> None:
    yes = ok("refunds.risk", "decide", {"approved": True, "level": "low"})
    no = ok("refunds.risk", "decide", {"approved": False, "level": "low"})
    assert (yes["decision"], no["decision"]) == ("pay", "reject")


def test_a_rate_is_asked_for_once_and_then_kept_in_state() -> None:
    world = world_of_the_pack()
    wanted = {"amount": 512, "from": "USD"}
    first = ok("rates.convert", "convert", wanted, world)
    second = ok("rates.convert", "convert", wanted, world)
    assert first["body"] == {
        "amount": 480.0,
        "currency": "EUR",
        "rate": 0.9375,
        "as_of": "2026-03-06",
    }
    assert (first["source"], second["source"]) == ("service", "state")
    assert world.requests == [("GET", RATE.format("USD"), {}, None)]
    assert list(world.state) == ["rate/USD-EUR"]


@pytest.mark.parametrize(
    ("status", "retryable", "backoff"), [(429, True, 500), (503, True, 500), (404, False, None)]
)
def test_a_rates_service_in_trouble_is_a_structured_error(
    status: int, retryable: bool, backoff: int | None
) -> None:
    world = World(answers={("GET", RATE.format("USD")): (status, b"")})
    why = err("rates.convert", "convert", {"amount": 1, "from": "USD"}, world)
    assert why["code"] == "NO_RATE"
    assert str(status) in why["message"]
    assert (why["retryable"], why["backoff-ms"]) == (retryable, backoff)


def test_an_unanswered_request_passes_on_the_words_of_the_host() -> None:
    why = err("rates.convert", "convert", {"amount": 1, "from": "USD"}, World())
    assert (why["code"], why["message"]) == ("HTTP_FAILED", "denied: no recorded response")


@pytest.mark.parametrize(("amount", "shown"), [("", '""'), (None, "null"), ([1], "[1]")])
def test_pay_refuses_what_is_no_number_and_shows_it(amount: Any, shown: str) -> None:
    world = world_of_the_pack()
    order = {"account": "DE89", "amount": amount, "currency": "EUR", "note": "Refund 2041"}
    why = err("payments.pay", "charge", order, world)
    assert why == {
        "code": "INVALID_AMOUNT",
        "message": f"amount must be a number, got {shown}",
        "retryable": False,
        "backoff-ms": None,
        "details": json.dumps({"field": "amount", "got": amount}, separators=(",", ":")),
    }
    assert world.requests == []


def test_pay_sends_the_secret_only_in_its_header_and_logs_no_secret() -> None:
    world = world_of_the_pack()
    order = {"account": "DE89", "amount": 480.0, "currency": "EUR", "note": "Refund 2041"}
    ok("payments.pay", "charge", order, world)
    [(method, url, headers, body)] = world.requests
    assert (method, url) == ("POST", CHARGE)
    assert headers["authorization"] == "Bearer mango"
    assert body == b'{"account":"DE89","amount":480.00,"currency":"EUR","note":"Refund 2041"}'
    assert world.logged == [("payments.pay", {"message": "charging", "amount": "480.00"})]


@pytest.mark.parametrize("held", [{}, {"PAY_KEY": None}, {"PAY_KEY": "denied"}])
def test_pay_names_the_secret_it_misses(held: dict[str, Any]) -> None:
    order = {"account": "DE89", "amount": 1, "currency": "EUR", "note": ""}
    why = err("payments.pay", "charge", order, World(secrets=held))
    assert why["code"] == "MISSING_SECRET"
    assert "PAY_KEY" in why["message"]


def test_the_letters_are_written_over_the_older_interface() -> None:
    number = ok("refunds.letter", "number", {"order": "2041", "charge": "ch_5f2c"})["number"]
    paid = {"number": number, "order": "2041", "amount": 480.0, "currency": "EUR"}
    assert ok("refunds.letter", "receipt", paid) == {
        "subject": "Receipt R-2041-ch_5f2c",
        "text": "Your refund of 480.00 EUR for order 2041 is on its way.",
    }
    assert "not approved" in ok("refunds.letter", "refusal", {"order": "2041"})["text"]


def test_a_wrong_operation_and_a_wrong_input_are_told_apart() -> None:
    assert err("refunds.risk", "guess", {})["code"] == "UNKNOWN_OPERATION"
    assert err("refunds.risk", "decide", {"approved": "yes", "level": "low"})["code"] == "BAD_INPUT"


def test_a_stream_is_the_answer_and_then_done() -> None:
    number = json.dumps({"order": "1", "charge": "c"})
    assert stream_node(wasm("refunds.letter"), "number", number) == [
        ("data", '{"number":"R-1-c"}'),
        ("done", None),
    ]
    assert stream_node(wasm("refunds.letter"), "nope", "{}")[0] == (
        "error",
        "refunds.letter has no operation nope",
    )


def test_presets_fit_the_schema_of_the_first_operation() -> None:
    [parse] = [c for c in load("pack.yaml")["components"] if c["id"] == "refunds.parse"]
    schema = Draft202012Validator(parse["operations"][0]["input_schema"])
    presets: list[Path] = sorted((PACK / "presets").iterdir())
    assert [path.stem for path in presets] == ["large", "small", "text"]
    for path in presets:
        schema.validate(json.loads(path.read_text("utf-8")))
