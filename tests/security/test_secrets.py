"""A busy gateway with secrets that nobody else has: nothing that comes out of it holds one of them."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from lab.application import START, SampleApplication
from lab.gateway import GatewayProcess
from tests.fakes.asterisk import FakeAsterisk
from tests.road.waiting import wait_for

PINS = {"boss": "canary-pin-boss1", "shop": "canary-pin-shop1"}
WRONG = {"pin": "canary-wrong-pin", "token": "vgt_canary-wrong-token-0123456789abcdefghijklm"}
POSTD = "8264917305"
#: The application is named with a secret in its address, and sends what was keyed by GET to a page that is not there.
BY_GET = START.replace('method="post"', 'method="get"').replace('next="keyed"', 'next="http://127.0.0.1:2/keyed"')
QUERY = "canary-query-key"
#: Commands of which nothing may come out that is secret.
COMMANDS = (
    ("config", "show"), ("config", "show", "--json"), ("config", "check"), ("status", "--json"),
    ("account", "show", "shop"), ("account", "token", "list", "--json"), ("account", "signing", "show", "shop"),
    ("audit", "list", "--json"), ("calls", "list", "--json"), ("result", "list", "--json"), ("why",),
)  # fmt: skip
API = (
    "/status", "/accounts", "/accounts/shop", "/accounts/shop/signing", "/accounts/shop/usage", "/tokens", "/audit",
    "/calls", "/results", "/campaigns", "/uploads", "/why", "/openapi.json", "/nowhere",
)  # fmt: skip
PAGES = ("/", "/results", "/settings", "/settings?account=shop", "/system", "/queue", "/docs", "/calls/1", "/phone")


@dataclass
class Out:
    """What came out of the gateway, by where."""

    texts: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)

    def leaks(self) -> list[str]:
        """Whose secrets are where."""
        return [
            f"{name} in {place}"
            for name, secret in self.secrets.items()
            for place, text in self.texts.items()
            if re.search(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])", text)
        ]


def processes(gateway: GatewayProcess) -> str:
    """The words of the gateway's process and of all that it started, as every user of the machine sees them."""
    found, known = [], {gateway.pid}
    stats = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stats[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
    for _ in stats:
        known |= {pid for pid, parent in stats.items() if parent in known}
    for pid in known:
        with suppress(OSError):
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
    return "\n".join(found)


@pytest.fixture(scope="module")
def out() -> Iterator[Out]:
    made = Out()
    with FakeAsterisk() as asterisk, SampleApplication() as application:
        gateway = GatewayProcess(asterisk, retry_gap_scale=0.01, more='[log]\nlevel = "debug"')
        recording = gateway.folder / "ami.jsonl"
        gateway.options = ["--record-ami", str(recording)]
        for login, pin in PINS.items():
            words = ("--operator",) if login == "boss" else ()
            gateway.voxgate(
                "account",
                "add",
                login,
                "--time-zone",
                "UTC",
                "--country",
                "US",
                "--pin",
                pin,
                "--evidence-audio",
                *words,
            )
        gateway.start()
        try:
            busy(gateway, asterisk, application, made)
        finally:
            gateway.stop()
        made.texts["log"] = gateway.log.read_text()
        made.texts["recording of AMI"] = recording.read_text()
        backup = gateway.folder / "copy.db"
        gateway.voxgate("db", "backup", str(backup))
        for place in (backup, *gateway.folder.glob("*.db"), *gateway.folder.glob("*.db-wal")):
            made.texts[f"database {place.name}"] = place.read_bytes().decode("latin-1")
        yield made


def busy(gateway: GatewayProcess, asterisk: FakeAsterisk, application: SampleApplication, made: Out) -> None:
    """Calls, sign-ins, mistakes; then everything that can be asked is asked."""
    base, boss, shop = gateway.base, ("boss", PINS["boss"]), ("shop", PINS["shop"])
    application.pages["by-get"] = (0.0, BY_GET.encode())
    start = f"{application.page_url('by-get')}?key={QUERY}"
    token = requests.post(f"{base}/api/v1/tokens", json={"name": "t", "scopes": ["operator"]}, auth=boss).json()[
        "token"
    ]
    signing = requests.post(f"{base}/api/v1/accounts/shop/signing", json={}, auth=shop).json()["secret"]
    newer = requests.post(f"{base}/api/v1/accounts/shop/signing", json={"keep_old_hours": 1}, auth=shop).json()[
        "secret"
    ]
    browser = requests.Session()
    browser.post(f"{base}/signin", data={"login": "boss", "pin": PINS["boss"]})
    made.secrets = {
        "PIN of boss": PINS["boss"], "PIN of shop": PINS["shop"], "wrong PIN": WRONG["pin"], "wrong token": WRONG["token"],
        "token": token, "signing secret": signing, "signing secret, the newer": newer,
        "cookie": browser.cookies["voxgate"],
        "AMI secret": asterisk.ami_secret, "phone's secret": asterisk.webphone_secret,
    }  # fmt: skip
    made.data = {"postd": POSTD, "query": QUERY}
    for fields in (
        {"phone_number": f"tel:{asterisk.number('person-keys')}", "start_url": start},
        {"phone_number": f"tel:{asterisk.number('busy')};postd={POSTD}", "start_url": application.start_url},
    ):
        form = {
            "login": "shop",
            "pin": PINS["shop"],
            "result_url": application.result_url,
            "expiration_time": "+60 seconds",
        }
        assert 'status="queued"' in requests.post(f"{base}/webservice/queuecall.php", {**form, **fields}).text
    wait_for(lambda: len(application.posts) == 2, 60)
    mistakes(base, made)
    walking = threading.Thread(target=walk, args=(base, browser, start), daemon=True)
    walking.start()
    watched = []
    while walking.is_alive():
        watched.append(processes(gateway))
        time.sleep(0.05)
    made.texts["process list"] = "\n".join(watched)
    for words in COMMANDS:
        made.texts[f"voxgate {' '.join(words)}"] = gateway.voxgate(*words)
    for kind in ("csv", "jsonl"):
        made.texts[f"export {kind}"] = gateway.voxgate("export", "--format", kind)
    made.texts["metrics"] = gateway.voxgate("metrics")
    for path in API:
        made.texts[f"API {path}"] = requests.get(
            f"{base}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}
        ).text
    for path in PAGES:
        made.texts[f"page {path}"] = browser.get(f"{base}{path}", headers={"Accept": "text/html"}).text
    for delivery in requests.get(f"{base}/api/v1/results", auth=boss).json()["items"]:
        made.texts[f"result {delivery['id']}"] = requests.get(f"{base}/api/v1/results/{delivery['id']}", auth=boss).text


def mistakes(base: str, made: Out) -> None:
    """Secrets where they do not belong, and what is answered to them."""
    pin = WRONG["pin"]
    asked = [
        requests.post(f"{base}/webservice/queuecall.php", {"login": "shop", "pin": pin, "phone_number": "1"}),
        requests.post(f"{base}/webservice/queuecall.php", {"login": "shop", "pin": pin, "nonsense": "1"}),
        requests.post(f"{base}/webservice/queuecall.php", {"login": "shop", "pin": PINS["shop"], "phone_number": "x"}),
        requests.post(f"{base}/signin", {"login": "shop", "pin": pin}),
        requests.get(f"{base}/api/v1/calls", auth=("shop", pin)),
        requests.get(f"{base}/api/v1/calls", auth=(pin, pin)),
        requests.get(f"{base}/api/v1/calls", headers={"Authorization": f"Bearer {WRONG['token']}"}),
        requests.post(f"{base}/api/v1/accounts", json={"login": "x", "pin": pin * 9}, auth=("boss", PINS["boss"])),
        requests.post(f"{base}/api/v1/accounts", json={"login": "x", "pin": [pin]}, auth=("boss", PINS["boss"])),
        requests.post(f"{base}/api/v1/accounts/shop/pin", json={"pin": "1", "x": pin}, auth=("boss", PINS["boss"])),
        requests.get(f"{base}/first/{WRONG['token']}"),
    ]
    requests.post(f"{base}/signin", {"login": pin, "pin": pin})  # the login is shown again to whoever typed it
    made.texts |= {f"answer {number} to a mistake": answer.text for number, answer in enumerate(asked)}


def walk(base: str, browser: requests.Session, start: str) -> None:
    """An application is walked through in text: a process of its own."""
    page = browser.get(f"{base}/phone", headers={"Accept": "text/html"}).text
    csrf = re.search(r'data-csrf="([^"]+)"', page)
    assert csrf is not None
    answer = browser.post(f"{base}/phone/walk", {"csrf": csrf[1], "start_url": start})
    assert "walk" in json.loads(answer.text), answer.text
    time.sleep(1.0)


#: Where a secret has to be, and why.
MEANT = {
    "phone's secret in page /phone": "the browser registers with it",
    "signing secret in database": "HMAC needs it as it is: databases and backups are readable to their owner alone",
    "signing secret, the newer in database": "the same",
}
#: What is told to whoever operates the gateway, where the data of a call is nobody's business either.
OPERATING = re.compile(
    "log|recording|process|metrics|voxgate (audit|status|config|account)|API /(status|audit|metrics)"
)


def test_no_secret_comes_out(out: Out) -> None:
    assert len(out.texts) > 50 and all(len(secret) >= 10 for secret in out.secrets.values())
    assert [leak for leak in out.leaks() if not leak.startswith(tuple(MEANT))] == []


def test_what_is_sent_or_named_by_a_call_is_in_no_log(out: Out) -> None:
    told = {place: text for place, text in out.texts.items() if OPERATING.match(place)}
    assert len(told) > 10 and Out(told, out.data).leaks() == []
    assert "postd in API /calls" in Out(out.texts, out.data).leaks()  # its own account sees it


def test_what_is_looked_for_would_be_found(out: Out) -> None:
    assert Out({"page": f"x {PINS['boss']}."}, {"PIN": PINS["boss"]}).leaks() == ["PIN in page"]
    assert "attempt.dialing" in out.texts["log"] and "Originate" in out.texts["recording of AMI"]
    assert "vxml run" in out.texts["process list"] and "serve" in out.texts["process list"]
