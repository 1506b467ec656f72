"""Whether the database is whole: its pages, its references, and the counters that are kept beside the rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from gateway.adapters.store.file import DatabaseRefused, connect, damaged, inspect
from gateway.adapters.store.schema import MIGRATIONS
from gateway.core.states import LIVE, WAITING
from gateway.core.upkeep import Checked

SHOWN = 20


def check(path: Path, *, quick: bool = False) -> Checked:
    """Check the file, its references and its counters, in one snapshot: it may be in use meanwhile.

    Raises :class:`DatabaseRefused` where it is no database of ours.
    """
    if not path.exists():
        raise DatabaseRefused(f"{path} does not exist: name it in [database] path")
    try:
        inspect(path)
        with closing(connect(path, readonly=True)) as db:
            db.conn.execute("BEGIN")
            return _checked(db, quick)
    except sqlite3.DatabaseError as error:
        return Checked((damaged(path, error),), path.stat().st_size, 0, 0, ())


def _checked(db: Database, quick: bool) -> Checked:
    execute = db.conn.execute
    pragma = "quick_check" if quick else "integrity_check"
    faults = [row[0] for row in execute(f"PRAGMA {pragma}({SHOWN})") if row[0] != "ok"]
    orphans = execute("PRAGMA foreign_key_check").fetchmany(SHOWN)
    faults += [f"{row[0]} row {row[1]} refers to a row of {row[2]} that is not there" for row in orphans]
    faults += _miscounted(db)
    live = ", ".join(f"'{state}'" for state in sorted(LIVE))
    (lost,) = execute(
        f"SELECT count(*) FROM call WHERE state IN ({live}) AND id NOT IN (SELECT call_id FROM attempt WHERE state"
        " <> 'ended')"
    ).fetchone()
    (stray,) = execute(
        f"SELECT count(*) FROM attempt JOIN call ON call.id = attempt.call_id WHERE attempt.state <> 'ended'"
        f" AND call.state NOT IN ({live})"
    ).fetchone()
    faults += [f"{lost} calls are live and have no open attempt"] if lost else []
    faults += [f"{stray} attempts are open whose call is not live"] if stray else []
    (page,), (pages,), (free,) = (
        execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count", "freelist_count")
    )
    (calls,) = execute("SELECT coalesce(sum(calls), 0) FROM tally").fetchone()
    schema = tuple(sorted(one.name for one in MIGRATIONS.applied(db)))
    return Checked(tuple(faults), page * pages, page * free, calls, schema)


def _miscounted(db: Database) -> list[str]:
    """Counters that are not what the rows say."""
    waiting = ", ".join(f"'{state}'" for state in sorted(WAITING))
    faults = []
    for what, sql in (
        (
            "campaign {0} counts {2} calls as {1}, and has {3}",
            "SELECT campaign_id, state, sum(told), sum(real) FROM ("
            " SELECT campaign_id, state, calls AS told, 0 AS real FROM tally UNION ALL"
            " SELECT campaign_id, state, 0, count(*) FROM call GROUP BY campaign_id, state)"
            " GROUP BY 1, 2 HAVING sum(told) <> sum(real)",
        ),
        (
            "campaign {0} counts {2} calls that wait for trunk {1}, and has {3}",
            "SELECT campaign_id, trunk, sum(told), sum(real) FROM ("
            " SELECT campaign_id, trunk, waiting AS told, 0 AS real FROM lane UNION ALL"
            f" SELECT campaign_id, trunk, 0, count(*) FROM call WHERE state IN ({waiting}) GROUP BY 1, 2)"
            " GROUP BY 1, 2 HAVING sum(told) <> sum(real)",
        ),
    ):
        faults += [what.format(*row) for row in db.conn.execute(sql).fetchmany(SHOWN)]
    return faults
