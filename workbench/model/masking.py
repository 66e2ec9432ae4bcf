"""No secret leaves the two ends of the effect chain: masking on the way in, revealing on the way
out (`kernel.md` §4).

A masked value carries `⟦secret:NAME:encoding⟧` where the secret stood, so it can be turned back
exactly. Secrets come from two places: those that are registered are looked for everywhere and in
every spelling (`secret_forms`); a text under a secret-like key is replaced where it stands, and
looked for elsewhere only if it is unusual enough not to turn up by itself.

The same object comes back when there was nothing to mask, and finding that out costs one encode
and a substring test per spelling (`journal-facts.md`, "Masking").
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import lru_cache

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.findings import Finding
from workbench.model.secret_forms import (
    API_HINTS,
    KEY_HINTS,
    all_forms,
    is_secret_key,
    looks_unusual,
    plain_forms,
)
from workbench.model.values import Json, encode

MIN_SECRET = 6
REDACTED = "__REDACTED__"
_MARK = "⟦secret:"
_MARK_BYTES = _MARK.encode()
_PLACEHOLDER = re.compile(r"⟦secret:([^:⟧]+):([a-z0-9_]+)⟧")
# Of what stood under secret-like keys, the first are looked for for good and in every spelling;
# later ones only in text, and the oldest of those are forgotten.
_FULLY_LEARNED = 24
_LEARNED_NEEDLES = 256

# Secrets under a key inside text: `"password": "…"` in embedded JSON, `token=…` in a form or URL.
_TEXT_PAIRS = re.compile(
    r'"(?P<key>[^"\\\s]{3,60})"\s*:\s*"(?P<value>(?:[^"\\]|\\.){6,})"'
    r"""|(?:^|[?&;\s])(?P<name>[\w.-]{3,60})=(?P<text>[^&;\s"'<>⟦⟧]{6,})"""
)
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Digest|Negotiate|ApiKey) +", re.IGNORECASE)
_NO_SECRET = re.compile(r"[*x•.]+|__REDACTED__|\{\{.*\}\}|\$\{.*\}", re.IGNORECASE | re.DOTALL)


class Needle(msgspec.Struct, frozen=True):
    """One spelling of one secret: as text, and as it stands in encoded JSON, byte for character
    (Latin-1), because searching text is a third faster than searching bytes."""

    text: str
    encoded: str
    placeholder: str


def placeholder(name: str, encoding: str = "plain") -> str:
    """What stands where a secret was."""
    return f"{_MARK}{name}:{encoding}⟧"


