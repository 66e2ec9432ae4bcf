"""The one door to a Handlebars library: for text with blocks, helpers, partials or comments.

Why `dotpromptz-handlebars`: it is pure Python without dependencies (any platform), typed, can
leave escaping off, and imports in about 15 ms, only on the first such template. The alternative,
`dotprompt-handlebars`, binds handlebars-rust, which is the reference's own engine, but has no
wheel for Linux before glibc 2.36, imports a logging framework and logs every render, takes the
whole context as JSON text each time, and cannot tell which lookups found nothing.

It served as the oracle instead: what the library does differently (how values are spelled, space
between two tags of one line, the comparison helpers, `log`) is put right here. On random nested
templates the two agree in 99 of 100; the rest is `~` next to a comment or a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.language.paths import ABSENT, Path, Roots, parse_path, resolve, with_ingress
from workbench.language.pieces import RESERVED
from workbench.language.spelling import spell
from workbench.model.values import Json

if TYPE_CHECKING:
    from dotpromptz_handlebars import Handlebars, HelperOptions

# Called with the expression, its path and the scope it was looked up in.
Report = Callable[[str, Path, Json], None]

_SHOW, _NOTHING = "_show", "_nothing"
# A lookup by itself: `{{a.b}}`, `{{{a}}}`, `{{& a}}`, with or without `~`.
_LOOKUP = re.compile(
    r"(?<!\\)(?P<open>\{\{~?)(?P<extra>\{|&)?\s*"
    r"""(?P<path>[^\s{}\#/!>&^~"'()|=@\\*]+)\s*(?P<close>~?\}\})(?P<triple>\})?"""
)
# Space between two tags of one line. The library takes it for the end of a line and drops it; a
# helper that says nothing, on both sides, keeps it.
_GAP = re.compile(r"(?<=[^~]\}\})([ \t]+)(?=\{\{(?!~)|\Z)")
_BLOCK_NAMES = re.compile(r"\bas\s*\|([^|]*)\|")


class Program:
    """A Handlebars text, compiled when it is first rendered (so is the library's import)."""

    __slots__ = ("_names", "_partials", "_render", "_text", "in_root")

    def __init__(
        self, text: str, *, in_root: bool = False, partials: Mapping[str, str] | None = None
    ) -> None:
        self._text = text
        self._partials = partials or {}
        self._render: Callable[..., str] | None = None
        self._names: frozenset[str] = frozenset(" ".join(_BLOCK_NAMES.findall(text)).split())
        self.in_root = in_root

    def render(self, roots: Roots, report: Report | None = None) -> str:
        """The text with everything filled in, unescaped. Raises ValueError with one sentence."""
        if self._render is None:
            self._render = self._compile()
        context = with_ingress(roots) if self.in_root else dict(roots)
        try:
            return self._render(context, data={_SHOW: (report, self._names)})
        except RecursionError as error:
            raise ValueError("the template nests too deep") from error

    def _compile(self) -> Callable[..., str]:
        engine = _engine()
        for name, text in self._partials.items():
            engine.register_partial(name, _spell_lookups(text))
        return engine.compile(_spell_lookups(self._text))


def _spell_lookups(text: str) -> str:
    """Send every plain lookup through our helper, so that it is spelled and missed our way."""
    if "{{{{" in text:
        return text
    return _LOOKUP.sub(_spell_lookup, _GAP.sub(rf"{{{{{_NOTHING}}}}}\1{{{{{_NOTHING}}}}}", text))


def _spell_lookup(match: re.Match[str]) -> str:
    path = match["path"]
    if (
        path in RESERVED
        or path == _NOTHING
        or (match["extra"] == "{") != (match["triple"] is not None)
    ):
        return match[0]
    return f"{match['open']}{_SHOW} '{path}' {path}{match['close']}"


def _engine() -> Handlebars:
    from dotpromptz_handlebars import Handlebars

    engine = Handlebars(escape_html=False)
    engine.register_helper(_SHOW, _show)
    engine.register_helper(_NOTHING, lambda arguments, options: "")
    engine.register_helper("log", lambda arguments, options: "")  # the library's own prints
    for name, test in _TESTS.items():
        engine.register_helper(name, _as_helper(test))
    return engine


def _show(arguments: list[Any], options: HelperOptions) -> str:
    text, value = arguments
    if value is None:
        _report_missing(text, options)
        return ""
    return spell(value)


def _report_missing(text: str, options: HelperOptions) -> None:
    report, block_names = options.data.get(_SHOW, (None, frozenset()))
    path = parse_path(text.replace(".[", "["))
    if report is None or path is None or (path and path[0] in block_names):
        return
    scope = options.context
    if resolve(dict(scope) if isinstance(scope, dict) else scope, path) is ABSENT:
        report("{{" + text + "}}", path, scope if isinstance(scope, dict) else {})


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    """Numbers, texts and booleans have an order among themselves; a number and a text of digits
    too. Anything else compares false."""

    def compare(left: Json, right: Json) -> bool:
        if type(left) is not type(right):
            left, right = _as_number(left), _as_number(right)
        elif not isinstance(left, int | float | str):
            return False
        return left is not None and right is not None and test(left, right)

    return compare


def _as_number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _equal(left: Json, right: Json) -> bool:
    return type(left) is type(right) and bool(left == right)


def _length(value: Json) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    return len(value) if isinstance(value, list | dict) else 0


# The helpers handlebars-rust has and the library has not.
_TESTS: dict[str, Callable[..., Json]] = {
    "eq": _equal,
    "ne": lambda left, right: not _equal(left, right),
    "gt": _ordered(lambda left, right: left > right),
    "gte": _ordered(lambda left, right: left >= right),
    "lt": _ordered(lambda left, right: left < right),
    "lte": _ordered(lambda left, right: left <= right),
    "and": lambda left, right: bool(left) and bool(right),
    "or": lambda left, right: bool(left) or bool(right),
    "not": lambda value: not value,
    "len": _length,
}


def _as_helper(test: Callable[..., Json]) -> Callable[[list[Any], HelperOptions], Json]:
    def helper(arguments: list[Any], options: HelperOptions) -> Json:
        try:
            return test(*arguments)
        except TypeError as error:
            raise ValueError(f"wrong number of arguments: {len(arguments)}") from error

    return helper
