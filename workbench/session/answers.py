"""Answering waits: from a key or RUN:NODE to one durable verdict (`durable-model.md` §5.3).

Any process may answer; whether the run then moves is the driver's business. An answer that does
not fit the wait's schema is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.model.clock import Now
from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.journal import Answer, Store
from workbench.model.promises import UNKNOWN, fresh_row, owner_of
from workbench.model.rules import answer_wait
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.model.waits import (
    Resolution,
    ResolveOutcome,
    Wait,
    WaitKey,
    read_token,
    sign,
    verify,
)


def find_run(store: Store, name: str) -> Run:
    """A run by id, by number, or by the start of its id when that is one's alone. Raises
    `run_unknown`."""
    found = store.named(name)
    if len(found) != 1:
        raise no_such_run(name, several=bool(found))
    return found[0]


def no_such_run(name: str, several: bool = False) -> WorkbenchError:
    """The refusal of a name that is no run's, or more than one's."""
    problem = "several runs are called" if several else "there is no run"
    return WorkbenchError("run_unknown", f"{problem} {name}", exit_code=ExitCode.USAGE)


def key_of(store: Store, wait: Wait) -> str:
    """The token that answers a wait from anywhere."""
    return sign(store.secret(), wait.scope, wait.wait).token


# Run id and value -> the value as it may be written.
Mask = Callable[[str, Json], Json]


def resolve(
    store: Store,
    now: Now,
    key: str,
    resolution: Resolution,
    by: str = "",
    mask: Mask = lambda run_id, value: value,
) -> tuple[ResolveOutcome, Wait | None]:
    """Answer the wait a token or RUN:NODE names; the verdict, and the wait when it is known.

    Forged, foreign and dead keys all come back `unknown_or_revoked`, alike. The schema judges the
    real answer; what is written and told is masked.
    """
    named = find_key(store, key)
    if named is None:
        return UNKNOWN, None
    run_id = owner_of(named.scope)
    known = store.wait(named.key_id)
    payload = mask(run_id, resolution.payload) if store.run(run_id) is not None else None
    problem = _schema_problem(known, resolution)
    if problem:
        return ResolveOutcome("invalid_answer", message=mask(run_id, problem)), known
    resolution = Resolution(resolution.status, payload)
    fresh = known or fresh_row(named)

    def rule(run: Run | None, wait: Wait | None) -> Answer:
        return answer_wait(run, wait, fresh, resolution, now(), by)

    outcome = store.answer(run_id, named.key_id, rule)
    return outcome, store.wait(named.key_id)


def find_key(store: Store, key: str) -> WaitKey | None:
    """The verified key behind what the user typed: a token of ours, or RUN:NODE."""
    token = read_token(key)
    if token is not None:
        return token if verify(store.secret(), token) else None
    run_name, colon, node = key.partition(":")
    if not colon:
        return None
    try:
        run = find_run(store, run_name)
    except WorkbenchError:
        return None
    for wait in store.waits(run.id, live=False):
        if wait.signal == node and wait.phase != "consumed":
            return sign(store.secret(), wait.scope, wait.wait)
    closed = [wait for wait in store.waits(run.id, live=False) if wait.signal == node]
    return sign(store.secret(), closed[-1].scope, closed[-1].wait) if closed else None


def _schema_problem(wait: Wait | None, resolution: Resolution) -> str:
    """Why an ok payload does not fit the wait's schema; empty when it does."""
    if wait is None or resolution.status != "ok" or wait.schema is None:
        return ""
    return schema_problem(resolution.payload, wait.schema)


def schema_problem(value: Json, schema: Json) -> str:
    """The first way `value` breaks a JSON Schema, as "$.path: message"; empty when it fits."""
    import jsonschema

    try:
        validator = jsonschema.validators.validator_for(schema)(schema)
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    except (jsonschema.SchemaError, TypeError, AttributeError, RecursionError) as broken:
        return f"the wait's schema cannot be used: {broken.__class__.__name__}"
    if error is None:
        return ""
    return f"{error.json_path}: {error.message}"
