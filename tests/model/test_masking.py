"""Masking: nothing secret survives, everything comes back, and a clean value costs next to
nothing (`kernel.md` §2 and §4; packs-and-engine §6.5 for `redact_keys`)."""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.model.errors import WorkbenchError
from workbench.model.masking import Masker, placeholder, redact_keys
from workbench.model.secret_forms import all_forms, is_secret_key
from workbench.model.values import encode

API_KEY = 'sk-Live/9f8+é"z\\7Q'


def masker(**secrets: str) -> Masker:
    made = Masker()
    for name, value in secrets.items():
        assert made.register(name, value) is None
    return made


@pytest.mark.parametrize(
    "spelled",
    [
        API_KEY,
        f"Bearer {API_KEY}!",
        json.dumps({"inner": API_KEY}),
        json.dumps({"inner": API_KEY}, ensure_ascii=False),
        base64.b64encode(API_KEY.encode()).decode(),
        base64.b64encode(f"user:{API_KEY}".encode()).decode(),
        base64.b64encode(f"users:{API_KEY}".encode()).decode(),
        base64.urlsafe_b64encode(f"u:{API_KEY}:x".encode()).decode(),
        "https://x/?q=" + quote(API_KEY),
        "https://x/?q=" + quote(API_KEY, safe=""),
        "q=" + quote_plus(API_KEY),
        API_KEY.encode().hex(),
        API_KEY.encode().hex().upper(),
    ],
)
def test_every_spelling_is_masked_and_comes_back(spelled: str) -> None:
    secrets = masker(api=API_KEY)
    value = {"a": [1, {"b": spelled}], spelled: "x"}
    masked = secrets.mask(value)
    text = encode(masked).decode()
    assert text.count("⟦secret:api:") == 2
    for part in (API_KEY, API_KEY.encode().hex(), quote(API_KEY), json.dumps(API_KEY)[1:-1]):
        assert part not in text
    assert secrets.reveal(masked) == value
    assert secrets.reveal_text(secrets.mask_text(spelled)) == spelled


json_text = st.text(alphabet=st.characters(exclude_characters="⟦⟧", codec="utf-8"), max_size=12)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | json_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_text, inner, max_size=3),
    max_leaves=8,
)
secret_texts = st.text(
    alphabet=st.characters(exclude_characters="⟦⟧:", exclude_categories=["Z", "C"], codec="utf-8"),
    min_size=6,
    max_size=30,
).map(str.strip).filter(lambda text: len(text) >= 6)  # fmt: skip
SPELLINGS = (
    lambda s: s,
    lambda s: json.dumps(s),
    lambda s: base64.b64encode(s.encode()).decode(),
    lambda s: base64.b64encode(b"ab" + s.encode() + b"c").decode(),
    lambda s: base64.urlsafe_b64encode(b"a" + s.encode()).decode(),
    lambda s: quote(s),
    lambda s: quote_plus(s),
    lambda s: s.encode().hex(),
)


@given(st.lists(secret_texts, min_size=1, max_size=3), json_values, st.data())
def test_no_needle_remains_and_reveal_inverts_mask(
    texts: list[str], around: Any, data: st.DataObject
) -> None:
    secrets = Masker()
    for index, text in enumerate(texts):
        secrets.register(f"K{index}", text)
    spell = data.draw(st.sampled_from(SPELLINGS))
    hidden = data.draw(json_text) + spell(data.draw(st.sampled_from(texts))) + data.draw(json_text)
    value = {"around": around, "hidden": [hidden, {hidden: hidden}]}
    masked = secrets.mask(value)
    assert masked != value
    assert secrets.reveal(masked) == value
    assert secrets.mask(masked) == masked
    leaves = _strings(masked)
    for needle in [form for text in texts for form in all_forms(text).values()]:
        assert not any(needle in leaf for leaf in leaves)


def _strings(value: Any) -> list[str]:
    """Every string and key of a value, without the placeholders in it."""
    if isinstance(value, str):
        return re.split("⟦[^⟧]*⟧", value)
    if isinstance(value, dict):
        return [part for pair in value.items() for item in pair for part in _strings(item)]
    if isinstance(value, list):
        return [part for item in value for part in _strings(item)]
    return []


@given(json_values)
def test_a_clean_value_comes_back_as_the_same_object(value: Any) -> None:
    if any(word in repr(value).lower() for word in ("token", "secret", "cookie", "pass")):
        return
    secrets = masker(api="never-in-there-9")
    assert secrets.mask(value) is value
    assert secrets.reveal(value) is value


