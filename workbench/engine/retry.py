"""Whether a failure is tried again, and how long to wait first (`packs-and-engine.md` §4.8).

`current` retries the node when the failure says it is retryable, honouring its backoff;
`runner-2026-02` looks for words in the message and starts again at the entry (`kernel.md` §5).
"""

from __future__ import annotations

from typing import Literal

from workbench.language.semantics import Semantics
from workbench.model.effect import Failure

MAX_ATTEMPTS = 3
BASE_DELAY_MS = 250
RETRY_WORDS = ("transient", "unavailable", "internal", "timeout")

RetryPlace = Literal["node", "entry"]


def retry_place(failure: Failure, attempt: int, semantics: Semantics) -> RetryPlace | None:
    """Where to try again after attempt number `attempt` (from 1), or None to stop trying. The old
    runner looks at the outermost words only: a failed call hides why the called flow failed."""
    if attempt >= MAX_ATTEMPTS or failure.code == "adapter_failed":
        return None  # an adapter call was tried again already, more often than that
    if semantics.retry == "node":
        return "node" if failure.retryable else None
    message = failure.message.lower()
    if message.startswith("flow.call failed for "):
        message = message.partition(": ")[0]
    return "entry" if any(word in message for word in RETRY_WORDS) else None


def backoff_ms(failure: Failure, attempt: int) -> int:
    """What the failure asked for, else 250 ms doubling; no jitter, so a replay is the same."""
    if failure.backoff_ms is not None:
        return failure.backoff_ms
    return int(BASE_DELAY_MS * 2 ** min(attempt - 1, 10))
