"""Text measured in terminal cells: cleaning, padding and eliding.

Everything that reaches a row passes `clean`, so control characters, bidirectional overrides and
lone surrogates in user data can neither move the cursor nor break the terminal's encoder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len, chop_cells, set_cell_size

# A row's text and the name of its tone ("" plain; see `LineView.TONES`).
Fragment = tuple[str, str]

ELLIPSIS = "…"
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def clean(text: str, limit: int = 0) -> str:
    """`text` on one line: tabs become two spaces, other unsafe characters "�".

    With a `limit` the result has at most that many characters, the last one `…` when cut.
    """
    if limit and len(text) > limit:
        text = text[: limit - 1] + ELLIPSIS
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub("\ufffd", text.replace("\t", "  "))


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells: padded, or cut with `…` at the end."""
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length <= width:
        return text + " " * (width - length)
    if width == 1:
        return ELLIPSIS
    return set_cell_size(text, width - 1) + ELLIPSIS


def pad(text: str, width: int) -> str:
    """`text` in at least `width` cells."""
    return text + " " * (width - cell_len(text))


def width_of(fragments: Iterable[Fragment]) -> int:
    """The cells a row of fragments takes."""
    return sum(cell_len(text) for text, _ in fragments)


def elide_middle(text: str, width: int) -> str:
    """`text` in at most `width` cells, the middle replaced by `…` when it is longer."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    if width < 3:
        return fit(text, width)
    tail_width = (width - 1) // 2
    head = set_cell_size(text, width - 1 - tail_width).rstrip()
    tail = "".join(reversed(chop_cells(text[::-1], tail_width)[0]))
    return head + ELLIPSIS + tail


def fit_middle(text: str, width: int) -> str:
    """`elide_middle`, padded to exactly `width` cells."""
    short = elide_middle(text, width)
    return short + " " * (width - cell_len(short))


def human_bytes(count: int) -> str:
    """A size for a headline: "112 B", "8.6 KB", "5.7 MB" (powers of 1000)."""
    if count < 1000:
        return f"{count} B"
    for unit in ("KB", "MB", "GB"):
        amount = count / 1000
        count = count // 1000
        if amount < 1000 or unit == "GB":
            return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"
    raise AssertionError  # unreachable: GB returns


def human_duration(micros: int) -> str:
    """A duration for a row: "0 ms", "3 ms", "0.8 s", "12 s", "2 min", "3 h"."""
    if micros < 100_000:
        return f"{round(micros / 1000)} ms"
    if micros < 10_000_000:
        return f"{micros / 1_000_000:.1f} s"
    if micros < 120_000_000:
        return f"{micros // 1_000_000} s"
    if micros < 7_200_000_000:
        return f"{micros // 60_000_000} min"
    return f"{micros // 3_600_000_000} h"


def split_matches(fragments: list[Fragment], needle: str, tone: str) -> list[Fragment]:
    """The fragments with every case-insensitive occurrence of `needle` in `tone`.

    Matches are looked for in the joined text, so one that spans two fragments is marked too.
    """
    if not needle:
        return fragments
    whole = "".join(text for text, _ in fragments)
    folded, wanted = whole.lower(), needle.lower()
    if len(folded) != len(whole):  # a character whose lower case is longer: do not mis-mark
        return fragments
    spans = [(m.start(), m.end()) for m in re.finditer(re.escape(wanted), folded)]
    if not spans:
        return fragments
    result: list[Fragment] = []
    offset = 0
    for text, own in fragments:
        end = offset + len(text)
        at = offset
        for start, stop in spans:
            if stop <= at or start >= end:
                continue
            if start > at:
                result.append((text[at - offset : start - offset], own))
            upto = min(stop, end)
            result.append((text[max(start, at) - offset : upto - offset], tone))
            at = upto
        if at < end:
            result.append((text[at - offset :], own))
        offset = end
    return result
