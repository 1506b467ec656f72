"""Who may do what, and who did: PINs, tokens, signing secrets, the audit log, and receipts of requests."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlite_utils import Database

from gateway.adapters.store.counts import Counts
from gateway.adapters.store.receipts import find_receipt
from gateway.adapters.store.rows import SELECT_ACCOUNT, account_of, settings_json
from gateway.adapters.store.sqlite import SqliteStore
from gateway.core.access import AuditEntry, Receipt, Scope, Token
from gateway.core.model import Account, AccountId, AccountSettings, Millis
from gateway.core.signing import SigningKeys

_TOKEN = "SELECT id, account_id, name, scopes, created_at, expires_at, used_at, revoked_at, issuer_id FROM token"  # noqa: S105


class SqliteAccess:
    """The Access port on the queue's own database, through its writer and its reader."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    # --- accounts ---

    async def account(self, ident: AccountId) -> Account | None:
        def read(db: Database) -> Account | None:
            row = db.conn.execute(f"{SELECT_ACCOUNT} WHERE id = ?", (ident,)).fetchone()
            return None if row is None else account_of(row)

        return await self._store.read(read)

    async def set_settings(self, ident: AccountId, settings: AccountSettings) -> None:
        def write(db: Database, counts: Counts) -> None:
            db.conn.execute("UPDATE account SET settings = ? WHERE id = ?", (settings_json(settings), ident))

        await self._store.write(write)

    async def set_pin(
        self, ident: AccountId, pin_hash: str, now: Millis, old_until: Millis | None, keep: str | None = ""
    ) -> None:
        def write(db: Database, counts: Counts) -> None:
            db.conn.execute(
                "UPDATE account SET old_pin_hash = iif(?1 IS NULL, NULL, pin_hash), old_pin_until = ?1, pin_hash = ?2,"
                " pin_set_at = ?3 WHERE id = ?4",
                (old_until, pin_hash, now, ident),
            )
            # Compared to NULL nothing differs: then none is signed out.
            db.conn.execute("DELETE FROM session WHERE account_id = ? AND mark <> ?", (ident, keep))

        await self._store.write(write)

    # --- tokens ---

    async def add_token(
        self, mark: str, account: AccountId | None, name: str, scopes: frozenset[Scope], now: Millis,
        expires_at: Millis | None, issuer: AccountId | None,
    ) -> Token:  # fmt: skip
        def write(db: Database, counts: Counts) -> Token:
            done = db.conn.execute(
                "INSERT INTO token (mark, account_id, name, scopes, created_at, expires_at, issuer_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (mark, account, name, msgspec.json.encode(sorted(scopes)).decode(), now, expires_at, issuer),
            )
            return Token(int(done.lastrowid or 0), account, name, scopes, now, expires_at, issuer=issuer)

        return await self._store.write(write)

    async def tokens(self) -> list[tuple[str, Token]]:
        """Every token with its mark, the revoked ones too."""

        def read(db: Database) -> list[tuple[str, Token]]:
            rows = db.conn.execute(_TOKEN.replace("SELECT", "SELECT mark,") + " ORDER BY id")
            return [(row[0], _token(row[1:])) for row in rows]

        return await self._store.read(read)

    async def token_used(self, ident: int, at: Millis) -> None:
        await self._store.write(
            lambda db, counts: db.conn.execute("UPDATE token SET used_at = ? WHERE id = ?", (at, ident))
        )

    async def revoke_token(self, ident: int, at: Millis) -> None:
        await self._store.write(
            lambda db, counts: db.conn.execute(
                "UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (at, ident)
            )
        )

    # --- signing ---

    async def signing_keys(self, account: AccountId) -> SigningKeys | None:
        def read(db: Database) -> SigningKeys | None:
            row = db.conn.execute(
                "SELECT secret, set_at, old_secret, old_until FROM signing WHERE account_id = ?", (account,)
            ).fetchone()
            return None if row is None else SigningKeys(*row)

        return await self._store.read(read)

    async def set_signing_keys(self, account: AccountId, keys: SigningKeys | None) -> None:
        def write(db: Database, counts: Counts) -> None:
            db.conn.execute("DELETE FROM signing WHERE account_id = ?", (account,))
            if keys is not None:
                db.conn.execute(
                    "INSERT INTO signing (account_id, secret, set_at, old_secret, old_until) VALUES (?, ?, ?, ?, ?)",
                    (account, keys.secret, keys.set_at, keys.old_secret, keys.old_until),
                )

        await self._store.write(write)

    # --- audit ---

    async def audit(self, entry: AuditEntry) -> None:
        def write(db: Database, counts: Counts) -> None:
            db.conn.execute(
                "INSERT INTO audit (at, actor, action, subject, account_id, detail, origin, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (entry.at, entry.actor, entry.action, entry.subject, entry.account, entry.detail, entry.origin,
                 entry.outcome),
            )  # fmt: skip

        await self._store.write(write)

    async def audited(self, before: int | None, limit: int) -> list[AuditEntry]:
        """The newest first, from before the entry ``before`` on."""

        def read(db: Database) -> list[AuditEntry]:
            rows = db.conn.execute(
                "SELECT at, actor, action, subject, account_id, detail, origin, outcome, id FROM audit WHERE id < ?"
                " ORDER BY id DESC LIMIT ?",
                (2**62 if before is None else before, limit),
            )
            return [AuditEntry(*row) for row in rows]

        return await self._store.read(read)

    # --- receipts ---

    async def receipt(self, owner: int, key: str, now: Millis) -> Receipt | None:
        return await self._store.read(lambda db: find_receipt(db, owner, key, now))


def _token(row: tuple[Any, ...]) -> Token:
    ident, account, name, scopes, created_at, expires_at, used_at, revoked_at, issuer = row
    return Token(
        ident, account, name, msgspec.json.decode(scopes, type=frozenset[Scope]), created_at, expires_at, used_at,
        revoked_at, issuer,
    )  # fmt: skip
