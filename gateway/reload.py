"""What of a changed configuration a running gateway takes over, and what needs a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from aiohttp import web

from gateway.core.plum import FieldError
from gateway.settings import Config

log = structlog.get_logger()

#: Sections that are taken over while the gateway runs, and single settings of others.
TAKEN = frozenset({"dial", "numbers", "trunk", "route", "fetch", "results", "retention", "session", "detection", "log"})
TAKEN_SETTINGS = frozenset({"server.certificate", "server.key", "intake.preflight"})


@dataclass(frozen=True, slots=True)
class Changes:
    """Settings by name, as ``dial.cps``. ``config`` is the one in force: what needs a restart is as it was."""

    taken: tuple[str, ...]
    left: tuple[str, ...]
    config: Config


def compare(old: Config, new: Config) -> Changes:
    """What changes from ``old``, which is in force, to ``new``."""
    before, after = dict(_settings(old)), dict(_settings(new))
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    single = TAKEN_SETTINGS
    if bool(old.server.certificate) != bool(new.server.certificate):  # the port speaks http, or https, for its life
        single -= {"server.certificate", "server.key"}
    taken = tuple(name for name in changed if name.partition(".")[0] in TAKEN or name in single)
    return Changes(taken, tuple(name for name in changed if name not in taken), _merged(old, new, single))


def _settings(config: Config) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(Config):
        value = getattr(config, field.name)
        if isinstance(value, msgspec.Struct):
            yield from ((f"{field.name}.{one.name}", getattr(value, one.name)) for one in msgspec.structs.fields(value))
        elif field.name == "trunk":
            for trunk in value:
                yield from ((f"trunk.{trunk.name}.{name}", one) for name, one in msgspec.structs.asdict(trunk).items())
        else:
            yield field.name, value


def _merged(old: Config, new: Config, single: frozenset[str]) -> Config:
    sections: dict[str, Any] = {name: getattr(new, name) for name in TAKEN}
    for name in single:
        section, _, setting = name.partition(".")
        held = sections.get(section, getattr(old, section))
        sections[section] = msgspec.structs.replace(held, **{setting: getattr(getattr(new, section), setting)})
    return msgspec.structs.replace(old, **sections)


class ReloadRefused(Exception):
    """The configuration cannot be used: the one in force stays, and the message says what to mend."""


class Reloader:
    """``read`` reads the configuration anew, ``take`` puts it in force; both raise :class:`ReloadRefused`."""

    def __init__(
        self, config: Config, read: Callable[[], Config], take: Callable[[Config], None],
        noted: Callable[[Changes], Awaitable[None]],
    ) -> None:  # fmt: skip
        """``noted`` is told what was put in force."""
        self._config = config
        self._read = read
        self._take = take
        self._noted = noted

    async def reload(self) -> Changes:
        changes = compare(self._config, await asyncio.to_thread(self._read))
        self._take(changes.config)
        self._config = changes.config
        log.info("gateway.reloaded", taken=changes.taken, need_restart=changes.left)
        await self._noted(changes)
        return changes

    async def on_signal(self) -> None:
        """What SIGHUP asks for; a configuration that cannot be used is told in the log."""
        try:
            await self.reload()
        except ReloadRefused as error:
            log.error("gateway.not_reloaded", error=str(error))
        except Exception:  # a fault of ours must not end the calls that are live
            log.exception("gateway.not_reloaded")

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/api/v1/reload", self.handle)

    async def handle(self, request: web.Request) -> web.Response:
        try:
            changes = await self.reload()
        except ReloadRefused as error:
            raise FieldError("configuration", f"cannot be used, the one in force stays: {error}") from None
        body = msgspec.json.encode({"taken": changes.taken, "need_restart": changes.left})
        return web.Response(body=body, content_type="application/json")
