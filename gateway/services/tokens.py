"""Bearer tokens: issued once, found by the hash of what is shown, revoked at once."""

from __future__ import annotations

from typing import Protocol

from gateway.core.access import Scope, Token, mark_of, new_secret
from gateway.core.model import AccountId, Millis
from gateway.ports import Clock

#: A token's use is written down no more often than this.
USED_EVERY_MS = 60_000


class TokenBook(Protocol):
    async def add_token(
        self, mark: str, account: AccountId | None, name: str, scopes: frozenset[Scope], now: Millis,
        expires_at: Millis | None, issuer: AccountId | None,
    ) -> Token: ...  # fmt: skip
    async def tokens(self) -> list[tuple[str, Token]]: ...
    async def token_used(self, ident: int, at: Millis) -> None: ...
    async def revoke_token(self, ident: int, at: Millis) -> None: ...


class Tokens:
    """One process owns the database, so what was read once is true until it is changed here."""

    def __init__(self, book: TokenBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._marks: dict[str, Token] | None = None
        self._changes = 0
        self._used: dict[int, Millis] = {}

    async def find(self, secret: str) -> Token | None:
        """The valid token with this secret. Its hash is looked up, so the time taken tells nothing of other tokens."""
        token = (await self._all()).get(mark_of(secret))
        now = self._clock.now()
        if token is None or not token.valid(now):
            return None
        if now - self._used.get(token.id, token.used_at or 0) > USED_EVERY_MS:
            self._used[token.id] = now
            await self._book.token_used(token.id, now)
        return token

    async def valid(self, ident: int) -> bool:
        found = await self.get(ident)
        return found is not None and found.valid(self._clock.now())

    async def get(self, ident: int) -> Token | None:
        return next((one for one in await self.list() if one.id == ident), None)

    async def list(self) -> list[Token]:
        return list((await self._all()).values())

    async def issue(
        self, account: AccountId | None, name: str, scopes: frozenset[Scope], expires_at: Millis | None,
        issuer: AccountId | None = None,
    ) -> tuple[str, Token]:  # fmt: skip
        """The secret, shown this once, and its token."""
        secret = new_secret()
        token = await self._book.add_token(
            mark_of(secret), account, name, scopes, self._clock.now(), expires_at, issuer
        )
        self._forget()
        return secret, token

    async def revoke(self, ident: int) -> None:
        await self._book.revoke_token(ident, self._clock.now())
        self._forget()

    def _forget(self) -> None:
        self._marks, self._changes = None, self._changes + 1

    async def _all(self) -> dict[str, Token]:
        while self._marks is None:
            changes = self._changes
            found = dict(await self._book.tokens())
            if changes == self._changes:  # nothing was issued or revoked while they were read
                self._marks = found
        return self._marks
