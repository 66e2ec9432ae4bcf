"""Packs: read, checked and described; nothing here runs anything.

    open_pack(path)               -> OpenedPack: the Pack and its bytes, or a refusal
    verify_pack(opened)           -> Pack with every file hashed, and the signature checked
    find_packs(root)              -> paths of the packs below a folder
    compile_flow(text, file)      -> Flow, with the line of everything in it
    file_digest(path)             -> one hash of a pack's bytes, to notice changes

A refusal is a WorkbenchError with exit code PACK_REFUSED and a code that starts with `pack_`;
what is merely wrong is a Finding on the pack, a flow or a node.
"""

from __future__ import annotations

from workbench.packs.catalog import file_digest, find_packs
from workbench.packs.content import MAX_ENTRY_BYTES, MAX_PACK_BYTES
from workbench.packs.flow_document import compile_flow
from workbench.packs.reader import OpenedPack, open_pack, verify_pack

__all__ = [
    "MAX_ENTRY_BYTES",
    "MAX_PACK_BYTES",
    "OpenedPack",
    "compile_flow",
    "file_digest",
    "find_packs",
    "open_pack",
    "verify_pack",
]
