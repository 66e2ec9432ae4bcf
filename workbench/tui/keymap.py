"""Bindings from the table of actions: every key goes through one door, `perform`.

A letter belongs to the screen, so a text field takes it first and typing is safe; only F-keys and
ctrl keys have priority.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding

from workbench.tui.actions import BY_ID, spell


def bindings(ids: Iterable[str]) -> list[Binding]:
    """Bindings for these actions; each calls the screen's `perform(id)`."""
    made = []
    for action_id in ids:
        action = BY_ID[action_id]
        for key in action.keys:
            urgent = key.startswith(("f1", "f5", "f9", "shift+f", "ctrl+q"))
            made.append(
                Binding(
                    key,
                    f"perform('{action_id}')",
                    action.title,
                    show=False,
                    key_display=spell(key),
                    tooltip=action.help,
                    priority=urgent,
                )
            )
    return made
