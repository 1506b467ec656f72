"""The fake Asterisk under a real ``voxgate serve``, and each of its faults as a client of AMI or FastAGI meets it."""

from __future__ import annotations

from collections import Counter

from lab.application import SampleApplication
from lab.gateway import GatewayProcess
from tests.fakes.asterisk import FakeAsterisk, rung
from tests.fakes.asterisk.lines import LINES, line_of
from tests.road.waiting import wait_for


def test_a_gateway_finds_of_each_number_what_its_line_says_and_the_carriers_log_agrees() -> None:
    with FakeAsterisk() as asterisk, SampleApplication() as application:
        gateway = GatewayProcess(asterisk, retry_gap_scale=0.01)
        gateway.add_account()
        gateway.start()
        try:
            wanted = {
                gateway.queue_call(
                    phone_number=f"tel:{asterisk.number(line.key)}",
                    start_url=application.start_url,
                    result_url=application.result_url,
                    max_retries=str(line.busy_first),
                    retry_interval="60",
                    expiration_time="+20 seconds",
                ): line
                for line in LINES
            }
            wait_for(lambda: len(application.posts) == len(LINES), 60)
            calls = {ident: gateway.json("calls", "show", ident) for ident in wanted}
            wait_for(lambda: asterisk.state()["channels"] == [] and asterisk.state()["taps"] == 0)
        finally:
            status = gateway.stop()
        phones = rung(asterisk.carrier_log)
    assert status == 0
    found = {wanted[ident].key: call["callee_type"] for ident, call in calls.items()}
    assert found == {line.key: line.expected for line in LINES}
    keyed = next(ident for ident, line in wanted.items() if line.key == "person-keys")
    assert application.keyed[keyed] == "1234"
    rows = Counter(row["id"] for call in calls.values() for row in call["history"])
    assert Counter(one.channel_id for one in phones) == rows
    assert {line_of(one.number).key for one in phones} == {line.key for line in LINES}
