"""The grammar of the expression language: text to a tree. `expressions` evaluates the tree.

    or      := and ("or" and)*            and  := not ("and" not)*
    not     := "not" not | compare        compare := operand [(== != < <= > >= in, not in) operand]
    operand := literal | path | len(or) | (or) | [or, …]

`&&`, `||` and `!` are other spellings of and, or and not; `{{` and `}}` count as parentheses, so
a condition copied from a template works unchanged. Paths are those of `paths`, with bare names of
letters, digits, `_`, `$`, `@` and `-`; any other key goes into brackets: `a["odd key"]`.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import msgspec

from workbench.language.paths import Path, Segment
from workbench.model.errors import WorkbenchError
from workbench.model.values import Json

MAX_LENGTH = 2_000
MAX_DEPTH = 50


class Constant(msgspec.Struct, frozen=True, tag="constant"):
    value: Json


class Reference(msgspec.Struct, frozen=True, tag="path"):
    """A lookup; `text` is the path as written."""

    path: Path
    text: str


class Items(msgspec.Struct, frozen=True, tag="list"):
    items: tuple[Tree, ...]


class Length(msgspec.Struct, frozen=True, tag="len"):
    of: Tree


class Not(msgspec.Struct, frozen=True, tag="not"):
    of: Tree


class Both(msgspec.Struct, frozen=True, tag="binary"):
    """`left operator right`; the operator is one of the comparisons, `and` or `or`."""

    operator: str
    left: Tree
    right: Tree


Tree: TypeAlias = Constant | Reference | Items | Length | Not | Both

TokenKind = Literal["name", "number", "text", "sign", "end"]


class Token(msgspec.Struct, frozen=True):
    kind: TokenKind
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>-?(?:\d+\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w$@]))
    | (?P<name>[\w$@][\w$@-]*)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<sign>==|!=|<=|>=|&&|\|\||\{\{|\}\}|[<>!()\[\],.])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ALIASES = {"&&": "and", "||": "or", "!": "not", "{{": "(", "}}": ")"}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_CONSTANTS: dict[str, Json] = {"true": True, "false": False, "null": None}
_WORDS = frozenset({"and", "or", "not", "in", "len"})


def parse(text: str) -> Tree:
    """The tree of an expression. Raises `bad_expression`, naming the column (from 1)."""
    if len(text) > MAX_LENGTH:
        raise problem(f"longer than {MAX_LENGTH} characters", text[:20] + "…", MAX_LENGTH)
    parser = _Parser(text)
    tree = parser.either(0)
    if parser.token.kind != "end":
        raise parser.unexpected("the end")
    return tree


def problem(what: str, text: str, column: int) -> WorkbenchError:
    """The one error of this grammar."""
    return WorkbenchError("bad_expression", f"{what} at column {column} of `{text}`")


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position, length = 0, len(text.rstrip())
    while position < length:
        match = _TOKEN.match(text, position)
        if match is None or match.end() > length:
            column = position + 1 + len(text[position:]) - len(text[position:].lstrip())
            raise problem(f"unexpected {text[column - 1]!r}", text, column)
        kind: TokenKind = match.lastgroup  # type: ignore[assignment]
        tokens.append(Token(kind, match[kind], match.start(kind), match.end()))
        position = match.end()
    tokens.append(Token("end", "", length, length))
    return tokens


class _Parser:
    """Recursive descent over the tokens; `depth` bounds the nesting."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.index = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def unexpected(self, wanted: str) -> WorkbenchError:
        found = repr(self.token.text) if self.token.kind != "end" else "the end"
        return problem(f"expected {wanted}, found {found}", self.text, self.token.start + 1)

    def is_word(self, word: str) -> bool:
        token = self.token
        if token.kind == "sign":
            return _ALIASES.get(token.text, token.text) == word
        return token.kind == "name" and token.text == word

    def take(self, word: str) -> bool:
        """Step over a sign or word if it is next."""
        if self.is_word(word):
            self.index += 1
            return True
        return False

    def need(self, word: str) -> None:
        if not self.take(word):
            raise self.unexpected(f"`{word}`")

    def either(self, depth: int) -> Tree:
        if depth > MAX_DEPTH:
            raise problem(f"nested deeper than {MAX_DEPTH}", self.text, self.token.start + 1)
        return self.chain("or", depth)

    def chain(self, operator: str, depth: int) -> Tree:
        """A run of `or` over runs of `and`, leaning left but no deeper than MAX_DEPTH."""
        tree = self.chain("and", depth) if operator == "or" else self.negated(depth)
        count = depth
        while self.take(operator):
            count += 1
            if count > MAX_DEPTH:
                raise problem(f"more than {MAX_DEPTH} parts", self.text, self.token.start + 1)
            right = self.chain("and", depth) if operator == "or" else self.negated(depth)
            tree = Both(operator, tree, right)
        return tree

    def negated(self, depth: int) -> Tree:
        count = 0
        while self.take("not"):
            count += 1
        tree = self.compared(depth)
        return tree if count == 0 else Not(Not(tree) if count % 2 == 0 else tree)

    def compared(self, depth: int) -> Tree:
        left = self.operand(depth)
        if self.is_word("not") and self.tokens[self.index + 1].text == "in":
            self.index += 2
            return Not(Both("in", left, self.operand(depth)))
        for sign in _COMPARISONS:
            if self.take(sign):
                return Both(sign, left, self.operand(depth))
        return left

    def operand(self, depth: int) -> Tree:
        token = self.token
        if token.kind == "number":
            self.index += 1
            return Constant(_number(token.text))
        if token.kind == "text":
            self.index += 1
            return Constant(_unquote(token.text))
        if self.take("("):
            tree = self.either(depth + 1)
            self.need(")")
            return tree
        if self.is_word("["):
            return self.items(depth)
        if token.kind == "name":
            return self.named(token, depth)
        raise self.unexpected("a value")

    def items(self, depth: int) -> Tree:
        self.need("[")
        items: list[Tree] = []
        while not self.is_word("]"):
            items.append(self.either(depth + 1))
            if not self.take(","):
                break
        self.need("]")
        return Items(tuple(items))

    def named(self, token: Token, depth: int) -> Tree:
        if token.text == "len" and self.tokens[self.index + 1].text == "(":
            self.index += 2
            tree = self.either(depth + 1)
            self.need(")")
            return Length(tree)
        follower = self.tokens[self.index + 1].text
        if token.text in _CONSTANTS and follower not in (".", "["):
            self.index += 1
            return Constant(_CONSTANTS[token.text])
        if token.text in _WORDS and follower not in (".", "[") and token.text != "in":
            raise self.unexpected("a value")
        return self.path(token)

    def path(self, first: Token) -> Tree:
        segments: list[Segment] = [first.text]
        self.index += 1
        end = first.end
        while self.token.start == end and self.token.text in (".", "["):
            dotted = self.token.text == "."
            self.index += 1
            segments.append(self.segment(dotted))
            end = self.tokens[self.index - 1].end
        path = tuple(segments[1:] if segments[0] == "this" else segments)
        return Reference(path, self.text[first.start : end])

    def segment(self, dotted: bool) -> Segment:
        token = self.token
        if dotted:
            if token.kind not in ("name", "number") or not _BARE.fullmatch(token.text):
                raise self.unexpected("a name")
            self.index += 1
            return token.text
        if token.kind not in ("name", "number", "text"):
            raise self.unexpected("an index or a key")
        self.index += 1
        self.need("]")
        if token.kind == "text":
            return _unquote(token.text)
        is_index = token.text.isascii() and token.text.isdigit() and len(token.text) <= 9
        return int(token.text) if is_index else token.text


_BARE = re.compile(r"[\w$@][\w$@-]*")


def _number(text: str) -> Json:
    try:
        return int(text) if text.lstrip("-").isdigit() and len(text) < 400 else float(text)
    except ValueError:
        return None


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _unquote(text: str) -> str:
    return re.sub(
        r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text[1:-1], flags=re.DOTALL
    )
