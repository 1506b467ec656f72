"""Who asks: login and PIN, a bearer token, or whoever may open the Unix socket; and what they may see and do."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.core.access import OPERATOR, Scope
from gateway.core.lockout import Locked
from gateway.core.model import Account, AccountId
from gateway.services.accounts import Accounts
from gateway.services.api.problems import Code, Problem, invalid
from gateway.services.intake.logins import Logins
from gateway.services.tokens import Tokens

#: Of a login with its PIN; ``operator`` comes with an account that is one.
OWN = frozenset(Scope) - {Scope.OPERATOR}


@dataclass(frozen=True, slots=True)
class Caller:
    """``account`` is None for an operator that belongs to no account; ``token`` is the id of the token used.

    ``issuer`` is the account to whose operator's right that token goes back.
    """

    name: str
    account: Account | None
    scopes: frozenset[Scope]
    token: int | None = None
    issuer: AccountId | None = None

    @property
    def operator(self) -> bool:
        return Scope.OPERATOR in self.scopes

    @property
    def behind(self) -> AccountId | None:
        """The account that answers for what is given on; None for whoever may open the socket."""
        return self.issuer if self.account is None else self.account.id

    @property
    def narrowed(self) -> AccountId | None:
        """The account whose things may be seen; None for all."""
        return None if self.operator or self.account is None else self.account.id

    @property
    def owner(self) -> int:
        """Whose keys and rate these are."""
        return 0 if self.account is None else self.account.id

    def sees(self, account: AccountId) -> bool:
        return self.narrowed in (None, account)

    def may(self, scope: Scope) -> bool:
        return self.operator or scope in self.scopes


Authenticate = Callable[[web.Request], Awaitable[Caller]]
#: Who asks now: a body may take hours, and what let it in may be revoked, and the account narrowed, meanwhile.
Again = Callable[[], Awaitable[Caller]]

BY_SOCKET = Caller(OPERATOR, None, frozenset(Scope))


async def by_socket(request: web.Request) -> Caller:
    """The file's rights are the authentication."""
    return BY_SOCKET


class Callers:
    """Authentication on TCP. Failures of one login from one address are slowed down; what is right is not."""

    def __init__(self, logins: Logins, tokens: Tokens, accounts: Accounts) -> None:
        self._logins = logins
        self._tokens = tokens
        self._accounts = accounts

    async def __call__(self, request: web.Request) -> Caller:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        match kind.lower():
            case "basic":
                return await self._by_pin(request, value.strip())
            case "bearer":
                return await self._by_token(request, value.strip())
            case "":
                raise _refused("send login and PIN by HTTP Basic, or a token as Bearer")
            case _:
                raise _refused("only Basic and Bearer are taken")

    async def valid(self, caller: Caller) -> bool:
        """Whether who opened a stream would be let in the same way now: by that token or PIN, and seeing as much."""
        if caller.token is not None and not await self._tokens.valid(caller.token):
            return False
        if caller.account is None:
            return await self._still_operator(caller.issuer)
        now = await self._accounts.get(caller.account.id)
        if now is None or now.settings.operator != caller.account.settings.operator:
            return False
        return caller.token is not None or now.pin_hash == caller.account.pin_hash

    async def _by_pin(self, request: web.Request, value: str) -> Caller:
        try:
            login, colon, pin = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:  # of base64, of what is no ASCII, and of UTF-8
            raise _refused("what follows Basic is no base64 of login:PIN") from None
        if not colon or len(login) > 128 or len(pin) > 16:
            raise _refused("login or PIN is wrong")
        account = await self._admitted(request, login, pin)
        scopes = frozenset(Scope) if account.settings.operator else OWN
        return Caller(account.login, account, scopes)

    async def _admitted(self, request: web.Request, login: str, pin: str) -> Account:
        match await self._logins.admit(login, pin, request.remote or ""):
            case Locked(wait):
                raise Problem(
                    Code.TOO_MANY, f"too many failures: try again in {wait} s", headers={"Retry-After": str(wait)}
                )
            case None:
                raise _refused("login or PIN is wrong")
            case account:
                return account

    async def _by_token(self, request: web.Request, secret: str) -> Caller:
        token = await self._tokens.find(secret)
        if token is None:
            raise _refused("the token is wrong, expired or revoked")
        account = None if token.account is None else await self._accounts.get(token.account)
        if account is None and not await self._still_operator(token.issuer):
            raise _refused("the token was issued by an account that is no operator any more")
        scopes = token.scopes
        if account is not None and not account.settings.operator:
            scopes -= {Scope.OPERATOR}
        name = f"token {token.id} ({token.name})" + ("" if account is None else f" of {account.login}")
        return Caller(name, account, scopes, token.id, token.issuer)

    async def _still_operator(self, issuer: AccountId | None) -> bool:
        if issuer is None:
            return True
        account = await self._accounts.get(issuer)
        return account is not None and account.settings.operator


def _refused(why: str) -> Problem:
    return Problem(Code.UNAUTHENTICATED, why, headers={"WWW-Authenticate": 'Basic realm="voxgate", charset="UTF-8"'})


async def account_for(caller: Caller, login: str | None, accounts: Accounts) -> Account:
    """The account that is acted for: the caller's own, or the one that an operator names."""
    if login is None:
        if caller.account is None:
            raise invalid("account", "is required: name the login that this is for")
        return caller.account
    if caller.account is not None and login == caller.account.login:
        return caller.account
    if not caller.operator:
        raise Problem(Code.FORBIDDEN, "only an operator acts for another account", field="account", rule="is another's")
    return await accounts.named(login)


async def account_seen(caller: Caller, login: str | None, accounts: Accounts) -> AccountId | None:
    """The account to whose things a list is narrowed; None for all."""
    if login is None:
        return caller.narrowed
    return (await account_for(caller, login, accounts)).id
