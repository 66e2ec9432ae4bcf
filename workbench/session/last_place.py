"""Where a person was when they left a workspace, so that reopening leads back there.

A small file in the workspace's state folder. It is a convenience: what cannot be read counts as
nowhere, and nothing that it names is run.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.stepping import Breakpoint
from workbench.model.values import encode, reader
from workbench.session.paths import prepare_state

FILE = "place.json"


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """`root` is the folder that was open; `run` the run in front (empty on the packs), with the
    node under the cursor, the pane and tab in front; `pack` and `flow` the row of the packs."""

    root: str = ""
    pack: str = ""
    flow: str = ""
    run: str = ""
    node: str = ""
    pane: str = ""
    tab: str = ""
    zoomed: bool = False
    graph: bool = False
    breakpoints: tuple[Breakpoint, ...] = ()


def last_place(state: Path, root: Path) -> Place:
    """The place kept in a state folder for `root`; an empty one when there is none."""
    with suppress(OSError, WorkbenchError):
        place = reader(Place)((state / FILE).read_bytes())
        if place.root == str(root.resolve()):
            return place
    return Place()


def keep_place(state: Path, place: Place) -> None:
    """Write a place down, beside and then in place. A workspace in which nothing ever ran stays
    untouched until there is a run or a breakpoint to come back to; a disk that refuses costs
    only the memory."""
    if not (place.run or place.breakpoints or state.is_dir()):
        return
    with suppress(OSError):
        target = prepare_state(state) / FILE
        beside = target.with_name(f"{FILE}.{os.getpid()}.new")
        beside.write_bytes(encode(place))
        os.replace(beside, target)
