"""CBOR entries of a pack: manifests, inventories and locks."""

from __future__ import annotations

from workbench.model import cbor
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json
from workbench.packs.content import refuse


def decode_cbor(data: bytes, file: str) -> Json:
    """The value of a CBOR entry (`model.cbor`). Raises `pack_manifest_invalid`."""
    try:
        return cbor.decode_cbor(data, file)
    except WorkbenchError as error:
        said = f"{file} is invalid: {error.message}"
        raise refuse("pack_manifest_invalid", said, file) from error
