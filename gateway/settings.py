"""Every setting of the configuration file: its type, its limits, its default, and what it is for.

The text below a setting is its documentation: docs/settings.md is made of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.core.model import DetectionMode, MachineHandling
from gateway.core.routes import NumberFormat, Route, Trunk

Port = Annotated[int, Meta(ge=0, le=65535)]


class Section(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; a key that it does not know is refused."""


class Server(Section):
    """HTTP: the Plum service and what else clients and operators reach."""

    host: str = "127.0.0.1"
    """The address that is listened on. Other hosts need another one, as `0.0.0.0`, or a reverse proxy here."""
    port: Port = 8080
    """0 takes a free port, which the log names."""
    max_body_mb: Annotated[int, Meta(ge=1)] = 256
    """The largest request in megabytes; it bounds an uploaded list."""
    certificate: str = ""
    """A PEM file with the certificate and its chain: then the port speaks https, and nothing else. SIGHUP reads it
    again, and open connections go on."""
    key: str = ""
    """The PEM file of its private key. Empty: it is in `certificate` too."""
    proxies: tuple[str, ...] = ()
    """Networks of reverse proxies, as `["127.0.0.1/32"]`: of them alone `X-Forwarded-For` and `X-Forwarded-Proto` are
    believed, so that guesses of a PIN count for who made them, and cookies are for https where the proxy speaks it."""
    socket: str = ""
    """The Unix socket over which commands speak to the gateway. Empty: `voxgate.sock` beside the database."""


class DatabaseSection(Section):
    """Where the queue is kept."""

    path: str = "voxgate.db"
    """The SQLite file. Keep it on a local disk: locks do not hold on network file systems."""
    backups: str = ""
    """The folder for `voxgate db backup`, and for the copy that an upgrade makes first. Empty: `backups` beside the
    file."""


class RetentionSection(Section):
    """For how many days what has ended is kept; 0 keeps it for ever. A sweep removes the rest every night."""

    calls: Annotated[float, Meta(ge=0, le=36_500)] = 0.0
    """Calls that ended, with their attempts and result posts, and campaigns of which nothing is left. A call whose
    result post is still owed stays."""
    evidence: Annotated[float, Meta(ge=0, le=36_500)] = 0.0
    """What was heard and seen of an attempt, as Call Info shows it. The audio has a time of its own, by account."""
    posts: Annotated[float, Meta(ge=0, le=36_500)] = 0.0
    """Each try of a result post and what it was answered; that it was accepted stays with its call."""
    audit: Annotated[float, Meta(ge=0, le=36_500)] = 0.0
    """Who changed what."""
    recordings: Annotated[float, Meta(ge=0, le=36_500)] = 1.0
    """Recordings of callees that a crash left behind: a session removes its own when it ends."""
    hour: Annotated[int, Meta(ge=0, le=23)] = 3
    """The hour of the night, in this machine's time."""


class Ami(Section):
    """How the gateway logs in at Asterisk's manager interface."""

    secret: str
    """The password of the manager user; `voxgate init` writes it here and into `asterisk/manager.conf`."""
    host: str = "127.0.0.1"
    """Where Asterisk's AMI listens."""
    port: Port = 5038
    """AMI's TCP port, as `port` in Asterisk's `manager.conf`."""
    tls: bool = False
    """Speak TLS with Asterisk: `tlsenable`, `tlsbindaddr` and `tlscertfile` in its `manager.conf`; `port` is then
    the TLS port, usually 5039."""
    ca: str = ""
    """A PEM file of the authority, or of the certificate itself, that vouches for Asterisk, in the name of `host`.
    Empty: the authorities that this machine trusts."""
    user: str = "voxgate"
    """The manager user. Two gateways at one Asterisk need one each, and an `installation` each."""


