"""One post to a result_url, with the headers of Standard Webhooks: the notifier's, and those that try an address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from gateway.core.model import AccountId
from gateway.core.result import Form, example_form
from gateway.core.signing import headers
from gateway.ports import Clock, Fetcher, FetchError, FetchPurpose, FetchRequest
from gateway.services.signing import Signing

#: Bytes of an answer that are taken, and characters of it that are kept to be shown.
MAX_ANSWER = 256 * 1024
SHOWN = 1000
TIMEOUT = 15.0


@dataclass(frozen=True, slots=True)
class Posted:
    """``error`` is None where it was accepted; ``status`` None where no answer came; ``took`` in milliseconds."""

    status: int | None
    error: str | None
    response: str | None
    took: int

    @property
    def accepted(self) -> bool:
        return self.error is None


class Poster:
    def __init__(self, fetcher: Fetcher, signing: Signing, clock: Clock) -> None:
        self._fetcher = fetcher
        self._signing = signing
        self._clock = clock

    async def post(
        self, account: AccountId | None, ident: str, url: str, form: Form, timeout: float = TIMEOUT
    ) -> Posted:
        """``ident`` is the webhook-id. A redirect that would drop the form is no acceptance; 307 and 308 carry it on.

        Signed where ``account`` has a secret. Raises :class:`gateway.ports.StoreError`.
        """
        began, body = self._clock.now(), urlencode(form).encode()
        secrets = () if account is None else await self._signing.secrets(account)
        request = FetchRequest(
            url, method="POST", body=body, timeout=timeout, max_bytes=MAX_ANSWER, keep_method=True,
            purpose=FetchPurpose.RESULT, account=account,
            headers={"Content-Type": "application/x-www-form-urlencoded", **headers(ident, began, body, secrets)},
        )  # fmt: skip
        status: int | None = None
        error: str | None = None
        response: str | None = None
        try:
            answer = await self._fetcher.fetch(request)
            status, response = answer.status, answer.body[:SHOWN].decode(errors="replace")
            if not 200 <= status < 300:
                error = f"HTTP {status}"
        except FetchError as failure:
            error = str(failure)
        return Posted(status, error, response, max(0, self._clock.now() - began))

    async def try_out(self, account: AccountId | None, url: str) -> tuple[Form, Posted]:
        """A made-up result, posted once; nothing is kept or retried."""
        form = example_form(self._clock.now())
        return form, await self.post(account, "msg_test", url, form)
