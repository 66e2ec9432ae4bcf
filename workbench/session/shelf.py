"""The packs a workspace has opened: read once, looked up by path, replaced on reload."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.pack import Pack
from workbench.model.values import Json, decode
from workbench.session.views import PackSummary

if TYPE_CHECKING:
    from workbench.components import ComponentHost
    from workbench.packs import OpenedPack


class Shelf:
    """Opened packs by resolved path. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opened: dict[Path, OpenedPack] = {}
        self._before: dict[Path, OpenedPack] = {}
        self._assets: dict[Path, tempfile.TemporaryDirectory[str]] = {}

    def find(self, root: Path) -> list[PackSummary]:
        """Every pack below `root` (or `root` itself), good ones beside refused ones."""
        from workbench.packs import find_packs

        if not root.exists():
            raise _no_such(root)
        return [self.summary(path) for path in find_packs(root)]

    def summary(self, path: Path) -> PackSummary:
        """Open a pack for a list; a refusal is a row, not an error."""
        try:
            return PackSummary(str(path), self.open(path).pack)
        except WorkbenchError as error:
            place = error.where or str(path)
            return PackSummary(str(path), None, Finding(error.code, "error", place, error.message))

    def open(self, path: Path) -> OpenedPack:
        """The pack at `path`, read at most once. Raises WorkbenchError (exit PACK_REFUSED)."""
        from workbench.packs import open_pack

        key = path.resolve()
        with self._lock:
            opened = self._opened.get(key)
        if opened is None:
            opened = open_pack(path)
            with self._lock:
                opened = self._opened.setdefault(key, opened)
        return opened

    def paths(self) -> list[Path]:
        """The packs that were opened, resolved."""
        with self._lock:
            return list(self._opened)

    def reread(self, path: Path) -> tuple[Pack, Pack]:
        """Read an opened pack again: as it was, and as it is now in use. Raises WorkbenchError,
        and then the old one stays."""
        from workbench.packs import open_pack

        fresh = open_pack(path)
        with self._lock:
            old = self._opened.get(path, fresh)
            self._before[path] = old
            self._opened[path] = fresh
        return old.pack, fresh.pack

    def put_back(self, path: Path) -> None:
        """Use what was in use before the last `reread`."""
        with self._lock:
            old = self._before.pop(path, None)
            if old is not None:
                self._opened[path] = old

    def forget(self, path: Path) -> None:
        """Read the pack again the next time it is asked for."""
        with self._lock:
            self._opened.pop(path.resolve(), None)

    def assets(self, opened: OpenedPack) -> Path | None:
        """A folder holding the pack's `assets/`, for a guest's read-only `/assets`."""
        root = Path(opened.pack.path)
        if root.is_dir():
            folder = root / "assets"
            return folder if folder.is_dir() else None
        names = [name for name in opened.content.entries() if name.startswith("assets/")]
        if not names:
            return None
        key = root.resolve()
        with self._lock:
            kept = self._assets.get(key)
            if kept is None:
                kept = self._assets[key] = tempfile.TemporaryDirectory(prefix="workbench-assets-")
                for name in names:
                    target = Path(kept.name) / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(opened.content.read(name))
        return Path(kept.name) / "assets"

    def warm(self, opened: OpenedPack, host: ComponentHost) -> None:
        """Compile what is not cached yet, in the background."""
        for component in opened.pack.components.values():
            read = partial(opened.content.read, component.entry)
            host.warm(component.id, read, component.sha256)

    def presets(self, opened: OpenedPack) -> dict[str, Json]:
        """Sample inputs by name, from `presets/*.json`; broken ones are left out."""
        found: dict[str, Json] = {}
        for name in opened.content.entries():
            if name.startswith("presets/") and name.endswith(".json"):
                with suppress(WorkbenchError):
                    found[name[8:-5]] = decode(opened.content.read(name), name)
        return found

    def close(self) -> None:
        """Remove what was unpacked."""
        with self._lock:
            for folder in self._assets.values():
                folder.cleanup()
            self._assets.clear()


def _no_such(path: Path) -> WorkbenchError:
    from workbench.model.exit_codes import ExitCode

    return WorkbenchError(
        "pack_missing",
        "there is no such file or folder",
        where=str(path),
        exit_code=ExitCode.PACK_REFUSED,
    )