def test_a_secret_called_secret_does_not_corrupt_a_marker() -> None:
    secrets = masker(one="secret", two="plainplain")
    masked = secrets.mask(["my secret", "plainplain secret", placeholder("one")])
    assert masked == [
        "my ⟦secret:one:plain⟧",
        "⟦secret:two:plain⟧ ⟦secret:one:plain⟧",
        placeholder("one"),
    ]
    assert secrets.mask(masked) == masked


def test_the_longest_secret_wins() -> None:
    secrets = masker(short="abcdef", long="abcdefghij")
    assert secrets.mask("x abcdefghij abcdef") == "x ⟦secret:long:plain⟧ ⟦secret:short:plain⟧"


def test_numbers_keep_their_type() -> None:
    secrets = masker(pin="123456")
    masked = secrets.mask({"pin": 123456, "other": 1234567, "text": "pin 123456"})
    assert masked["pin"] == "⟦secret:pin:number⟧"
    assert masked["other"] == 1234567
    assert secrets.reveal(masked) == {"pin": 123456, "other": 1234567, "text": "pin 123456"}


def test_a_short_secret_is_refused_with_a_finding() -> None:
    finding = Masker().register("pin", " 12345 ")
    assert finding is not None
    assert finding.code == "secret_too_short"
    assert "pin" in finding.message
    assert "12345" not in finding.message


def test_registering_again_changes_nothing() -> None:
    secrets = masker(api="hunter2-hunter2")
    assert secrets.register("api", "hunter2-hunter2\n") is None
    assert secrets.mask("hunter2-hunter2") == placeholder("api")
    secrets.register("api", "rotated-value-3")
    both = secrets.mask("hunter2-hunter2 rotated-value-3")
    assert both == f"{placeholder('api')} {placeholder('api-2')}"
    assert secrets.reveal(both) == "hunter2-hunter2 rotated-value-3"


@pytest.mark.parametrize(
    "key",
    [
        "password", "Authorization", "set-cookie", "X-Api-Key", "apikey", "client_secret",
        "accessToken", "passwd", "aws_credential", "privateKey", "private-key", "bearer",
    ],
)  # fmt: skip
def test_secret_like_keys(key: str) -> None:
    secrets = Masker()
    value = {"deep": [{key: "letmein"}], "other": "letmein"}
    masked = secrets.mask(value)
    assert masked["deep"][0][key].startswith("⟦secret:")
    assert masked["other"] == "letmein"  # a plain word is not looked for elsewhere
    assert secrets.reveal(masked) == value
    assert redact_keys(value, "$")[0]["deep"] == [{key: "__REDACTED__"}]


@pytest.mark.parametrize(
    "key",
    [
        "max_tokens", "token_count", "completion_tokens", "next_page_token", "page_token",
        "pageToken", "nextPageToken", "token_type", "tokenizer", "token_expires_at",
        "secret_name", "text", "key",
    ],
)  # fmt: skip
def test_keys_that_only_look_secret(key: str) -> None:
    value = {key: "letmein99"}
    assert Masker().mask(value) is value
    assert not is_secret_key(key)


def test_an_unusual_value_is_then_masked_everywhere() -> None:
    secrets = Masker()
    value = {"message": "use Xk29-bbQ7 now", "token": "Xk29-bbQ7"}
    masked = secrets.mask(value)
    assert masked == {"message": f"use {placeholder('token')} now", "token": placeholder("token")}
    assert secrets.mask_text("GET /Xk29-bbQ7") == f"GET /{placeholder('token')}"
    assert secrets.reveal(masked) == value


@pytest.mark.parametrize(
    "ordinary",
    ["password", "correct horse", "12345678", "https://login.example/x1", "2026-11-21T10:00:00Z"],
)
def test_ordinary_values_are_masked_only_where_they_stand(ordinary: str) -> None:
    secrets = Masker()
    masked = secrets.mask({"secret": ordinary})
    assert masked == {"secret": placeholder("secret")}
    assert secrets.mask_text(f"see {ordinary} there") == f"see {ordinary} there"


def test_what_is_not_worth_masking_under_a_key() -> None:
    for value in (
        "short",
        "********",
        "__REDACTED__",
        "{{entry.x}}",
        placeholder("x"),
        5,
        None,
        True,
    ):
        assert Masker().mask({"password": value})["password"] == value


