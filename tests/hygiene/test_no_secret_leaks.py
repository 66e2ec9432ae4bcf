"""No secret value in any byte that is written or printed, whatever way it takes through a run.

A pack reads a secret, posts it to a real local server that answers with it in every spelling,
stores, prints and shouts it, and fails in several ways. Then every byte is searched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.cli.commands import Commands, Said
from tests.cli.local_service import Service, answering
from tests.cli.packs import call, say, write_pack
from tests.faults.assembling import build
from tests.faults.core_text import INPUT, Texts, node_core
from tests.faults.from_wasi import SHELL
from tests.hygiene.spellings import spellings, written_out
from workbench.model.values import encode
from workbench.store import open_store

# Texts that turn up nowhere by themselves. The first is read by a component, which puts it into
# JSON as it is; the second has everything that is spelled differently somewhere.
API_KEY = "Zq7~kiwi+tree/91%&=x?meadow"
QUOTED = 'Öl"\\Teppich/47+§ %mulberry'
PASSWORD = "hW3-lantern_58.otter!"
TOKEN = "pv_9Xk27-walnut-QQ4"
SESSION = "sess.82Lm-heron.K61vv"
ALL = {
    "API_KEY": API_KEY,
    "QUOTED": QUOTED,
    "PASSWORD": PASSWORD,
    "TOKEN": TOKEN,
    "SESSION": SESSION,
}


@pytest.fixture
def service() -> Iterator[Service]:
    """It answers indiscreetly."""
    told = (API_KEY, QUOTED, PASSWORD, TOKEN)
    body = {"said": [text for secret in told for text in written_out(secret)]}
    headers = {"set-cookie": f"id={SESSION}; Path=/", "x-debug": API_KEY}
    with answering({**body, "access_token": SESSION}, headers) as found:
        yield found


def shouter() -> bytes:
    """Fails with its whole input as the message."""
    texts = Texts()
    return build("node-v05", node_core(f"(call $fail {texts.at('LOUD')} {INPUT})", texts))


def teller(then: str = "(call $ok {input})") -> bytes:
    """Prints its whole input to both streams, then answers it (or does something else)."""
    write = "[method]output-stream.blocking-write-and-flush"
    imports = "".join(
        f'(import "cm32p2|wasi:{interface}@0.2" "{name}" (func ${label} {signature}))'
        for interface, name, label, signature in (
            ("cli/stdout", "get-stdout", "stdout", "(result i32)"),
            ("cli/stderr", "get-stderr", "stderr", "(result i32)"),
            ("io/streams", write, "write", "(param i32 i32 i32 i32)"),
            ("io/streams", "output-stream_drop", "close", "(param i32)"),
        )
    )
    # A write takes at most 4096 bytes.
    functions = """(func $print (param $stream i32) (param $at i32) (param $size i32)
      (local $part i32)
      (loop $more
        (local.set $part (select (local.get $size) (i32.const 4096)
          (i32.lt_u (local.get $size) (i32.const 4096))))
        (call $write (local.get $stream) (local.get $at) (local.get $part) (i32.const 512))
        (local.set $at (i32.add (local.get $at) (local.get $part)))
        (local.set $size (i32.sub (local.get $size) (local.get $part)))
        (br_if $more (local.get $size)))
      (call $close (local.get $stream)))"""
    body = f"""(call $print (call $stdout) {INPUT}) (call $print (call $stderr) {INPUT})
    {then.format(input=INPUT)}"""
    return build(SHELL, node_core(body, imports=imports, functions=functions))


@pytest.fixture
def pack(work: Path, service: Service) -> Path:
    """Reads, posts, tells, stores and shouts secrets; asks a person; fails on other flows."""
    everything = {"key": "{{node.read.secret}}", "entry": "{{entry}}", "posted": "{{node.post}}"}
    shout = call("shout", everything)
    shout["routing"] = [{"to": "end"}, {"to": "ask", "status": "error"}]
    main = {
        "read": call("reader", to="echo"),
        "echo": call("echo", {"key": "{{node.read.secret}}", "entry": "{{entry}}"}, "post"),
        "post": call("caller", {"body": "{{node.echo}}"}, "tell"),
        "tell": call("teller", everything, "store"),
        "store": call("writer", everything, "load"),
        "load": call("loader", to="before"),
        "before": call("knower", to="log"),
        "log": call("logger", to="shout"),
        "shout": shout,
        "ask": {
            "session.wait": {"reason": "Is {{node.read.secret}} right, {{entry.note}}?"},
            "routing": [{"to": "say"}],
        },
        "say": say({"state": "{{state.nodes}}", "input": "{{state.input}}"}, "last"),
        "last": call("shout", {"key": "{{node.read.secret}}", "note": "{{state.input.note}}"}),
        "end": say({"text": "never"}),
    }
    trapping = {"read": call("reader", to="boom"), "boom": call("trapper", everything)}
    spoiled = {"read": call("reader", to="bad"), "bad": call("spoiler", everything)}
    folder = write_pack(
        work / "leaky",
        {"main": main, "trapping": trapping, "spoiled": spoiled},
        {
            "reader": faults.secret_reader("API_KEY"),
            "echo": faults.echo(),
            "caller": faults.http_caller("POST", service.url, post_input=True),
            "teller": teller(),
            "writer": faults.state_writer("kept"),
            "loader": faults.state_reader("kept"),
            "knower": faults.state_reader("before"),
            "logger": faults.logger(("password", "not-one-of-ours")),
            "shout": shouter(),
            "trapper": teller("(unreachable)"),
            "spoiler": teller("(call $begin) (call $put {input}) (call $put {input}) (call $done)"),
        },
    )
    map_ = f"API_KEY = {json.dumps(API_KEY)}\nQUOTED = {json.dumps(QUOTED)}\n"
    (folder / "mocks.toml").write_text(
        '[http]\nmode = "record_replay"\ngrant = ["127.0.0.1"]\n'
        f'record_replay_dir = "tapes"\n[secrets.map]\n{map_}'
        f"[kv]\nbefore = {json.dumps(QUOTED)}\n",
        "utf-8",
    )
    return folder


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """The input file, as a person wrote it."""
    path = tmp_path / "input.json"
    body: dict[str, Any] = {
        "note": f"mine is {QUOTED}, do not tell",
        "password": PASSWORD,
        "service": {"headers": {"Authorization": f"Bearer {TOKEN}"}, "say": f"again: {PASSWORD}"},
    }
    path.write_text(json.dumps(body), "utf-8")
    return path


def leaks(where: str, data: bytes) -> list[str]:
    """Which secret stands where, in which spelling."""
    return [
        f"{name} as {spelling} in {where}"
        for name, secret in ALL.items()
        for spelling, text in spellings(secret).items()
        if text in data
    ]


def files(*roots: Path) -> Iterator[tuple[str, bytes]]:
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.name != "mocks.toml":
                yield str(path), path.read_bytes()


def journal(work: Path) -> Iterator[tuple[str, bytes]]:
    """Every value of the journal, unpacked: on the disk most are compressed."""
    store = open_store(work / ".greentic" / "workbench.db", read_only=True)
    try:
        for run in store.runs():
            yield f"run {run.number}", encode(run)
            yield f"steps of {run.number}", encode(store.steps(run.id))
            yield f"effects of {run.number}", encode(store.effects(run.id))
            yield f"waits of {run.number}", encode(store.waits(run.id, live=False))
            yield f"events of {run.number}", encode(store.events(run.id))
            yield f"definition of {run.number}", encode(store.definition(run.definition))
    finally:
        store.close()


def everything_said(cli: Commands, pack: Path, given: Path) -> list[Said]:
    """The commands of a whole story, the failing ones included."""
    start = ("run", pack, "--input", f"@{given}")
    answer = json.dumps({"note": f"yes, {QUOTED}", "api_token": PASSWORD})
    said = [cli(*start, "--json")]
    assert said[0].code == 3, said[0].err
    said.append(cli("waits", "--json"))
    said.append(cli("waits"))
    said.append(cli("resolve", "1:ask", "--ok", "{half " + PASSWORD))
    said.append(cli.apart("resolve", "1:ask", "--ok", answer, "--json"))
    assert said[-1].json["run"]["error"]["code"] == "LOUD"
    said.append(
        cli(*start, "--events", "--answer", f"ask=ok:{answer}", "--artifacts", pack / "out")
    )
    said.append(cli(*start, "--flow", "trapping"))
    said.append(cli(*start, "--flow", "spoiled", "--json"))
    said.append(cli(*start, "--pin", f"post={json.dumps({'api_key': TOKEN, 'note': QUOTED})}"))
    commands = "\n".join(
        ["n", "i", "o", "c", "w", f"ok {answer}", "c", "o", "i", "e", "bt", "[", "[", "i", "o", "e",
         "= state", "= entry", "= node", "]", "go", "o", "R", "x", "q"]
    )  # fmt: skip
    session = cli("debug", pack, "--input", f"@{given}", stdin=commands + "\n")
    # What is typed is echoed for people who read the log of a script; that is their own.
    said.append(Said(session.code, session.out.replace(f"ok {answer}", ""), session.err))
    mocks = pack / "mocks.toml"
    mocks.write_text(mocks.read_text("utf-8").replace('"record_replay"', '"replay"'), "utf-8")
    body = json.loads(given.read_text("utf-8"))
    other = json.dumps({**body, "note": f"different, still {QUOTED}"})
    said.append(cli("run", pack, "--input", other, "--json"))
    assert said[-1].code == 5, "a miss tells how the nearest recording differs"
    for number in range(1, len(cli("runs").lines)):
        said.append(cli("show", number, "--json"))
        said.append(cli("show", number))
    said.append(cli("inspect", pack, "--json"))
    said.append(cli("runs", "--json"))
    return said


def test_no_secret_in_any_byte(
    cli: Commands,
    pack: Path,
    given: Path,
    work: Path,
    own_home: Path,
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    said = everything_said(cli, pack, given)
    real = json.loads(service.bodies[0])
    assert real["body"]["key"] == API_KEY, "the outside gets the real secret"
    assert real["body"]["entry"]["password"] == PASSWORD
    assert list((pack / "tapes").glob("*.json")), "the answer was recorded"
    found = []
    for number, one in enumerate(said):
        found += leaks(f"stdout of {number}", one.out.encode())
        found += leaks(f"stderr of {number}", one.err.encode())
    for where, data in (*files(work, own_home, temporary), *journal(work)):
        found += leaks(where, data)
    assert not found, "\n".join(found)


def test_the_search_itself_finds_what_it_looks_for() -> None:
    for secret in ALL.values():
        for text in written_out(secret):
            assert any(spelling in text.encode() for spelling in spellings(secret).values()), text
