"""Recordings: names, matching, playing in order, saving, and what a miss says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.mocks.setting import Network, config_of, http, response, taped, world_of
from workbench.mocks.cassettes import Cassettes, read_recording
from workbench.mocks.http_request import HttpRequest, fingerprint, read_request, same_url, without
from workbench.mocks.misses import explain_miss
from workbench.mocks.mocks_file import add_http_entry
from workbench.mocks.stand_ins import stand_in
from workbench.model.errors import WorkbenchError
from workbench.model.masking import REDACTED, Masker

URL = "https://api.example.com/v1"


def write(folder: Path, name: str, **content: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    value = {"status": 200, "headers": {}, "body": name, **content}
    (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")


def get(url: str = URL, body: str | None = None, method: str = "GET") -> HttpRequest:
    return HttpRequest(method, url, body=body)


def load(folder: Path) -> Cassettes:
    return Cassettes(folder, Masker())


def played(cassettes: Cassettes, request: HttpRequest, count: int = 0) -> str | None:
    tape = cassettes.find(request)
    return None if tape is None else tape.play(count).file


def test_fingerprints_of_the_reference() -> None:
    """packs-and-engine §5.1."""
    assert (
        fingerprint("GET", "https://api.example.com/v1?q=1")
        == "876b72a2a6bdffaac574213c4a323b4a7a116782e72f52ad12530523b2d3dd2c"
    )
    assert (
        fingerprint("POST", "https://api.example.com/v1", b'{"a":1}')
        == "b1f14f5344b552269edb0bd51b6494353136a208f52033623672ac007a4610f7"
    )


def test_the_reference_form_is_found_by_its_name_alone(tmp_path: Path) -> None:
    write(tmp_path, fingerprint("POST", URL, b'{"a":1}'), status=201, body="made")
    cassettes = load(tmp_path)
    tape = cassettes.find(get(body='{"a":1}', method="POST"))
    assert tape is not None
    assert tape.play(0).response == {"status": 201, "headers": {}, "body": "made"}
    assert cassettes.find(get(body='{"a": 1}', method="POST")) is None, "as given, not as JSON"
    assert cassettes.find(get(body='{"a":1}', method="post")) is None, "method case as given"


def test_a_reference_name_made_from_the_real_secret_is_found(tmp_path: Path) -> None:
    masker = Masker()
    masker.register("KEY", "mango-tango-41")
    write(tmp_path, fingerprint("GET", f"{URL}?key=mango-tango-41"))
    cassettes = Cassettes(tmp_path, masker)
    masked = read_request(masker.mask({"method": "GET", "url": f"{URL}?key=mango-tango-41"}))
    assert "mango" not in masked.url
    assert cassettes.find(masked) is None
    assert cassettes.find(masked, get(f"{URL}?key=mango-tango-41")) is not None


def test_a_recording_loaded_before_its_secret_was_known_is_found(tmp_path: Path) -> None:
    """A value of the environment is a secret only from the moment a template asks for it."""
    masker = Masker()
    use = "https://people.hr.test/teams"
    write(tmp_path, "team", request={"method": "GET", "url": use}, body="at people.hr.test")
    cassettes = Cassettes(tmp_path, masker)
    masker.register("HOST", "people.hr.test")
    masked = read_request(masker.mask(get(use).wire()))
    tape = cassettes.find(masked, get(use))
    assert tape is not None and tape.play(0).response["body"] == "at ⟦secret:HOST:plain⟧"
    assert cassettes.find(masked, get(use)) == tape, "and again"


@pytest.mark.parametrize(
    ("match", "ignore", "request_", "fits"),
    [
        (None, None, get(body='{"a": 1, "b": [1.0]}', method="post"), True),
        (None, None, get(body='{"b": [1.0], "a": 1}', method="POST"), True),
        (None, None, get(body='{"a": 2, "b": [1.0]}', method="POST"), False),
        (None, None, get(body='{"a": 1, "b": [1.0]}', method="GET"), False),
        (None, None, get(body=None, method="POST"), False),
        (["method", "url"], None, get(body="anything", method="POST"), True),
        (["method", "url"], None, get(URL + "/2", method="POST"), False),
        (["url"], None, get(body="anything", method="DELETE"), True),
        (["method", "url", "body"], ["/a"], get(body='{"b":[1.0],"a":9}', method="POST"), True),
        (["body"], ["/b/*"], get("http://other/", body='{"a":1,"b":[5]}'), False),
        (["body"], ["/b"], get("http://other/", body='{"a":1,"b":[5]}'), True),
    ],
)
def test_matching(
    tmp_path: Path,
    match: list[str] | None,
    ignore: list[str] | None,
    request_: HttpRequest,
    fits: bool,
) -> None:
    recorded = {"method": "POST", "url": URL, "body": '{"a":1,"b":[1.0]}'}
    extra: dict[str, Any] = {"match": match} if match else {}
    extra |= {"ignore": ignore} if ignore else {}
    write(tmp_path, "any-name", request=recorded, **extra)
    cassettes = load(tmp_path)
    assert cassettes.findings == []
    assert (cassettes.find(request_) is not None) is fits


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://A.example/x", "HTTPS://a.EXAMPLE:443/x#part", True),
        ("http://a.example", "http://a.example:80/", True),
        ("http://a/?a=1&b=2", "http://a/?b=2&a=1", True),
        ("http://a/?a=1&a=2", "http://a/?a=1", False),
        ("http://a/X", "http://a/x", False),
        ("http://a:81/", "http://a/", False),
        ("http://a/", "https://a/", False),
        ("http://u@a/", "http://a/", False),
        ("http://a/?x", "http://a/", False),
        ("http://[bad", "http://[bad", True),
    ],
)
def test_equal_urls(one: str, other: str, same: bool) -> None:
    assert (same_url(one) == same_url(other)) is same


def test_the_rule_with_most_fields_wins_and_an_exact_name_before_all(tmp_path: Path) -> None:
    request = {"method": "GET", "url": URL, "body": "x"}
    write(tmp_path, "a-loose", request=request, match=["url"])
    write(tmp_path, "b-middle", request=request, match=["method", "url"])
    assert played(load(tmp_path), get(body="x")) == "b-middle.json"
    write(tmp_path, "c-strict", request=request)
    assert played(load(tmp_path), get(body="x")) == "c-strict.json"
    name = fingerprint("GET", URL, b"x")
    write(tmp_path, name)
    assert played(load(tmp_path), get(body="x")) == f"{name}.json"
    assert played(load(tmp_path), get(body="y")) == "b-middle.json"
    assert played(load(tmp_path), get(method="PUT")) == "a-loose.json"


def test_repeated_requests_play_in_order_then_the_last(tmp_path: Path) -> None:
    name = fingerprint("GET", URL)
    for number in ("-10", "", "-2"):
        write(tmp_path, name + number, body=f"answer{number}")
    perform = taped(world_of(config_of('http.record_replay_dir = "."', tmp_path)), Network())
    bodies = [perform(http(URL)).value["body"] for _ in range(5)]
    assert bodies == ["answer", "answer-2", "answer-10", "answer-10", "answer-10"]


def test_a_loose_rule_counts_all_its_requests_together(tmp_path: Path) -> None:
    for number in ("", "-2"):
        recorded = {"method": "POST", "url": URL}
        write(tmp_path, f"poll{number}", request=recorded, match=["method", "url"])
    perform = taped(world_of(config_of('http.record_replay_dir = "."', tmp_path)), Network())
    first = perform(http(URL, "POST", '{"at": 1}'))
    second = perform(http(URL, "POST", '{"at": 2}'))
    assert [first.value["body"], second.value["body"]] == ["poll", "poll-2"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "not JSON"),
        (b"[]", "an object"),
        (b'{"status": "200", "body": null}', "status"),
        (b'{"status": true, "body": null}', "status"),
        (b'{"status": 200, "body": {}}', "body must be"),
        (b'{"status": 200, "body": "%%", "encoding": "base64"}', "not base64"),
        (b'{"status": 200, "encoding": "gzip"}', "encoding"),
        (b'{"status": 200, "request": {"method": "GET"}}', "url"),
        (b'{"status": 200, "request": {"url": "u"}, "match": ["headers"]}', "match lists"),
        (b'{"status": 200, "request": {"url": "u"}, "match": []}', "match lists"),
        (b'{"status": 200, "request": {"url": "u"}, "match": "url"}', "list of texts"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_malformed_recording_is_skipped_and_told(
    tmp_path: Path, content: bytes, why: str
) -> None:
    write(tmp_path, fingerprint("GET", URL))
    (tmp_path / "bad.json").write_bytes(content)
    (tmp_path / "notes.txt").write_text("not a recording")
    cassettes = load(tmp_path)
    assert [(f.code, f.where) for f in cassettes.findings] == [
        ("cassette_invalid", f"{tmp_path.name}/bad.json")
    ]
    assert why in cassettes.findings[0].message
    assert cassettes.find(get()) is not None


def test_no_folder_is_no_recordings(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "nowhere"):
        cassettes = Cassettes(folder, Masker())
        assert cassettes.recordings == [] and cassettes.findings == []


def test_a_saved_recording_is_masked_stable_and_found_again(tmp_path: Path) -> None:
    masker = Masker()
    masker.register("KEY", "mango-tango-41")
    cassettes = Cassettes(tmp_path / "tapes", masker)
    request = read_request(
        masker.mask(
            {
                "method": "POST",
                "url": f"{URL}?key=mango-tango-41",
                "headers": {"Authorization": "Bearer something", "accept": "text/plain"},
                "body": '{"k":"mango-tango-41"}',
            }
        )
    )
    answer = {"status": 200, "headers": {"set-cookie": "s=1"}, "body": "mango-tango-41 ok"}
    path = cassettes.save(request, answer)
    text = path.read_text(encoding="utf-8")

    assert path.name == f"{fingerprint('POST', request.url, request.body_bytes)}.json"
    assert "mango" not in text and "something" not in text and "s=1" not in text
    value = json.loads(text)
    assert value["request"]["headers"] == {"Authorization": REDACTED, "accept": "text/plain"}
    assert value["headers"] == {"set-cookie": REDACTED}
    assert value["body"] == "⟦secret:KEY:plain⟧ ok"
    assert text == json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name], "nothing left beside"

    again = Cassettes(tmp_path / "tapes", masker)
    assert played(again, request) == path.name
    again.save(request, answer)
    assert path.read_text(encoding="utf-8") == text, "the same recording, the same bytes"


def test_secrets_written_by_hand_are_masked_when_loaded(tmp_path: Path) -> None:
    masker = Masker()
    masker.register("KEY", "mango-tango-41")
    recorded = {"method": "GET", "url": f"{URL}?k=mango-tango-41"}
    write(tmp_path, "mine", request=recorded, body="hello mango-tango-41")
    cassettes = Cassettes(tmp_path, masker)
    tape = cassettes.find(read_request(masker.mask(recorded)))
    assert tape is not None
    assert tape.play(0).response["body"] == "hello ⟦secret:KEY:plain⟧"


def test_a_secret_of_another_machine_gets_a_stand_in_that_stays_the_same(tmp_path: Path) -> None:
    login, use = f"{URL}/login", f"{URL}/use?t="
    write(
        tmp_path,
        "login",
        request={"method": "GET", "url": login},
        body='{"token":"⟦secret:token:plain⟧"}',
    )
    write(tmp_path, "use", request={"method": "GET", "url": f"{use}⟦secret:token:url⟧"})
    masker = Masker()
    cassettes = Cassettes(tmp_path, masker)
    tape = cassettes.find(get(login))
    assert tape is not None
    shown = masker.reveal(tape.play(0).response["body"])
    assert json.loads(shown) == {"token": stand_in("token")}
    asked = masker.mask({"method": "GET", "url": use + json.loads(shown)["token"]})
    assert played(cassettes, read_request(asked)) == "use.json"


def test_saving_without_a_place_or_a_willing_disk_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (None, tmp_path / "file"):
        with pytest.raises(WorkbenchError) as caught:
            Cassettes(folder, Masker()).save(get(), response())
        assert caught.value.code == "cassette_unwritable"


def test_a_binary_body_survives(tmp_path: Path) -> None:
    cassettes = load(tmp_path)
    answer = {"status": 200, "headers": {}, "body": "/wD+", "encoding": "base64"}
    cassettes.save(get(), answer)
    tape = load(tmp_path).find(get())
    assert tape is not None and tape.play(0).response == answer


def test_a_miss_names_the_nearest_recording_and_every_difference() -> None:
    def recording(file: str, **request: Any) -> Any:
        return read_recording({"status": 200, "body": None, "request": request}, file)

    near = recording("near.json", method="POST", url=URL, body='{"a":1,"b":{"c":[1,2]}}')
    far = recording("far.json", method="GET", url="https://else.example/", body=None)
    nameless = read_recording({"status": 200, "body": None}, "name.json")
    asked = get(URL + "?x=1", '{"a":1,"b":{"c":[1,3]},"d":"new"}', "POST")
    details = explain_miss(asked, [far, near, nameless])
    assert details == {
        "method": "POST",
        "url": URL + "?x=1",
        "recordings": 3,
        "without_request": 1,
        "nearest": {
            "file": "near.json",
            "method": "POST",
            "url": URL,
            "differs": [
                {"field": "url", "recorded": URL, "asked": URL + "?x=1"},
                {"field": "body/b/c/1", "recorded": 2, "asked": 3},
                {"field": "body/d", "recorded": None, "asked": "new"},
            ],
        },
    }


def test_a_miss_among_thousands_is_explained_quickly(tmp_path: Path) -> None:
    recordings = [
        read_recording(
            {"status": 200, "body": None, "request": {"url": f"https://h{n}.example/{n}"}}, f"{n}"
        )
        for n in range(3000)
    ]
    details = explain_miss(get("https://h2999.example/x"), recordings)
    assert details["nearest"]["file"] == "2999"


def test_pointers_take_out_places() -> None:
    value = {"a": {"b": 1, "c": 2}, "l": [{"t": 1, "k": 1}, {"t": 2}], "x/y": 3}
    assert without(value, "/a/b") == {**value, "a": {"c": 2}}
    assert without(value, "/l/*/t") == {**value, "l": [{"k": 1}, {}]}
    assert without(value, "/l/0/t") == {**value, "l": [{"k": 1}, {"t": 2}]}
    assert without(value, "/x~1y") == {"a": value["a"], "l": value["l"]}
    assert without(value, "/no/such") == value
    assert without("text", "/a") == "text"


def test_an_answer_by_hand_becomes_the_next_recording(tmp_path: Path) -> None:
    config = config_of('http.record_replay_dir = "tapes"', tmp_path)
    request = http(URL, "POST", "x").request
    first = add_http_entry(config, Masker(), request, response("one"))
    second = add_http_entry(config, Masker(), request, response("two", 429))
    assert second.name == first.name.replace(".json", "-2.json")
    perform = taped(world_of(config), Network())
    values = [perform(http(URL, "POST", "x")).value for _ in range(2)]
    assert [(value["status"], value["body"]) for value in values] == [(200, "one"), (429, "two")]