class Masker:
    """The secrets of one run. Safe to use from any thread; what it learned lives as long as it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}  # secret -> name
        self._taken: set[str] = set()
        self._veiled: dict[tuple[str, str], str] = {}  # (name, value) -> its placeholder
        self._texts: dict[tuple[str, str], str] = {}  # (name, encoding) -> text to reveal
        self._registered: tuple[Needle, ...] = ()
        self._learned: tuple[Needle, ...] = ()
        self._fully_learned = 0
        self._needles: tuple[Needle, ...] = ()  # replaced, never changed: readers take no lock

    # knowing secrets

    def register(self, name: str, value: str) -> Finding | None:
        """Mask this secret everywhere from now on. One shorter than 6 characters is not masked
        (it would hit ordinary text): the finding `secret_too_short` says so."""
        secret = value.strip()
        if len(secret) < MIN_SECRET:
            message = f"the secret {name} has fewer than {MIN_SECRET} characters: it is not masked"
            return Finding("secret_too_short", "warning", name, message)
        with self._lock:
            known = self._names.get(secret) or self._named(name, secret)
            needles = self._spellings(known, all_forms(secret))
            kept = [needle for needle in self._registered if needle not in needles]
            self._registered = (*kept, *needles)
            self._rebuild()
        return None

    def veil(self, name: str, value: str) -> str:
        """What stands for a value that must not be written, however short it is. A short one is
        only hidden here; a longer one is masked everywhere, as a secret is."""
        self.register(name, value)
        with self._lock:
            known = self._names.get(value)
            if known is not None:
                return placeholder(known)
            if (name, value) not in self._veiled:
                unique = self._unique(name)
                self._texts[unique, "plain"] = value
                self._veiled[name, value] = placeholder(unique)
            return self._veiled[name, value]

    def reserve(self, value: Json) -> None:
        """Note the names in an already masked value (a journal read back), so that a secret
        learned later never answers to the name of one this process does not have."""
        with self._lock:
            for name, _ in _PLACEHOLDER.findall(_as_text(value)):
                self._taken.add(name)

    def _named(self, name: str, secret: str) -> str:
        unique = self._unique(name)
        self._names[secret] = unique
        self._texts[unique, "plain"] = secret
        return unique

    def _unique(self, name: str) -> str:
        clean = re.sub(r"[^\w.-]", "_", name)[:40] or "secret"
        unique, count = clean, 1
        while unique in self._taken:
            count += 1
            unique = f"{clean}-{count}"
        self._taken.add(unique)
        return unique

    def _spellings(self, name: str, forms: dict[str, str]) -> list[Needle]:
        needles = []
        for encoding, text in forms.items():
            self._texts[name, encoding] = text
            needles.append(Needle(text, _encoded(text), placeholder(name, encoding)))
        return needles

    def _rebuild(self) -> None:
        unique = {needle.text: needle for needle in (*self._learned, *self._registered)}
        self._needles = tuple(sorted(unique.values(), key=lambda item: -len(item.text)))

    def _learn(self, key: str, value: str) -> None:
        """Remember a text that stood under a secret-like key."""
        if value in self._names:
            return
        with self._lock:
            if value in self._names:
                return
            name = self._named(key, value)
            if looks_unusual(value):
                if self._fully_learned < _FULLY_LEARNED:
                    self._fully_learned += 1
                    self._registered += tuple(self._spellings(name, all_forms(value)))
                else:
                    needles = self._spellings(name, plain_forms(value))
                    self._learned = (*self._learned, *needles)[-_LEARNED_NEEDLES:]
                self._rebuild()

    # masking

    def mask(self, value: Json) -> Json:
        """The value without its secrets: in strings, keys and numbers. The same object when
        there was nothing to mask. Raises `json_too_deep` for a value nested some 300 levels."""
        if isinstance(value, str):
            return self.mask_text(value)
        if not value or isinstance(value, bool):
            return value
        try:
            data = encode(value)
        except WorkbenchError:  # what cannot be encoded is searched the long way
            data = b""
        keyed = not data or _hints(data)
        searched = data.decode("latin-1")
        with _bounded():
            if keyed:
                _each_keyed(value, self._learn)
            hits = tuple([n for n in self._needles if not data or n.encoded in searched])
            if not hits and not keyed:
                return value
            return _Masking(self._names, hits).value(value, "")

    def mask_text(self, text: str) -> str:
        """The text without its secrets; the same object when there were none."""
        keyed = _hints(text.encode("utf-8", "replace"))
        if keyed:
            _each_pair(text, self._learn)
        hits = tuple([needle for needle in self._needles if needle.text in text])
        return _Masking(self._names, hits).text(text) if hits or keyed else text

    # revealing

    def reveal(self, value: Json) -> Json:
        """The value with every placeholder turned back. The same object when there was none.
        Raises `secret_unavailable`, naming the secret, when this process does not have it, and
        `json_too_deep`."""
        if isinstance(value, str):
            return self._reveal_string(value)
        if not value or isinstance(value, bool):
            return value
        try:
            if _MARK_BYTES not in encode(value):
                return value
        except WorkbenchError:
            pass
        with _bounded():
            return _mapped(value, self._reveal_string)

    def reveal_text(self, text: str) -> str:
        """The text with every placeholder turned back. Raises `secret_unavailable`."""
        return _PLACEHOLDER.sub(self._revealed, text) if _MARK in text else text

    def _reveal_string(self, text: str) -> Json:
        if _MARK not in text:
            return text
        whole = _PLACEHOLDER.fullmatch(text)
        if whole and whole[2] == "number":
            return msgspec.json.decode(self._known(whole[1], "plain"))
        return self.reveal_text(text)

    def _revealed(self, match: re.Match[str]) -> str:
        return self._known(match[1], match[2])

    def _known(self, name: str, encoding: str) -> str:
        text = self._texts.get((name, encoding))
        if text is None:
            raise WorkbenchError(
                "secret_unavailable",
                f"the secret {name} is needed, but its value is not known here any more",
                hint=f"put {name} into [secrets.map] of mocks.toml, or start the run again",
            )
        return text


class _Masking:
    """One pass over one value with the needles that hit it."""

    def __init__(self, names: dict[str, str], hits: tuple[Needle, ...]) -> None:
        self._names = names
        self._by_text = {needle.text: needle.placeholder for needle in hits}
        self._pattern = _pattern(tuple(self._by_text))

    def value(self, value: Json, key: str) -> Json:
        """`key` is the secret-like key the value stands under, or empty."""
        if isinstance(value, str):
            return self.keyed(value) if key else self.text(value)
        if isinstance(value, dict):
            return self.object(value)
        if isinstance(value, list):
            items = [self.value(item, key if isinstance(item, str) else "") for item in value]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        return self.number(value)

    def object(self, value: dict[str, Json]) -> Json:
        result: dict[str, Json] = {}
        changed = False
        for key, item in value.items():
            new_key = self.needles(key)
            new = self.value(item, key if is_secret_key(key) else "")
            changed = changed or new is not item or new_key is not key
            result[new_key] = new
        return result if changed else value

    def text(self, text: str) -> str:
        """Needles, and what stands under a secret-like key inside the text."""
        masked = self.needles(text)
        parts: list[str] = []
        position = 0
        for _, start, end in _pairs(masked):
            name = self._names.get(masked[start:end])
            if name is not None:
                parts += (masked[position:start], placeholder(name))
                position = end
        return "".join((*parts, masked[position:])) if parts else masked

    def keyed(self, text: str) -> str:
        masked = self.needles(text)
        if masked is not text:
            return masked
        scheme = _SCHEME.match(text)
        start = scheme.end() if scheme else 0
        name = self._names.get(text[start:])
        return text if name is None else text[:start] + placeholder(name)

    def needles(self, text: str) -> str:
        if not self._by_text:
            return text
        masked = self._pattern.sub(lambda m: self._by_text.get(m[0], m[0]), text)
        return text if masked == text else masked

    def number(self, value: Json) -> Json:
        if value is None or isinstance(value, bool) or not self._by_text:
            return value
        stands = self._by_text.get(encode(value).decode(), "")
        return stands.replace(":plain⟧", ":number⟧") if stands.endswith(":plain⟧") else value


class _bounded:  # noqa: N801  (reads as a phrase; a class, because a generator costs more)
    """Turns the interpreter's recursion limit into an error a person can read."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None and issubclass(kind, RecursionError):
            raise WorkbenchError("json_too_deep", "the value nests too deep to look for secrets")


