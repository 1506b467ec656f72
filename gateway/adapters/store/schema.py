"""Tables, checks and indexes, as sqlite-utils migrations. The CHECKs name the states of gateway.core.states."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlite_utils import Database, Migrations

from gateway.core.model import MAX_CALL_ID, AttemptState, CalleeType, CallState, CampaignState, EndKind
from gateway.core.states import WAITING

MIGRATIONS = Migrations("voxgate")


def one_of(values: Iterable[StrEnum]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in sorted(values)) + ")"


@MIGRATIONS()
def m001_queue(db: Database) -> None:
    """The whole queue."""
    script = f"""
CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE CHECK (length(login) BETWEEN 1 AND 128),
    pin_hash TEXT NOT NULL,
    settings TEXT NOT NULL CHECK (json_valid(settings))
) STRICT;

CREATE TABLE campaign (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    single INTEGER NOT NULL CHECK (single IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN {one_of(CampaignState)}),
    plan TEXT CHECK (plan IS NULL OR json_valid(plan)),
    rejected INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    UNIQUE (account_id, name)
) STRICT;

-- Calls by state, kept in the transaction that changes a state.
CREATE TABLE tally (
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    state TEXT NOT NULL CHECK (state IN {one_of(CallState)}),
    calls INTEGER NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (campaign_id, state)
) STRICT, WITHOUT ROWID;

-- Calls of one campaign that wait for one trunk: the dialer finds work here without a scan.
CREATE TABLE lane (
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    trunk TEXT NOT NULL,
    waiting INTEGER NOT NULL CHECK (waiting >= 0),
    PRIMARY KEY (campaign_id, trunk)
) STRICT, WITHOUT ROWID;
CREATE INDEX lane_waiting ON lane (campaign_id, trunk) WHERE waiting > 0;

CREATE TABLE call (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id <= {MAX_CALL_ID}),
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    state TEXT NOT NULL CHECK (state IN {one_of(CallState)}),
    destination TEXT NOT NULL,
    dialed TEXT NOT NULL,
    trunk TEXT NOT NULL,
    ani TEXT,
    postd TEXT,
    message_reference TEXT,
    call_parameters TEXT,
    campaign_parameters TEXT,
    plan TEXT CHECK (plan IS NULL OR json_valid(plan)),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at INTEGER,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    callee_type TEXT CHECK (callee_type IN {one_of(CalleeType)}),
    last_attempt_at INTEGER,
    duration INTEGER NOT NULL DEFAULT 0 CHECK (duration >= 0),
    fault_since INTEGER,
    fault_count INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    application_error TEXT,
    CHECK ((state IN {one_of(WAITING)}) = (due_at IS NOT NULL))
) STRICT;
CREATE INDEX call_due ON call (campaign_id, trunk, due_at, id) WHERE state IN {one_of(WAITING)};
CREATE INDEX call_expiry ON call (expires_at) WHERE expires_at IS NOT NULL AND state IN {one_of(WAITING)};

CREATE TABLE attempt (
    id TEXT PRIMARY KEY,
    call_id INTEGER NOT NULL REFERENCES call (id),
    number INTEGER NOT NULL,
    trunk TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN {one_of(AttemptState)}),
    started_at INTEGER NOT NULL,
    ringing_at INTEGER,
    answered_at INTEGER,
    ended_at INTEGER,
    kind TEXT CHECK (kind IN {one_of(EndKind)}),
    callee_type TEXT CHECK (callee_type IN {one_of(CalleeType)}),
    cause INTEGER,
    tech_cause INTEGER,
    reason TEXT,
    application_error TEXT,
    evidence TEXT CHECK (evidence IS NULL OR json_valid(evidence)),
    UNIQUE (call_id, number),
    CHECK ((state = '{AttemptState.ENDED}') = (ended_at IS NOT NULL AND kind IS NOT NULL))
) STRICT;
-- A call is never dialed by two attempts at once, whatever the code above believes.
CREATE UNIQUE INDEX attempt_open ON attempt (call_id) WHERE state <> '{AttemptState.ENDED}';

