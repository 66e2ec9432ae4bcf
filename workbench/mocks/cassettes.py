"""HTTP recordings: one JSON file a response, read, found, played in order and written.

The reference form is `<sha256(method‖url‖body)>.json` with status, headers and body
(`packs-and-engine.md` §5.1). Ours adds `request` and `match` (which of method, url and body must
be equal; `ignore` lists JSON pointers of the body that do not count), so that a recording can be
reviewed, matched loosely and compared. A binary body is base64, with `"encoding": "base64"`.
Several recordings of one request are `NAME.json`, `NAME-2.json`, … and play in that order.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.mocks.http_request import (
    MATCH_FIELDS,
    HttpRequest,
    body_bytes,
    match_key,
    read_encoding,
    read_headers,
    read_request,
)
from workbench.mocks.stand_ins import with_stand_ins
from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.masking import REDACTED, Masker
from workbench.model.values import Json, decode

# Headers whose values a recording never keeps, whether or not they hold a known secret.
HIDDEN_HEADERS: frozenset[str] = frozenset(
    {"authorization", "cookie", "set-cookie", "x-api-key", "proxy-authorization"}
)
LARGEST_FILE = 16 * 1024 * 1024
_NUMBER = re.compile(r"-(\d{1,9})$")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded response. `response` is what an `http` effect gives; `request` is None for
    the reference form, which can only be found by its name."""

    file: str
    response: dict[str, Json]
    request: HttpRequest | None = None
    match: tuple[str, ...] = MATCH_FIELDS
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tape:
    """The recordings of one request in playing order; `key` names it in the world's counters."""

    key: str
    recordings: tuple[Recording, ...]

    def play(self, count: int) -> Recording:
        """The recording for the play after `count` earlier ones: in order, then the last."""
        return self.recordings[min(count, len(self.recordings) - 1)]


class Cassettes:
    """The recordings of a folder. Loading never fails: what cannot be used is a finding."""

    def __init__(self, folder: Path | None, masker: Masker) -> None:
        self._folder = folder
        self._masker = masker
        self._tapes: dict[str, list[Recording]] = {}
        self._rules: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        self.findings: list[Finding] = []
        for path in _files(folder):
            self._load(path)
        self.existed = bool(self._tapes)

    @property
    def recordings(self) -> list[Recording]:
        return [recording for tape in self._tapes.values() for recording in tape]

    def find(self, request: HttpRequest, revealed: HttpRequest | None = None) -> Tape | None:
        """The tape of a (masked) request. The rule with most fields wins, an exact name first.

        `revealed` is the request as it would be sent, if that differs: the reference names its
        files after it.
        """
        for asked in (request, revealed):
            if asked is not None and (tape := self._tape(_named(asked))):
                return tape
        tape = self._by_rule(request)
        if tape is None and revealed is not None and self._mask_again():
            tape = self._by_rule(request)
        return tape

    def save(self, request: HttpRequest, response: Json, number: int = 1) -> Path:
        """Write the `number`-th recording of a masked request and know it from now on.

        Raises `cassette_unwritable`, naming the file, when the disk refuses or there is no folder.
        """
        name, answer = request.fingerprint, self._masker.mask(response)
        file = f"{name}.json" if number < 2 else f"{name}-{number}.json"
        if self._folder is None:
            raise WorkbenchError("cassette_unwritable", "no folder for recordings", where=file)
        kept = {
            "request": {**request.wire(), "headers": hide(request.headers)},
            "match": list(MATCH_FIELDS),
            **answer,
            "headers": hide(read_headers(answer.get("headers"))),
        }
        path = self._folder / file
        write_json(path, kept)
        recording = read_recording(kept, file)
        tape = self._tapes.setdefault(self._key(recording), [])
        tape[:] = sorted([*(old for old in tape if old.file != file), recording], key=_order)
        return path

    def _load(self, path: Path) -> None:
        where = f"{path.parent.name}/{path.name}"
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise WorkbenchError("cassette_invalid", "larger than 16 MB")
            written = with_stand_ins(decode(path.read_bytes()), self._masker)
            recording = read_recording(self._masker.mask(written), path.name)
        except OSError as error:
            self._skip(where, f"cannot read: {error.strerror}")
        except WorkbenchError as error:
            self._skip(where, error.message)
        except RecursionError:
            self._skip(where, "nested too deeply")
        else:
            self._tapes.setdefault(self._key(recording), []).append(recording)

    def _skip(self, where: str, why: str) -> None:
        message = f"recording skipped: {why}"
        self.findings.append(Finding("cassette_invalid", "warning", where, message))

    def _by_rule(self, request: HttpRequest) -> Tape | None:
        for match, ignore in self._rules:
            if tape := self._tape(_ruled(request, match, ignore)):
                return tape
        return None

    def _mask_again(self) -> bool:
        """Mask what was loaded before a secret was known; whether that changed any of it."""
        known = self.recordings
        masked = [self._masked(recording) for recording in known]
        if all(new is old for new, old in zip(masked, known, strict=True)):
            return False
        tapes: dict[str, list[Recording]] = {}
        for recording in masked:
            tapes.setdefault(self._key(recording), []).append(recording)
        self._tapes = tapes
        return True

    def _masked(self, recording: Recording) -> Recording:
        asked = recording.request.wire() if recording.request is not None else None
        both: dict[str, Json] = {"request": asked, "response": recording.response}
        masked = self._masker.mask(both)
        if masked is both:
            return recording
        request = read_request(masked["request"]) if asked is not None else None
        return replace(recording, request=request, response=masked["response"])

    def _tape(self, key: str) -> Tape | None:
        recordings = self._tapes.get(key)
        return Tape(key, tuple(recordings)) if recordings else None

    def _key(self, recording: Recording) -> str:
        if recording.request is None:
            return f"name:{_NUMBER.sub('', Path(recording.file).stem)}"
        rule = (recording.match, recording.ignore)
        if rule not in self._rules:
            self._rules.append(rule)
            self._rules.sort(key=lambda known: (-len(known[0]), known))
        return _ruled(recording.request, *rule)


