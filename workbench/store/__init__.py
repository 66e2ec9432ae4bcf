"""The store room: where runs are kept (`durable-model.md` §5, `kernel.md` §2).

`open_store(path)` gives the durable SQLite store, `open_store(None)` the inline memory store.
Both keep the promises of `model.journal.Store` and pass one conformance suite.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.journal import Store

if TYPE_CHECKING:
    from workbench.store.memory import MemoryStore

__all__ = ["MemoryStore", "open_store"]


def open_store(path: Path | None, read_only: bool = False) -> Store:
    """The store at `path` (created when absent), or a fresh memory store when `path` is None.

    A read-only store creates no file and refuses every write. Raises WorkbenchError
    `store_missing`, `store_newer`, `store_damaged` or `store_unwritable`.
    """
    if path is None:
        if read_only:
            raise WorkbenchError("store_missing", "there is no journal to read")
        return _memory_store()()
    from workbench.store.sqlite import SqliteStore

    return SqliteStore(path, read_only=read_only)


def __getattr__(name: str) -> type[MemoryStore]:
    """The memory store is imported when somebody wants one: a workspace in a file does not."""
    if name == "MemoryStore":
        return _memory_store()
    raise AttributeError(name)


def _memory_store() -> type[MemoryStore]:
    from workbench.store.memory import MemoryStore

    return MemoryStore
