"""A real campaign's log at its most talkative, and its recorded AMI link: every call is named, and no secret is in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lab.application import START, SampleApplication
from lab.gateway import PIN, GatewayProcess
from lab.lab import Lab
from tests.fakes.replay import read
from tests.road.waiting import wait_for

#: Lines of the gateway itself, which no call can name.
OF_NO_CALL = ("gateway", "ami", "rescue", "campaign", "lab", "metrics", "retention", "trunk", "database", "audit")
POSTD = "739105"
BY_GET = START.replace('method="post"', 'method="get"').replace('next="keyed"', 'next="http://127.0.0.1:2/keyed"')


def test_no_secret_and_every_call(lab: Lab, tmp_path: Path) -> None:
    gateway = GatewayProcess(lab, name="logs")
    gateway.config.write_text(gateway.config.read_text() + '[log]\nlevel = "debug"\n')
    recording = gateway.folder / "ami.jsonl"
    gateway.options = ["--record-ami", str(recording)]
    gateway.add_account()
    gateway.start()
    person = lab.line("person-keys")
    with SampleApplication() as application:
        # What was keyed is sent by GET to a page that is not there, so that the fetch is logged with its URL.
        application.pages["by-get"] = (0.0, BY_GET.encode())
        kept = application.result_url
        failing = gateway.queue_call(
            phone_number=person.number, start_url=f"{application.page_url('by-get')}?key=opensesame", result_url=kept
        )
        numbers = tmp_path / "list.csv"
        numbers.write_text(f"{lab.number('busy')}\n{lab.number('silent')};postd={POSTD}\n")
        gateway.voxgate("campaign", "load", "secrets", str(numbers), "--account", "demo", "--start-url",
                        application.start_url, "--result-url", kept)  # fmt: skip
        wait_for(lambda: len(application.posts) == 3, 60)
        assert failing in application.posts
    assert gateway.stop() == 0
    text = gateway.log.read_text()
    recorded = recording.read_text()
    numbers = [person.number, lab.number("busy"), lab.number("silent")]
    assert {one.text for one in read(recording) if one.header("Event") == "DTMFEnd"}
    for private in (lab.ami_secret, *(number.lstrip("+") for number in numbers)):
        assert private not in recorded, private
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert [line for line in text.splitlines() if not line.startswith("{")] == []
    # Times and ids have the same few digits by chance.
    said = "\n".join(json.dumps({**line, "timestamp": "", "attempt_id": "", "pid": 0}) for line in lines)
    for secret in (PIN, lab.ami_secret, person.keys, POSTD, "opensesame", *lab.phone_secrets):
        assert re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", said) is None, secret
    assert {"attempt.dialing", "callee.detected", "attempt.ended", "result.posted", "vxml.fetch_failed"} <= {
        one["event"] for one in lines
    }
    nameless = {one["event"] for one in lines if "call_id" not in one}
    assert {name for name in nameless if name.partition(".")[0] not in OF_NO_CALL} == set()
