"""Puts the gateway together from a configuration and runs it: the only place that names every adapter."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from gateway import __version__, logs
from gateway.adapters.agi import AgiDetector, AgiServer, AgiSettings
from gateway.adapters.ami import AmiPbx, AmiSettings, Recorder
from gateway.adapters.audiosocket import AudioSocketServer, AudioSocketSettings
from gateway.adapters.cookies import CookieStore
from gateway.adapters.doors import Door
from gateway.adapters.evidence import EvidenceFolder
from gateway.adapters.exports import available, export
from gateway.adapters.fetcher import HttpFetcher
from gateway.adapters.phonesocket import PhoneSocket
from gateway.adapters.speech import EspeakSpeech
from gateway.adapters.store import SqliteAccess, SqliteBooks, SqliteStore, backup, check
from gateway.adapters.strangers import allow_many
from gateway.adapters.tls import TlsRefused, client_context, renew, server_context
from gateway.config import ConfigError, load
from gateway.core.access import OPERATOR
from gateway.core.addresses import AllowList
from gateway.core.model import AccountId, AttemptEnd, AttemptId, Call, CallId
from gateway.core.pacing import Limit, Pacer
from gateway.core.ratelimit import RateLimit
from gateway.core.routes import Routing
from gateway.core.states import WAITING
from gateway.happenings import AttemptClosed, told_to
from gateway.loopfaults import LoopFaults
from gateway.metrics import Instruments, Meter, MetricsEndpoint, Reading, TrunkReading, timed, watch_loop
from gateway.parts import (
    SystemClock,
    classifiers_of,
    days_of,
    dialog_settings,
    limits_of,
    media_of,
    notifier_settings,
    open_store,
    retention_of,
    retry_policy,
    router_of,
    spending_of,
    tracer_of,
)
from gateway.planner import Planner
from gateway.reload import Changes, Reloader, ReloadRefused
from gateway.services.accounts import Accounts
from gateway.services.api import Api, Parts
from gateway.services.audit import Audit, came_from, watch
from gateway.services.dialer import Dialer
from gateway.services.dialog import DialogService
from gateway.services.dialog.prompts import PromptRenderer
from gateway.services.dialog.recorders import TapRecorder
from gateway.services.doctoring import Doctoring
from gateway.services.evidencesweeper import EvidenceSweeper
from gateway.services.exports import Exports
from gateway.services.feed import Feed
from gateway.services.hearing import Hearing
from gateway.services.intake import Desk, DeskSettings, build_app, clear_spool
from gateway.services.intake.app import AppSettings
from gateway.services.intake.logins import Logins
from gateway.services.livecalls import LiveCall, LiveCalls
from gateway.services.notifier import Notifier
from gateway.services.pages import Around, Gauges, Pages, PagesSettings, PhoneSettings
from gateway.services.posting import Poster
from gateway.services.preflight import Preflights
from gateway.services.rerouter import Rerouter
from gateway.services.rescuer import Rescuer
from gateway.services.signing import Signing
from gateway.services.spending import SpendWatch
from gateway.services.switchboard import Switchboard
from gateway.services.tapdetector import TapDetector
from gateway.services.tokens import Tokens
from gateway.services.upkeep import Upkeep
from gateway.services.watchdog import Watchdog
from gateway.services.why import Why
from gateway.settings import Config

if TYPE_CHECKING:
    pass  # OpenTelemetry is an extra: it is imported where it is wanted

log = structlog.get_logger()

#: Seconds that requests under way have at a stop; a list that is not whole by then is sent again by its client.
REQUESTS_WITHIN = 5.0


class Gateway:
    """All parts, made but not yet running."""

    def __init__(
        self, config: Config, store: SqliteStore, place: Path | None = None, log_level: str | None = None,
        recorder: Recorder | None = None,
    ) -> None:  # fmt: skip
        """``place`` is the configuration's file, where it has one. ``log_level`` wins over the configuration's.

        ``recorder`` writes the AMI link down.
        """
        self.config = config
        self._log_level = log_level
        self._place = place
        server = config.server
        self._tls = server_context(server.certificate, server.key) if server.certificate else None
        self.store = store
        self.clock = SystemClock()
        self.feed = Feed(self.clock)
        self.gauges = Gauges(self.feed)
        self.instruments = Instruments()
        self.tracer = tracer_of(config)
        tracers = [] if self.tracer is None else [self.tracer]
        self.observe = observe = told_to(Meter(self.instruments), self.gauges.saw, *tracers)
        ami = config.ami
        tls = client_context(ami.ca) if ami.tls else None
        settings = AmiSettings(ami.host, ami.port, ami.user, ami.secret, config.installation, tls=tls)
        self.pbx = AmiPbx(settings, observe, recorder)
        headers = None if self.tracer is None else self.tracer.headers
        self.fetcher = HttpFetcher(AllowList.of(config.fetch.allow), observe=observe, headers=headers)
        self.speech = EspeakSpeech(observe)
        media, self.prompts = media_of(config)
        self.routing = router = Routing(router_of(config))
        self.planner = planner = Planner(config, router)
        publish = self.feed.publish
        socket = config.audiosocket
        self.taps = AudioSocketServer(
            AudioSocketSettings(socket.host, socket.port, socket.advertise, tuple(socket.allow))
        )
        folder = EvidenceFolder(Path(config.database.path).parent / "evidence")
        self.hearing = Hearing(
            self.pbx, self.taps if socket.enabled else None, classifiers_of(config), folder.keep,
            records=self.prompts is not None,
        )  # fmt: skip
        self.sweeper = EvidenceSweeper(store, folder.remove_older)
        self.live = LiveCalls(store, self.pbx, self.clock, self.hearing, publish, observe)
        pacer = Pacer.of(*limits_of(config))
        self.dialer = Dialer(store, self.pbx, self.live, self.clock, pacer, planner, publish, observe)
        self.rescuer = Rescuer(store, self.pbx, self.live, self.clock)
        self.watchdog = Watchdog(
            store, self.pbx, self.live, self.clock, lambda live: planner.limits(live.claimed), self.taps.keep
        )
        self.rerouter = Rerouter(
            store, frozenset(config.trunks), lambda call, account: planner.way(call, account).trunk.name
        )
        self.switchboard = Switchboard(self.pbx, self.live, self.dialer, self.rescuer, publish)
        access = SqliteAccess(store)
        signing = Signing(access, self.clock)
        poster = Poster(self.fetcher, signing, self.clock)
        self.notifier = Notifier(
            store,
            poster,
            self.clock,
            notifier_settings(config),
            publish,
            observe,
        )
        self.spending = SpendWatch(store, self.clock, publish)
        self.live.on_closed(self._closed)
        renderer = PromptRenderer(self.speech, media, self.fetcher)
        detector = TapDetector(self.hearing, self.live.of_path, AgiDetector())
        self.dialog = dialog = DialogService(
            self.live, self.pbx, detector, renderer, self.fetcher, media, planner.transfer, CookieStore,
            dialog_settings(config),
            observe, recorder=None if self.prompts is None else lambda live: TapRecorder(media, live.ear),
        )  # fmt: skip
        agi = AgiSettings(config.agi.host, config.agi.port, tuple(config.agi.allow))
        self.agi = AgiServer(agi, dialog.accept, dialog.handle)
        logins = Logins(store, self.clock)
        accounts = Accounts(store, access, logins, self.clock)
        self.audit = audit = Audit(access, self.clock)
        self.spool = spool = Path(config.database.path).parent / "spool"
        self.desk = desk = Desk(
            store,
            self.clock,
            router,
            self.fetcher.preflight,
            self._queued,
            DeskSettings(config.intake.preflight),
            publish,
            observe,
        )
        limit = config.server.max_body_mb * 1024 * 1024
        self.app = build_app(desk, logins, audit, AppSettings(spool, limit, config.intake.echo_pin), self._ready)
        self.app.middlewares.append(timed(self.instruments))
        admission = self.dialer.admission
        why = Why(store, self.clock, admission, planner.way)
        self.phone_socket = PhoneSocket(config.phone.websocket)
        database = Path(config.database.path)
        exports = Exports(store, available, functools.partial(export, database))
        self.pages = Pages(
            Around(
                store=store,
                exports=exports,
                books=SqliteBooks(store),
                logins=logins,
                accounts=accounts,
                audit=audit,
                receipts=access,
                feed=self.feed,
                clock=self.clock,
                desk=desk,
                why=why,
                poster=poster,
                signing=signing,
                gauges=self.gauges,
                status=self.status,
                vitals=store.vitals,
                trunks=lambda: {name: (one.cps, one.max_calls) for name, one in self.config.trunks.items()},
                live_of=self._live_of,
                hang_up=self._hang_up,
                so_far=self._so_far,
                audio=folder.read,
                bridge=self.phone_socket.bridge,
                wake_dialer=self.dialer.wake,
                wake_notifier=self.notifier.wake,
            ),
            self._pages_settings(spool),
        )
        self.pages.setup(self.app)
        preflights = Preflights(store, self.clock, desk, pacer, admission, planner.way)
        self.retention = retention_of(config, store, audit)
        self.reloader = Reloader(config, self._read, self._take, self._reloaded)
        upkeep = Upkeep(lambda quick: check(database, quick=quick), functools.partial(backup, database), audit)
        api = Api(
            Parts(
                store=store, clock=self.clock, accounts=accounts, logins=logins, tokens=Tokens(access, self.clock),
                audit=audit, receipts=access, desk=desk, feed=self.feed, live=self.live,
                pbx=self.pbx, notifier=self.notifier, poster=poster, signing=signing, why=why, preflights=preflights,
                status=self.status, wake=self.dialer.wake, spool=spool, max_body=limit,
            ),
            RateLimit(config.api.rate, config.api.burst),
        )  # fmt: skip
        api.mount(self.app)
        watch(self.app)
        doctoring = Doctoring(self.pbx, self.agi.lender.lend, audit)
        self.api = api.on_socket(upkeep, self.retention, exports, self.reloader, doctoring)
        watch(self.api)
        self.metrics = MetricsEndpoint(self.instruments, self.read)
        self.metrics.add_to(self.api)
        if config.metrics.allow:
            self.metrics.add_to(self.app, config.metrics.allow)

    def _queued(self) -> None:
        self.dialer.wake()
        self.rerouter.nudge()

    async def _hang_up(self, call: CallId) -> bool:
        """End a call's live channel; False where it has none."""
        live = next((one for one in self.live if one.claimed.call.id == call), None)
        if live is None:
            return False
        await self.pbx.hangup(live.id)
        return True

    def _so_far(self, attempt: AttemptId) -> Mapping[str, Any]:
        live = self.live.get(attempt)
        return {} if live is None else self.live.evidence(live)

    def _pages_settings(self, spool: Path) -> PagesSettings:
        phone, own = self.config.phone, (sys.executable, "-m", "gateway.cli")
        place = () if self._place is None else ("--config", str(self._place))
        return PagesSettings(
            spool,
            secure=self.config.pages.https or self._tls is not None,
            doctor=(*own, "doctor", "--json", *place) if place else (),
            walk=(*own, "vxml", "run", "-", "--as-gateway", *place) if place else (),
            phone=PhoneSettings(bool(phone.websocket), phone.user, phone.secret, phone.extension),
        )

    def _live_of(self, account: AccountId | None) -> int:
        return sum(account in (None, one.claimed.account.id) for one in self.live)

    def _closed(self, live: LiveCall, end: AttemptEnd, call: Call) -> None:
        self.notifier.wake()
        self.spending.wake()
        if call.state in WAITING:
            self.rerouter.waits(call.campaign_id, call.trunk)
        self.observe(AttemptClosed(live.claimed, end, call))

    def _ready(self) -> dict[str, bool]:
        return {"store": True, "ami": self.pbx.connected}

    def status(self) -> dict[str, Any]:
        live, trunks = self.live.by_trunk(), self.config.trunks
        now = self.clock.now()
        return {
            "pid": os.getpid(),
            "ami": self.pbx.connected,
            "why_not_dialing": self.dialer.why_not_dialing,
            "live": len(self.live),
            "detector": self.hearing.status(),
            "trunks": {
                name: {
                    "live": live.get(name, 0),
                    "max_calls": trunks[name].max_calls,
                    "cps": trunks[name].cps,
                    "faults": health.faults,
                    "suspended": health.may_dial(now) == 0,
                    "last_fault": health.last_fault,
                }
                for name, health in self.dialer.health.items()
            },
        }

    async def read(self) -> Reading:
        """What a scrape shows of this moment."""
        vitals = await self.store.vitals()  # first: while it is read, a reload may come
        config, now, live = self.config, self.clock.now(), self.live.by_trunk()
        folders = {"database": Path(config.database.path).parent, "media": Path(config.media.gateway_dir)}
        return Reading(
            version=__version__, now=now, vitals=vitals,
            limit=Limit(config.dial.cps, config.dial.max_calls),
            trunks={
                name: TrunkReading(
                    Limit(trunk.cps, trunk.max_calls), live[name], self.dialer.health[name].may_dial(now) == 0
                )
                for name, trunk in config.trunks.items()
            },
            dialing=self.dialer.why_not_dialing is None, ami_up=self.pbx.connected,
            ami_events_waiting=self.pbx.events_waiting, taps_open=self.taps.taps,
            speech_cache_bytes=self.speech.cached_bytes, tasks=len(asyncio.all_tasks()),
            free={name: shutil.disk_usage(folder).free for name, folder in folders.items() if folder.exists()},
        )  # fmt: skip

    # --- reloading ---

    def _read(self) -> Config:
        if self._place is None:
            raise ReloadRefused("it was not read from a file")
        try:
            return load(self._place)
        except ConfigError as error:
            raise ReloadRefused(str(error)) from None

    async def _reloaded(self, changes: Changes) -> None:
        await self.audit.note(OPERATOR, "gateway.reload", "the configuration", None, ", ".join(changes.taken))

    def _take(self, config: Config) -> None:
        """Put what can be reloaded in force: for the next call, submission, fetch, try, sweep or connection."""
        if self._tls is not None:
            try:
                renew(self._tls, config.server.certificate, config.server.key)
            except TlsRefused as error:
                raise ReloadRefused(str(error)) from None
        self.config = self.planner.config = config
        self.routing.router = router_of(config)
        self.dialer.relimit(*limits_of(config))
        self.rerouter.retrunk(frozenset(config.trunks))
        self.store.reconfigure(
            retry_policy(config), spending_of(config), retry_unknown_outcome=config.dial.retry_unknown_outcome
        )
        self.fetcher.allow(AllowList.of(config.fetch.allow))
        self.dialog.reconfigure(dialog_settings(config))
        self.hearing.new_classifier = classifiers_of(config)
        self.desk.reconfigure(DeskSettings(config.intake.preflight))
        self.notifier.reconfigure(notifier_settings(config))
        self.retention.reconfigure(days_of(config), config.retention.hour)
        logs.set_levels(self._log_level or config.log.level, config.log.areas)

    # --- running ---

    async def run(self, started: Callable[[int], None] = lambda port: None) -> None:
        """Run until SIGTERM or SIGINT, then dial no more, let calls end within the limit, and close."""
        config = self.config
        if config.lab.retry_gap_scale != 1.0:
            log.warning(
                "lab.retry_gap_scale", scale=config.lab.retry_gap_scale, note="retry gaps are shortened: lab only"
            )
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(LoopFaults())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        reload = asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, reload.set)
        Path(config.media.gateway_dir).mkdir(parents=True, exist_ok=True)
        clear_spool(self.spool)
        removed = await self.store.discard_unpublished()
        adopted = await self.rescuer.adopt()
        self.dialer.suspend("open attempts are being compared with Asterisk's channels")
        await self.agi.start()
        await self.taps.start()
        if self.prompts is not None:
            await self.prompts.start()
        doors = await self._listen()
        port = doors[0].port
        started(port)
        log.info("gateway.started", port=port, agi=self.agi.port, unfinished=removed, open_attempts=adopted)
        if (first := await self.pages.first_link()) is not None:
            log.info("pages.first_run", url=f"http://{config.server.host}:{port}{first}")
        try:
            async with asyncio.TaskGroup() as tasks:
                parts = [
                    tasks.create_task(part)
                    for part in (
                        self.live.run(),
                        self.agi.run(),
                        self.taps.run(),
                        self.pbx.run(),
                        self.switchboard.run(),
                        self.watchdog.run(),
                        self.spending.run(),
                        self.notifier.run(),
                        self.rerouter.run(),
                        self.retention.run(),
                        self.sweeper.run(),
                        self._reload_on(reload),
                        self.pages.run(),
                        watch_loop(self.instruments.loop_lag.observe),
                    )
                ]  # fmt: skip
                dialing = tasks.create_task(self.dialer.run())
                await stop.wait()
                log.info("gateway.stopping", live=len(self.live), within=config.dial.stop_within)
                await self.dialer.stop()
                await self._drain()
                for part in (*parts, dialing):
                    part.cancel()
        finally:
            for door in doors:
                await door.close()
            await self._socket.cleanup()
            if self.prompts is not None:
                await self.prompts.close()
            await self.phone_socket.close()
            await self.speech.close()
            await self.fetcher.close()
            if self.tracer is not None:
                await asyncio.to_thread(self.tracer.close)
            await self.store.close()
            log.info("gateway.stopped")

    async def _reload_on(self, asked: asyncio.Event) -> None:
        while True:
            await asked.wait()
            asked.clear()
            came_from("a signal")
            await self.reloader.on_signal()

    async def _drain(self) -> None:
        """Let live calls end; what is left after the limit is hung up, so that its end is known and written."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.live.empty.wait(), self.config.dial.stop_within)
        for live in self.live:
            await self.pbx.hangup(live.id)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.live.empty.wait(), 5.0)

    async def _listen(self) -> list[Door]:
        """The doors on TCP, the public one first; and the Unix socket."""
        server, own = self.config.server, self.config.metrics
        public = Door(
            "server", self.app, proxies=server.proxies, handler_cancellation=False, shutdown_timeout=REQUESTS_WITHIN
        )
        self._socket = web.AppRunner(self.api, access_log=None, shutdown_timeout=REQUESTS_WITHIN)
        await self._socket.setup()
        path = self.config.socket_path
        path.unlink(missing_ok=True)
        previous = os.umask(0o077)
        try:
            await web.UnixSite(self._socket, str(path)).start()
        finally:
            os.umask(previous)
        await public.open(server.host, server.port, self._tls)  # last: who finds it healthy may use the socket
        if own.port is None:
            return [public]
        scraped = Door("metrics", self.metrics.app())
        await scraped.open(own.host, own.port)
        log.info("metrics.listening", port=scraped.port)
        return [public, scraped]


async def serve(
    config: Config, place: Path | None = None, log_level: str | None = None, record_ami: tuple[Path, int] | None = None
) -> None:
    """Run the gateway of ``config``, which was read from ``place``, to its end.

    ``record_ami`` is a file for what goes over AMI, masked, and its largest size in bytes.
    """
    allow_many()
    recorder = None if record_ami is None else Recorder(record_ami[0], limit=record_ami[1], version=__version__)
    try:
        await Gateway(config, open_store(config), place, log_level, recorder).run()
    finally:
        if recorder is not None:
            recorder.close()
