"""What the interpreter wants fetched, as the network is asked for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from gateway.core.model import AccountId
from gateway.ports import Cookies, Fetcher, FetchRequest, FetchResponse, FilePart
from vxml import Fetch, Fetched

#: The file behind a recording's reference; None for any other text of a form.
PartOf = Callable[[str], Awaitable[FilePart | None]]


@dataclass(frozen=True, slots=True)
class OfAccount:
    """The Fetcher port for one account's sessions."""

    fetcher: Fetcher
    account: AccountId

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        return await self.fetcher.fetch(replace(request, account=self.account))


async def request_of(action: Fetch, cookies: Cookies, part_of: PartOf) -> FetchRequest:
    """In a multipart form recordings go as files."""
    form: list[tuple[str, str | FilePart]] = []
    for name, value in action.form if action.method == "POST" else ():
        part = await part_of(value) if action.multipart else None
        form.append((name, value if part is None else part))
    return FetchRequest(
        action.url,
        method=action.method,
        form=tuple(form) if action.method == "POST" else None,
        multipart=action.multipart,
        timeout=action.timeout or 15.0,
        max_age=action.max_age,
        max_stale=action.max_stale,
        cookies=cookies,
    )


def fetched(answer: FetchResponse) -> Fetched:
    return Fetched(answer.url, answer.status, answer.body, answer.content_type, answer.charset)
