"""An Adaptive Card (1.x) as a small typed model. `card_reading` makes one from JSON.

Layout is flattened: columns, containers and tables become elements with a depth. A card's own
words are kept as they are, its Markdown unread and its templates (`${name}`) unfilled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, Union

from workbench.model.values import Json

InputKind = Literal["text", "long text", "number", "date", "time", "toggle", "choice", "choices"]
ActionKind = Literal["submit", "execute", "open", "show", "toggle", "unknown"]


@dataclass(frozen=True, slots=True)
class Run:
    """Some words in one style; `url` is what they link to."""

    text: str
    strong: bool = False
    subtle: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A TextBlock, or a RichTextBlock of several runs."""

    runs: tuple[Run, ...]
    heading: bool = False

    @property
    def plain(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of (title, value)."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Something to look at elsewhere: `kind` is "image" or "media"."""

    url: str
    alt: str = ""
    kind: str = "image"


@dataclass(frozen=True, slots=True)
class Buttons:
    """Actions that stand inside the body."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """An element this model does not know, by its type or what is wrong with it."""

    type: str


@dataclass(frozen=True, slots=True)
class Input:
    """Something to fill in.

    `value` is the text it starts with ("" for none), of "choices" several by comma. `choices` are
    (title, value) pairs; of a toggle (title, on) and ("", off). `least` and `most` are its bounds
    as text: numbers, dates (2026-01-31) or times (14:02).
    """

    id: str
    kind: InputKind
    label: str = ""
    value: str = ""
    placeholder: str = ""
    required: bool = False
    error: str = ""
    style: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    least: str = ""
    most: str = ""
    longest: int = 0
    pattern: str = ""

    @property
    def on(self) -> str:
        """What a toggle sends when it is on."""
        return self.choices[0][1]

    @property
    def off(self) -> str:
        """What a toggle sends when it is off."""
        return self.choices[1][1]

    @property
    def chosen(self) -> tuple[str, ...]:
        """The values chosen to start with, as far as they are among the choices."""
        wanted = self.value.split(",") if self.kind == "choices" else [self.value]
        return tuple(value for _, value in self.choices if value in wanted)


@dataclass(frozen=True, slots=True)
class Action:
    """A button. `data` and `gathers` (whether the inputs go along) are about submit and execute,
    `url` is about open, `card` about show, `targets` are the ids that toggle shows or hides."""

    kind: ActionKind
    title: str
    type: str = ""
    id: str = ""
    data: Json = None
    verb: str = ""
    gathers: bool = True
    url: str = ""
    card: Card | None = None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """An element of the body: how deep it stands, whether apart from what is above it, and
    whether it is hidden until toggled."""

    element: Element
    depth: int = 0
    apart: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A card: its body from top to bottom, and its actions."""

    body: tuple[Placed, ...] = ()
    actions: tuple[Action, ...] = ()
    version: str = ""
    fallback: str = ""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Its own inputs, hidden ones too; not those of cards behind its actions."""
        return tuple(one.element for one in self.body if isinstance(one.element, Input))

    @property
    def buttons(self) -> tuple[Action, ...]:
        """Its own actions, those in the body first."""
        inside = [one.element.actions for one in self.body if isinstance(one.element, Buttons)]
        return (*(action for actions in inside for action in actions), *self.actions)


Element: TypeAlias = Union[Text, Facts, Picture, Buttons, Unknown, Input]  # noqa: UP007
