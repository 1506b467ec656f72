"""/accounts, /tokens and /audit: who may do what, and who did."""

from __future__ import annotations

import msgspec

from gateway.core.access import Scope
from gateway.core.access import Token as TokenRecord
from gateway.core.model import Account
from gateway.ports import Clock
from gateway.services.accounts import Accounts
from gateway.services.api import shaping
from gateway.services.api.callers import Caller, account_for
from gateway.services.api.problems import Code, Problem, invalid, not_found
from gateway.services.api.routing import route
from gateway.services.audit import Audit
from gateway.services.signing import Signing
from gateway.services.tokens import Tokens
from voxgate import models


class People:
    def __init__(self, accounts: Accounts, tokens: Tokens, signing: Signing, audit: Audit, clock: Clock) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._signing = signing
        self._audit = audit
        self._clock = clock

    # --- accounts ---

    @route("GET", "/accounts", Scope.READ)
    async def list_accounts(self, who: Caller) -> list[models.Account]:
        """The accounts: one's own, or, for an operator, all."""
        return [shaping.account(one) for one in await self._accounts.all() if who.sees(one.id)]

    @route("POST", "/accounts", Scope.OPERATOR, status=201)
    async def add_account(self, who: Caller, body: models.NewAccount) -> models.Account:
        """Add an account."""
        added = await self._accounts.add(body.login, body.pin, body.settings)
        await self._audit.note(who.name, "account.add", f"account {added.login}", added.id)
        return shaping.account(added)

    @route("GET", "/accounts/{login}", Scope.READ)
    async def get_account(self, who: Caller, login: str) -> models.Account:
        """One account with its settings."""
        return shaping.account(await self._seen(who, login))

    @route("PATCH", "/accounts/{login}", Scope.OPERATOR)
    async def change_account(self, who: Caller, login: str, body: models.SettingsChange) -> models.Account:
        """Change settings of an account: what is left out stays, null goes back to the default."""
        one = await self._seen(who, login)
        changes = msgspec.to_builtins(body)
        changed = await self._accounts.change(one, changes)
        await self._audit.note(who.name, "account.change", f"account {login}", one.id, ", ".join(sorted(changes)))
        return shaping.account(changed)

    @route("POST", "/accounts/{login}/pin", Scope.ACCOUNT)
    async def change_pin(self, who: Caller, login: str, body: models.NewPin) -> models.Account:
        """Set a new PIN. The old one may stay valid for up to 24 hours."""
        one = await self._seen(who, login)
        if one.settings.operator and not who.operator:
            raise Problem(Code.FORBIDDEN, "only an operator sets the PIN of an operator: whoever has it is one")
        changed = await self._accounts.set_pin(one, body.pin, body.keep_old_hours, None if body.keep_sessions else "")
        kept = f"the old PIN is valid for {body.keep_old_hours} h" + (", sessions go on" if body.keep_sessions else "")
        await self._audit.note(who.name, "account.pin", f"account {one.login}", one.id, kept)
        return shaping.account(changed)

    # --- signed result posts ---

    @route("GET", "/accounts/{login}/signing", Scope.READ)
    async def get_signing(self, who: Caller, login: str) -> models.Signing:
        """Whether an account's result posts are signed. The secret is not told again."""
        one = await self._seen(who, login)
        return shaping.signing(await self._signing.keys(one.id))

    @route("POST", "/accounts/{login}/signing", Scope.ACCOUNT, status=201)
    async def renew_signing(self, who: Caller, login: str, body: models.NewSigning) -> models.IssuedSigning:
        """Sign result posts by a new secret. It is shown in this answer and never again.

        The one before may also sign for up to 168 hours, so that receivers are changed one after another."""
        one = await self._seen(who, login)
        keys = await self._signing.renew(one, body.keep_old_hours)
        kept = f"the old secret also signs for {body.keep_old_hours} h" if keys.old_until else ""
        await self._audit.note(who.name, "account.signing", f"account {one.login}", one.id, kept)
        return shaping.issued_signing(keys)

    @route("POST", "/accounts/{login}/signing/off", Scope.ACCOUNT)
    async def stop_signing(self, who: Caller, login: str) -> models.Signing:
        """Sign result posts no more."""
        one = await self._seen(who, login)
        await self._signing.stop(one)
        await self._audit.note(who.name, "account.unsigned", f"account {one.login}", one.id)
        return shaping.signing(None)

    async def _seen(self, who: Caller, login: str) -> Account:
        found = await self._accounts.by_login(login)
        if found is None or not who.sees(found.id):
            raise not_found(f"account {login[:128]!r}")
        return found

    # --- tokens ---

    @route("GET", "/tokens", Scope.ACCOUNT)
    async def list_tokens(self, who: Caller) -> list[models.Token]:
        """Tokens, the expired and revoked ones too; their secrets are kept nowhere."""
        return [await self._shown(one) for one in await self._tokens.list() if self._sees(who, one)]

    @route("POST", "/tokens", Scope.ACCOUNT, status=201)
    async def issue_token(self, who: Caller, body: models.NewToken) -> models.IssuedToken:
        """Issue a token. It is shown in this answer and never again. It may do no more than who issues it.

        By a token that expires, only one is issued that expires no later."""
        account = None
        if body.account is not None or not who.operator:
            account = await account_for(who, body.account, self._accounts)
        scopes = frozenset(body.scopes)
        for scope in sorted(scopes):
            if not who.may(scope):
                raise Problem(Code.FORBIDDEN, f"scopes: {scope} is not yours to give", field="scopes", rule="too much")
        if Scope.OPERATOR in scopes and account is not None and not account.settings.operator:
            raise invalid("scopes", f"operator: account {account.login} is no operator")
        expires = shaping.millis(body.expires_at)
        if expires is not None and expires <= self._clock.now():
            raise invalid("expires_at", "is in the past")
        used = None if who.token is None else await self._tokens.get(who.token)
        if used is not None and used.expires_at is not None and (expires is None or expires > used.expires_at):
            raise invalid("expires_at", "must be given, and no later than that of the token by which it is issued")
        secret, token = await self._tokens.issue(
            None if account is None else account.id, body.name, scopes, expires, who.behind
        )
        what = f"token {token.id} ({token.name})"
        await self._audit.note(who.name, "token.issue", what, token.account, ", ".join(sorted(scopes)))
        return models.IssuedToken(**msgspec.structs.asdict(await self._shown(token)), token=secret)

    @route("DELETE", "/tokens/{token_id}", Scope.ACCOUNT)
    async def revoke_token(self, who: Caller, token_id: models.Ident) -> models.Token:
        """Revoke a token at once; streams that it opened end within seconds."""
        one = await self._tokens.get(token_id)
        if one is None or not self._sees(who, one):
            raise not_found(f"token {token_id}")
        if one.revoked_at is None:
            await self._tokens.revoke(one.id)
            await self._audit.note(who.name, "token.revoke", f"token {one.id} ({one.name})", one.account)
        revoked = await self._tokens.get(one.id)
        assert revoked is not None
        return await self._shown(revoked)

    def _sees(self, who: Caller, token: TokenRecord) -> bool:
        return who.operator or (token.account is not None and who.sees(token.account))

    async def _shown(self, one: TokenRecord) -> models.Token:
        account, issuer = [
            None if each is None else await self._accounts.login_of(each) for each in (one.account, one.issuer)
        ]
        return shaping.token(one, account, issuer)

    # --- audit ---

    @route("GET", "/audit", Scope.OPERATOR)
    async def list_audit(self, who: Caller, query: models.AuditFilter) -> models.Page[models.AuditLine]:
        """Who changed what, the newest first. Calls that were queued are not in it: each is its own record."""
        found = await self._audit.page(shaping.number_of(query.after), query.limit + 1)
        shown = found[: query.limit]
        logins = [None if one.account is None else await self._accounts.login_of(one.account) for one in shown]
        items = [shaping.audit_line(one, login) for one, login in zip(shown, logins, strict=True)]
        return models.Page(items=items, next=shaping.cursor(shown[-1].id if len(found) > query.limit else None))
