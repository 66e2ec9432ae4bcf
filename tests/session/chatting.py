"""A pack to talk to, and words for talking."""

from __future__ import annotations

from pathlib import Path

from workbench.model.ingress import IngressEnvelope
from workbench.model.values import Json
from workbench.session import Workspace
from workbench.session.conversation import Delivered, send

CHAT = """
id: chat
type: messaging
nodes:
  hello:
    emit.response: {text: "Hello {{entry.text}}, what is your order?"}
    routing: [{to: order}]
  order:
    session.wait: {reason: order number}
    routing: [{to: thanks}]
  thanks:
    emit.response: {text: "Order {{state.input.text}}. Anything else?"}
    routing: [{to: more}]
  more:
    session.wait: {reason: anything else}
    routing: [{to: bye}]
  bye:
    emit.response: {text: "{{state.input.text}}, then. Bye, {{entry.text}}."}
    routing: out
"""


def write_chat(folder: Path, flow: str = CHAT, pack_id: str = "chat") -> Path:
    """A pack with one messaging flow `chat`."""
    pack = folder / pack_id
    (pack / "flows").mkdir(parents=True)
    (pack / "flows" / "chat.ygtc").write_text(flow)
    (pack / "pack.yaml").write_text(
        f"pack_id: {pack_id}\nversion: 0.1.0\nkind: application\npublisher: t\n"
        "flows: [{id: chat, file: flows/chat.ygtc, tags: [default]}]\n"
    )
    return pack


def say(
    workspace: Workspace, pack: Path, user: str, said: Json, conversation: str = "", **scope: str
) -> Delivered:
    """One message; a text is sent as {"text": …}."""
    envelope = IngressEnvelope(
        "demo",
        "chat",
        user=user,
        conversation=conversation or None,
        payload={"text": said} if isinstance(said, str) else said,
        reply_scope={"conversation": conversation or "chat", **scope} if scope else None,
    )
    return send(workspace, pack, envelope)


def texts(delivered: Delivered) -> list[str]:
    return [reply["text"] for reply in delivered.replies if "text" in reply]