@lru_cache(maxsize=256)
def _pattern(texts: tuple[str, ...]) -> re.Pattern[str]:
    """One pass, longest first; a placeholder that is already there is stepped over."""
    ordered = sorted(texts, key=len, reverse=True)
    return re.compile("|".join([_PLACEHOLDER.pattern, *map(re.escape, ordered)]))


def _encoded(text: str) -> str:
    """A text as it stands inside encoded JSON, without the quotes, byte for character."""
    try:
        return encode(text)[1:-1].decode("latin-1")
    except WorkbenchError:
        return text


def _hints(data: bytes) -> bool:
    lowered = data.lower().decode("latin-1")
    for hint in KEY_HINTS:
        if hint in lowered:
            return True
    return "api" in lowered and any(hint in lowered for hint in API_HINTS)


Learn = Callable[[str, str], None]


def _each_keyed(value: Json, learn: Learn, key: str = "") -> None:
    """Tell `learn` every text under a secret-like key, in document order."""
    if isinstance(value, str):
        if key:
            secret = _secret_part(value)
            if secret:
                learn(key, secret)
        else:
            _each_pair(value, learn)
    elif isinstance(value, dict):
        for name, item in value.items():
            _each_keyed(item, learn, name if is_secret_key(name) else "")
    elif isinstance(value, list):
        for item in value:
            _each_keyed(item, learn, key if isinstance(item, str) else "")


def _each_pair(text: str, learn: Learn) -> None:
    for key, start, end in _pairs(text):
        learn(key, text[start:end])


def _pairs(text: str) -> list[tuple[str, int, int]]:
    """(key, start, end) of the secret in every `"key": "…"` and `key=…` with a secret-like key."""
    if "=" not in text and '":' not in text and '" :' not in text:
        return []
    found = []
    for match in _TEXT_PAIRS.finditer(text):
        group = "value" if match["key"] else "text"
        key = match["key"] or match["name"]
        secret = _secret_part(match[group]) if is_secret_key(key) else ""
        if secret:
            found.append((key, match.end(group) - len(secret), match.end(group)))
    return found


def _secret_part(value: str) -> str:
    """What of a text under a secret-like key is secret: its end, without the scheme of an
    Authorization header; empty when too short, masked already or plainly a stand-in."""
    scheme = _SCHEME.match(value)
    secret = value[scheme.end() :] if scheme else value
    if len(secret) < MIN_SECRET or _MARK in secret or _NO_SECRET.fullmatch(secret):
        return ""
    return secret


def _mapped(value: Json, change: Callable[[str], Json]) -> Json:
    """The value with every string and key changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {str(change(key)): _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return value


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else encode(value).decode("utf-8", "replace")


def redact_keys(value: Json, base: str) -> tuple[Json, list[str]]:
    """The value with everything under a secret-like key replaced by "__REDACTED__", whatever its
    type, and the paths of those places below `base` (packs-and-engine §6.5; the words are those
    of `is_secret_key`, more than the reference's). The same object when nothing was. Raises
    `json_too_deep`."""
    paths: list[str] = []
    with _bounded():
        return _redacted(value, base, paths), paths


def _redacted(value: Json, path: str, paths: list[str]) -> Json:
    if isinstance(value, dict):
        result: dict[str, Json] = {}
        for key, item in value.items():
            if is_secret_key(key):
                paths.append(f"{path}.{key}")
                result[key] = REDACTED
            else:
                result[key] = _redacted(item, f"{path}.{key}", paths)
        return result if any(result[key] is not item for key, item in value.items()) else value
    if isinstance(value, list):
        items = [_redacted(item, f"{path}[{index}]", paths) for index, item in enumerate(value)]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value
