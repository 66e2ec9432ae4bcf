"""Lines that wait for their commit: one write, the same bytes, and nothing lost at the end."""

from __future__ import annotations

from pathlib import Path

from tests.recording.writing import IDS, broken, changed, done, fresh, running, ticking
from workbench.model.run import RouteTaken, StepRecord
from workbench.recording.node_traces import read_traces
from workbench.recording.transcript import Transcript


def facts() -> list[StepRecord]:
    first, second = running("a"), running("b", 2, input={"token": "abc", "n": [{"x": 1}]})
    failed = broken(second)
    return [
        first,
        done(first, {"n": 1}),
        second,
        failed,
        changed(failed, route=RouteTaken("c", "error route")),
    ]


def tell(transcript: Transcript, steps: list[StepRecord]) -> None:
    for step in steps:
        if step.status == "running":
            transcript.step_started(step)
        else:
            transcript.step_ended(step)


def held(folder: Path) -> Transcript:
    return Transcript(folder / "held.jsonl", IDS, ticking(), hold=True)


def test_held_lines_are_the_same_bytes_at_the_same_offsets(tmp_path: Path) -> None:
    direct, waiting = fresh(tmp_path), held(tmp_path)
    tell(direct, facts())
    tell(waiting, facts())
    assert waiting.path.read_bytes() == b""
    waiting.flush()
    assert waiting.path.read_bytes() == direct.path.read_bytes()
    assert waiting.offset == direct.offset == len(direct.path.read_bytes())
    assert waiting.traces.nodes == direct.traces.nodes == read_traces(waiting.path)[0].nodes


def test_closing_writes_what_was_held(tmp_path: Path) -> None:
    transcript = held(tmp_path)
    transcript.step_started(running())
    transcript.close()
    assert transcript.path.read_bytes().count(b"\n") == 1


def test_a_value_seen_before_is_still_redacted_where_it_has_to_be(tmp_path: Path) -> None:
    transcript = fresh(tmp_path)
    harmless = {"rows": [{"n": 1}]}
    mixed = {"seen": harmless, "deep": {"password": "abc"}}
    for ordinal in (1, 3):
        step = running("a", ordinal, input=harmless)
        tell(transcript, [step, done(step, mixed)])
    text = transcript.path.read_text()
    assert "abc" not in text
    assert text.count("$.outputs.deep.password") == 2
