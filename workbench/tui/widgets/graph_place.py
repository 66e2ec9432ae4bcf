"""What a person made of the view of the graph, so that it is there again when they come back."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class GraphPlace:
    """What a person made of the view, kept while it is away: which sub-flows are open or were
    closed by hand (by caller), and the first cell shown."""

    opened: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    x: int = 0
    y: int = 0
