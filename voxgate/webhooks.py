"""For who receives result posts: proof that a post is the gateway's own, fresh, and unchanged."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl

from gateway.core.signing import signature

#: Seconds by which the two clocks may differ; an older post may be a replayed one.
TOLERANCE = 300


class NotGenuine(Exception):
    """The post was not signed with this secret, was changed, or is too old: answer 401 and do nothing."""


def verify(
    body: bytes, headers: Mapping[str, str], secret: str, *, tolerance: float = TOLERANCE, now: float | None = None
) -> dict[str, str]:
    """The result's fields (https://www.standardwebhooks.com). ``body`` is what was received, byte for byte.

    ``headers`` in any case; ``now`` in Unix seconds. A redelivered post has the ``webhook-id`` that it had before:
    remember the ids of the last day to do nothing twice. Raises :class:`NotGenuine`, and ValueError for a secret
    that is none.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        ident, told, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise NotGenuine(f"the header {missing} is missing") from None
    if not ident.isascii():
        raise NotGenuine("webhook-id is none of ours")
    if not (told.isascii() and told.isdigit() and len(told) <= 12):
        raise NotGenuine("webhook-timestamp is no time")
    timestamp = int(told)
    if abs((time.time() if now is None else now) - timestamp) > tolerance:
        raise NotGenuine(f"it was signed more than {tolerance:g} s from now: compare the clocks")
    right = signature(secret, ident, timestamp, body).encode()
    # Several secrets sign while one is changed; other versions than v1 are not ours to judge.
    if not any(hmac.compare_digest(right, one.encode(errors="replace")) for one in signatures.split()):
        raise NotGenuine("no signature is right: another secret, or the body was changed")
    return dict(parse_qsl(body.decode(), keep_blank_values=True))
