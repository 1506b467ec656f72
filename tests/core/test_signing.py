"""Signed result posts: what Standard Webhooks publishes, and what its own library and our client say of them."""

from __future__ import annotations

import base64
import time
from urllib.parse import urlencode

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.core.model import Millis
from gateway.core.signing import SigningKeys, headers, new_secret, signature
from voxgate.webhooks import NotGenuine, verify

FORM = (("phone_number", "tel:+16175550100"), ("message_reference", "Zoë & Co"), ("callee_type", ""))
BODY = urlencode(FORM).encode()


def test_the_published_vector() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, libraries/python/tests/test_webhooks.py
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == right


def test_the_reference_library_takes_our_posts() -> None:
    secret, now = new_secret(), Millis(int(time.time() * 1000))
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
    library, signed = Webhook(secret), headers("msg_1", now, BODY, [secret])
    library.verify(BODY, signed, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        library.verify(BODY + b"&more=1", signed, json_parse=False)


def test_our_client_takes_what_is_genuine() -> None:
    old, new, now = new_secret(), new_secret(), Millis(1_800_000_000_000)
    signed = headers("msg_1", now, BODY, [new, old])
    for secret in (old, new):
        assert verify(BODY, {name.title(): value for name, value in signed.items()}, secret, now=now / 1000) == dict(
            FORM
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"webhook-id": "msg_2"}, "another secret"), ({"webhook-timestamp": "1800000001"}, "another secret"),
        ({"webhook-signature": "v1,"}, "another secret"), ({"webhook-signature": ""}, "another secret"),
        ({"webhook-signature": None}, "is missing"), ({"webhook-id": None}, "is missing"),
        ({"webhook-timestamp": "1e9"}, "no time"), ({"webhook-timestamp": "9" * 40}, "no time"),
        ({"webhook-signature": "v1a,é"}, "another secret"),
        ({"webhook-id": "msg_\udcff"}, "none of ours"),
        ({"webhook-signature": "v1,\udcff"}, "another secret"),
    ],
)  # fmt: skip
def test_what_is_not_genuine_is_refused(change: dict[str, str | None], words: str) -> None:
    secret, now = new_secret(), Millis(1_800_000_000_000)
    signed = headers("msg_1", now, BODY, [secret]) | change
    with pytest.raises(NotGenuine, match=words):
        verify(BODY, {name: value for name, value in signed.items() if value is not None}, secret, now=now / 1000)


def test_another_secret_body_or_time_is_refused() -> None:
    secret, now = new_secret(), Millis(1_800_000_000_000)
    signed = headers("msg_1", now, BODY, [secret])
    for given, key, at in (
        (BODY, new_secret(), 0),
        (BODY + b"x", secret, 0),
        (BODY, secret, 301),
        (BODY, secret, -301),
    ):
        with pytest.raises(NotGenuine):
            verify(given, signed, key, now=now / 1000 + at)
    assert verify(BODY, signed, secret, now=now / 1000 + 299)
    with pytest.raises(ValueError, match="copy it anew"):
        verify(BODY, signed, "whsec_!", now=now / 1000)


def test_the_secret_before_signs_for_its_time_and_is_shown_nowhere() -> None:
    keys = SigningKeys("whsec_new", Millis(0), "whsec_old", Millis(1000))
    assert keys.valid(Millis(999)) == ("whsec_new", "whsec_old")
    assert keys.valid(Millis(1000)) == ("whsec_new",)
    assert "whsec" not in f"{keys!r} {keys}"
    assert "webhook-signature" not in headers("msg_1", Millis(0), BODY, ())
