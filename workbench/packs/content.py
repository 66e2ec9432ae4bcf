"""The bytes behind a pack on disk, and the bounds every layout shares (packs-and-engine §1.3)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final, Protocol

from workbench.model.errors import WorkbenchError
from workbench.model.exit_codes import ExitCode
from workbench.model.pack import PackContent
from workbench.packs.digests import digest_pair

MAX_PACK_BYTES: Final = 64 * 1024 * 1024
MAX_ENTRY_BYTES: Final = 16 * 1024 * 1024
MAX_ENTRIES: Final = 10_000

# Folders that hold what tools wrote, never a pack or a part of one.
# Where workflow and machine documents are, in folders and archives alike.
WORKFLOWS: Final = "workflows/"
MACHINES: Final = "machines/"
SKIPPED_FOLDERS: Final = frozenset({"target", "node_modules", "__pycache__"})


class Files(PackContent, Protocol):
    """Pack content as this room uses it: also what can be known without reading. `expect` names
    the digest ("sha256:…") some entries must have; reading one that differs is refused."""

    expect: dict[str, str]

    def has(self, entry: str) -> bool:
        """Whether there is such a file."""
        ...

    def size(self, entry: str) -> int:
        """Its size in bytes, 0 when there is none."""
        ...


def refuse(code: str, message: str, where: str) -> WorkbenchError:
    """The error that refuses a pack."""
    return WorkbenchError(code, message, where=where, exit_code=ExitCode.PACK_REFUSED)


def entry_missing(entry: str, where: str) -> WorkbenchError:
    """The error for an entry a pack does not have."""
    return refuse("pack_entry_missing", f"the pack has no entry `{entry[:200]}`", where)


def entry_too_large(entry: str, where: str) -> WorkbenchError:
    """The error for an entry above the bound."""
    message = f"entry {entry[:200]} exceeds maximum allowed size of {MAX_ENTRY_BYTES} bytes"
    return refuse("pack_entry_too_large", message, where)


def check_digest(entry: str, data: bytes, expected: str | None, where: str) -> None:
    """Raises `pack_digest_mismatch` for bytes that are not the expected ones."""
    if expected is None:
        return
    wanted, found = digest_pair(expected, data)
    if wanted != found:
        message = f"{entry} is not the file its source names: expected {wanted}, got {found}"
        raise refuse("pack_digest_mismatch", message, where)


def clean_entry(name: str, where: str) -> str:
    """An entry name as it is looked up: forward slashes, no `./`. Raises `pack_unsafe_path` for a
    path that leaves the pack or is empty (§1.3)."""
    problem = ""
    path = name.replace("\\", "/")
    parts = [part for part in path.split("/") if part != "."]
    if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        problem = f"entry `{name[:200]}` uses absolute path"
    elif ".." in parts:
        problem = f"archive entry contains unsafe path: {name[:200]}"
    elif not parts or "" in parts:
        problem = f"entry `{name[:200]}` contains empty path segment"
    elif "\0" in path or any("\udc80" <= char <= "\udcff" for char in path):
        problem = f"entry {name[:200]!r} contains invalid path segments"
    if problem:
        raise refuse("pack_unsafe_path", problem, where)
    return "/".join(parts)


class FolderContent:
    """A folder as pack content. Links that lead outside the folder are not followed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.expect: dict[str, str] = {}
        self._real = root.resolve()

    def read(self, entry: str) -> bytes:
        """Bytes of one file, at most 16 MiB. Raises `pack_entry_missing`, `pack_unsafe_path`,
        `pack_entry_type` or `pack_entry_too_large`."""
        where = str(self.root)
        path = self.locate(entry)
        try:
            with path.open("rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise refuse("pack_entry_type", f"{entry} is not a regular file", where)
                data = file.read(MAX_ENTRY_BYTES + 1)
        except OSError as error:
            if isinstance(error, FileNotFoundError | NotADirectoryError):
                raise entry_missing(entry, where) from error
            code = "pack_entry_type" if isinstance(error, IsADirectoryError) else "pack_unreadable"
            raise refuse(code, f"{entry}: {error.strerror}", where) from error
        if len(data) > MAX_ENTRY_BYTES:
            raise entry_too_large(entry, where)
        check_digest(entry, data, self.expect.get(entry), where)
        return data

    def locate(self, entry: str) -> Path:
        """The file of an entry; it may not exist. Raises `pack_unsafe_path`."""
        path = self.root / clean_entry(entry, str(self.root))
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            message = f"entry `{entry[:200]}` cannot be looked up: {error}"
            raise refuse("pack_unsafe_path", message, str(self.root)) from error
        if not real.is_relative_to(self._real):
            message = f"entry `{entry[:200]}` is a link that leaves the pack"
            raise refuse("pack_unsafe_path", message, str(self.root))
        if path.exists() and not path.is_file() and not path.is_dir():
            raise refuse("pack_entry_type", f"{entry} is not a regular file", str(self.root))
        return path

    def has(self, entry: str) -> bool:
        """Whether the entry is a file inside the folder."""
        try:
            return self.locate(entry).is_file()
        except (WorkbenchError, OSError):
            return False

    def size(self, entry: str) -> int:
        """Size in bytes without reading; 0 when there is no such file."""
        try:
            return self.locate(entry).stat().st_size
        except (WorkbenchError, OSError):
            return 0

    def fingerprint(self, entry: str) -> str:
        """A folder keeps no checksums."""
        return ""

    def entries(self) -> tuple[str, ...]:
        """Every file that is not hidden, sorted, with forward slashes; at most 10,000."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(
                name for name in folders if name[0] != "." and name not in SKIPPED_FOLDERS
            )
            base = Path(folder).relative_to(self.root).as_posix()
            prefix = "" if base == "." else f"{base}/"
            found.extend(prefix + name for name in sorted(files) if name[0] != ".")
            if len(found) > MAX_ENTRIES:
                break
        return tuple(sorted(found[:MAX_ENTRIES]))
