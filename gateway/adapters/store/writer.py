"""One thread that owns the database's write connection and commits jobs in groups, and one that reads beside it."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlite_utils import Database

from gateway.adapters.store.counts import Counts
from gateway.adapters.store.file import connect
from gateway.adapters.store.reserve import Reserve
from gateway.ports import StoreError

log = structlog.get_logger()
T = TypeVar("T")

#: A commit waits for no more jobs once it has so many: a bound on what a power cut can take from callers that wait.
GROUP = 256
FULL = "the disk is full: what room was kept is for the calls that are live. Make room, and all goes on by itself"


class _Job:
    __slots__ = ("future", "last", "loop", "work")

    def __init__(self, work: Callable[[Database, Counts], Any], loop: asyncio.AbstractEventLoop, last: bool) -> None:
        self.work = work
        self.loop = loop
        self.last = last
        self.future: asyncio.Future[Any] = loop.create_future()


_Outcomes = list[tuple[_Job, Any, BaseException | None]]


class Writer:
    """``run`` hands a job to the writer thread; it returns when the group that holds the job is durable.

    ``last`` jobs are those that a live call still needs: they may use the reserve of a full disk. Others are refused
    until there is room for it again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserve = Reserve(path)
        self._batches: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._waiting: list[_Job] = []
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._closed = False

    def start(self) -> None:
        self._thread.start()

    async def run(self, work: Callable[[Database, Counts], T], *, last: bool = False) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, last)
        if not self._waiting:
            loop.call_soon(self._hand_over)
        self._waiting.append(job)
        # A caller that stops waiting does not undo the work.
        result: T = await asyncio.shield(job.future)
        return result

    def _hand_over(self) -> None:
        """One waking of the thread for all jobs of a turn of the event loop."""
        if self._waiting:
            self._batches.put(self._waiting)
            self._waiting = []

    def close(self) -> None:
        """Take no more jobs; :meth:`join` waits for those that were taken."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._batches.put(None)

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        db = connect(self._path)
        try:
            batch = self._batches.get()
            while batch is not None:
                group, batch = batch, []
                while batch is not None and len(group) < GROUP:
                    try:
                        batch = self._batches.get_nowait()
                    except queue.Empty:
                        break
                    group += batch or ()
                self._commit(db, group)
                if batch is not None:
                    batch = self._batches.get()
        finally:
            db.close()

    def _commit(self, db: Database, group: list[_Job]) -> None:
        able = group if self._reserve.keep() else [job for job in group if job.last]
        outcomes: _Outcomes = [(job, None, StoreError(FULL)) for job in group if job not in able]
        if able:
            outcomes += self._written(db, able)
        loops: dict[asyncio.AbstractEventLoop, _Outcomes] = {}
        for outcome in outcomes:
            loops.setdefault(outcome[0].loop, []).append(outcome)
        for loop, mine in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, mine)

    def _written(self, db: Database, group: list[_Job]) -> _Outcomes:
        """All at once; on a full disk what live calls need is written into the reserve's room."""
        try:
            return _transacted(db, group)
        except (sqlite3.Error, MemoryError) as error:  # neither ends the one thread that writes
            last = [job for job in group if job.last]
            if last and _full(error) and self._reserve.give_up():
                return [(job, None, StoreError(FULL)) for job in group if not job.last] + self._written(db, last)
            log.error("store.commit_failed", jobs=len(group), error=str(error))
            failure = StoreError(f"the database could not be written: {error}")
            failure.__cause__ = error
            return [(job, None, failure) for job in group]


def _transacted(db: Database, group: list[_Job]) -> _Outcomes:
    """One transaction of all jobs. Raises :class:`sqlite3.Error` or MemoryError where nothing of it was written."""
    execute = db.conn.execute
    try:
        execute("BEGIN IMMEDIATE")
        try:
            counts = Counts()
            outcomes: _Outcomes = [(job, job.work(db, counts), None) for job in group]
            counts.write(db)
        except BaseException as error:
            if _full(error) or isinstance(error, MemoryError):
                raise
            # Rare: the whole group again, each job with a savepoint of its own, so that one fails alone.
            execute("ROLLBACK")
            execute("BEGIN IMMEDIATE")
            outcomes = [(job, *_alone(db, job)) for job in group]
        execute("COMMIT")
        return outcomes
    except (sqlite3.Error, MemoryError):
        if db.conn.in_transaction:
            db.conn.rollback()
        raise


def _full(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def _alone(db: Database, job: _Job) -> tuple[Any, BaseException | None]:
    """One job in a savepoint: its result, or what it raised."""
    db.conn.execute("SAVEPOINT job")
    try:
        counts = Counts()
        result = job.work(db, counts)
        counts.write(db)
        return result, None
    except BaseException as error:
        db.conn.execute("ROLLBACK TO job")
        return None, error
    finally:
        db.conn.execute("RELEASE job")


def _tell(outcomes: _Outcomes) -> None:
    for job, result, error in outcomes:
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(result)
        elif isinstance(error, sqlite3.Error):
            failure = StoreError(f"the database refused: {error}")
            failure.__cause__ = error
            job.future.set_exception(failure)
        else:
            job.future.set_exception(error)
        if error is not None:
            job.future.exception()  # a caller that went away need not fetch it