-- The outbox: a result post that is owed, written in the transaction that ends its call.
CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    call_id INTEGER NOT NULL UNIQUE REFERENCES call (id),
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    form TEXT NOT NULL CHECK (json_valid(form)),
    created_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    accepted_at INTEGER,
    given_up_at INTEGER,
    last_status INTEGER,
    last_error TEXT,
    CHECK ((next_at IS NOT NULL) + (accepted_at IS NOT NULL) + (given_up_at IS NOT NULL) = 1)
) STRICT;
CREATE INDEX delivery_due ON delivery (host, next_at) WHERE next_at IS NOT NULL;
"""
    for statement in _statements(script):
        db.conn.execute(statement)


@MIGRATIONS()
def m_vitals(db: Database) -> None:
    """The oldest result that waits is found without a scan."""
    db.conn.execute("CREATE INDEX delivery_oldest ON delivery (created_at) WHERE next_at IS NOT NULL")


@MIGRATIONS()
def m_pages(db: Database) -> None:
    """Browsers that are signed in, holds on dialing, and attempts by hour for the charts."""
    script = f"""
CREATE TABLE session (
    mark TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id),
    csrf TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id);

-- Accounts of which nothing is dialed; 0 stands for all of them.
CREATE TABLE hold (account_id INTEGER PRIMARY KEY) STRICT;

