"""Edits of a mocks.toml change what they say and not a byte more."""

from __future__ import annotations

import os
import random
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.mocks.edit import delete_key, set_value, split_keys, to_toml
from workbench.mocks.mocks_file import MocksFile
from workbench.mocks.reading import parse_mocks, read_mocks
from workbench.mocks.toml_lines import key_lines
from workbench.mocks.toml_table import to_json
from workbench.model.errors import WorkbenchError
from workbench.model.waits import Resolution

# Block after block: the keys it holds (None for comments and blank lines) and its exact lines.
Block = tuple[tuple[str, ...] | None, str]
FILE: list[Block] = [
    (None, "# who may be asked ▸ keep\n"),
    (("net_allowlist",), 'net_allowlist = [ "a.example",   # the first\n  "b.example" ]\n'),
    (None, "\n"),
    (("http.mode",), 'http.mode   =   "replay"  # strict\n'),
    (None, "\n"),
    (None, "# about secrets\n"),
    (("secrets",), "[ secrets . map ]   # header comment\n"),
    (("secrets", "map", "KEY"), "KEY='mango # no comment'#tight\n"),
    (None, "\t# indented comment\n"),
    (("secrets", "map", "a.b"), '"a.b" = """\n[not a header]\nx = 1 # not a key\n"""  # after\n'),
    (None, "\n"),
    (None, "\n"),
    (("kv",), "[kv]\n"),
    (("kv", "n"), "n = { a = 1, b = [1, 2] }   # inline\n"),
    (("kv", "lit"), "lit = '''\n''quoted'' [\n'''\n"),
    (("kv", "esc"), '"e\\"sc\\u0041" = "x"\n'),
    (None, "# end of kv\n"),
    (("waits", "approve"), "[waits.approve]\n"),
    (("waits", "approve", "ok"), "ok = true\n"),
    (None, "\n"),
    (None, "# the poll answers\n"),
    (("waits", "poll"), "[[waits.poll]]\n"),
    (("waits", "poll"), "timeout = true\n"),
    (None, "# the second\n"),
    (("waits", "poll"), "[[waits.poll]]\n"),
    (("waits", "poll"), "ok = 1\n"),
    (None, "\n"),
    (("pins",), "[pins]\n"),
    (("pins", "score"), "score = 7 # lucky"),
]
FILE[3] = (("http", "mode"), FILE[3][1])
FILE[6] = (("secrets", "map"), FILE[6][1])
FILE[15] = (("kv", 'e"scA'), FILE[15][1])
TEXT = "".join(lines for _, lines in FILE)

PATHS: list[tuple[str, ...]] = [
    ("net_allowlist",),
    ("http", "mode"),
    ("http", "grant"),
    ("secrets", "map", "KEY"),
    ("secrets", "map", "a.b"),
    ("secrets", "map", "new"),
    ("kv", "n"),
    ("kv", "n", "a"),
    ("kv", "n", "c"),
    ("kv", "lit"),
    ("kv", 'e"scA'),
    ("kv", "rate/USD"),
    ("kv", "⟦x⟧ y"),
    ("waits", "approve"),
    ("waits", "approve", "ok"),
    ("waits", "poll"),
    ("waits", "pay#2/ask", "ok"),
    ("pins", "score"),
    ("pins", "a.b"),
    ("time", "mode"),
    ("top",),
    ("kv",),
    ("pins",),
    ("secrets", "map"),
]
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def owned(path: tuple[str, ...]) -> list[int]:
    """The blocks an edit of this path may change, said independently of the code under test."""
    exact = [n for n, (keys, _) in enumerate(FILE) if keys and keys[: len(path)] == path]
    if exact:
        blocks = list(range(exact[0], exact[-1] + 1))
        return [exact[0] - 1, *blocks] if FILE[exact[0] - 1][1] == "\n" else blocks
    inside = [n for n, (keys, _) in enumerate(FILE) if keys and path[: len(keys)] == keys]
    return [n for n in inside if "{" in FILE[n][1]]


def assert_others_stand(after: str, path: tuple[str, ...]) -> None:
    """Every line of every other block is there, byte for byte and in order."""
    mine = set(owned(path))
    rest = iter(after.split("\n"))
    for number, (_, lines) in enumerate(FILE):
        if number not in mine:
            for line in lines.rstrip("\n").split("\n"):
                assert any(line == other for other in rest), f"{line!r} is gone or moved"


def expected(path: tuple[str, ...], value: Any = None, delete: bool = False) -> dict[str, Any]:
    document = tomllib.loads(TEXT)
    table: dict[str, Any] = document
    for key in path[:-1]:
        table = table.setdefault(key, {})
    if delete:
        table.pop(path[-1], None)
    else:
        table[path[-1]] = value
    return document


