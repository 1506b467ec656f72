"""Takes submissions in: the rules of the contract, whichever way a call or a list arrives."""

from __future__ import annotations

import asyncio
import functools
import itertools
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

import structlog

from gateway.core.access import Receipt
from gateway.core.accounts import is_listed
from gateway.core.jsonlist import JsonListReader
from gateway.core.model import Account, AccountId, AccountSettings, CallId, CallPlan, CampaignId, CampaignState, NewCall
from gateway.core.numbers import Destination, NumberError, parse_destination
from gateway.core.phonelist import BadLine, ListError, ListRow, PhoneListReader
from gateway.core.plum import FieldError, Submission, needs_words, read_plan
from gateway.core.refusals import Refusals
from gateway.core.routes import NumberPolicy, Refused, Resolver
from gateway.happenings import CallAccepted, Observe, Stopwatch, unobserved
from gateway.ports import Campaign, Clock, NameTaken, Store
from gateway.services.feed import EventKind, Publish, campaign_data, unheard

log = structlog.get_logger()

Preflight = Callable[[str, AccountId], Awaitable[str | None]]

BATCH = 2000
READ = 256 * 1024
#: Numbers that join a campaign in one transaction: a bound on how long it holds all other writing up.
ADDED_AT_ONCE = 10_000
SHOWN_REJECTED = 20
SHOWN_LOADS = 100


@dataclass(frozen=True, slots=True)
class DeskSettings:
    preflight: bool = True


@dataclass(slots=True)
class Load:
    """The progress of one list."""

    id: int
    name: str
    account: AccountId
    campaign: CampaignId | None = None
    bytes_total: int = 0
    bytes_read: int = 0
    queued: int = 0
    rejected: int = 0
    done: bool = False
    first_rejected: list[tuple[int, str, str]] = field(default_factory=list)
    shown_rejected: int = SHOWN_REJECTED
    refusals: Refusals = field(default_factory=Refusals)


