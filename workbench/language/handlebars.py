"""The one door to a Handlebars library: for text with blocks, helpers, partials or comments.

Why `dotpromptz-handlebars`: it is pure Python without dependencies (any platform), typed, can
leave escaping off, says nothing while it works and imports in about 15 ms, and only on the first
such template. `dotprompt-handlebars` binds handlebars-rust, the reference's own engine, but has
no wheel for older Linux systems, imports a logging framework, logs every render and cannot tell
which lookups found nothing. It served as the oracle: where the two differ (how values are
spelled, the comparison helpers) the plain lookups and helpers below follow handlebars-rust.
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

_SHOW = "_show"
# A lookup by itself: `{{a.b}}`, `{{{a}}}`, `{{& a}}`, with or without `~`.
_LOOKUP = re.compile(
    r"(?<!\\)(?P<open>\{\{~?)(?P<extra>\{|&)?\s*"
    r"""(?P<path>[^\s{}\#/!>&^~"'()|=@\\*]+)\s*(?P<close>~?\}\})(?P<triple>\})?"""
)
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
    return text if "{{{{" in text else _LOOKUP.sub(_spell_lookup, text)


def _spell_lookup(match: re.Match[str]) -> str:
    path = match["path"]
    if path in RESERVED or (match["extra"] == "{") != (match["triple"] is not None):
        return match[0]
    return f"{match['open']}{_SHOW} '{path}' {path}{match['close']}"


def _engine() -> Handlebars:
    from dotpromptz_handlebars import Handlebars

    engine = Handlebars(escape_html=False)
    engine.register_helper(_SHOW, _show)
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
    def compare(left: Json, right: Json) -> bool:
        numbers = all(type(side) in (int, float) for side in (left, right))
        texts = isinstance(left, str) and isinstance(right, str)
        return (numbers or texts) and test(left, right)

    return compare


# The helpers handlebars-rust has and the library has not.
_TESTS: dict[str, Callable[..., Json]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": _ordered(lambda left, right: left > right),
    "gte": _ordered(lambda left, right: left >= right),
    "lt": _ordered(lambda left, right: left < right),
    "lte": _ordered(lambda left, right: left <= right),
    "and": lambda left, right: bool(left) and bool(right),
    "or": lambda left, right: bool(left) or bool(right),
    "not": lambda value: not value,
    "len": lambda value: len(value) if isinstance(value, (str, list, dict)) else 0,
}


def _as_helper(test: Callable[..., Json]) -> Callable[[list[Any], HelperOptions], Json]:
    def helper(arguments: list[Any], options: HelperOptions) -> Json:
        try:
            return test(*arguments)
        except TypeError as error:
            raise ValueError(f"wrong number of arguments: {len(arguments)}") from error

    return helper
