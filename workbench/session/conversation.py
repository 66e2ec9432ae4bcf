"""Talking to a flow: a message answers the open wait of its session, or starts a run.

Whom a message reaches is decided by what stood when it came (`durable-model.md` §5.10):

- it is for a session (`model.ingress.session_key`), a pack and a flow; waits of another user, pack,
  flow, conversation or thread never see it, and only waits for input do;
- an answer that was accepted while nobody drove its run (a process died) is acted on first;
- a correlation in its reply scope names one question; without one the newest open question counts;
- of two messages at once for one question the first is the answer. The other is refused and told
  so: it is not handed on to a question that its sender never saw, nor does it start a run;
- an answer that does not fit the question's schema is refused with the reason.

A refused message leaves no trace. With no question open two messages at once start two runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.ingress import IngressEnvelope, Party, canonicalize, read_session, session_key
from workbench.model.run import Run
from workbench.model.values import Json, short
from workbench.model.waits import Resolution, ResolveOutcome
from workbench.session import answers
from workbench.session.dialogue import (
    CORRELATION,
    Line,
    Question,
    correlation_of,
    dialogue,
    outcome,
)
from workbench.session.requests import HEADLESS, DriveMode, StartRequest
from workbench.session.views import OpenWait

if TYPE_CHECKING:
    from workbench.session.workspace import Workspace

CATCH_UP_SECONDS = 10.0
_SHOWN = 1_000  # runs that are looked through for conversations


class Delivered(msgspec.Struct, frozen=True):
    """What a message came to: it `answered` a question or `started` a run, which stands as `run`
    does. `replies` are the messages the flow sent because of it, in order; `questions` are the
    run's open ones, and `reply_scope` is what an answer to the newest would carry. `result` is
    the run's output, or the pending outcome of a machine."""

    outcome: str
    run: Run
    replies: tuple[Json, ...]
    questions: tuple[Question, ...] = ()
    reply_scope: Json = None
    result: Json = None


class Conversation(msgspec.Struct, frozen=True):
    """A session's runs of one flow, oldest first: `last` is what was said last, `open` the
    questions that want a message, newest last."""

    session: str
    pack_id: str
    flow_id: str
    runs: tuple[Run, ...]
    last: Line
    open: tuple[OpenWait, ...] = ()

    @property
    def party(self) -> Party:
        return read_session(self.session)

    @property
    def name(self) -> tuple[str, str, str]:
        """What tells it from the others."""
        return self.session, self.pack_id, self.flow_id


def send(
    workspace: Workspace, pack: Path, envelope: IngressEnvelope, how: DriveMode = HEADLESS
) -> Delivered:
    """Deliver a message and wait until the flow parks or ends; raises what `deliver` does."""
    reached, run_id, seen = deliver(workspace, pack, envelope, how)
    live = workspace.live(run_id)
    if live is not None:
        live.join()
        if live.error is not None:
            raise live.error
    return _delivered(workspace, canonicalize(envelope), reached, run_id, seen)


def deliver(
    workspace: Workspace, pack: Path, envelope: IngressEnvelope, how: DriveMode = HEADLESS
) -> tuple[str, str, int]:
    """Take a message without waiting for what the flow makes of it: "answered" or "started", the
    run it reached, and the last step before it.

    Raises WorkbenchError: `already_resolved` when another answer came first, `invalid_answer`
    when it does not fit (both exit ANSWER_REFUSED), and what starting a run raises.
    """
    full, session = canonicalize(envelope), session_key(envelope)
    pack_id = workspace.pack(pack).id
    _catch_up(workspace, session, pack_id, full.flow_id)
    asked = _question(workspace, session, pack_id, full.flow_id, _correlation(full))
    if asked is None:
        request = StartRequest(pack, full.flow_id, full.payload, session=session)
        return "started", workspace.start(request, how).id, 0
    seen = workspace.steps(asked.run.id)[-1].ordinal
    answer = Resolution("ok", fitted(full.payload, asked.wait.schema))
    verdict, _ = workspace.resolve(asked.key, answer, how=how)
    if verdict.status != "accepted":
        raise _refused(workspace, verdict, asked)
    return "answered", asked.run.id, seen


