"""The same run twice, and parked in one process and finished in another: the same transcript,
byte for byte, once what is real time, identity and place is masked (`kernel.md` §3)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.local_service import answering
from tests.cli.packs import call, say, write_pack
from tests.session.conftest import MOCKS, asking, calling
from tests.session.others import Others
from workbench.model.run import Run
from workbench.model.values import Json
from workbench.model.waits import Resolution
from workbench.session import StartRequest, Workspace

SECRET = "mango-tango-41-not-real"
INPUT = {"n": 7, "note": f"by hand: {SECRET}"}


def sensing(folder: Path, url: str, http: str) -> Path:
    """Clock, dice, sleep, state, a secret, a request that carries it, a sub-flow and a wait."""
    main = {
        "key": call("keeper", {}, "roll"),
        "roll": call("dice", {}, "ask_http"),
        "ask_http": call("asker", {"k": "{{node.key.secret}}"}, "nap"),
        "nap": call("sleeper", {}, "sub"),
        "sub": calling("inner", {"rolled": "{{node.roll}}", "key": "{{node.key}}"}, "ask"),
        "ask": asking("store", timeout="1h"),
        "store": call("writer", {"answer": "{{state.input}}"}, "again"),
        "again": call("dice", {}, "once_more"),
        "once_more": call("asker", {"k": "{{node.key.secret}}"}, "tell"),
        "tell": say({"roll": "{{node.roll}}", "again": "{{node.again}}", "got": "{{prev}}"}),
    }
    inner = {"keep": call("echo", "{{entry}}", "more"), "more": call("dice", {})}
    asker = faults.http_caller(
        "POST", url, post_input=True, header=("authorization", f"Bearer {SECRET}")
    )
    return write_pack(
        folder,
        {"main": main, "inner": inner},
        {
            "keeper": faults.secret_reader("PAY_KEY"),
            "dice": faults.dice_and_clock(),
            "asker": asker,
            "sleeper": faults.sleeper(90.0),
            "writer": faults.state_writer(),
            "echo": faults.echo(),
        },
        mocks=f'{MOCKS}\n[secrets.map]\nPAY_KEY = "{SECRET}"\n\n[http]\n{http}\n',
    )


@pytest.fixture
def taped(tmp_path: Path) -> Path:
    """The pack with a recording that was made from a real server, which told the secret back."""
    with answering({"receipt": 7, "for": f"Bearer {SECRET}"}) as service:
        tapes = tmp_path / "tapes"
        record = f'mode = "all"\nrecord_replay_dir = "{tapes}"\ngrant = ["127.0.0.1"]'
        pack = sensing(tmp_path / "recording" / "sensing", service.url, record)
        workspace = Workspace(tmp_path / "recording")
        run = workspace.run_here(StartRequest(pack, input=INPUT, session="s"))
        assert run.status == "waiting", run.failure
        workspace.close()
        assert len(service.bodies) == 1 and SECRET in service.bodies[0]
        replay = f'mode = "replay"\nrecord_replay_dir = "{tapes}"'
        made = sensing(tmp_path / "replaying" / "sensing", service.url, replay)
    recorded = [path.read_text() for path in tapes.iterdir()]
    assert recorded and all(SECRET not in text for text in recorded)
    return made


# -- canonical text ------------------------------------------------------------------------------

REAL = frozenset(
    {"ts", "duration_ms", "cpu_time_ms", "mem_peak_bytes", "started", "ended", "duration_us", "at"}
)
_IDS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=\"key_id\": \")\w{64}"
)


def masked(value: Json, folder: Path) -> str:
    """JSON text without real time, ids and paths; virtual time and the dice stay."""
    text = json.dumps(_timeless(value), ensure_ascii=False)
    return _IDS.sub("<id>", text.replace(str(folder), "<root>"))


def _timeless(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: 0 if key in REAL else _timeless(item) for key, item in value.items()}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def canonical(folder: Path) -> tuple[list[str], list[str]]:
    """The transcript of the only run below a folder, and its journal: steps and effects."""
    import msgspec

    workspace = Workspace(folder)
    (run,) = workspace.runs()
    assert run.status == "finished", run.failure
    place = workspace.artifacts_dir(run)
    assert place is not None
    lines = Path(place, "transcript.jsonl").read_text("utf-8").splitlines()
    rows: list[Any] = [*workspace.steps(run.id), *workspace.effects(run.id), run.output]
    journal = [masked(msgspec.to_builtins(row), folder) for row in rows]
    workspace.close()
    return [masked(json.loads(line), folder) for line in lines], journal


def whole(folder: Path, pack: Path) -> None:
    """The run in this process, from one end to the other."""
    folder.mkdir()
    workspace = Workspace(folder)
    run: Run = workspace.run_here(StartRequest(pack, input=INPUT, session="s"))
    (item,) = workspace.waits()
    workspace.resolve(item.key, Resolution("ok", {"visit": 1}))
    live = workspace.live(run.id)
    assert live is None or live.join(20)
    workspace.close()


def test_the_transcript_is_the_same_twice_and_across_processes(
    tmp_path: Path, taped: Path, others: Others
) -> None:
    whole(tmp_path / "first", taped)
    whole(tmp_path / "second", taped)
    (tmp_path / "third").mkdir()
    given: dict[str, Any] = {"pack": taped, "input": INPUT}
    assert not others.life(tmp_path / "third", park=True, **given)
    assert others.said[-2]["status"] == "waiting"
    assert not others.life(tmp_path / "third", **given)
    lines, journal = canonical(tmp_path / "first")
    for name in ("second", "third"):
        again, rows = canonical(tmp_path / name)
        assert again == lines
        assert rows == journal
    text = "\n".join(lines)
    # It is a transcript of what it should be of: sleep, dice, tape, secret, sub-flow and wait.
    assert '"vt": 1772892210000000' in text, "90 s after the start, by the guest's own sleep"
    assert '"source": "tape"' in text and '"source": "mock"' in text
    assert "⟦secret:PAY_KEY:plain⟧" in text and SECRET not in text
    assert '"frame": "sub#1/"' in text and '"resolution"' in text


def test_killed_and_finished_elsewhere_it_is_the_same_but_for_the_cut_off_attempt(
    tmp_path: Path, taped: Path, others: Others
) -> None:
    whole(tmp_path / "first", taped)
    (tmp_path / "killed").mkdir()
    given: dict[str, Any] = {"pack": taped, "input": INPUT}
    # Commits: the file, the run, the first step, then one a step: it dies in the sleeper.
    assert others.life(tmp_path / "killed", moment="before", commits=7, **given)
    assert not others.life(tmp_path / "killed", **given)
    _, journal = canonical(tmp_path / "first")
    _, rows = canonical(tmp_path / "killed")
    cut = [row for row in rows if '"status": "interrupted"' in row]
    assert len(cut) == 1 and '"node": "nap"' in cut[0]
    loose = re.compile(r'"(ordinal|attempt)": \d+')
    expected = [loose.sub("", row) for row in journal]
    assert [loose.sub("", row) for row in rows if row not in cut] == expected
