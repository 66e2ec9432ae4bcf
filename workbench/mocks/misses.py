"""Why no recording fits a request: the nearest one and what differs, for a person to read."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from workbench.mocks.cassettes import Recording
from workbench.mocks.http_request import HttpRequest, same_body, same_url
from workbench.model.values import Json, short

MOST_COMPARED = 400
MOST_DIFFERENCES = 8


def explain_miss(request: HttpRequest, recordings: Sequence[Recording]) -> dict[str, Json]:
    """The details of a `cassette_miss`: what was asked, how many recordings there are, how many
    cannot be compared (they hold no request), and the nearest with its differences:
    `{"file", "method", "url", "differs": [{"field", "recorded", "asked"}]}`."""
    comparable = [(r, r.request) for r in recordings if r.request is not None]
    details: dict[str, Json] = {
        "method": request.method,
        "url": request.url,
        "recordings": len(recordings),
        "without_request": len(recordings) - len(comparable),
        "nearest": None,
    }
    # Likeness is slow to measure, so a big collection is first narrowed to the same host.
    if len(comparable) > MOST_COMPARED:
        host = request.host
        comparable = [pair for pair in comparable if pair[1].host == host] or comparable
    best, best_score = None, -1.0
    for recording, recorded in comparable[:MOST_COMPARED]:
        score = _likeness(request, recorded)
        if score > best_score:
            best, best_score = (recording, recorded), score
    if best is not None:
        recording, recorded = best
        details["nearest"] = {
            "file": recording.file,
            "method": recorded.method,
            "url": recorded.url,
            "differs": differences(request, recorded, recording),
        }
    return details


def sentence(details: dict[str, Json]) -> str:
    """The same in one line."""
    asked = f"no recording of {details['method']} {details['url']}"
    nearest = details["nearest"]
    if nearest is not None:
        parts = []
        for place in nearest["differs"][:3]:
            recorded, asked_for = _apart(place["recorded"], place["asked"])
            parts.append(f"{place['field']} {short(recorded, 40)}, not {short(asked_for, 40)}")
        return f"{asked}; nearest {nearest['file']} has {'; '.join(parts)}"
    if details["recordings"]:
        return f"{asked}; {details['recordings']} recordings, none shows its request"
    return f"{asked}; there are no recordings"


def _apart(one: Json, other: Json) -> tuple[Json, Json]:
    """Two texts without their long common beginning, or the difference would be cut off."""
    if not isinstance(one, str) or not isinstance(other, str):
        return one, other
    pairs = zip(one, other, strict=False)
    shared = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    if shared < 16 or max(len(one), len(other)) < 38:
        return one, other
    return f"…{one[shared - 8 :]}", f"…{other[shared - 8 :]}"


def differences(
    request: HttpRequest, recorded: HttpRequest, recording: Recording
) -> list[dict[str, Json]]:
    """The fields that kept the recording from matching, a JSON body place by place."""
    found: list[dict[str, Json]] = []
    if "method" in recording.match and request.method.upper() != recorded.method.upper():
        found.append(_difference("method", recorded.method, request.method))
    if "url" in recording.match and same_url(request.url) != same_url(recorded.url):
        found.append(_difference("url", recorded.url, request.url))
    if "body" in recording.match:
        old = same_body(recorded.body, recording.ignore)
        new = same_body(request.body, recording.ignore)
        if isinstance(old, list) and isinstance(new, list):
            found += [_difference(f"body{at}", a, b) for at, a, b in _places(old[0], new[0], "")]
        elif (old, recorded.encoding) != (new, request.encoding):
            found.append(_difference("body", recorded.body, request.body))
    return found[:MOST_DIFFERENCES]


def _difference(field: str, recorded: Json, asked: Json) -> dict[str, Json]:
    return {"field": field, "recorded": _brief(recorded), "asked": _brief(asked)}


def _brief(value: Json) -> Json:
    """Long values are told by their beginning."""
    if isinstance(value, str):
        return value if len(value) <= 200 else value[:199] + "…"
    return value if isinstance(value, (int, float, bool, type(None))) else short(value, 200)


def _places(old: Json, new: Json, at: str) -> Iterator[tuple[str, Json, Json]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _places(old.get(key), new.get(key), f"/{key}" if not at else f"{at}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _places(one, other, f"{at}/{place}")
    elif old != new or type(old) is not type(new):
        yield at, old, new


def _likeness(request: HttpRequest, recorded: HttpRequest) -> float:
    """0 to 4: method, host, URL and body, in this order of weight against each other."""
    score = 1.0 if request.method.upper() == recorded.method.upper() else 0.0
    score += 1.0 if request.host == recorded.host else 0.0
    score += difflib.SequenceMatcher(None, request.url[:300], recorded.url[:300]).ratio()
    if same_body(request.body) == same_body(recorded.body):
        return score + 1.0
    mine, other = (request.body or "")[:300], (recorded.body or "")[:300]
    return score + difflib.SequenceMatcher(None, mine, other).ratio() * 0.9
