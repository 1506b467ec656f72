"""Makes single parts of the gateway from its configuration, for the gateway itself and for commands without one."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.media import FileMedia, in_folder
from gateway.adapters.promptserver import PromptServer, PromptServerSettings
from gateway.adapters.store import SqliteStore, SqliteSweeps
from gateway.config import ConfigError
from gateway.core.caps import MICRO, Rates, Spending
from gateway.core.handling import Handling
from gateway.core.hearing import Classifier
from gateway.core.hearing import Settings as ClassifierSettings
from gateway.core.model import CalleeType, Millis
from gateway.core.pacing import Limit
from gateway.core.retention import Kept
from gateway.core.retry import RetryPolicy
from gateway.core.routes import NumberPolicy, Router
from gateway.services.audit import Audit
from gateway.services.dialog import DialogSettings
from gateway.services.notifier import NotifierSettings
from gateway.services.retention import Retention
from gateway.settings import Config

if TYPE_CHECKING:
    from gateway.tracing import Tracer  # OpenTelemetry is an extra: it is imported where it is wanted


class SystemClock:
    def now(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)

    def ticks(self) -> Millis:
        return Millis(time.monotonic_ns() // 1_000_000)


def router_of(config: Config) -> Router:
    numbers = config.numbers
    policy = NumberPolicy(
        tuple(numbers.allowed), tuple(numbers.blocked), numbers.emergency, numbers.premium,
        tuple(numbers.premium_prefixes), frozenset(host.lower() for host in numbers.sip_hosts),
    )  # fmt: skip
    return Router(config.trunks, config.routes, policy)


def retry_policy(config: Config) -> RetryPolicy:
    return RetryPolicy(fault_give_up_after=config.dial.fault_give_up_after, gap_scale=config.lab.retry_gap_scale)


def spending_of(config: Config) -> Spending:
    """In millionths, as costs are kept."""
    spend = config.spend
    rates = Rates(round(spend.default_rate * MICRO), {one.prefix: round(one.per_minute * MICRO) for one in config.rate})
    return Spending(spend.daily_minutes, spend.daily_cost, rates)


def limits_of(config: Config) -> tuple[Limit, dict[str, Limit]]:
    """Of the whole gateway, and by trunk."""
    trunks = {name: Limit(trunk.cps, trunk.max_calls) for name, trunk in config.trunks.items()}
    return Limit(config.dial.cps, config.dial.max_calls), trunks


def notifier_settings(config: Config) -> NotifierSettings:
    return NotifierSettings(give_up_after=config.results.give_up_after)


def dialog_settings(config: Config) -> DialogSettings:
    return DialogSettings(
        apology=config.session.apology,
        language=config.session.language,
        fetch_timeout=config.fetch.timeout,
        handling=Handling(config.detection.mode, config.detection.machine, config.detection.machine_silence),
    )


def operating_point(config: Config) -> ClassifierSettings:
    known = config.detection
    return ClassifierSettings(
        known.bias, known.sure_of_person, sure_after_beep=known.sure_after_beep, silence=known.silence,
        silence_means=CalleeType(known.silence_means),
    )  # fmt: skip


def classifiers_of(config: Config) -> Callable[[], Classifier]:
    """What makes the classifier of each call."""
    return functools.partial(Classifier, operating_point(config))


def open_store(config: Config) -> SqliteStore:
    """Raises StoreLocked where a gateway runs, DatabaseRefused where the file cannot be used."""
    return SqliteStore(
        Path(config.database.path), installation=config.installation, policy=retry_policy(config),
        retry_unknown_outcome=config.dial.retry_unknown_outcome, backups=Path(config.database.backups),
        spending=spending_of(config),
    )  # fmt: skip


def media_of(config: Config) -> tuple[FileMedia, PromptServer | None]:
    """Where audio is kept, and where an Asterisk that shares no folder fetches prompts; None where it shares one."""
    media, folder = config.media, Path(config.media.gateway_dir)
    if media.share == "folder":
        return FileMedia(folder, in_folder(media.asterisk_dir), keep_days=media.keep_days), None
    key = hashlib.sha256(b"voxgate prompts " + config.ami.secret.encode()).digest()
    settings = PromptServerSettings(
        config.agi.host, media.port, config.agi.allow, key, advertise=media.advertise, keep_days=media.keep_days
    )
    prompts = PromptServer(folder, settings)
    return FileMedia(folder, prompts.url, keep_days=media.keep_days), prompts


def days_of(config: Config) -> dict[Kept, float]:
    """For how long what is kept."""
    keep = config.retention
    return {
        Kept.CALLS: keep.calls, Kept.EVIDENCE: keep.evidence, Kept.POSTS: keep.posts, Kept.AUDIT: keep.audit,
        Kept.RECORDINGS: keep.recordings,
    }  # fmt: skip


def retention_of(config: Config, store: SqliteStore, audit: Audit) -> Retention:
    recordings = media_of(config)[0].remove_recordings
    return Retention(SqliteSweeps(store), recordings, SystemClock(), days_of(config), config.retention.hour, audit)


def tracer_of(config: Config) -> Tracer | None:
    """Raises :class:`ConfigError` where traces are wanted and cannot be had."""
    traces = config.traces
    if not traces.endpoint:
        return None
    try:
        from gateway.tracing import exporting
    except ImportError:
        raise ConfigError("[traces] needs OpenTelemetry: pip install 'voxgate[otel]'") from None
    return exporting(config.installation, endpoint=traces.endpoint, service=traces.service, sample=traces.sample)
