"""What a guest asks for becomes an effect, and the outcome goes back in the guest's own shape."""

from __future__ import annotations

from typing import Any

import pytest

from tests import faults
from tests.components.respelled import echo_with, secret_writer, stranger
from tests.components.stage import Stage, failure_code
from workbench.components.abi import Err, Ok
from workbench.components.imports import LiveCall, server
from workbench.effects.control import RunControl, Stopped, Watchdog
from workbench.model.effect import Effect, Failure, Outcome, failed, ok
from workbench.model.values import Json

VERSIONS = ["1.0.0", "1.1.0"]


def response(body: Json = "done", status: int = 200, **more: Json) -> Outcome:
    return ok({"status": status, "headers": {"x": "y"}, "body": body, **more}, "mock")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_http_request_is_an_effect_of_the_step(stage: Stage, version: str) -> None:
    stage.answer = lambda effect: response('{"id":7}')
    outcome = stage.call(faults.http_caller("POST", body='{"a":1}', version=version))
    assert outcome.value == {"id": 7}
    (asked,) = stage.asked
    assert asked == Effect(
        "http",
        "api.example.test",
        {
            "method": "POST",
            "url": "https://api.example.test/v1",
            "headers": {"accept": "application/json"},
            "body": '{"a":1}',
        },
        "guest",
        node="ask",
        frame="sub#1/",
        visit=2,
        attempt=3,
    )


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (response(None), None),
        (response(""), None),
        (response({"already": "json"}), {"already": "json"}),
        (response("aGk=", encoding="base64"), "hi"),
    ],
)
def test_the_body_of_a_response(stage: Stage, outcome: Outcome, told: Json) -> None:
    stage.answer = lambda effect: outcome
    assert stage.call(faults.http_caller()).value == told


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (failed(Failure("network_refused", "no grant")), "network_refused: no grant"),
        (ok("nonsense"), "bad_answer: the answer is not an HTTP response"),
        (ok({"status": "abc"}), "bad_answer: the answer is not an HTTP response"),
        (response("%%%", encoding="base64"), "bad_answer: the answer is not an HTTP response"),
        (Outcome("pending"), "unavailable: nobody answered"),
    ],
)
def test_a_failed_request_is_the_guests_to_handle(
    stage: Stage, outcome: Outcome, told: str
) -> None:
    stage.answer = lambda effect: outcome
    failure = stage.call(faults.http_caller()).failure
    assert failure is not None
    assert (failure.code, failure.message) == ("HTTP_HOST_ERROR", told)
    assert failure.origin == "component"


def send(call: LiveCall, *values: Any) -> Any:
    return server("greentic:http/http-client@1.1.0", "send")(call, list(values))


def test_binary_bodies_repeated_headers_and_options_survive() -> None:
    asked: list[Effect] = []

    def perform(effect: Effect) -> Outcome:
        asked.append(effect)
        return response()

    watchdog = Watchdog()
    call = LiveCall(Effect(""), perform, RunControl(watchdog), None, None)  # type: ignore[arg-type]
    request = {
        "method": "PUT",
        "url": "http://[::1",
        "headers": [("a", "1"), ("a", "2")],
        "body": b"\xff\x00",
    }
    options = {"timeout-ms": 50, "allow-insecure": None, "follow-redirects": False}
    answer = send(call, request, options, None)
    assert answer == Ok({"status": 200, "headers": [("x", "y")], "body": b"done"})
    assert asked[0].target == "", "a URL that cannot be read has no host"
    assert asked[0].request == {
        "method": "PUT",
        "url": "http://[::1",
        "headers": {"a": "1, 2"},
        "body": "/wA=",
        "encoding": "base64",
        "options": {"timeout-ms": 50, "follow-redirects": False},
    }
    watchdog.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_secret_is_given(stage: Stage, version: str) -> None:
    stage.answer = lambda effect: ok("s3cret", "mock")
    assert stage.call(faults.secret_reader(version=version)).value == {"secret": "s3cret"}
    assert [(asked.kind, asked.target) for asked in stage.asked] == [("secret.get", "API_KEY")]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (ok(None), "SECRET_NOT_FOUND"),
        (failed(Failure("secret_missing", "")), "SECRET_NOT_FOUND"),
        (failed(Failure("secret_denied", "")), "SECRET_DENIED"),
        (failed(Failure("invalid_key", "")), "SECRET_INVALID_KEY"),
        (failed(Failure("broken", "")), "SECRET_INTERNAL"),
        (Outcome("err"), "SECRET_INTERNAL"),
    ],
)
def test_a_secret_may_be_refused(stage: Stage, version: str, outcome: Outcome, code: str) -> None:
    """The stock conversion cannot return this error at all (`component-host.md` §2, bug A)."""
    stage.answer = lambda effect: outcome
    assert failure_code(stage.call(faults.secret_reader(version=version))) == code


