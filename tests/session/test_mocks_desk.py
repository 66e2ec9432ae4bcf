"""Editing mocks.toml through the session: rows, text with hidden secrets, keeping answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.model.effect import EffectRecord, ok
from workbench.model.errors import WorkbenchError
from workbench.model.masking import Masker
from workbench.model.values import Json
from workbench.session.mocks_desk import HIDDEN, MocksDesk

TEXT = """# the world of this pack
net_allowlist = ["api.rates.test"]  # one host

[http]
mode = "replay"

[secrets.map]
PAY_KEY = "mango-\\"tango\\"-41"   # not a real key
OTHER = 'zebra-crossing-7'

[kv]
"rate/USD-EUR" = { rate = 0.9 }

[waits.approve]
ok = { approved = true }
"""


@pytest.fixture
def desk(tmp_path: Path) -> MocksDesk:
    path = tmp_path / "mocks.toml"
    path.write_text(TEXT, "utf-8")
    return MocksDesk(path)


def test_rows_are_leaves_with_lines_and_hidden_secrets(desk: MocksDesk) -> None:
    rows = {row.name: (row.value, row.line) for row in desk.rows()}
    assert rows["http.mode"] == ("replay", 5)
    assert rows["secrets.map.PAY_KEY"][0] == HIDDEN.format("PAY_KEY")
    assert rows["kv.rate/USD-EUR"][0] == {"rate": 0.9}
    assert rows["waits.approve.ok"][0] == {"approved": True}


def test_the_text_hides_secrets_and_saving_it_unchanged_changes_no_byte(desk: MocksDesk) -> None:
    shown = desk.text()
    assert "tango" not in shown and "zebra" not in shown
    assert HIDDEN.format("PAY_KEY") in shown and "# not a real key" in shown
    assert desk.save(shown) == ()
    assert desk.path.read_text("utf-8") == TEXT


def test_editing_beside_a_hidden_secret_keeps_it(desk: MocksDesk) -> None:
    desk.save(desk.text().replace('mode = "replay"', 'mode = "off"'))
    assert desk.path.read_text("utf-8") == TEXT.replace('mode = "replay"', 'mode = "off"')


def test_text_that_is_no_toml_is_refused_with_its_line_and_nothing_is_written(
    desk: MocksDesk,
) -> None:
    with pytest.raises(WorkbenchError) as refused:
        desk.save("[http]\nmode = \n")
    assert refused.value.where.startswith("mocks.toml:2")
    assert desk.path.read_text("utf-8") == TEXT


def test_one_row_changes_one_line(desk: MocksDesk) -> None:
    desk.set(("http", "mode"), "record")
    assert desk.path.read_text("utf-8") == TEXT.replace('"replay"', '"record"')
    desk.set(("secrets", "map", "OTHER"), HIDDEN.format("OTHER"))
    assert "zebra-crossing-7" in desk.path.read_text("utf-8")


def test_unknown_keys_are_noticed_with_the_nearest(desk: MocksDesk) -> None:
    found = desk.save(desk.text().replace("mode =", "mod ="))
    assert any("mode" in finding.message for finding in found)


def test_an_http_answer_becomes_a_recording_and_a_state_value_an_entry(desk: MocksDesk) -> None:
    url = "https://api.rates.test/x"
    request: Json = {"method": "GET", "url": url, "headers": {}, "body": None}
    answer = ok({"status": 200, "headers": {}, "body": "1"}, "you")
    effect = EffectRecord(1, 0, "http", "api.rates.test", "", request, answer)
    where = Path(desk.keep(effect, Masker()))
    assert where.is_file() and where.parent == desk.path.parent / "cassettes" / "http"
    state = EffectRecord(1, 1, "state.write", "seen/2041", "", True, ok(None, "mock"))
    desk.keep(state, Masker())
    assert {"kv.seen/2041": True}.items() <= {r.name: r.value for r in desk.rows()}.items()
    with pytest.raises(WorkbenchError, match="pin the node"):
        desk.keep(EffectRecord(1, 2, "telemetry", "x", "", {}, ok(None)), Masker())
