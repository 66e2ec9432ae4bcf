"""The one expression language: route conditions, breakpoints, watches, evaluate (kernel §5).

Paths, literals, `== != < <= > >= in`, `and or not`, `len(x)` and parentheses; no calls and no
loops. Evaluation is total: a missing path is null, comparing unlike values is false (`!=` true),
`in` and `len` of something that has no members give false and null. Only parsing can fail.

A path starts at one of the roots. A name that is none of them is looked up in `prev`, the
payload the step before left, so that `amount > 500` on a node's route means the node's own output.
"""

from __future__ import annotations

from functools import lru_cache

from workbench.language.expression_parser import (
    Both,
    Constant,
    Items,
    Length,
    Not,
    Reference,
    Tree,
    parse,
)
from workbench.language.paths import ABSENT, Path, Roots, explain_missing, lookup, resolve
from workbench.model.errors import WorkbenchError
from workbench.model.run import Missing
from workbench.model.values import Json, short


class Expression:
    """A parsed expression. Immutable and safe to share between threads."""

    __slots__ = ("paths", "text", "tree")

    def __init__(self, text: str, tree: Tree) -> None:
        self.text = text
        self.tree = tree
        self.paths = tuple(dict.fromkeys(_references(tree)))

    def value(self, roots: Roots) -> Json:
        """What the expression is worth; null where a path finds nothing. Never raises."""
        try:
            return _value(self.tree, roots)
        except RecursionError:  # comparing values nested beyond the interpreter's stack
            return None

    def holds(self, roots: Roots) -> bool:
        """Whether the value counts as true: not null, false, 0, "" or empty."""
        return bool(self.value(roots))

    def missing(self, roots: Roots) -> tuple[Missing, ...]:
        """Every path in it that finds nothing: how far it got, and what was there."""
        lost = [path for path in self.paths if path.path and _find(path, roots) is ABSENT]
        return tuple(
            explain_missing(
                roots,
                _from_root(path, roots),
                pointer="",
                expression=path.text,
                where="",
                in_root="in" not in roots,
            )
            for path in lost
        )

    def explain(self, roots: Roots) -> str:
        """The sentence with the values: "amount > 500 is false (480)"."""
        result = self.value(roots)
        if isinstance(self.tree, Reference):
            found = _find(self.tree, roots)
            return f"{self.text} is {'missing' if found is ABSENT else _short(found)}"
        seen = [(path.text, _find(path, roots)) for path in self.paths]
        told = ["missing" if found is ABSENT else _short(found) for _, found in seen]
        if len(seen) > 1:
            told = [f"{name} = {value}" for (name, _), value in zip(seen, told, strict=True)]
        values = f" ({', '.join(told)})" if told else ""
        return f"{self.text} is {_short(result)}{values}"


@lru_cache(maxsize=1024)
def _cached(text: str) -> Expression:
    return Expression(_unwrapped(text), parse(text))


def compile_expression(text: str, where: str = "") -> Expression:
    """Parse an expression, with or without `{{ }}` around it. Parsed texts are remembered.

    Raises `bad_expression`, naming the column and `where`.
    """
    try:
        return _cached(text)
    except WorkbenchError as error:
        if not where:
            raise
        raise WorkbenchError(error.code, error.message, where=where) from error


def evaluate(text: str, roots: Roots) -> Json:
    """Parse and evaluate. Raises `bad_expression` only."""
    return compile_expression(text).value(roots)


def explain(text: str, roots: Roots) -> str:
    """Parse and say the outcome with the values. Raises `bad_expression` only."""
    return compile_expression(text).explain(roots)


def _unwrapped(text: str) -> str:
    """The text without surrounding braces, for sentences."""
    bare = text.strip()
    if bare.startswith("{{") and bare.endswith("}}") and bare.count("{{") == 1:
        return bare[2:-2].strip()
    return bare


def _references(tree: Tree) -> list[Reference]:
    if isinstance(tree, Reference):
        return [tree]
    if isinstance(tree, Both):
        return _references(tree.left) + _references(tree.right)
    if isinstance(tree, Not | Length):
        return _references(tree.of)
    if isinstance(tree, Items):
        return [path for item in tree.items for path in _references(item)]
    return []


def _from_root(reference: Reference, roots: Roots) -> Path:
    """The path with `prev` in front when that is where it was looked up; a longer path that
    begins nowhere has a misspelled root."""
    path, before = reference.path, roots.get("prev")
    if path[0] in roots or path[0] == "in" or not before:
        return path
    known = isinstance(before, dict) and path[0] in before
    return ("prev", *path) if known or len(path) == 1 else path


def _find(reference: Reference, roots: Roots) -> Json:
    path = reference.path
    if path and path[0] not in roots and path[0] != "in":
        return resolve(roots.get("prev", ABSENT), path)
    return lookup(path, in_root="in" not in roots)(roots)


def _value(tree: Tree, roots: Roots) -> Json:
    if isinstance(tree, Reference):
        found = _find(tree, roots)
        return None if found is ABSENT else found
    if isinstance(tree, Constant):
        return tree.value
    if isinstance(tree, Both):
        return _combined(tree, roots)
    if isinstance(tree, Not):
        return not _value(tree.of, roots)
    if isinstance(tree, Length):
        value = _value(tree.of, roots)
        return len(value) if isinstance(value, str | list | dict) else None
    return [_value(item, roots) for item in tree.items]


def _combined(tree: Both, roots: Roots) -> bool:
    left = _value(tree.left, roots)
    if tree.operator == "and":
        return bool(left) and bool(_value(tree.right, roots))
    if tree.operator == "or":
        return bool(left) or bool(_value(tree.right, roots))
    right = _value(tree.right, roots)
    if tree.operator == "==":
        return same(left, right)
    if tree.operator == "!=":
        return not same(left, right)
    if tree.operator == "in":
        return _member(left, right)
    return _before(tree.operator, left, right)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left: Json, right: Json) -> bool:
    """Equality of JSON values: 1 equals 1.0, but true does not equal 1, at any depth."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def _member(item: Json, of: Json) -> bool:
    if isinstance(of, str):
        return isinstance(item, str) and item in of
    if isinstance(of, dict):
        return isinstance(item, str) and item in of
    return isinstance(of, list) and any(same(item, other) for other in of)


def _before(operator: str, left: Json, right: Json) -> bool:
    texts = isinstance(left, str) and isinstance(right, str)
    if not texts and not (_is_number(left) and _is_number(right)):
        return False
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    return bool(left > right) if operator == ">" else bool(left >= right)


def _short(value: Json) -> str:
    try:
        return short(value, 60)
    except WorkbenchError:
        return "a value JSON cannot carry"
