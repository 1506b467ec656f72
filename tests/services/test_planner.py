"""How calls and transfers are dialed: by the same rules, and with no caller ID but an allowed one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.accounts import changed, check_settings
from gateway.core.model import (
    Account,
    AccountId,
    AccountSettings,
    Attempt,
    AttemptId,
    AttemptState,
    Call,
    CallId,
    CallState,
    CampaignId,
    Claimed,
)  # fmt: skip
from gateway.core.numbers import NumberError, parse_destination
from gateway.core.plum import FieldError
from gateway.core.routes import NumberPolicy, Refused, Route, Router, Trunk
from gateway.planner import Planner
from gateway.services.dialer import NoRoute
from gateway.settings import Ami, Config, Dial
from tests.adapters.test_store import NOW, plan

TRUNKS = {
    "t": Trunk("t", "PJSIP/{number}@t", caller_id="+15550000000"),
    "pbx": Trunk("pbx", "Local/{number}@in", prefix="9"),
    "sip": Trunk("sip", "PJSIP/out/{number}"),
}
ROUTES = [Route("", "t"), Route("", "pbx", extensions=True), Route("", "sip", sip=True)]
ROUTER = Router(TRUNKS, ROUTES, NumberPolicy(blocked=("+1212",), sip_hosts=frozenset({"h"})))
SETTINGS = AccountSettings("UTC", "US", blocked_prefixes=("+1617",))
PLANNER = Planner(Config(installation="abc", ami=Ami(secret="x")), ROUTER)


def claimed(
    dialed: str = "+13125550000", ani: str | None = None, settings: AccountSettings = SETTINGS, **asked: object
) -> Claimed:
    call = Call(
        CallId(1), AccountId(1), CampaignId(1), CallState.DIALING, dialed, dialed, "t", ani, None, None,
        plan(**asked), 0, None, NOW, None, NOW, 0, None, 0, None, None,
    )  # fmt: skip
    attempt = Attempt(AttemptId("vg-abc-1"), call.id, 1, "t", AttemptState.DIALING, NOW)
    return Claimed(call, attempt, Account(AccountId(1), "u", "h", settings))


@given(
    st.one_of(
        st.sampled_from([
            "911", "tel:112", "9911", "+1911", "sip:911@h", "sip:bob@evil", "sip:bob@h", "+12125550000", "6175550000",
            "tel:+16175550000;postd=1", "+19005551234", "+447012345678", "500&PJSIP/x", "1001", "+13125550000", "",
        ]),
        st.text("0123456789+sip:tel@h;&,", max_size=16),
    )
)  # fmt: skip
def test_a_transfer_reaches_exactly_what_the_account_may_queue(destination: str) -> None:
    """The rule of VoiceXML's <transfer> is that of the intake: one resolver, with one set of lists."""
    one = claimed()
    policy = NumberPolicy(blocked=SETTINGS.blocked_prefixes)
    expected: str | type[Exception]
    try:
        found = parse_destination(destination, "US")
        expected = ROUTER.resolve(found.kind, found.dialed, policy, "US").dial_string
    except (NumberError, Refused) as error:
        expected = type(error)
    try:
        got: str | type[Exception] = PLANNER.transfer(one, destination).dial_string
    except (NumberError, Refused) as error:
        got = type(error)
    assert got == expected


@pytest.mark.parametrize("destination", ["911", "sip:911@h", "+12125550000", "+16175550000", "sip:bob@evil"])
def test_transfers_that_a_queued_call_could_not_make_are_refused(destination: str) -> None:
    with pytest.raises(Refused):
        PLANNER.transfer(claimed(), destination)


LISTED = replace(SETTINGS, allowed_caller_ids=("8009957586", "+1 (617) 555-0199"))


@pytest.mark.parametrize(
    ("settings", "ani", "shown"),
    [
        (SETTINGS, None, "+15550000000"),
        (replace(SETTINGS, caller_id="anything"), None, "anything"),
        (replace(LISTED, caller_id="8009957586"), None, "8009957586"),
        (replace(LISTED, caller_id="Us <+16175550199>"), None, "Us <+16175550199>"),
        (replace(LISTED, caller_id="2025550100"), None, "+15550000000"),  # it was set before there was a list
        (replace(LISTED, caller_id="8009957586 <2025550100>"), None, "+15550000000"),
        (LISTED, "8009957586", "8009957586"),
    ],
)
def test_the_caller_id_is_held_to_the_list(settings: AccountSettings, ani: str | None, shown: str) -> None:
    assert PLANNER(claimed(ani=ani, settings=settings)).caller_id == shown
    assert PLANNER.transfer(claimed(ani=ani, settings=settings), "1001").caller_id in (shown, None)


def test_an_ani_that_is_no_longer_allowed_is_not_shown() -> None:
    for settings in (SETTINGS, LISTED):
        with pytest.raises(NoRoute, match="ani 2025550100"):
            PLANNER(claimed(ani="2025550100", settings=settings))


def test_an_account_with_a_list_cannot_have_another_caller_id_whoever_sets_it() -> None:
    assert check_settings(replace(LISTED, caller_id="800 995 7586")).caller_id
    assert check_settings(replace(SETTINGS, caller_id="+1 202 555 0100")).caller_id  # without a list it is free
    for caller_id in ("2025550100", "8009957586<2025550100>", "80099575861", "Us <>", "<8009957586", ""):
        with pytest.raises(FieldError, match="allowed caller IDs"):
            changed(LISTED, {"caller_id": caller_id})
    with pytest.raises(FieldError, match="allowed caller IDs"):
        changed(replace(SETTINGS, caller_id="2025550100"), {"allowed_caller_ids": ["8009957586"]})


def test_nothing_makes_a_call_longer_than_the_gateways_longest() -> None:
    wide = replace(SETTINGS, max_call_seconds=86_400)
    assert PLANNER.limits(claimed(settings=wide))[1] == 3600
    assert PLANNER.limits(claimed(settings=wide, max_call_seconds=7200))[1] == 3600
    assert PLANNER.limits(claimed(max_call_seconds=60))[1] == 60
    own = Planner(Config(installation="abc", ami=Ami(secret="x"), dial=Dial(max_call_seconds=7200)), ROUTER)
    assert own.limits(claimed())[1] == 7200  # the operator's own default is no account's wish