def pruned(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {k: p for k, v in value.items() if (p := pruned(v)) != {}}


@given(st.sampled_from(PATHS), VALUES, st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=200, deadline=None)
def test_setting_changes_that_and_nothing_else(
    path: tuple[str, ...], value: Any, newline: str
) -> None:
    after = set_value(TEXT.replace("\n", newline), path, value)
    assert tomllib.loads(after) == expected(path, to_toml(value))
    assert after.count("\n") == after.count(newline), "every line ends as it did"
    assert_others_stand(after.replace(newline, "\n"), path)
    assert set_value(after, path, value) == after, "twice is once"


@pytest.mark.parametrize("path", PATHS)
def test_deleting_takes_that_and_nothing_else(path: tuple[str, ...]) -> None:
    after = delete_key(TEXT, path)
    assert pruned(tomllib.loads(after)) == pruned(expected(path, delete=True))
    assert_others_stand(after, path)
    assert delete_key(after, path) == after


@pytest.mark.parametrize("path", [path for path in PATHS if path not in (("waits",), ("kv", "n"))])
def test_a_new_key_that_is_deleted_again_leaves_the_file_as_it_was(path: tuple[str, ...]) -> None:
    if delete_key(TEXT, path) == TEXT:
        text = TEXT + "\n"
        again = delete_key(set_value(text, path, 5), path)
        assert again.startswith(text) or again == text, again
        assert len(again) - len(text) <= len(f"[{'.'.join(path[:-1])}]\n") + 6


def test_two_hundred_edits_in_a_row_keep_every_comment() -> None:
    chance = random.Random(5)
    text = TEXT
    document = tomllib.loads(text)
    comments = [line for line in TEXT.split("\n") if line.lstrip().startswith("#")]
    leaves = [path for path in PATHS if len(path) > 1 and path[0] not in ("secrets", "waits")]
    for _ in range(200):
        path = chance.choice([path for path in leaves if path != ("kv", "n", "c")])
        holder = document.setdefault(path[0], {})
        if len(path) == 3:
            holder = holder.setdefault(path[1], {})
            if not isinstance(holder, dict):
                with pytest.raises(WorkbenchError):
                    set_value(text, path, 1)
                continue
        if chance.random() < 0.4:
            text = delete_key(text, path)
            holder.pop(path[-1], None)
        else:
            value = chance.choice([1, "two", [3, "x"], {"four": 4.5}, True])
            text = set_value(text, path, value)
            holder[path[-1]] = value
        assert pruned(tomllib.loads(text)) == pruned(document)
        kept = [line for line in text.split("\n") if line.lstrip().startswith("#")]
        assert kept == comments


def test_a_comment_behind_a_value_stays() -> None:
    assert 'http.mode   =   "off"  # strict\n' in set_value(TEXT, "http.mode", "off")
    assert "score = 8 # lucky" in set_value(TEXT, "pins.score", 8)


def test_new_keys_go_where_a_person_would_put_them() -> None:
    text = "# about a\na = 1\n\n# about pins\n[pins] # p\n\n# about kv\n[kv]\nx = 1\n\n# end\n"
    after = set_value(text, ("pins", "pay"), {"ok": True})
    assert after == text.replace("[pins] # p\n", "[pins] # p\npay = {ok = true}\n")
    after = set_value(text, ("kv", "y"), 2)
    assert after == text.replace("x = 1\n", "x = 1\ny = 2\n")
    assert set_value(text, "b", 2) == text.replace("a = 1\n", "a = 1\nb = 2\n")
    after = set_value(text, ("waits", "ask", "timeout"), True)
    assert after == text + "\n[waits.ask]\ntimeout = true\n"
    assert set_value("# c\n[kv]\n", "a", 1) == "a = 1\n\n# c\n[kv]\n"
    assert set_value("", "a.b", 1) == "[a]\nb = 1\n"
    assert set_value("", "a", 1) == "a = 1\n"
    assert set_value("# only a comment", "a", 1) == "# only a comment\na = 1\n"


def test_deleting_a_table_leaves_the_comment_of_the_next_one() -> None:
    text = "[a]\nx = 1 # one\n# inside\ny = 2\n\n# about b\n[b]\nz = 1\n"
    assert delete_key(text, "a") == "\n# about b\n[b]\nz = 1\n"
    assert delete_key(text, "b") == "[a]\nx = 1 # one\n# inside\ny = 2\n\n# about b\n"
    assert delete_key(text, "a.x") == "[a]\n# inside\ny = 2\n\n# about b\n[b]\nz = 1\n"


def test_line_ends_are_kept() -> None:
    text = "[a]\r\nx = 1\r\n"
    assert set_value(text, "a.y", 2) == "[a]\r\nx = 1\r\ny = 2\r\n"
    assert set_value(text, "b.y", 2) == "[a]\r\nx = 1\r\n\r\n[b]\r\ny = 2\r\n"
    assert set_value(text, "a.x", 2) == "[a]\r\nx = 2\r\n"
    assert set_value("# \u2028 \x85 odd ends\na = 1\n", "b", 2).startswith(
        "# \u2028 \x85 odd ends\na"
    )


@pytest.mark.parametrize(
    "value", [None, {"a": None}, [1, None], {"json": "text"}, {"x": [{"json": "{}"}]}, {}, [], ""]
)
def test_any_json_survives_a_file(value: Any) -> None:
    assert to_json(tomllib.loads(set_value("", "k", value))["k"]) == value


def test_dotted_keys() -> None:
    assert split_keys('pins."a.b" . c') == ("pins", "a.b", "c")
    assert split_keys("pins.'x y'") == ("pins", "x y")
    for bad in ("", "a.", "a b", "a = 1", ()):
        with pytest.raises(WorkbenchError) as caught:
            split_keys(bad)
        assert caught.value.code == "mocks_edit_refused"


def test_what_cannot_be_done_is_refused() -> None:
    for text, path in (("a = 1\n", "a.b"), ("[[a]]\nx = 1\n", "a.b")):
        with pytest.raises(WorkbenchError) as caught:
            set_value(text, path, 1)
        assert caught.value.code == "mocks_edit_refused"
    with pytest.raises(WorkbenchError) as caught:
        set_value("a = \n", "b", 1)
    assert caught.value.code == "mocks_invalid"
    for value in (float("nan"), float("inf"), {"x": "\ud800"}):
        with pytest.raises(WorkbenchError) as caught:
            set_value("", "a", value)
        assert caught.value.code == "json_unencodable"


def test_lines_of_keys() -> None:
    lines = key_lines(TEXT)
    for path, words in [
        (("net_allowlist",), "net_allowlist"),
        (("http", "mode"), "http.mode"),
        (("secrets", "map"), "[ secrets"),
        (("secrets", "map", "a.b"), '"a.b"'),
        (("kv", 'e"scA'), '"e\\"sc'),
        (("waits", "poll", "1", "ok"), "ok = 1"),
        (("pins", "score"), "score"),
    ]:
        assert TEXT.split("\n")[lines[path] - 1].startswith(words), path
    assert ("x",) not in lines and ("secrets", "map", "x") not in lines


def test_the_file_things_people_add(tmp_path: Path) -> None:
    path = tmp_path / "mocks.toml"
    file = MocksFile(path)
    file.add_pin("pay", {"ok": True, "note": None})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "it may come to hold secrets"
    os.chmod(path, 0o640)
    file.add_pin("sub#1/rate", 0.5)
    file.add_wait_answer("ask", Resolution("err", {"code": "E", "message": "no", "raw": None}))
    file.add_wait_answer("ask", Resolution("ok", {"a": None}))
    file.add_wait_answer("sub#1/ask", Resolution("timeout"))
    file.add_wait_answer("late", Resolution("err", {"code": "E", "message": "m", "raw": [None]}))
    file.set("http.mode", "all")
    file.delete("http.mode")
    config = read_mocks(path)
    assert config.findings == ()
    assert config.pins == {"pay": {"ok": True, "note": None}, "sub#1/rate": 0.5}
    assert config.waits == {
        "ask": (Resolution("ok", {"a": None}),),
        "sub#1/ask": (Resolution("timeout"),),
        "late": (Resolution("err", {"code": "E", "message": "m", "raw": [None]}),),
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["mocks.toml"]


def test_an_answer_replaces_a_list_of_answers(tmp_path: Path) -> None:
    path = tmp_path / "mocks.toml"
    path.write_text(TEXT, encoding="utf-8")
    MocksFile(path).add_wait_answer("poll", Resolution("cancelled"))
    config = parse_mocks(path.read_bytes(), path)
    assert config.waits["poll"] == (Resolution("cancelled"),)
    assert config.waits["approve"] == (Resolution("ok", True),)


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "mocks.toml"
    real.write_text("a = 1\n")
    link.symlink_to(real)
    MocksFile(link).set("b", 2)
    assert link.is_symlink() and real.read_text() == "a = 1\nb = 2\n"


def test_a_disk_that_refuses_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        MocksFile(tmp_path / "no folder" / "mocks.toml").set("a", 1)
    assert (caught.value.code, caught.value.where) == ("mocks_unwritable", "mocks.toml")
    with pytest.raises(WorkbenchError) as caught:
        MocksFile(tmp_path).set("a", 1)
    assert caught.value.code == "mocks_unreadable"