def fitted(payload: Json, schema: Json) -> Json:
    """The message as an answer. Someone who only writes text says {"text": …}; where the question
    wants something else, their text itself, the JSON in it, or the one field that it requires
    may be that."""
    text = payload.get("text") if isinstance(payload, dict) and len(payload) == 1 else None
    if schema is None or not isinstance(text, str):
        return payload
    values: list[Json] = [text]
    with suppress(msgspec.DecodeError):
        values.append(msgspec.json.decode(text))
    required = schema.get("required") if isinstance(schema, dict) else None
    alone = required[0] if isinstance(required, list) and len(required) == 1 else None
    within = [{alone: value} for value in values] if isinstance(alone, str) else []
    forms: list[Json] = [payload, *values, *within]
    return next((form for form in forms if not answers.schema_problem(form, schema)), payload)


def message(workspace: Workspace, pack: Path, talk: Conversation, text: str) -> Json:
    """What someone who writes `text` sends: JSON as they wrote it, else their text. What begins a
    run has the shape of what began the last one, or of the pack's first sample for the flow: a
    channel sends its other fields each time."""
    if text.startswith("{"):
        with suppress(msgspec.DecodeError):
            typed: Json = msgspec.json.decode(text)
            return typed
    shape: Json = None
    if not talk.open:
        inputs = workspace.inputs(pack, talk.flow_id) if not talk.runs else []
        shape = talk.runs[-1].input if talk.runs else inputs[0][1] if inputs else None
    given = shape if isinstance(shape, dict) and isinstance(shape.get("text"), str) else {}
    return {**given, "text": text}


def nothing_said(session: str, pack_id: str, flow_id: str) -> Conversation:
    """A conversation that is yet to begin."""
    return Conversation(session, pack_id, flow_id, (), Line("note", "", 0))


# (run, revision) -> what was said last in it: read again only when the run moved.
Heard = dict[tuple[str, int], Line]


def conversations(workspace: Workspace, heard: Heard | None = None) -> list[Conversation]:
    """The sessions people talk in, the one that said something last first. A run that was started
    without a session is no conversation. `heard` is kept by who asks again and again."""
    heard = {} if heard is None else heard
    found: dict[tuple[str, str, str], list[Run]] = {}
    for run in workspace.runs(_SHOWN):
        if run.session != run.id and run.origin == "managed":
            found.setdefault((run.session, run.pack_id, run.flow_id), []).insert(0, run)
    waits: dict[str, list[OpenWait]] = {}
    for item in workspace.waits() if found else ():
        if is_question(item):
            waits.setdefault(item.run.id, []).append(item)
    talks = []
    for name, runs in found.items():
        last = runs[-1]
        moment = (last.id, last.revision)
        if moment not in heard:
            lines = _lines(workspace, last)
            heard[moment] = lines[-1] if lines else Line("note", "", last.updated_at)
        talks.append(_conversation(name, runs, waits, heard[moment]))
    return sorted(talks, key=lambda talk: talk.runs[-1].updated_at, reverse=True)


def chat(workspace: Workspace, talk: Conversation, most: int = 50) -> list[tuple[Run, list[Line]]]:
    """What was said in a conversation, run by run: in its last `most` runs."""
    return [(run, _lines(workspace, run)) for run in talk.runs[-most:]]


def _conversation(
    name: tuple[str, str, str], runs: list[Run], waits: dict[str, list[OpenWait]], last: Line
) -> Conversation:
    asked = [item for run in runs for item in waits.get(run.id, ())]
    asked.sort(key=lambda item: item.wait.opened_at or 0)
    return Conversation(*name, tuple(runs), last, tuple(asked))


def _lines(workspace: Workspace, run: Run) -> list[Line]:
    waits = workspace.store.waits(run.id, live=False)
    return dialogue(run, workspace.steps(run.id), waits)


