"""Secrets that a recording was made with and this machine does not have.

A recording keeps `⟦secret:NAME:encoding⟧` where a secret stood. Some of those were learned on the
way (a token from a login response) and are gone with the process that saw them. A made-up text
takes their place, the same one every time, so that the recording still plays.
"""

from __future__ import annotations

import hashlib
import re

from workbench.model.errors import WorkbenchError
from workbench.model.masking import Masker
from workbench.model.secret_forms import all_forms
from workbench.model.values import Json

_PLACEHOLDER = re.compile(r"⟦secret:([^:⟧]+):([a-z0-9_]+)⟧")


def with_stand_ins(value: Json, masker: Masker) -> Json:
    """The (masked) value with a stand-in for every secret the masker cannot reveal. Stand-ins
    are registered as secrets, so what the flow makes of them is masked again."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: _known(found, masker), value)
    if isinstance(value, dict):
        return {
            str(with_stand_ins(key, masker)): with_stand_ins(item, masker)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [with_stand_ins(item, masker) for item in value]
    return value


def stand_in(name: str) -> str:
    """What plays the part of the secret `name`."""
    return f"stand-in-for-{name}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _known(found: re.Match[str], masker: Masker) -> str:
    try:
        masker.reveal_text(found[0])
        return found[0]
    except WorkbenchError:
        text = stand_in(found[1])
        masker.register(found[1], text)
        return all_forms(text).get(found[2], text)
