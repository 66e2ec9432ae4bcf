"""The line index against what the whole file says."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.model.errors import WorkbenchError
from workbench.recording.line_index import STRIDE, LineIndex


def expected(data: bytes) -> list[str]:
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [line.rstrip(b"\r").decode("utf-8", "replace") for line in lines]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from([b"", b"a", b"{}", b"\xff\xfe", "é漢".encode(), b"x" * 300, b"\r"]),
             max_size=300),
    st.booleans(),
    st.integers(0, 200),
)  # fmt: skip
def test_lines_read_as_the_whole_file_does(
    tmp_path: Path, lines: list[bytes], ended: bool, count: int
) -> None:
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    path = tmp_path / "t.jsonl"
    path.write_bytes(data)
    with LineIndex(path) as index:
        assert index.scan() and index.complete
        assert list(index) == expected(data)
        assert index[:] == expected(data)
        assert index.tail(count) == expected(data)[-count:] * (count > 0)


def test_a_line_is_found_from_either_end(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(f'{{"n":{n}}}\n' for n in range(10_000)))
    with LineIndex(path) as index:
        assert index.tail(2) == ['{"n":9998}', '{"n":9999}'] and len(index) == 0
        index.scan()
        assert len(index) == 10_000
        for place in (0, STRIDE - 1, STRIDE, 5_000, 9_999, -1):
            assert index[place] == f'{{"n":{place % 10_000}}}'
        with pytest.raises(IndexError):
            index[10_000]


def test_scanning_in_slices_and_after_growth(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"y" * 100 + b"\n" + (b"z" * 999 + b"\n") * 5_000)
    with LineIndex(path) as index:
        slices = 1
        while not index.scan(0):
            slices += 1
        assert slices == 5  # a MiB each
        assert len(index) == 5_001
        with path.open("ab") as out:
            out.write(b"half")
        assert not index.complete and index.scan()
        assert index[-1] == "half"
        with path.open("ab") as out:
            out.write(b" a line\nnext\n")
        index.scan()
        assert index[-2:] == ["half a line", "next"]
        path.write_bytes(b"new\n")
        index.scan()
        assert list(index) == ["new"]


def test_one_thread_scans_while_another_reads(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(f"{n:09}\n" for n in range(300_000)))
    with LineIndex(path) as index:
        scanner = threading.Thread(target=index.scan)
        scanner.start()
        while scanner.is_alive():
            last = len(index) - 2
            if last > 0:
                assert index[last] == f"{last:09}"
        scanner.join()
        assert len(index) == 300_000


def test_a_line_is_read_up_to_a_cap(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"a" * 5_000_000 + b"\nb\n")
    with LineIndex(path, line_bytes=10) as index:
        index.scan()
        assert list(index) == ["a" * 10, "b"]
        assert index.tail(2) == ["a" * 10, "b"]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        LineIndex(tmp_path / "absent.jsonl")
    assert caught.value.code == "file_unreadable" and "absent.jsonl" in str(caught.value)


@pytest.mark.parametrize("count", [1, STRIDE, 3 * STRIDE + 5])
def test_finding_is_what_looking_at_every_line_would_find(tmp_path: Path, count: int) -> None:
    path = tmp_path / "t.txt"
    lines = [f"Line {n} {'HIT' if n % 37 == 5 or n == count - 1 else ''}" for n in range(count)]
    path.write_text("\n".join(lines) + "\n")
    with LineIndex(path) as index:
        index.scan()
        hits = [n for n, line in enumerate(lines) if "HIT" in line]
        for start in range(count):
            ahead = [n for n in hits if n >= start] or hits
            behind = [n for n in hits if n <= start] or hits
            assert index.find("hit", start) == ahead[0]
            assert index.find("hit", start, -1) == behind[-1]
        assert index.find("absent", 0) is None
