"""Templates: a node's mapping compiled once, rendered per visit (packs-and-engine §4.5).

A string that is one `{{path}}` becomes the value itself with its type; text with lookups becomes
text; objects and arrays recurse; keys and other scalars are left alone. A subtree without a
template is returned as it is: values are shared, never copied, and must not be changed in place.
A lookup that finds nothing always leaves a `Missing` record; under semantics where it is an error
the render fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from workbench.language.handlebars import Program
from workbench.language.paths import ABSENT, Lookup, Path, Roots, explain_missing, lookup, step
from workbench.language.pieces import Piece, classify
from workbench.language.semantics import CURRENT, Semantics
from workbench.language.spelling import spell
from workbench.model.errors import WorkbenchError
from workbench.model.run import Missing
from workbench.model.values import Json

Where = Callable[[str], str]
_MAX_DEPTH = 200


class Miss(msgspec.Struct, frozen=True):
    """A lookup that found nothing, before it is explained. `scope` is where it looked, when that
    is not the roots (inside a block); `fatal` when the expression was the whole string."""

    pointer: str
    expression: str
    path: Path
    fatal: bool = False
    scope: Json = None


Produce = Callable[[Roots, list[Miss]], Json]


class Rendered(msgspec.Struct, frozen=True):
    """A rendered mapping, and every lookup in it that found nothing."""

    value: Json
    missing: tuple[Missing, ...] = ()


class Template:
    """A compiled mapping. Safe to render from several threads."""

    __slots__ = ("_constant", "_produce", "_semantics", "names")

    def __init__(
        self, constant: Rendered, produce: Produce | None, names: frozenset[str], on: Semantics
    ) -> None:
        self._constant = constant
        self._produce = produce
        self._semantics = on
        # The roots it may read; "*" stands for all of them.
        self.names = names

    @property
    def constant(self) -> bool:
        """True when rendering always gives the mapping itself."""
        return self._produce is None

    def reads(self, root: str) -> bool:
        """Whether rendering may look at that root (so a costly one need not be built)."""
        return root in self.names or "*" in self.names

    def render(self, roots: Roots, where: Where | None = None) -> Rendered:
        """Render against the roots (`entry`, `prev`, `node`, `state`). `where` turns a pointer
        into "file:line" for records and errors; `Node.where` fits.

        Raises `template_missing` (a lookup found nothing and the semantics make that an error)
        and `template_failed` (Handlebars could not render the text).
        """
        if self._produce is None:
            return self._constant
        misses: list[Miss] = []
        try:
            value = self._produce(roots, misses)
        except _RenderError as error:
            place = where(error.pointer) if where else error.pointer
            raise WorkbenchError(error.code, error.text, where=place) from error
        if not misses:
            return Rendered(value)
        return Rendered(value, self._explain(roots, misses, where))

    def _explain(
        self, roots: Roots, misses: list[Miss], where: Where | None
    ) -> tuple[Missing, ...]:
        records = []
        for miss in misses:
            place = where(miss.pointer) if where else miss.pointer
            if miss.fatal and self._semantics.missing_is_error:
                inner = miss.expression.strip().strip("{}").strip()
                text = f"template expression `{inner}` not found"
                raise WorkbenchError("template_missing", text, where=place)
            scope = roots if miss.scope is None else miss.scope
            records.append(
                explain_missing(
                    scope,
                    miss.path,
                    pointer=miss.pointer,
                    expression=miss.expression.strip(),
                    where=place,
                    in_root=self._semantics.in_root and miss.scope is None,
                )
            )
        return tuple(records)


class _RenderError(Exception):
    """A failure on its way to the place that can say where it is."""

    def __init__(self, code: str, text: str, pointer: str) -> None:
        super().__init__(text)
        self.code, self.text, self.pointer = code, text, pointer


def compile_template(
    mapping: Json,
    semantics: Semantics = CURRENT,
    *,
    pointers: bool = False,
    raw: frozenset[str] = frozenset(),
) -> Template:
    """Compile a mapping. `pointers` switches on the "/state/x" strings of in_map and out_map;
    `raw` names pointers to leave unrendered (a template that is data for someone else).

    Never fails on odd text: what cannot be rendered fails when it is rendered, as in the
    reference. Raises `template_too_deep` beyond 200 levels.
    """
    compiler = _Compiler(semantics, pointers, raw)
    produce = compiler.value(mapping, "", 0)
    return Template(Rendered(mapping), produce, frozenset(compiler.names), semantics)


class _Compiler:
    """Turns a mapping into closures; None stands for "constant"."""

    def __init__(self, semantics: Semantics, pointers: bool, raw: frozenset[str]) -> None:
        self.semantics, self.pointers, self.raw = semantics, pointers, raw
        self.names: set[str] = set()

    def value(self, value: Json, pointer: str, depth: int) -> Produce | None:
        if depth > _MAX_DEPTH:
            raise WorkbenchError("template_too_deep", f"the mapping nests deeper than {_MAX_DEPTH}")
        if pointer in self.raw:
            return None
        if isinstance(value, str):
            return self.text(classify(value, self.semantics, pointers=self.pointers), pointer)
        if isinstance(value, dict):
            return self.object(value, pointer, depth)
        if isinstance(value, list):
            return self.array(value, pointer, depth)
        return None

    def object(self, value: dict[str, Json], pointer: str, depth: int) -> Produce | None:
        fields = []
        for key, item in value.items():
            produce = self.value(item, f"{pointer}/{escape_key(key)}", depth + 1)
            if produce is not None:
                fields.append((key, produce))
        if not fields:
            return None

        def render(roots: Roots, misses: list[Miss]) -> Json:
            result = value.copy()
            for key, produce in fields:
                result[key] = produce(roots, misses)
            return result

        return render

    def array(self, value: list[Json], pointer: str, depth: int) -> Produce | None:
        items = []
        for index, item in enumerate(value):
            produce = self.value(item, f"{pointer}/{index}", depth + 1)
            if produce is not None:
                items.append((index, produce))
        if not items:
            return None

        def render(roots: Roots, misses: list[Miss]) -> Json:
            result = value.copy()
            for index, produce in items:
                result[index] = produce(roots, misses)
            return result

        return render

    def text(self, piece: Piece, pointer: str) -> Produce | None:
        if piece.kind == "literal":
            return None
        if piece.kind == "exact":
            return _exact(self.find(piece.path), Miss(pointer, piece.text, piece.path, fatal=True))
        if piece.kind == "mixed":
            return self.mixed(piece, pointer)
        if piece.kind == "pointer":
            return self.pointer(piece.text, pointer)
        if piece.kind == "broken":
            return _broken(piece.problem, pointer)
        self.names.add("*")
        return _program(Program(piece.text, in_root=self.semantics.in_root), pointer)

    def find(self, path: Path) -> Lookup:
        name = str(path[0]) if path else "*"
        self.names.add("entry" if name == "in" else name)
        return lookup(path, in_root=self.semantics.in_root)

    def mixed(self, piece: Piece, pointer: str) -> Produce:
        parts: list[tuple[str, Lookup | None, Miss | None]] = []
        for part in piece.parts:
            if isinstance(part, str):
                parts.append((part, None, None))
            else:
                path, expression = part
                parts.append(("", self.find(path), Miss(pointer, expression, path)))

        def render(roots: Roots, misses: list[Miss]) -> Json:
            texts = []
            for text, find, miss in parts:
                if find is None:
                    texts.append(text)
                    continue
                value = find(roots)
                if type(value) is str:
                    texts.append(value)
                elif value is ABSENT:
                    misses.append(miss)  # type: ignore[arg-type]
                else:
                    texts.append(_spelled(value, pointer))
            return "".join(texts)

        return render

    def pointer(self, text: str, pointer: str) -> Produce:
        self.names.add("*")
        path: Path = tuple(unescape_key(key) for key in text[1:].split("/"))
        strict = self.semantics.missing_is_error
        miss = Miss(pointer, text, path)

        def render(roots: Roots, misses: list[Miss]) -> Json:
            value: Json = roots.get(str(path[0]), ABSENT)
            for segment in path[1:]:
                value = step(value, segment)
            if value is not ABSENT:
                return value
            if strict:
                raise _RenderError("mapping_missing", f"mapping path `{text}` not found", pointer)
            misses.append(miss)
            return None

        return render


def _exact(find: Lookup, miss: Miss) -> Produce:
    def render(roots: Roots, misses: list[Miss]) -> Json:
        value = find(roots)
        if value is ABSENT:
            misses.append(miss)
            return ""
        return value

    return render


def _spelled(value: Json, pointer: str) -> str:
    try:
        return spell(value)
    except RecursionError as error:
        text = "template render failed: the value nests too deep"
        raise _RenderError("template_failed", text, pointer) from error


def _broken(problem: str, pointer: str) -> Produce:
    def render(roots: Roots, misses: list[Miss]) -> Json:
        raise _RenderError("template_failed", f"template render failed: {problem}", pointer)

    return render


def _program(program: Program, pointer: str) -> Produce:
    def render(roots: Roots, misses: list[Miss]) -> Json:
        def report(expression: str, path: Path, scope: Json) -> None:
            misses.append(Miss(pointer, expression, path, scope=scope))

        try:
            return program.render(roots, report)
        except ValueError as error:
            text = f"template render failed: {error}"
            raise _RenderError("template_failed", text, pointer) from error

    return render


def escape_key(key: str) -> str:
    """A key as a segment of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def unescape_key(segment: str) -> str:
    """The inverse of `escape_key`."""
    return segment.replace("~1", "/").replace("~0", "~")


def template_strings(mapping: Json, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a mapping that holds `{{`, with its JSON pointer."""
    if isinstance(mapping, str):
        if "{{" in mapping:
            yield pointer, mapping
    elif isinstance(mapping, dict):
        for key, item in mapping.items():
            yield from template_strings(item, f"{pointer}/{escape_key(key)}")
    elif isinstance(mapping, list):
        for index, item in enumerate(mapping):
            yield from template_strings(item, f"{pointer}/{index}")