class Agi(Section):
    """Where Asterisk brings answered calls, by FastAGI."""

    host: str = "127.0.0.1"
    """The address that is listened on. An Asterisk on another host needs one that it reaches."""
    port: Port = 4573
    """FastAGI's TCP port. `asterisk/extensions.conf` names address and port, so change both."""
    advertise: str = ""
    """What Asterisk dials, as `HOST:PORT`, where that is not host and port above. Empty: those."""
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks from which Asterisk may come: FastAGI has no password. Others are turned away and logged."""


class AudioSocket(Section):
    """Where Asterisk brings the audio by which it is told who answered: the media tap."""

    enabled: bool = True
    """Off: calls are judged by Asterisk's own detectors (AMD), which hear nothing before the answer and err more."""
    host: str = "127.0.0.1"
    """The address that is listened on. An Asterisk on another host needs one that it reaches."""
    port: Port = 0
    """The TCP port. 0 takes a free one: Asterisk is told with every call. A firewall between them needs a fixed one."""
    advertise: str = ""
    """What Asterisk dials, as `HOST:PORT`, where that is not host and port above. Empty: those."""
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks from which Asterisk may come: AudioSocket has no password. Others are turned away and logged."""


class DetectionSection(Section):
    """How it is told who answered. Accounts may set mode, machine and machine_silence, and calls the first two."""

    mode: DetectionMode = DetectionMode.BEFORE
    """`before`: the session begins when it is known who answered. `during`: it begins at the answer, and the event
    `com.voxgate.callee_type` tells the application. `off`: every callee is taken for a person."""
    machine: MachineHandling = MachineHandling.START
    """What is done with an answering machine: `start` the session at once, `after_beep`, or `hangup`."""
    machine_silence: Annotated[float, Meta(ge=1, le=60)] = 3.0
    """Seconds of silence after which, with `after_beep`, the session begins without a beep."""
    silence: Annotated[float, Meta(ge=1, le=20)] = 4.0
    """Seconds without a sound after the answer after which silence is a verdict."""
    silence_means: Annotated[str, Meta(pattern="^(voice|unknown)$")] = "voice"
    """What silence after the answer counts as: `voice`, or `unknown`, which fails the attempt."""
    bias: Annotated[float, Meta(ge=-5, le=5)] = 0.0
    """The operating point, in log-odds: above 0 more callees are taken for machines, under 0 more for persons."""
    sure_of_person: Annotated[float, Meta(ge=0.5, le=0.97)] = 0.88
    """The confidence from which a callee is taken for a person at once. Higher waits longer, and takes fewer pauses in
    a greeting for a person's."""
    sure_after_beep: Annotated[float, Meta(ge=0.5, le=0.97)] = 0.97
    """The same with `after_beep`, where a machine that is taken for a person is spoken to over its greeting."""


class MediaSection(Section):
    """How Asterisk gets prompts, and the gateway what callees record."""

    share: Literal["folder", "http"] = "folder"
    """`folder`: both see one folder. `http`: they share none; Asterisk fetches prompts from the gateway, and recordings
    are made from the media tap."""
    port: Port = 4574
    """With `share = "http"`: where prompts are served, at the `host` of `[agi]` and to its `allow` only."""
    advertise: str = ""
    """With `share = "http"`: what Asterisk fetches from, as `HOST:PORT`. Empty: the `host` of `[agi]` and `port`."""
    gateway_dir: str = "media"
    """The folder as the gateway sees it. With `share = "folder"` Asterisk must be able to write into it too."""
    asterisk_dir: str = ""
    """The same folder as Asterisk sees it, where it is mounted under another name. Empty: under the same name."""
    keep_days: float = 7.0
    """Days after which a prompt that was not played again is removed; it is made anew when it is needed."""


class FetchSection(Section):
    """What applications may be fetched, and result posts sent to."""

    allow: list[str] = []
    """Networks and host names that are not public and may be reached, as `["192.168.1.0/24", "app.lan"]`. Public
    addresses always may; private ones that are not named here never, or a queued URL could reach into your network."""
    timeout: Annotated[float, Meta(gt=0, le=120)] = 15.0
    """Seconds for the fetch of `start_url`; documents set their own `fetchtimeout`."""


class Intake(Section):
    """How the Plum service treats what is queued."""

    preflight: bool = True
    """Ask `start_url` and `result_url` for an answer with status 200 before a call is queued, as Plum did."""
    echo_pin: bool = False
    """Repeat the PIN in replies, as Plum did. Off: it is masked."""


class ApiSection(Section):
    """How fast each account, and each token of no account, may ask the API on the public port."""

    rate: Annotated[float, Meta(gt=0)] = 50.0
    """Requests a second in the long run; a stream of calls is one request. Beyond, the answer is 429."""
    burst: Annotated[int, Meta(ge=1)] = 200
    """Requests at once."""


class PagesSection(Section):
    """The operator's pages."""

    https: bool = False
    """A proxy in front of the gateway speaks https: the pages' cookies are then sent over https alone."""


class PhoneSection(Section):
    """The test phone of the pages: a softphone in the browser, whose WebSocket the gateway passes on to Asterisk."""

    websocket: str = ""
    """Asterisk's WebSocket, as `ws://127.0.0.1:8088/ws`, once it includes the files of `voxgate/webphone/`. Empty:
    there is no test phone."""
    user: str = "voxgate-phone9"
    """The endpoint that the browser registers as."""
    secret: str = ""
    """Its password, from `voxgate/webphone/pjsip.conf`. Whoever may sign in to the pages is told it."""
    extension: str = "909"
    """The extension by which a route reaches that endpoint."""