-- Attempts that ended, by hour (Unix time / 3600), kept in the transaction that ends them.
CREATE TABLE hourly (
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    hour INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN {one_of(CallState)}),
    callee_type TEXT NOT NULL CHECK (callee_type IN {one_of(CalleeType)}),
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    calls INTEGER NOT NULL CHECK (calls > 0),
    PRIMARY KEY (campaign_id, hour, state, callee_type, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO hourly
    SELECT call.campaign_id, attempt.ended_at / 3600000,
        CASE WHEN attempt.number = latest.number AND call.state IN ('completed', 'failed') THEN call.state
            ELSE 'retrying' END AS state,
        attempt.callee_type, iif(attempt.kind = 'trunk_fault', 0, attempt.number), count(*)
    FROM attempt JOIN call ON call.id = attempt.call_id
    JOIN (SELECT call_id, max(number) AS number FROM attempt GROUP BY call_id) AS latest
        ON latest.call_id = attempt.call_id
    WHERE attempt.ended_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
"""
    for statement in _statements(script):
        db.conn.execute(statement)


@MIGRATIONS()
def m_lists(db: Database) -> None:
    """Lists of calls and of result posts in every order, each along an index; what became of every post."""
    script = """
-- Its campaign's account, repeated here for the indexes.
ALTER TABLE call ADD COLUMN account_id INTEGER;
UPDATE call SET account_id = (SELECT account_id FROM campaign WHERE campaign.id = campaign_id),
    message_reference = coalesce(message_reference, json_extract(plan, '$.message_reference'));
CREATE INDEX call_by_campaign ON call (campaign_id, callee_type, state);
CREATE INDEX call_by_account ON call (account_id, callee_type, state);
CREATE INDEX call_last_by_campaign ON call (campaign_id, callee_type, state, last_attempt_at);
CREATE INDEX call_last_by_account ON call (account_id, callee_type, state, last_attempt_at);
CREATE INDEX call_dialed ON call (account_id, dialed);
CREATE INDEX call_reference ON call (account_id, message_reference) WHERE message_reference IS NOT NULL;

ALTER TABLE delivery ADD COLUMN account_id INTEGER;
-- When it was last asked for again: from then on its tries are counted anew.
ALTER TABLE delivery ADD COLUMN revived_at INTEGER;
UPDATE delivery SET account_id = (SELECT account_id FROM call WHERE call.id = call_id);
CREATE INDEX delivery_waiting ON delivery (account_id, call_id) WHERE next_at IS NOT NULL;
CREATE INDEX delivery_accepted ON delivery (account_id, call_id) WHERE accepted_at IS NOT NULL;
CREATE INDEX delivery_given_up ON delivery (account_id, call_id) WHERE given_up_at IS NOT NULL;

CREATE TABLE delivery_try (
    id INTEGER PRIMARY KEY,
    delivery_id TEXT NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    took INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    response TEXT,
    next_at INTEGER
) STRICT;
CREATE INDEX delivery_try_of ON delivery_try (delivery_id);
"""
    for statement in _statements(script):
        db.conn.execute(statement)


@MIGRATIONS()
def m_access(db: Database) -> None:
    """PINs that change, bearer tokens, who changed what, and receipts of requests that must not be repeated."""
    script = """
ALTER TABLE account ADD COLUMN pin_set_at INTEGER;
ALTER TABLE account ADD COLUMN old_pin_hash TEXT;
ALTER TABLE account ADD COLUMN old_pin_until INTEGER;

CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mark TEXT NOT NULL UNIQUE,
    account_id INTEGER REFERENCES account (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL CHECK (json_valid(scopes)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    account_id INTEGER,
    detail TEXT NOT NULL
) STRICT;

-- The owner is an account, or 0 for the operator.
CREATE TABLE receipt (
    owner INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    answer BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_age ON receipt (created_at);
"""
    for statement in _statements(script):
        db.conn.execute(statement)


@MIGRATIONS()
def m_retention(db: Database) -> None:
    """Up to where the sweeps of old rows have come, and when the last one ran."""
    db.conn.execute("CREATE TABLE mark (name TEXT PRIMARY KEY, upto INTEGER NOT NULL) STRICT, WITHOUT ROWID")


@MIGRATIONS()
def m_label(db: Database) -> None:
    """Who answered, where a person said so after the call."""
    db.conn.execute(f"ALTER TABLE attempt ADD COLUMN label TEXT CHECK (label IN {one_of(CalleeType)})")


@MIGRATIONS()
def m_usage(db: Database) -> None:
    """What an account used of a day (its own zone's date), and everybody of this machine's: account 0."""
    db.conn.execute("""
CREATE TABLE usage (
    account_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    seconds INTEGER NOT NULL CHECK (seconds >= 0),
    cost INTEGER NOT NULL CHECK (cost >= 0),
    lifted INTEGER NOT NULL CHECK (lifted IN (0, 1)),
    PRIMARY KEY (account_id, day)
) STRICT, WITHOUT ROWID""")


@MIGRATIONS()
def m_signing(db: Database) -> None:
    """Secrets that sign result posts. HMAC needs them as they are: whoever reads this database can sign."""
    db.conn.execute("""CREATE TABLE signing (
    account_id INTEGER PRIMARY KEY REFERENCES account (id),
    secret TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    old_secret TEXT,
    old_until INTEGER,
    CHECK ((old_secret IS NULL) = (old_until IS NULL))
) STRICT""")


@MIGRATIONS()
def m_issuer(db: Database) -> None:
    """Who issued a token, as far as the audit log tells of the tokens that there are."""
    db.conn.execute("ALTER TABLE token ADD COLUMN issuer_id INTEGER")
    db.conn.execute(
        "UPDATE token SET issuer_id = (SELECT account.id FROM audit JOIN account ON account.login = audit.actor"
        " WHERE audit.action = 'token.issue' AND audit.subject = 'token ' || token.id || ' (' || token.name || ')')"
    )


@MIGRATIONS()
def m_audited(db: Database) -> None:
    """Where a change was asked from, and whether it was made."""
    db.conn.execute("ALTER TABLE audit ADD COLUMN origin TEXT NOT NULL DEFAULT ''")
    db.conn.execute("ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT 'done'")


@MIGRATIONS()
def m_guard(db: Database) -> None:
    """When a call was cancelled, from which its age counts; and what the ids of result posts are made with."""
    db.conn.execute("ALTER TABLE call ADD COLUMN cancelled_at INTEGER")
    db.conn.execute("INSERT INTO mark VALUES ('delivery_salt', abs(random() / 2))")


@MIGRATIONS()
def m_legs(db: Database) -> None:
    """Whom live calls are transferred to: each costs from its start, and also where a crash ends it."""
    db.conn.execute("""
CREATE TABLE leg (
    attempt_id TEXT NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    dialed TEXT NOT NULL,
    answered_at INTEGER,
    seconds INTEGER CHECK (seconds >= 0),
    PRIMARY KEY (attempt_id, number)
) STRICT, WITHOUT ROWID""")


def _statements(script: str) -> list[str]:
    """The script's statements one by one: executescript would commit the migration's transaction."""
    bare = "\n".join(line for line in script.splitlines() if not line.startswith("--"))
    return [one for part in bare.split(";") if (one := part.strip())]


def known_migrations() -> set[str]:
    return {migration.name for migration in MIGRATIONS._migrations}