def read_recording(value: Json, file: str) -> Recording:
    """A cassette file's JSON. Raises `cassette_invalid` with what is wrong with it."""
    if not isinstance(value, dict):
        raise WorkbenchError("cassette_invalid", "a recording is an object")
    status, body = value.get("status"), value.get("body")
    if type(status) is not int or not 100 <= status <= 999:
        raise WorkbenchError("cassette_invalid", "status must be a number from 100 to 999")
    if not (body is None or isinstance(body, str)):
        raise WorkbenchError("cassette_invalid", "body must be a text or null")
    encoding = read_encoding(value)
    body_bytes(body, encoding)
    response: dict[str, Json] = {
        "status": status,
        "headers": read_headers(value.get("headers")),
        "body": body,
    }
    if encoding:
        response["encoding"] = encoding
    if value.get("request") is None:
        return Recording(file, response)
    match = _words(value, "match", MATCH_FIELDS)
    if not match or not set(match) <= set(MATCH_FIELDS):
        raise WorkbenchError("cassette_invalid", "match lists some of method, url, body")
    fields = tuple(name for name in MATCH_FIELDS if name in match)
    ignore = _words(value, "ignore", ())
    return Recording(file, response, read_request(value["request"]), fields, ignore)


def hide(headers: dict[str, str] | Json) -> dict[str, str]:
    """Headers fit to keep: the values of credential headers are replaced."""
    return {
        name: REDACTED if name.lower() in HIDDEN_HEADERS else value
        for name, value in headers.items()
    }


def write_json(path: Path, value: Json) -> None:
    """Write readable JSON beside the file, then put it in place; folders are made."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        message = f"cannot write a recording: {error.strerror}"
        raise WorkbenchError("cassette_unwritable", message, where=path.name) from error


def _named(request: HttpRequest) -> str:
    return f"name:{request.fingerprint}"


def _ruled(request: HttpRequest, match: tuple[str, ...], ignore: tuple[str, ...]) -> str:
    return f"{'+'.join((*match, *ignore))}:{match_key(request, match, ignore)}"


def _words(value: dict[str, Json], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    words = value.get(key, list(default))
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise WorkbenchError("cassette_invalid", f"{key} must be a list of texts")
    return tuple(words)


def _files(folder: Path | None) -> list[Path]:
    """The folder's cassette files in playing order; no folder, no files."""
    if folder is None or not folder.is_dir():
        return []
    visible = (path for path in folder.glob("*.json") if not path.name.startswith("."))
    return sorted(visible, key=lambda path: _file_order(path.name))


def _order(recording: Recording) -> tuple[str, int]:
    return _file_order(recording.file)


def _file_order(file: str) -> tuple[str, int]:
    stem = file.removesuffix(".json")
    number = _NUMBER.search(stem)
    return (stem[: number.start()], int(number[1])) if number else (stem, 1)