class Dial(Section):
    """How fast and how long calls are made, over all trunks."""

    cps: Annotated[float, Meta(gt=0, le=500)] = 5.0
    """Calls started in a second, at most."""
    max_calls: Annotated[int, Meta(ge=1)] = 50
    """Calls at once, at most."""
    ring_timeout: Annotated[int, Meta(ge=10, le=120)] = 45
    """Seconds that a phone rings before the attempt counts as `noanswer`; accounts and calls may set their own."""
    max_call_seconds: Annotated[int, Meta(ge=10, le=86400)] = 1800
    """Seconds after which an answered call is ended, whatever its application does; accounts and calls may set their
    own."""
    longest_call: Annotated[int, Meta(ge=10, le=86400)] = 3600
    """Seconds that no answered call exceeds, whatever its account or the call itself asks for; or `max_call_seconds`,
    where that is more."""
    fault_give_up_after: Annotated[float, Meta(ge=0)] = 3600.0
    """Seconds for which a call whose trunk fails is tried again without using up a retry. Then it fails."""
    retry_unknown_outcome: bool = False
    """Also dial a call again of which nobody knows whether its phone rang. On may ring a phone once too often."""
    stop_within: Annotated[float, Meta(ge=0)] = 30.0
    """Seconds that a stop waits for live calls before it hangs them up."""


class Numbers(Section):
    """Which numbers may be dialed, by any account. Accounts may be narrower, never wider."""

    allowed: list[str] = []
    """Prefixes that may be dialed, as `["+1", "+44"]`. Empty: all that the routes lead to."""
    blocked: list[str] = []
    """Prefixes that may not be dialed; they win over `allowed`."""
    emergency: bool = False
    """Let emergency numbers be dialed. Leave it off: machines call nobody there."""
    premium: bool = False
    """Let premium-rate numbers be dialed; shared-cost, company-wide (UAN), personal and satellite ones are among
    them."""
    premium_prefixes: list[str] = []
    """Prefixes of such numbers that may be dialed all the same, as `["+4433"]`."""
    sip_hosts: list[str] = []
    """Hosts that `sip:` addresses may name, as `["pbx.example", "192.168.1.20"]`. Others are refused."""


class SpendSection(Section):
    """Ceilings on what all calls of a day use, in this machine's zone; accounts have their own. When one is reached,
    nothing more is dialed that day; live calls go on, and count from the start with a minute at least."""

    daily_minutes: Annotated[float, Meta(gt=0)] | None = None
    """Answered minutes a day, of the parties that calls are transferred to as well. Unset: no ceiling."""
    daily_cost: Annotated[float, Meta(gt=0)] | None = None
    """What a day may cost, in the currency of the rates. Unset: no ceiling."""
    default_rate: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    """The price of a minute to phone numbers that no `[[rate]]` names."""


class RateSection(Section):
    """The price of calls to a prefix; `[[rate]]` may stand any number of times, the longest prefix wins."""

    prefix: Annotated[str, Meta(min_length=1)]
    """What the number begins with, as `+1` or `+4977`."""
    per_minute: Annotated[float, Meta(ge=0, le=1e6)]
    """The price of a minute, counted by the second."""


class SessionSection(Section):
    """What callees hear that no document says."""

    apology: str = "We are sorry. This call cannot be continued. Good bye."
    """Said before a call is ended whose application failed."""
    language: str = "en-US"
    """The voice's language where a document names none, as BCP 47 writes it."""


class TrunkSection(Section):
    """A way out of Asterisk; `[[trunk]]` may stand any number of times."""

    name: str
    """What routes and statistics call it."""
    dial: str
    """What Asterisk dials, with `{number}` in it, as `PJSIP/{number}@mytrunk`."""
    format: NumberFormat = NumberFormat.E164
    """How the carrier wants numbers: `e164` (+16175551234), `e164_no_plus` or `national`."""
    strip: str = ""
    """Digits taken off the number's front, if it begins with them, before `prefix` is put there."""
    prefix: str = ""
    """Digits put before every number, as `9` for an outside line."""
    cps: Annotated[float, Meta(gt=0)] = 5.0
    """Calls started over it in a second, at most."""
    max_calls: Annotated[int, Meta(ge=1)] = 20
    """Calls over it at once, at most: no more than the carrier sold."""
    caller_id: str | None = None
    """The number shown to callees, where neither the call nor its account names one."""