def test_the_scheme_of_an_authorization_stays() -> None:
    secrets = Masker()
    masked = secrets.mask({"headers": {"Authorization": "Bearer abc.DEF-123"}})
    assert masked == {"headers": {"Authorization": f"Bearer {placeholder('Authorization')}"}}
    assert secrets.mask_text("again abc.DEF-123") == f"again {placeholder('Authorization')}"


def test_secrets_inside_text() -> None:
    secrets = Masker()
    request = {
        "url": "https://x.example/cb?state=abcdefg&access_token=Zz91-qq-w&n=1",
        "body": '{"user": "bob", "password": "let\\"mein", "max_tokens": "1000000"}',
    }
    masked = secrets.mask(request)
    assert (
        masked["url"]
        == f"https://x.example/cb?state=abcdefg&access_token={placeholder('access_token')}&n=1"
    )
    assert masked["body"] == (
        f'{{"user": "bob", "password": "{placeholder("password")}", "max_tokens": "1000000"}}'
    )
    assert secrets.reveal(masked) == request


def test_two_secrets_of_one_name_are_told_apart() -> None:
    secrets = Masker()
    masked = secrets.mask([{"token": "first-11"}, {"token": "second-22"}, {"token": "first-11"}])
    assert [item["token"] for item in masked] == [
        placeholder("token"),
        placeholder("token-2"),
        placeholder("token"),
    ]


def test_a_reserved_name_is_never_given_to_another_secret() -> None:
    before = Masker()
    stored = before.mask({"token": "from-before-1"})
    after = Masker()
    after.reserve(stored)
    assert after.mask({"token": "another-one-2"}) == {"token": placeholder("token-2")}
    with pytest.raises(WorkbenchError):
        after.reveal(stored)


def test_an_unknown_placeholder_is_named() -> None:
    with pytest.raises(WorkbenchError, match="DB_PASSWORD") as caught:
        Masker().reveal({"a": ["x " + placeholder("DB_PASSWORD")]})
    assert caught.value.code == "secret_unavailable"
    with pytest.raises(WorkbenchError):
        Masker().reveal_text(placeholder("DB_PASSWORD"))


def test_names_cannot_break_the_marker() -> None:
    secrets = masker(**{"odd: ⟧name": "value-1234"})
    masked = secrets.mask("value-1234")
    assert masked == "⟦secret:odd___name:plain⟧"
    assert secrets.reveal(masked) == "value-1234"


def test_many_threads_learn_and_mask_at_once() -> None:
    secrets = Masker()
    problems: list[Exception] = []

    def work(number: int) -> None:
        try:
            for index in range(60):
                value = {"token": f"tok-{number}-{index}", "shared_secret": f"All-{index}"}
                assert secrets.reveal(secrets.mask(value)) == value
        except Exception as error:  # noqa: BLE001  (told by the main thread)
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == []
    again = secrets.mask({"token": "tok-0-0"})
    assert secrets.reveal(again) == {"token": "tok-0-0"}


def test_redaction_has_the_paths_of_the_reference() -> None:
    value = {"auth_token": "x", "list": [{"Cookie": {"any": 1}}, 2], "max_tokens": 5, "q": "x"}
    clean, paths = redact_keys(value, "$.inputs.payload")
    assert clean == {
        "auth_token": "__REDACTED__",
        "list": [{"Cookie": "__REDACTED__"}, 2],
        "max_tokens": 5,
        "q": "x",
    }
    assert paths == ["$.inputs.payload.auth_token", "$.inputs.payload.list[0].Cookie"]
    untouched = {"a": [1, {"b": 2}]}
    assert redact_keys(untouched, "$.outputs") == (untouched, [])
    assert redact_keys(untouched, "$.outputs")[0] is untouched


def test_a_value_json_cannot_carry_is_still_masked() -> None:
    secrets = masker(api="never-seen-55")
    assert secrets.mask(["\ud800", "never-seen-55"]) == ["\ud800", placeholder("api")]


def test_a_value_nested_too_deep_is_an_error_not_a_crash() -> None:
    deep: Any = "never-seen-55"
    for _ in range(900):
        deep = [deep]
    for action in (masker(api="never-seen-55").mask, lambda value: redact_keys(value, "$")):
        with pytest.raises(WorkbenchError) as caught:
            action(deep)
        assert caught.value.code == "json_too_deep"
