"""`workbench send`: talk to a flow as a user would."""

from __future__ import annotations

import argparse

from workbench.cli.arguments import read_json, usage
from workbench.cli.output import show
from workbench.cli.runs import run_document
from workbench.model.exit_codes import ExitCode
from workbench.model.ingress import IngressEnvelope
from workbench.model.values import Json, short
from workbench.session import Workspace
from workbench.session.conversation import send
from workbench.session.outcome import exit_code


def send_message(options: argparse.Namespace) -> int:
    """`workbench send PACK --as USER --text TEXT`. A run that parks again is a reply, not an
    error: the exit code is 0 unless the flow failed."""
    payload = _payload(options)
    workspace = Workspace(options.workspace)
    try:
        pack = workspace.pack(options.pack)
        flow = options.flow or pack.entry.flow_id
        if flow is None or flow not in pack.flows:
            raise usage(f"the pack has no flow {flow}" if flow else pack.entry.why)
        envelope = IngressEnvelope(
            tenant=options.tenant,
            flow_id=flow,
            pack_id=pack.id,
            conversation=options.conversation,
            user=options.user,
            payload=payload,
        )
        delivered = send(workspace, options.pack, envelope)
        body = {
            "outcome": delivered.outcome,
            "replies": list(delivered.replies),
            "run": run_document(workspace, delivered.run),
        }
        lines = [_line(reply) for reply in delivered.replies] or ["(no reply)"]
        lines.append(f"run {delivered.run.number} is {delivered.run.status}")
        show(options, body, "\n".join(lines))
        code = exit_code(delivered.run)
        return int(ExitCode.DONE if code == ExitCode.WAITING else code)
    finally:
        workspace.close()


def _payload(options: argparse.Namespace) -> Json:
    if options.payload is not None:
        return read_json(options.payload, "--payload")
    if options.text is None:
        raise usage("send takes --text TEXT or --payload JSON")
    return {"text": options.text}


def _line(reply: Json) -> str:
    if isinstance(reply, dict):
        for key in ("text", "prompt"):
            if isinstance(reply.get(key), str):
                return str(reply[key])
    return short(reply, 400)
