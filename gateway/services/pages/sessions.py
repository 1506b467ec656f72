"""Sign-in by cookie: opens and finds sessions, and slows guessing down."""

from __future__ import annotations

from aiohttp import web

from gateway.core.lockout import Locked
from gateway.core.model import Account, Millis
from gateway.core.visiting import SEEN_EVERY_MS, Session, Visitor, mark_of, new_session
from gateway.ports import Clock
from gateway.services.accounts import Accounts
from gateway.services.intake.logins import Logins
from gateway.services.pages.books import Books

LONGEST = 7 * 24 * 3600


class Sessions:
    """``secure``: the cookie is sent over https alone, also where a proxy in front of us speaks it."""

    def __init__(self, books: Books, accounts: Accounts, logins: Logins, clock: Clock, *, secure: bool) -> None:
        self._books = books
        self._accounts = accounts
        self._logins = logins
        self._clock = clock
        self._secure = secure

    async def visitor(self, request: web.Request) -> Visitor | None:
        cookie = request.cookies.get(self._name(request))
        if not cookie:
            return None
        session = await self._books.session(mark_of(cookie))
        now = self._clock.now()
        if session is None:
            return None
        if session.over(now):
            await self._books.end_session(session.mark)
            return None
        account = await self._accounts.get(session.account_id)
        if account is None:
            return None
        if now - session.seen_at > SEEN_EVERY_MS:
            await self._books.session_seen(session.mark, now)
        return Visitor(session, account)

    async def ended(self, visitor: Visitor) -> bool:
        """Whether the session was signed out meanwhile, or its account sees more or less than it did."""
        account = await self._accounts.get(visitor.account.id)
        changed = account is None or account.settings.operator != visitor.operator
        return changed or await self._books.session(visitor.session.mark) is None

    async def sign_in(
        self, request: web.Request, login: str, pin: str, answer: web.Response
    ) -> Account | Locked | None:
        """Puts the session's cookie on ``answer``; None where login or PIN is wrong."""
        match await self._logins.admit(login, pin, request.remote or ""):
            case Account() as account:
                pass
            case refused:
                return refused
        session = await self.open(request, account, answer)
        if await self._logins.check(login, pin) is None:  # another PIN was set before the session was there to be ended
            await self._books.end_session(session.mark)
            return None
        return account

    async def open(self, request: web.Request, account: Account, answer: web.Response) -> Session:
        now = self._clock.now()
        await self._books.forget_sessions(Millis(now - LONGEST * 1000))
        cookie, session = new_session(account.id, now)
        await self._books.add_session(session)
        answer.set_cookie(
            self._name(request), cookie, max_age=LONGEST, httponly=True, samesite="Lax", path="/",
            secure=self.https(request),
        )  # fmt: skip
        return session

    async def sign_out(self, request: web.Request, visitor: Visitor, answer: web.Response, *, everywhere: bool) -> None:
        await self._books.end_session(visitor.session.mark)
        if everywhere:
            await self._books.end_sessions(visitor.account.id)
        answer.del_cookie(self._name(request), path="/", secure=self.https(request), httponly=True, samesite="Lax")

    def https(self, request: web.Request) -> bool:
        """Whether the browser speaks https, to us or to a proxy of ours."""
        return self._secure or request.secure

    def _name(self, request: web.Request) -> str:
        # The prefix binds the cookie to this host and to https (RFC 6265bis §4.1.3.2).
        return "__Host-voxgate" if self.https(request) else "voxgate"
