"""The configuration: one TOML file, overridable by environment, every key known, every fault named with its mend."""

from __future__ import annotations

import difflib
import ipaddress
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.routes import check_entry, check_template
from gateway.settings import Config

ENVIRONMENT = "VOXGATE__"


class ConfigError(Exception):
    """A configuration that cannot be used; the message says which file, which key, and what is wrong."""


def find(given: Path | None) -> Path:
    """The configuration file in force. Raises :class:`ConfigError` naming where it was looked for."""
    if given is None and (named := os.environ.get("VOXGATE_CONFIG")):
        given = Path(named)
    if given is not None:
        if not given.is_file():
            raise ConfigError(f"{given} does not exist: run `voxgate init` to make a configuration")
        return given
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places = [Path("voxgate.toml"), home / "voxgate/voxgate.toml", Path("/etc/voxgate/voxgate.toml")]
    for place in places:
        if place.is_file():
            return place
    raise ConfigError(
        f"no configuration in {', '.join(str(place) for place in places)}: run `voxgate init`, or name one by --config"
    )


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read, override from the environment, and check. Relative paths count from the file's folder."""
    try:
        raw = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    for name, value in (os.environ if environment is None else environment).items():
        if name.startswith(ENVIRONMENT):
            _override(raw, name, value)
    _known(raw, Config, str(path), "")
    _finite(raw, str(path), "")
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from None
    _consistent(config, path)
    return _absolute(config, path.resolve().parent)


def _override(raw: dict[str, Any], name: str, text: str) -> None:
    """``VOXGATE__DIAL__CPS=20``: the value is read as TOML, or as a string where it is none."""
    *sections, key = name.removeprefix(ENVIRONMENT).lower().split("__")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    holder = raw
    for section in sections:
        holder = holder.setdefault(section, {})
        if not isinstance(holder, dict):
            raise ConfigError(f"the environment variable {name} names no section of the configuration")
    holder[key] = value


def _known(raw: Mapping[str, Any], kind: type[msgspec.Struct], file: str, where: str) -> None:
    fields = {one.name: one.type for one in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(fields))}"
            raise ConfigError(f"{file}: there is no setting {where}{key!r}{hint}")
        inner: Any = fields[key]
        inner = getattr(inner, "__args__", (inner,))[0] if isinstance(value, list) else inner
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    _known(one, inner, file, f"[{key}] ")


def _finite(value: Any, file: str, where: str) -> None:
    """TOML knows inf and nan; no setting does, and msgspec lets them through its limits."""
    match value:
        case float() if not math.isfinite(value):
            raise ConfigError(f"{file}: {where} = {value} is no number that a setting can have")
        case dict():
            for key, one in value.items():
                _finite(one, file, f"{where}.{key}".lstrip("."))
        case list():
            for one in value:
                _finite(one, file, where)


def _consistent(config: Config, path: Path) -> None:
    _networks(config.metrics.allow, "[metrics] allow", path)
    _networks(config.server.proxies, "[server] proxies", path)
    for where in ("allowed", "blocked", "premium_prefixes"):
        for entry in getattr(config.numbers, where):
            try:
                check_entry(entry)
            except ValueError as error:
                raise ConfigError(f"{path}: [numbers] {where}: {error}") from None
    names = [trunk.name for trunk in config.trunk]
    for trunk in config.trunk:
        if names.count(trunk.name) > 1:
            raise ConfigError(f"{path}: there are two trunks named {trunk.name!r}")
        try:
            check_template(trunk.dial)
        except ValueError as error:
            raise ConfigError(f"{path}: trunk {trunk.name}: {error}") from None
    if config.server.key and not config.server.certificate:
        raise ConfigError(f"{path}: [server] key is given without a certificate")
    if config.ami.ca and not config.ami.tls:
        raise ConfigError(f"{path}: [ami] ca is given, and tls is off: set tls = true, and the TLS port")
    _priced(config, path)
    for route in config.route:
        if route.trunk not in names:
            raise ConfigError(f"{path}: a route names trunk {route.trunk!r}, and there is no such [[trunk]]")


def _priced(config: Config, path: Path) -> None:
    prefixes = [rate.prefix for rate in config.rate]
    for prefix in prefixes:
        if prefixes.count(prefix) > 1:
            raise ConfigError(f"{path}: there are two prices of {prefix!r}: keep one [[rate]] of it")
        try:
            check_entry(prefix)
        except ValueError as error:
            raise ConfigError(f"{path}: [[rate]] prefix: {error}") from None
    if config.spend.daily_cost and not config.spend.default_rate and not any(one.per_minute for one in config.rate):
        raise ConfigError(f"{path}: [spend] daily_cost is set and nothing has a price: set default_rate, or a [[rate]]")


def _networks(entries: Iterable[str], where: str, path: Path) -> None:
    for entry in entries:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise ConfigError(f"{path}: {where}: {entry!r} is no network; write it as 192.168.1.0/24") from None


def _absolute(config: Config, base: Path) -> Config:
    replace = msgspec.structs.replace
    media = str(base / config.media.gateway_dir)
    socket = config.server.socket
    database = base / config.database.path
    backups = base / config.database.backups if config.database.backups else database.parent / "backups"
    return replace(
        config,
        server=replace(
            config.server,
            socket=socket and str(base / socket),
            certificate=config.server.certificate and str(base / config.server.certificate),
            key=config.server.key and str(base / config.server.key),
        ),
        ami=replace(config.ami, ca=config.ami.ca and str(base / config.ami.ca)),
        database=replace(config.database, path=str(database), backups=str(backups)),
        media=replace(config.media, gateway_dir=media, asterisk_dir=config.media.asterisk_dir or media),
    )
