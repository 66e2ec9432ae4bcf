"""Breakpoints: on a node, or on an effect, with a condition, a hit count, or only a log line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.model.effect import Effect
from workbench.model.errors import WorkbenchError
from workbench.model.stepping import Breakpoint
from workbench.model.values import Json

Roots = Callable[[], Mapping[str, Json]]


class Breakpoints:
    """The set a session keeps; read by the run's thread, changed by any."""

    def __init__(self) -> None:
        self._by_key: dict[str, Breakpoint] = {}
        self._hits: dict[str, int] = {}
        self.watches_effects = False

    def all(self) -> tuple[Breakpoint, ...]:
        """Every breakpoint, in the order they were set."""
        return tuple(self._by_key.values())

    def put(self, breakpoint_: Breakpoint) -> None:
        """Set or replace one."""
        self._by_key = {**self._by_key, breakpoint_.key: breakpoint_}
        self._hits.pop(breakpoint_.key, None)
        self._refresh()

    def drop(self, key: str) -> bool:
        """Remove one; False when there was none."""
        kept = {name: item for name, item in self._by_key.items() if name != key}
        found = len(kept) != len(self._by_key)
        self._by_key = kept
        self._refresh()
        return found

    def at_node(self, flow: str, node: str) -> Breakpoint | None:
        """The breakpoint of a node, enabled or not."""
        return self._by_key.get(f"{flow}/{node}")

    def hits_node(self, flow: str, node: str, roots: Roots) -> Breakpoint | None:
        """The breakpoint that stops this node now; `roots` gives what a condition looks at."""
        found = self._by_key.get(f"{flow}/{node}")
        return found if found is not None and self._fires(found, roots) else None

    def hits_effect(self, effect: Effect) -> Breakpoint | None:
        """The first breakpoint that stops this effect now."""
        for item in self._by_key.values():
            if item.effect and _matches(item, effect):
                if self._fires(item, lambda: {"request": effect.request, "target": effect.target}):
                    return item
        return None

    def _fires(self, item: Breakpoint, roots: Roots) -> bool:
        if not item.enabled:
            return False
        if item.condition:
            # A session without conditions need not load the language.
            from workbench.language.expressions import evaluate

            try:
                if not evaluate(item.condition, roots()):
                    return False
            except WorkbenchError:
                return True  # a condition nobody can read stops, so that someone sees it
        hits = self._hits[item.key] = self._hits.get(item.key, 0) + 1
        return hits > item.after

    def _refresh(self) -> None:
        self.watches_effects = any(item.effect for item in self._by_key.values())


def _matches(item: Breakpoint, effect: Effect) -> bool:
    kind = item.effect
    same = effect.kind.startswith(kind[:-1]) if kind.endswith("*") else effect.kind == kind
    return same and effect.target.startswith(item.target)