@dataclass(frozen=True, slots=True)
class Examined:
    """A list as it would be queued: numbers by trunk, what would be rejected, and what would refuse the whole."""

    plan: CallPlan
    trunks: Counter[str]
    refusals: Refusals
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list holds, read as it would be queued. ``first`` are its first numbers, ``error`` refuses the whole."""

    accepted: int
    rejected: int
    first: tuple[NewCall, ...]
    first_rejected: tuple[tuple[int, str, str], ...]  # line, text, reason
    refusals: Refusals
    error: str = ""


class Desk:
    """``wake`` tells the dialer that there is work."""

    def __init__(
        self, store: Store, clock: Clock, router: Resolver, preflight: Preflight, wake: Callable[[], None],
        settings: DeskSettings, publish: Publish = unheard, observe: Observe = unobserved,
    ) -> None:  # fmt: skip
        self._store = store
        self._publish = publish
        self._clock = clock
        self._router = router
        self._preflight = preflight
        self._wake = wake
        self._settings = settings
        self._observe = observe
        self._ids = itertools.count(1)
        self.loads: dict[int, Load] = {}
        self._adding: WeakValueDictionary[CampaignId, asyncio.Lock] = WeakValueDictionary()

    def reconfigure(self, settings: DeskSettings) -> None:
        """Other settings from the next submission on."""
        self._settings = settings

    async def queue_call(
        self, account: Account, submission: Submission, receipt: Callable[[CallId], Receipt] | None = None
    ) -> CallId:
        """Queue one call; it is durable, with its receipt, when its id is returned. Raises :class:`FieldError`."""
        watch = Stopwatch()
        plan = await self._plan(account, submission)
        call = self._one(account, submission.values["phone_number"])
        await self._check_urls(account, plan)
        call_id = await self._store.queue_call(account.id, call, plan, self._clock.now(), receipt)
        log.info("call.queued", call_id=call_id, account=account.login)
        self._publish(
            EventKind.CALL_QUEUED, account.id,
            {"call_id": call_id, "destination": call.destination, "due_at": plan.scheduled_at},
        )  # fmt: skip
        self._observe(CallAccepted(call_id, watch.seconds))
        self._wake()
        return call_id

    async def queue_list(
        self, account: Account, submission: Submission, path: Path, receipt: Callable[[Load], Receipt] | None = None
    ) -> Load:
        """Queue the numbers of a spooled list as one campaign, all of it or nothing. Raises :class:`FieldError`."""
        name = submission.values["campaign_name"].strip()
        plan = await self._plan(account, submission)
        if await self._store.campaign_by_name(account.id, name) is not None:
            raise FieldError("campaign_name", f"{name!r} was used before: choose another")
        await self._check_urls(account, plan)
        load = Load(next(self._ids), name, account.id, bytes_total=path.stat().st_size)
        self.loads[load.id] = load
        for old in [one.id for one in self.loads.values() if one.done][:-SHOWN_LOADS]:
            del self.loads[old]
        try:
            load.campaign = await self._store.open_campaign(account.id, name, plan, self._clock.now())
        except NameTaken as error:
            raise FieldError("campaign_name", str(error)) from None
        try:
            await self._load(account, load, path)
            if load.queued == 0:
                raise FieldError("phone_list", _nothing(load))
            proof = None if receipt is None else receipt(load)
            await self._store.publish_campaign(load.campaign, load.rejected, proof)
        except BaseException:
            await asyncio.shield(self._store.discard_campaign(load.campaign))
            raise
        finally:
            load.done = True
        log.info("campaign.queued", campaign_id=load.campaign, queued=load.queued, rejected=load.rejected)
        if (campaign := await self._store.campaign(load.campaign)) is not None:
            self._publish(EventKind.CAMPAIGN_CHANGED, account.id, campaign_data(campaign))
        self._wake()
        return load

    async def new_campaign(
        self, account: Account, submission: Submission, paused: bool, receipt: Callable[[Campaign], Receipt] | None
    ) -> Campaign:
        """A campaign without calls, which may be added to. Raises :class:`FieldError`."""
        name = submission.values["campaign_name"].strip()
        plan = await self._plan(account, submission)
        await self._check_urls(account, plan)
        try:
            opened = await self._store.open_campaign(account.id, name, plan, self._clock.now())
        except NameTaken as error:
            raise FieldError("campaign_name", str(error)) from None
        try:
            made = await self._store.campaign(opened)
            assert made is not None
            state = CampaignState.PAUSED if paused else CampaignState.ACTIVE
            made = replace(made, state=state)
            await self._store.publish_campaign(opened, 0, None if receipt is None else receipt(made), paused=paused)
        except BaseException:
            await asyncio.shield(self._store.discard_campaign(opened))
            raise
        self._publish(EventKind.CAMPAIGN_CHANGED, account.id, campaign_data(made))
        return made

    async def add_calls(
        self,
        account: Account,
        campaign: Campaign,
        path: Path,
        reader: PhoneListReader | JsonListReader,
        receipt: Callable[[Load], Receipt] | None,
    ) -> Load:
        """Let the numbers of a spooled list join a campaign, all at once. Raises :class:`FieldError`."""
        load = Load(next(self._ids), campaign.name, account.id, campaign.id, bytes_total=path.stat().st_size)
        batches = _Batches(account, path, self._routed, load, reader)
        calls: list[NewCall] = []
        async with self._adding.setdefault(campaign.id, asyncio.Lock()):
            try:
                while batch := await asyncio.to_thread(batches.next):
                    calls += batch
                    if len(calls) > ADDED_AT_ONCE:
                        raise FieldError("body", f"holds more than {ADDED_AT_ONCE} numbers: send it in parts")
                if not account.settings.keep_duplicates:
                    held = await self._store.dialed_in(campaign.id, [one.dialed for one in calls])
                    calls = [one for one in calls if one.dialed not in held or batches.reject_held(one)]
            except ListError as error:
                raise FieldError("body", str(error)) from None
            finally:
                batches.close()
            load.queued, load.done = len(calls), True
            await self._store.add_calls(
                campaign.id, calls, self._clock.now(), None if receipt is None else receipt(load)
            )
        log.info("campaign.joined", campaign_id=campaign.id, queued=load.queued, rejected=load.rejected)
        if (changed := await self._store.campaign(campaign.id)) is not None:
            self._publish(EventKind.CAMPAIGN_CHANGED, account.id, campaign_data(changed))
        self._wake()
        return load

    async def examine(self, account: Account, submission: Submission, path: Path) -> Examined:
        """What :meth:`queue_list` would do, without doing it. Raises :class:`FieldError` where no plan can be read."""
        name = submission.values["campaign_name"].strip()
        plan = await self._plan(account, submission)
        problems = []
        if await self._store.campaign_by_name(account.id, name) is not None:
            problems.append(f"campaign_name {name!r} was used before: choose another")
        try:
            await self._check_urls(account, plan)
        except FieldError as error:
            problems.append(str(error))
        load, trunks = Load(0, name, account.id), Counter[str]()
        batches = _Batches(account, path, self._routed, load)
        try:
            while batch := await asyncio.to_thread(batches.next):
                trunks.update(one.trunk for one in batch)
        except ListError as error:
            problems.append(f"phone_list {error}")
        finally:
            batches.close()
        return Examined(plan, trunks, load.refusals, tuple(problems))

    async def preview(self, account: Account, path: Path, shown: int) -> Preview:
        """Read a spooled list without queueing it; ``shown`` limits the lines that are told."""
        load = Load(0, "", account.id, shown_rejected=shown)
        accepted, first, error = 0, list[NewCall](), ""
        batches = _Batches(account, path, self._routed, load)
        try:
            while batch := await asyncio.to_thread(batches.next):
                accepted += len(batch)
                first += batch[: shown - len(first)]
        except ListError as refused:
            error = str(refused)
        finally:
            batches.close()
        return Preview(accepted, load.rejected, tuple(first), tuple(load.first_rejected), load.refusals, error)

    def number(self, account: Account, text: str) -> NewCall:
        """A number as it would be dialed. Raises :class:`FieldError`."""
        return self._one(account, text)

    async def _plan(self, account: Account, submission: Submission) -> CallPlan:
        zone = ZoneInfo(account.settings.time_zone)
        if needs_words(submission):
            return await asyncio.to_thread(read_plan, submission, self._clock.now(), zone)
        return read_plan(submission, self._clock.now(), zone)

    async def _check_urls(self, account: Account, plan: CallPlan) -> None:
        if not self._settings.preflight:
            return
        for name, url in (("start_url", plan.start_url), ("result_url", plan.result_url)):
            if url is not None and (why := await self._preflight(url, account.id)) is not None:
                raise FieldError(name, why)

    def _one(self, account: Account, text: str) -> NewCall:
        try:
            return self._routed(account, parse_destination(text, account.settings.country))
        except NumberError as error:
            raise FieldError("phone_number", str(error)) from None
        except Refused as error:
            raise FieldError("phone_number", f"may not be dialed: {error}") from None

    def _routed(self, account: Account, found: Destination, row: ListRow | None = None) -> NewCall:
        settings = account.settings
        if found.ani is not None and not is_listed(settings, found.ani):
            raise NumberError(f"ani {found.ani} is not among the account's allowed caller IDs")
        way = self._router.resolve(found.kind, found.dialed, _policy(settings), settings.country)
        return NewCall(
            destination=found.original,
            dialed=found.dialed,
            trunk=way.trunk.name,
            ani=found.ani,
            postd=found.postd,
            message_reference=None if row is None else row.message_reference,
            call_parameters=None if row is None else row.call_parameters,
            campaign_parameters=None if row is None else row.campaign_parameters,
        )

    # --- lists ---

    async def _load(self, account: Account, load: Load, path: Path) -> None:
        assert load.campaign is not None
        batches = _Batches(account, path, self._routed, load)
        ahead = asyncio.create_task(asyncio.to_thread(batches.next))
        try:
            while batch := await ahead:
                # The next batch is read in its thread while this one is written in the store's.
                ahead = asyncio.create_task(asyncio.to_thread(batches.next))
                await self._store.load_calls(load.campaign, batch, self._clock.now())
                load.queued += len(batch)
                self._publish(
                    EventKind.CAMPAIGN_LOADING, account.id,
                    {"campaign_id": load.campaign, "name": load.name, "queued": load.queued, "rejected": load.rejected,
                     "bytes_read": load.bytes_read, "bytes_total": load.bytes_total},
                )  # fmt: skip
        except ListError as error:
            raise FieldError("phone_list", str(error)) from None
        finally:
            await asyncio.gather(ahead, return_exceptions=True)
            batches.close()


@functools.lru_cache(maxsize=256)
def _policy(settings: AccountSettings) -> NumberPolicy:
    return NumberPolicy(allowed=settings.allowed_prefixes, blocked=settings.blocked_prefixes)


def _nothing(load: Load) -> str:
    if not load.first_rejected:
        return "holds no numbers"
    line, _, reason = load.first_rejected[0]
    return f"holds no number that can be dialed: {load.rejected} lines rejected, the first (line {line}) {reason}"


class _Batches:
    """Reads a spooled list in a worker thread, a batch at a call."""

    def __init__(
        self,
        account: Account,
        path: Path,
        route: Callable[[Account, Destination, ListRow], NewCall],
        load: Load,
        reader: PhoneListReader | JsonListReader | None = None,
    ) -> None:
        self._account = account
        self._reader = reader or PhoneListReader()
        self._route = route
        self._load = load
        self._file = path.open("rb")
        self._rows = self._read()
        self._seen: dict[bytes, int] = {}

    def close(self) -> None:
        self._file.close()

    def _read(self) -> Iterator[ListRow | BadLine]:
        while piece := self._file.read(READ):
            yield from self._reader.feed(piece)
            self._load.bytes_read += len(piece)
        yield from self._reader.finish()

    def next(self) -> list[NewCall]:
        batch: list[NewCall] = []
        for row in self._rows:
            if isinstance(row, BadLine):
                self._reject(row.line, row.text, row.reason)
            elif (call := self._call(row)) is not None:
                batch.append(call)
                if len(batch) >= BATCH:
                    break
        return batch

    def _call(self, row: ListRow) -> NewCall | None:
        settings = self._account.settings
        try:
            found = parse_destination(row.destination, settings.country)
            if not settings.keep_duplicates:
                key = _key(found.dialed)
                first = self._seen.setdefault(key, row.line)
                if first != row.line:
                    raise NumberError(f"is a duplicate of line {first}")
            return self._route(self._account, found, row)
        except NumberError as error:
            self._reject(row.line, row.destination, str(error))
        except Refused as error:
            self._reject(row.line, row.destination, f"may not be dialed: {error}")
        return None

    def reject_held(self, call: NewCall) -> bool:
        """Reject a number that the campaign holds already; False."""
        line = self._seen[_key(call.dialed)]
        self._reject(line, call.destination, "is in the campaign already")
        return False

    def _reject(self, line: int, text: str, reason: str) -> None:
        self._load.rejected += 1
        self._load.refusals.add(text, reason)
        if len(self._load.first_rejected) < self._load.shown_rejected:
            self._load.first_rejected.append((line, text, reason))


def _key(dialed: str) -> bytes:
    """A number in nine bytes, a million of which are kept: digits as an integer, anything else hashed."""
    if dialed[1:].isdigit() and len(dialed) < 19:
        return struct.pack(">cQ", dialed[:1].encode(), int(dialed[1:]))
    return blake2b(dialed.encode(), digest_size=9).digest()