def test_state_is_read_and_written(stage: Stage) -> None:
    kept: dict[str, Json] = {}

    def store(effect: Effect) -> Outcome:
        if effect.kind == "state.write":
            kept[effect.target] = effect.request
            return ok()
        return ok(kept.get(effect.target))

    stage.answer = store
    failure = stage.call(faults.state_reader("n")).failure
    assert failure is not None
    assert (failure.code, failure.message) == ("STATE_HOST_ERROR", "not_found: no state under n")
    assert stage.call(faults.state_writer("n"), {"count": 2}).value == {"stored": True}
    assert kept == {"n": {"count": 2}}
    assert stage.call(faults.state_reader("n")).value == {"count": 2}
    stage.answer = lambda effect: failed(Failure("unavailable", "no store"))
    failure = stage.call(faults.state_writer("n"), 1).failure
    assert failure is not None and failure.message == "unavailable: no store"


def test_state_that_is_not_json_is_kept_as_text() -> None:
    asked: list[Effect] = []

    def perform(effect: Effect) -> Outcome:
        asked.append(effect)
        return ok()

    watchdog = Watchdog()
    call = LiveCall(Effect(""), perform, RunControl(watchdog), None, None)  # type: ignore[arg-type]
    write = server("greentic:state/state-store@1.0.0", "write")
    assert write(call, ["k", b"plain", None]) == Ok("ok")
    assert asked[0].request == "plain"
    assert isinstance(write(call, ["k", b"\xff", None]), Err)
    assert server("greentic:state/state-store@1.0.0", "delete")(call, ["k", None]) == Ok("ok")
    assert asked[-1].kind == "state.delete"
    watchdog.close()


def test_telemetry_is_an_effect(stage: Stage) -> None:
    stage.answer = lambda effect: ok()
    assert stage.call(faults.logger(("message", "hi"))).value == {"logged": True}
    (asked,) = stage.asked
    assert (asked.kind, asked.target) == ("telemetry", "flow")
    assert asked.request == {"message": "hi"}


def test_what_nobody_serves_is_denied_when_it_is_called(stage: Stage) -> None:
    failure = stage.call(stranger()).failure
    assert failure is not None and failure.code == "host_denied"
    assert failure.message == (
        "component sample: host-denied: acme:web/client@1.1.0#send is not granted"
    )
    assert failure.details == {"function": "acme:web/client@1.1.0#send"}
    assert stage.asked == []


def test_secrets_are_never_written(stage: Stage) -> None:
    failure = stage.call(secret_writer()).failure
    assert failure is not None and failure.code == "host_denied"
    assert "secrets-store@1.1.0#put is not granted" in failure.message


def test_a_guest_may_ask_whether_to_stop(stage: Stage) -> None:
    failure = stage.call(faults.cancellable_loop(), limit=0.05).failure
    assert failure is not None and failure.code == "component_timeout"


class Crash(BaseException):
    """Not even an Exception: the stock host prints it and goes on with a wrong value."""


@pytest.mark.parametrize("kind", [KeyError, Crash])
def test_what_the_chain_raises_comes_out_of_the_call(
    stage: Stage, kind: type[BaseException]
) -> None:
    def crash(effect: Effect) -> Outcome:
        raise kind("in the chain")

    stage.answer = crash
    with pytest.raises(kind, match="in the chain"):
        stage.call(faults.http_caller())
    assert stage.control.reason is None
    assert stage.call(faults.echo(), 1).value == 1


def test_the_limit_of_one_request_is_the_guests_to_handle(stage: Stage) -> None:
    def slow(effect: Effect) -> Outcome:
        with stage.control.scope(None, 0.02, "host"):
            stage.control.sleep(30)
        return ok()

    stage.answer = slow
    failure = stage.call(faults.http_caller()).failure
    assert failure is not None and failure.origin == "component"
    assert failure.message == "timeout: http api.example.test took too long"


def test_no_effect_after_the_run_was_stopped(stage: Stage) -> None:
    stage.control.stop("cancel")
    with pytest.raises(Stopped):
        stage.control.enter(None, None, "node")
    watchdog = Watchdog()
    control = RunControl(watchdog)
    call = LiveCall(Effect(""), stage.perform, control, None, None)  # type: ignore[arg-type]
    control.stop("cancel")
    with pytest.raises(Stopped):
        call.ask("http", "x")
    assert stage.asked == []
    watchdog.close()


def test_the_context_follows_the_components_own_type(stage: Stage) -> None:
    """Three shapes share two version numbers (`component-host.md` §1)."""
    assert stage.call(echo_with(**{"team": "env", "trace-id": "unheard-of"}), 5).value == 5
    failure = stage.call(echo_with(**{"flow-id": "flow-name"})).failure
    assert failure is not None and failure.code == "component_bad_input"
    assert failure.message.endswith("ctx: the field flow-name is missing")
