"""The seam between a flow and the world: the controller chain and its short links.

`chain` composes links; `record` (outermost) masks and remembers; `pause` asks the debugger;
`pin` and `faults` answer in the world's place; `intent` guards what is live. `control` holds
limits, pausing and cancelling for one run; `world` is the clock and the dice a guest is shown.
"""

from workbench.effects.chain import Link, Perform, build_chain

__all__ = ["Link", "Perform", "build_chain"]