class RouteSection(Section):
    """Which numbers leave by which trunk; `[[route]]` may stand any number of times, the longest prefix wins."""

    trunk: str
    """The `name` of a `[[trunk]]`."""
    prefix: str = ""
    """What the number begins with, as `+1` or `90`. Empty: any number."""
    extensions: bool = False
    """For the PBX's own extensions instead of phone numbers."""
    sip: bool = False
    """For `sip:` addresses instead of phone numbers."""


class Results(Section):
    """Posts to `result_url`."""

    give_up_after: Annotated[float, Meta(ge=0)] = 86_400.0
    """Seconds for which a post that is not accepted is tried again."""


class Metrics(Section):
    """Where Prometheus may scrape `/metrics`. Without a port and an allowed network only `voxgate metrics` can."""

    host: str = "127.0.0.1"
    """The address of the listener of its own."""
    port: Port | None = None
    """The port of a listener that serves nothing but `/metrics`, as 9464. Unset: there is none."""
    allow: tuple[str, ...] = ()
    """Networks that may read `/metrics` on the public port. Behind a reverse proxy every peer is the proxy."""


class Traces(Section):
    """OpenTelemetry traces, one a call; they need `pip install voxgate[otel]`."""

    endpoint: str = ""
    """The collector's OTLP address over HTTP, as `http://127.0.0.1:4318/v1/traces`. Empty: nothing is traced."""
    service: str = "voxgate"
    """The name under which the gateway appears."""
    sample: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """The share of the calls that is traced."""


Level = Literal["debug", "info", "warning", "error"]


class LogSection(Section):
    """What `voxgate serve` writes to stderr; its options `--log-json` and `--log-level` win."""

    level: Level = "info"
    """The least level that is written."""
    areas: dict[str, Level] = {}
    """Levels of single areas, as `{ami = "debug", vxml = "warning"}`: an event's area is its name up to the dot."""
    format: Literal["console", "json"] = "console"
    """`json` writes one object a line, for a log collector."""


class LabSection(Section):
    """For tests alone; a running gateway warns of it in its log."""

    retry_gap_scale: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Retry gaps are multiplied by it."""
    min_ring_timeout: Annotated[int, Meta(ge=1)] = 10
    """No call rings for fewer seconds."""


class Config(Section):
    """The whole file."""

    installation: Annotated[str, Meta(pattern=r"^[a-z0-9]{1,16}$")]
    """This installation's own name, drawn by `voxgate init`: channel ids begin with it, and the event filter in
    `asterisk/manager.conf` lets only them through."""
    ami: Ami
    server: Server = msgspec.field(default_factory=Server)
    database: DatabaseSection = msgspec.field(default_factory=DatabaseSection)
    retention: RetentionSection = msgspec.field(default_factory=RetentionSection)
    agi: Agi = msgspec.field(default_factory=Agi)
    audiosocket: AudioSocket = msgspec.field(default_factory=AudioSocket)
    detection: DetectionSection = msgspec.field(default_factory=DetectionSection)
    media: MediaSection = msgspec.field(default_factory=MediaSection)
    fetch: FetchSection = msgspec.field(default_factory=FetchSection)
    intake: Intake = msgspec.field(default_factory=Intake)
    api: ApiSection = msgspec.field(default_factory=ApiSection)
    pages: PagesSection = msgspec.field(default_factory=PagesSection)
    phone: PhoneSection = msgspec.field(default_factory=PhoneSection)
    dial: Dial = msgspec.field(default_factory=Dial)
    numbers: Numbers = msgspec.field(default_factory=Numbers)
    spend: SpendSection = msgspec.field(default_factory=SpendSection)
    session: SessionSection = msgspec.field(default_factory=SessionSection)
    results: Results = msgspec.field(default_factory=Results)
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    traces: Traces = msgspec.field(default_factory=Traces)
    log: LogSection = msgspec.field(default_factory=LogSection)
    lab: LabSection = msgspec.field(default_factory=LabSection)
    trunk: list[TrunkSection] = []
    route: list[RouteSection] = []
    rate: list[RateSection] = []

    @property
    def trunks(self) -> dict[str, Trunk]:
        return {one.name: Trunk(**msgspec.structs.asdict(one)) for one in self.trunk}

    @property
    def routes(self) -> list[Route]:
        return [Route(**msgspec.structs.asdict(one)) for one in self.route]

    @property
    def socket_path(self) -> Path:
        return Path(self.server.socket) if self.server.socket else Path(self.database.path).parent / "voxgate.sock"
