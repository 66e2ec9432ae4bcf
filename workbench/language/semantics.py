"""What a flow means, generation by generation: the one table of differences.

`CURRENT` runs every pack seen in the wild; `RUNNER_2026_02` does exactly what the runner of
February 2026 does, including what it ignores (architecture.md, "Semantics"; packs-and-engine
§4, §11.1). Nothing else in the workbench asks which generation it is: it asks for a field here.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode


class Semantics(msgspec.Struct, frozen=True):
    """One generation. The comments name the section of packs-and-engine they come from."""

    name: str
    # An exact template expression that finds nothing: "" and a Missing record, or an error (§4.5).
    missing_is_error: bool
    # `{{in.input.text}}`: the root that newer packs read (§4.5, last paragraph).
    in_root: bool
    # `{{a}} {{b}}` and `{{#if x}}…{{/if}}` are rendered as text, not taken as one path (trap 5).
    lenient_mixed: bool
    # `items[0]` inside mixed text; Handlebars itself only knows `items.[0]` (trap 6).
    brackets_in_text: bool
    # Branch routes look at the node's status; else only the default is followed (§4.3, item 7).
    on_status: bool
    # Custom routing is followed in order; else the flow ends there with success (trap 11).
    custom_routing: bool
    # `next:` is a spelling of `to:` (trap 23).
    next_routes: bool
    # A failed node may go on along its `error` route (kernel §5).
    error_routes: bool
    # Where a retry starts: the failed node, or the flow's entry with a fresh state (§4.8).
    retry: Literal["node", "entry"]
    # session.wait reads schema, timeout, kind, topic and correlation (kernel §5).
    wait_extensions: bool
    # A called flow may wait; else that is an error of the call (§4.4, flow.call).
    waits_in_subflows: bool
    # The key under which a wait's answer joins the payload of its node; None: it does not.
    answer_key: str | None
    # component.exec without `input` passes its other keys on as the input (trap 12).
    exec_keeps_flat_keys: bool
    # `input` or `payload` replaces an emit's message even when it has other keys (trap 13).
    emit_always_unwraps: bool
    # A component input with `op`, `payload` or `metadata` loses its other keys (§4.7).
    envelope_drops_keys: bool
    # qa.process and templating.handlebars answer by themselves when the pack lacks them (§4.4, E1).
    builtins: bool
    # in_map and out_map of a provider call may hold `{{result.x}}`: they are rendered by the call
    # alone, not already with the payload around them, when there is no result yet (§4.6).
    maps_render_once: bool
    # Components answer through any world this host knows, newest first; else only through what
    # that runner calls, which is not node@0.6 (§1.6, component-host.md §1).
    newest_worlds: bool
    # An answer that holds nothing but an `error` is a failure; else only `ok: false` beside an
    # error object is (§4.7), and a provider's answer never is (§4.6).
    lone_errors: bool


CURRENT = Semantics(
    name="current",
    missing_is_error=False,
    in_root=True,
    lenient_mixed=True,
    brackets_in_text=True,
    on_status=True,
    custom_routing=True,
    next_routes=True,
    error_routes=True,
    retry="node",
    wait_extensions=True,
    answer_key="answer",
    waits_in_subflows=True,
    exec_keeps_flat_keys=True,
    emit_always_unwraps=False,
    envelope_drops_keys=False,
    builtins=True,
    maps_render_once=True,
    newest_worlds=True,
    lone_errors=True,
)

RUNNER_2026_02 = Semantics(
    name="runner-2026-02",
    missing_is_error=True,
    in_root=False,
    lenient_mixed=False,
    brackets_in_text=False,
    on_status=False,
    custom_routing=False,
    next_routes=False,
    error_routes=False,
    retry="entry",
    wait_extensions=False,
    answer_key=None,
    waits_in_subflows=False,
    exec_keeps_flat_keys=False,
    emit_always_unwraps=True,
    envelope_drops_keys=True,
    builtins=False,
    maps_render_once=False,
    newest_worlds=False,
    lone_errors=False,
)

# How sentences for people call the old generation.
OLD_RUNNER = "the 2026-02 runner"

ALL: tuple[Semantics, ...] = (CURRENT, RUNNER_2026_02)


def by_name(name: str) -> Semantics:
    """The generation of that name. Raises `unknown_semantics` (exit USAGE), naming the others."""
    for semantics in ALL:
        if semantics.name == name:
            return semantics
    known = " and ".join(semantics.name for semantics in ALL)
    raise WorkbenchError(
        "unknown_semantics",
        f"there are no semantics named {name!r}; there are {known}",
        exit_code=ExitCode.USAGE,
    )
