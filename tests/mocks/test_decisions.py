"""What happens to an HTTP request: the decision table of packs-and-engine §5.1, guarded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mocks.setting import Network, config_of, http, response, taped, world_of
from workbench.mocks import MockWorld
from workbench.mocks.cassettes import Cassettes
from workbench.mocks.http_request import read_request
from workbench.model.effect import Effect, Failure, Outcome
from workbench.model.masking import Masker

HOST = "api.example.com"
URL = f"https://{HOST}/v1"

TAPE, LIVE, KEPT = "tape", "live", "live and recorded"
MISS, REFUSED = "cassette_miss", "network_refused"

# mode, recorded, and then what happens when the host is
#                     allowed and granted | allowed | granted | neither
TABLE = [
    ("off", True, LIVE, REFUSED, LIVE, REFUSED),
    ("off", False, LIVE, REFUSED, LIVE, REFUSED),
    ("replay", True, TAPE, TAPE, TAPE, TAPE),
    ("replay", False, MISS, MISS, MISS, REFUSED),
    ("fail_on_miss", True, TAPE, TAPE, TAPE, TAPE),
    ("fail_on_miss", False, MISS, MISS, MISS, REFUSED),
    ("record", True, TAPE, TAPE, TAPE, TAPE),
    ("record", False, KEPT, REFUSED, KEPT, REFUSED),
    ("record_replay", True, TAPE, TAPE, TAPE, TAPE),
    ("record_replay", False, KEPT, REFUSED, KEPT, REFUSED),
    ("once", True, TAPE, TAPE, TAPE, TAPE),
    ("once", False, KEPT, REFUSED, KEPT, REFUSED),
    ("all", True, KEPT, REFUSED, KEPT, REFUSED),
    ("all", False, KEPT, REFUSED, KEPT, REFUSED),
]
ROWS = [
    (mode, recorded, allowed, granted, expected)
    for mode, recorded, *outcomes in TABLE
    for (allowed, granted), expected in zip(
        [(True, True), (True, False), (False, True), (False, False)], outcomes, strict=True
    )
]


def world(folder: Path, mode: str, allowed: bool, granted: bool) -> MockWorld:
    from workbench.mocks.reading import parse_mocks

    allow = f'"{HOST}"' if allowed else ""
    grant = f'"{HOST}"' if granted else ""
    text = (
        f"net_allowlist = [{allow}]\n[http]\nmode = '{mode}'\ngrant = [{grant}]\n"
        "record_replay_dir = 'tapes'\n"
    )
    return world_of(parse_mocks(text.encode(), folder / "mocks.toml"))


def record(folder: Path, effect: Effect, body: str = "recorded") -> None:
    Cassettes(folder / "tapes", Masker()).save(read_request(effect.request), response(body))


def failure(outcome: Outcome) -> Failure:
    assert outcome.failure is not None and outcome.failure.origin == "mock"
    return outcome.failure


@pytest.mark.parametrize(("mode", "recorded", "allowed", "granted", "expected"), ROWS)
def test_the_decision_table(
    tmp_path: Path, mode: str, recorded: bool, allowed: bool, granted: bool, expected: str
) -> None:
    if recorded:
        record(tmp_path, http(URL))
    network = Network()
    outcome = taped(world(tmp_path, mode, allowed, granted), network)(http(URL))

    if expected == TAPE:
        assert (outcome.source, outcome.value["body"]) == ("tape", "recorded")
    elif expected in (LIVE, KEPT):
        assert (outcome.source, outcome.value["body"]) == ("live", "fresh")
    else:
        assert outcome.source == "mock" and failure(outcome).code == expected
    assert len(network.asked) == (expected in (LIVE, KEPT))
    tape = Cassettes(tmp_path / "tapes", Masker()).find(read_request(http(URL).request))
    body = tape.play(0).response["body"] if tape else None
    assert body == ("fresh" if expected == KEPT else "recorded" if recorded else None)


def test_the_reasons_given(tmp_path: Path) -> None:
    other = http(f"https://{HOST}/v2")
    record(tmp_path, other)
    strict = taped(world(tmp_path, "replay", True, False), Network())
    miss = failure(strict(http(URL)))
    assert f"no recording of GET {URL}; nearest " in miss.message
    assert miss.details["host"] == HOST
    assert miss.details["nearest"]["differs"] == [
        {"field": "url", "recorded": f"https://{HOST}/v2", "asked": URL}
    ]
    refused = failure(strict(http("https://evil.example/")))
    assert refused.message == "host evil.example not present in allowlist"
    assert refused.details["host"] == "evil.example"
    quiet = taped(world(tmp_path, "record", True, False), Network())
    assert "no grant" in failure(quiet(http(URL))).message


def test_hosts_are_compared_exactly_without_port_and_case(tmp_path: Path) -> None:
    network = Network()
    perform = taped(world(tmp_path, "all", True, True), network)
    for url in (URL, f"https://{HOST.upper()}:8443/", f"http://user:pw@{HOST}/"):
        assert perform(http(url)).source == "live", url
    for url in (
        f"https://sub.{HOST}/",
        f"https://{HOST}.evil.example/",
        f"https://{HOST}@evil.example/",
        "https://evil.example/api.example.com",
        f"https://{HOST}./",
        f"//{HOST}:port",
        "https://[half/",
        "nonsense",
        "",
    ):
        outcome = perform(http(url))
        assert failure(outcome).code == "network_refused", url
    assert len(network.asked) == 3


def test_a_person_can_let_a_host_out_once_or_for_good(tmp_path: Path) -> None:
    here = world(tmp_path, "replay", True, False)
    network = Network()
    perform = taped(here, network)
    assert failure(perform(http(URL))).code == "cassette_miss"
    here.grants.grant(HOST, once=True)
    assert here.grants.hosts == (HOST,)
    assert perform(http(URL)).source == "live"
    # The live link takes the one grant; this network does not, so it still stands.
    assert here.grants.take(HOST)
    assert failure(perform(http(URL))).code == "cassette_miss"
    here.grants.grant(HOST.upper())
    assert [perform(http(URL)).source for _ in range(3)] == ["live"] * 3
    here.grants.revoke(HOST)
    assert failure(perform(http(URL))).code == "cassette_miss"
    assert list(tmp_path.iterdir()) == [], "replay never records"


def test_once_records_a_whole_run_and_is_strict_ever_after(tmp_path: Path) -> None:
    first = taped(world(tmp_path, "once", True, True), Network())
    assert [first(http(f"{URL}/{n}")).source for n in (1, 2)] == ["live", "live"]
    second = taped(world(tmp_path, "once", True, True), Network())
    assert second(http(f"{URL}/2")).source == "tape"
    assert failure(second(http(f"{URL}/3"))).code == "cassette_miss"


def test_new_recordings_play_at_once_except_in_mode_all(tmp_path: Path) -> None:
    count = iter(range(9))
    network = Network(lambda _: response(f"{next(count)}"))
    perform = taped(world(tmp_path, "record_replay", True, True), network)
    assert [perform(http(URL)).value["body"] for _ in range(3)] == ["0", "0", "0"]
    perform = taped(world(tmp_path, "all", True, True), network)
    assert [perform(http(URL)).value["body"] for _ in range(3)] == ["1", "2", "3"]
    replay = taped(world(tmp_path, "replay", False, False), network)
    assert [replay(http(URL)).value["body"] for _ in range(4)] == ["1", "2", "3", "3"]


def test_a_disk_that_refuses_does_not_fail_the_request(tmp_path: Path) -> None:
    (tmp_path / "tapes").write_text("a file, not a folder")
    here = world(tmp_path, "record", True, True)
    assert taped(here, Network())(http(URL)).ok
    assert [finding.code for finding in here.findings] == ["cassette_unwritable"]


def test_what_is_no_request_is_a_failure(tmp_path: Path) -> None:
    perform = taped(world(tmp_path, "replay", True, True), Network())
    bad: list[object] = [None, {}, {"url": 5}, {"url": URL, "body": {}}, {"url": URL, "method": 1}]
    bad.append({"url": URL, "body": "%", "encoding": "base64"})
    for request in bad:
        assert failure(perform(Effect("http", HOST, request))).code == "http_request_invalid"


def test_other_kinds_pass(tmp_path: Path) -> None:
    perform = taped(world(tmp_path, "replay", True, True), Network())
    assert perform(Effect("state.read", "k")).source == "live"


def test_without_any_file_nothing_goes_out() -> None:
    from workbench.mocks import read_mocks

    outcome = taped(world_of(read_mocks(None)), Network())(http(URL))
    assert failure(outcome).code == "network_refused"
    allowed = taped(world_of(config_of(f'net_allowlist = ["{HOST}"]')), Network())(http(URL))
    assert failure(allowed).message.endswith("there are no recordings")


def test_a_host_that_is_a_secret_is_judged_as_it_is_and_told_masked(tmp_path: Path) -> None:
    """`{env.HOST}` in a URL: the chain sees a placeholder, the guard the host behind it."""
    text = f'net_allowlist = ["{HOST}"]\n[http]\nmode = "all"\ngrant = ["{HOST}"]\n'
    masker = Masker()
    masker.register("HOST", HOST)
    masker.register("OTHER", "evil.example")
    network = Network()
    bound = world_of(config_of(text, tmp_path), masker)
    perform = taped(bound, network)
    assert perform(http(masker.mask(f"https://{HOST}/v1"))).source == "live"
    refused = failure(perform(http(masker.mask("https://evil.example/v1"))))
    assert refused.message == "host ⟦secret:OTHER:plain⟧ not present in allowlist"
    assert "evil" not in str(refused.details)
    assert len(network.asked) == 1