def _catch_up(workspace: Workspace, session: str, pack_id: str, flow_id: str) -> None:
    for run_id in dict.fromkeys(wait.run_id for wait in workspace.answered()):
        run = workspace.find_run(run_id)
        if (run.session, run.pack_id, run.flow_id) != (session, pack_id, flow_id):
            continue
        try:
            done = workspace.resume(run_id).join(CATCH_UP_SECONDS)
        except WorkbenchError as error:
            if error.code not in ("run_busy", "already_terminal"):
                raise
        else:
            if not done:
                said = f"run {run.number} is still at work on the message before this one"
                raise WorkbenchError("run_busy", said)


def is_question(item: OpenWait) -> bool:
    """Whether a message answers it: an open wait of a node, for input."""
    return item.wait.kind == "input" and item.wait.phase == "open" and not item.wait.promise


def _question(
    workspace: Workspace, session: str, pack_id: str, flow_id: str, wanted: str
) -> OpenWait | None:
    """The question a message answers. Raises `already_resolved` when it names one that is closed;
    a correlation that is none of ours is the sender's own (§8.3) and says nothing."""
    found = [
        item
        for item in workspace.waits(session=session)
        if (item.run.pack_id, item.run.flow_id) == (pack_id, flow_id) and is_question(item)
    ]
    if wanted:
        named = [item for item in found if correlation_of(item.wait) == wanted]
        if named:
            return named[0]
        if any(wanted == closed for closed in _closed(workspace, session)):
            raise WorkbenchError(
                "already_resolved",
                "the question this message answers is not open any more",
                exit_code=ExitCode.ANSWER_REFUSED,
            )
    return max(found, key=lambda item: item.wait.opened_at or 0, default=None)


def _closed(workspace: Workspace, session: str) -> Iterator[str]:
    for run in workspace.store.runs(session=session, limit=_SHOWN):
        yield from map(correlation_of, workspace.store.waits(run.id, live=False))


def _correlation(full: IngressEnvelope) -> str:
    scope = full.reply_scope
    value = scope.get("correlation") if isinstance(scope, dict) else None
    return value[:CORRELATION] if isinstance(value, str) else ""


def _refused(workspace: Workspace, verdict: ResolveOutcome, asked: OpenWait) -> WorkbenchError:
    """Why an answer was not taken, with what stands instead; for a state machine that lost, the
    reference's words (`packs-and-engine.md` §7, item 5)."""
    question = f"run {asked.run.number} ▸ {asked.wait.signal}"
    if verdict.status == "already_resolved" and verdict.terminal is not None:
        stands = verdict.terminal
        won = f"{stands.status} {short(stands.payload, 80)}" if stands.payload else stands.status
        message = f"another answer came first ({won}); yours was not used"
    elif verdict.status == "invalid_answer":
        message = f"this does not fit: {verdict.message}"
    else:
        message = "the question is gone; yours was not used"
    flow = workspace.definition(asked.run).flows.get(asked.run.flow_id)
    if verdict.status == "already_resolved" and flow is not None and flow.kind == "machine":
        lost = "session error: compare-and-swap failure"
        return WorkbenchError(
            verdict.status, lost, where=question, hint=message, exit_code=ExitCode.ANSWER_REFUSED
        )
    return WorkbenchError(
        verdict.status, message, where=question, exit_code=ExitCode.ANSWER_REFUSED
    )


def _delivered(
    workspace: Workspace, full: IngressEnvelope, how: str, run_id: str, seen: int
) -> Delivered:
    run = workspace.find_run(run_id)
    said = [line for line in _lines(workspace, run) if line.ordinal > seen and line.who == "flow"]
    waits = [item for item in workspace.waits(run_id) if is_question(item)]
    waits.sort(key=lambda item: item.wait.opened_at or 0)
    questions = tuple(_asked(item) for item in waits)
    scope = None
    if questions:
        given = full.reply_scope if isinstance(full.reply_scope, dict) else {}
        scope = {**given, "correlation": questions[-1].correlation}
    replies = tuple(line.value for line in said)
    result = outcome(run, workspace.steps(run_id))
    return Delivered(how, run, replies, questions, scope, result)


def _asked(item: OpenWait) -> Question:
    wait = item.wait
    return Question(item.key, correlation_of(wait), wait.prompt, wait.schema, wait.due_at)
