"""`workbench send`: talk to a flow as a user would."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import msgspec

from workbench.cli.arguments import read_input, read_json, usage
from workbench.cli.card_text import card_text
from workbench.cli.output import show, when
from workbench.cli.runs import run_document
from workbench.model.card_reading import card_in
from workbench.model.exit_codes import ExitCode
from workbench.model.ingress import IngressEnvelope, derive_user_id, read_envelope
from workbench.model.pack import Pack
from workbench.model.values import Json, short
from workbench.session import Workspace
from workbench.session.conversation import Delivered, send
from workbench.session.dialogue import Question
from workbench.session.outcome import exit_code


def send_message(options: argparse.Namespace) -> int:
    """`workbench send PACK --as USER --text TEXT`. A run that parks again is a reply, not an
    error: the exit code is 0 unless the flow failed."""
    if options.envelope is None and not options.user:
        raise usage("send takes --as USER, or a whole --envelope")
    workspace = Workspace(options.workspace)
    try:
        pack = workspace.pack(options.pack)
        whole = options.envelope is not None
        envelope = _envelope(options, pack) if whole else _message(options, pack)
        delivered = send(workspace, options.pack, envelope)
        body = {
            "outcome": delivered.outcome,
            "replies": list(delivered.replies),
            "questions": [_question(item) for item in delivered.questions],
            "reply_scope": delivered.reply_scope,
            "result": delivered.result,
            "user_id": derive_user_id(delivered.run.session),
            "run": run_document(workspace, delivered.run),
        }
        show(options, body, "\n".join(_lines(delivered)))
        code = exit_code(delivered.run)
        return int(ExitCode.DONE if code == ExitCode.WAITING else code)
    finally:
        workspace.close()


def _message(options: argparse.Namespace, pack: Pack) -> IngressEnvelope:
    flow = options.flow or pack.entry.flow_id
    if flow is None or flow not in pack.flows:
        raise usage(f"the pack has no flow {flow}" if flow else pack.entry.why)
    return IngressEnvelope(
        tenant=options.tenant,
        flow_id=flow,
        pack_id=pack.id,
        conversation=options.conversation,
        user=options.user,
        payload=_payload(options),
        reply_scope=_scope(options, flow),
    )


def _envelope(options: argparse.Namespace, pack: Pack) -> IngressEnvelope:
    """An envelope as a channel sends it (`packs-and-engine.md` §8.1), for this pack."""
    try:
        envelope = read_envelope(read_input(options.envelope))
    except msgspec.ValidationError as error:
        raise usage(f"--envelope: {error}") from error
    if envelope.pack_id not in (None, pack.id):
        raise usage(f"the envelope is for pack {envelope.pack_id}, this one is {pack.id}")
    if envelope.flow_id not in pack.flows:
        raise usage(f"the pack has no flow {envelope.flow_id}")
    return envelope


def _payload(options: argparse.Namespace) -> Json:
    if options.payload is not None:
        return read_json(options.payload, "--payload")
    if options.text is None:
        raise usage("send takes --text TEXT or --payload JSON")
    return {"text": options.text}


def _scope(options: argparse.Namespace, flow: str) -> Json:
    """The reply scope, when more than the conversation is said."""
    given = {"thread": options.thread, "correlation": options.correlation}
    more = {name: value for name, value in given.items() if value}
    return {"conversation": options.conversation or flow, **more} if more else None


def _question(question: Question) -> Json:
    return {
        "prompt": question.prompt,
        "key": question.key,
        "correlation": question.correlation,
        "schema": question.schema,
        "due": when(question.due_at),
    }


def _lines(delivered: Delivered) -> Iterator[str]:
    for reply in delivered.replies:
        yield spoken(reply)
    for question in delivered.questions:
        yield f"? {question.prompt}"
    if not delivered.replies and not delivered.questions:
        yield "(no reply)"
    run = delivered.run
    yield f"run {run.number} is {run.status}"
    if run.failure is not None:
        yield f"{run.failure.where or run.flow_id}: {run.failure.message}"


def spoken(reply: Json) -> str:
    """A reply in words: its text, or what a card says."""
    if isinstance(reply, str):
        return reply
    if isinstance(reply, dict) and isinstance(reply.get("text"), str):
        return str(reply["text"])
    card = card_in(reply)
    if card is None:
        return short(reply, 400)
    return "\n".join(f"│ {line}" for line in card_text(card))
