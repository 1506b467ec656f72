"""What a reload takes over and what it leaves, setting by setting, and that the parts go by it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import msgspec
import pytest
import structlog

from gateway import logs
from gateway.core.model import Millis
from gateway.core.numbers import DestinationKind
from gateway.core.pacing import Limit, Pacer
from gateway.core.routes import NumberPolicy, Route, Router, Routing, Trunk, Unrouted
from gateway.reload import TAKEN, TAKEN_SETTINGS, Changes, Reloader, ReloadRefused, compare
from gateway.settings import Ami, Config, TrunkSection

BASE = Config(installation="abc", ami=Ami(secret="x"), trunk=[TrunkSection(name="a", dial="PJSIP/{number}@a")])


def changed(section: str, **settings: object) -> Config:
    held = msgspec.structs.replace(getattr(BASE, section), **settings)
    return msgspec.structs.replace(BASE, **{section: held})


@pytest.mark.parametrize(
    ("new", "taken", "left"),
    [
        (changed("dial", cps=9.0), ("dial.cps",), ()),
        (changed("numbers", blocked=["+1900"]), ("numbers.blocked",), ()),
        (changed("detection", bias=1.0, silence=2.0), ("detection.bias", "detection.silence"), ()),
        (changed("ami", secret="y"), (), ("ami.secret",)),
        (changed("server", port=1), (), ("server.port",)),
        (changed("server", certificate="c.pem"), (), ("server.certificate",)),  # http becomes https at a restart alone
        (changed("intake", preflight=False, echo_pin=True), ("intake.preflight",), ("intake.echo_pin",)),
        (msgspec.structs.replace(BASE, installation="other"), (), ("installation",)),
        (BASE, (), ()),
    ],
)  # fmt: skip
def test_what_is_taken_and_what_is_left(new: Config, taken: tuple[str, ...], left: tuple[str, ...]) -> None:
    found = compare(BASE, new)
    assert (found.taken, found.left) == (taken, left)
    assert compare(found.config, new).left == left  # it is told again until the restart
    assert compare(found.config, new).taken == ()


def test_a_certificate_that_is_replaced_by_another_is_taken() -> None:
    old = changed("server", certificate="old.pem")
    assert compare(old, changed("server", certificate="new.pem")).taken == ("server.certificate",)


def test_trunks_by_name() -> None:
    other = TrunkSection(name="b", dial="PJSIP/{number}@b")
    found = compare(BASE, msgspec.structs.replace(BASE, trunk=[msgspec.structs.replace(BASE.trunk[0], cps=1.0), other]))
    assert "trunk.a.cps" in found.taken and "trunk.b.cps" in found.taken and "trunk.a.dial" not in found.taken
    assert [one.name for one in found.config.trunk] == ["a", "b"]


def test_every_section_is_named_rightly() -> None:
    sections = {field.name for field in msgspec.structs.fields(Config)}
    assert sections >= TAKEN
    for name in TAKEN_SETTINGS:
        section, _, setting = name.partition(".")
        assert hasattr(getattr(BASE, section), setting)


def test_the_pace_has_other_limits_and_forgets_nothing() -> None:
    pacer = Pacer.of(Limit(10, 10), {"a": Limit(10, 10), "gone": Limit(10, 10)})
    assert pacer.slots(Millis(0), {})[1] == {"a": 1, "gone": 1}
    pacer.started("a")
    pacer.relimit(Limit(20, 3), {"a": Limit(20, 10), "new": Limit(5, 1)})
    total, free = pacer.slots(Millis(0), {})
    assert (total, free) == (0, {})  # what was used up stays used up
    total, free = pacer.slots(Millis(1000), {"gone": 2})  # its live calls still count
    assert (total, free) == (1, {"a": 1, "new": 1})
    assert pacer.slots(Millis(2000), {"gone": 3}) == (0, {})


def test_the_next_number_goes_by_the_new_routes() -> None:
    def router(name: str) -> Router:
        return Router({name: Trunk(name, f"PJSIP/{{number}}@{name}")}, [Route("", name)])

    routing = Routing(router("old"))
    ask = (DestinationKind.PHONE, "+16175550100", NumberPolicy(), "US")
    assert routing.resolve(*ask).trunk.name == "old"
    routing.router = router("new")
    assert routing.resolve(*ask).trunk.name == "new"
    routing.router = Router({}, [])
    with pytest.raises(Unrouted):
        routing.resolve(*ask)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure(as_json=True, level="info", stream=stream)
    yield stream
    logs.configure(as_json=False, level="warning")


def test_loggers_that_are_in_use_have_the_new_levels(stream: io.StringIO) -> None:
    log = structlog.get_logger()
    log.debug("ami.sent")
    logs.set_levels("warning", {"ami": "debug"})
    for event in ("ami.sent", "call.queued"):
        log.debug(event)
        log.info(event)
        log.warning(event)
    told = [(one["event"], one["level"]) for one in map(json.loads, stream.getvalue().splitlines())]
    assert told == [("ami.sent", "debug"), ("ami.sent", "info"), ("ami.sent", "warning"), ("call.queued", "warning")]


@pytest.mark.parametrize("fault", [ReloadRefused("no such file"), RecursionError("nested too deeply")])
async def test_a_signal_to_reload_what_cannot_be_read_ends_nothing(fault: Exception) -> None:
    taken: list[Config] = []

    def read() -> Config:
        raise fault

    async def unheard(changes: Changes) -> None:
        raise AssertionError("nothing was reloaded")

    with structlog.testing.capture_logs() as logged:
        await Reloader(BASE, read, taken.append, unheard).on_signal()
    assert taken == []
    assert [line["event"] for line in logged] == ["gateway.not_reloaded"]
