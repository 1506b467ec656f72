"""The pages in a real Chromium, against the running gateway and the real lab."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from lab import clients
from lab.application import SampleApplication
from lab.behaviours import BEHAVIOURS
from lab.gateway import LOGIN, PIN, GatewayProcess
from lab.instance import free_port
from lab.lab import Lab
from tests.pages.browsing import SIZES, Visit, visit
from tests.pages.conftest import OPERATOR, OPERATOR_PIN

PATIENCE = 60_000  # milliseconds until a live page must show what a call did

#: Whether something was drawn of the call's audio.
DRAWN = """() => { const canvas = document.querySelector('[data-draw="wave"]'); return canvas &&
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0); }"""

#: One behaviour for each callee type that a call can end with.
KINDS = {
    "voice": "person-keys", "answeringmachine": "machine", "fax": "fax", "busy": "busy", "noanswer": "unavailable",
    "operator": "not-found", "informationtone": "no-circuit", "unknown": "declined",
}  # fmt: skip


@pytest.fixture
def user(browser: Browser, gateway: GatewayProcess) -> Iterator[Visit]:
    with visit(browser, gateway) as opened:
        opened.sign_in(LOGIN, PIN)
        yield opened


def by_key(lab: Lab, key: str) -> str:
    return lab.plan.line(key).number


def test_a_call_is_queued_by_the_form_and_watched_to_its_end(
    user: Visit, lab: Lab, application: SampleApplication
) -> None:
    number = by_key(lab, "person-keys")
    page = user.open("/queue")
    page.get_by_label("Phone Number").first.fill(number)
    expect(page.locator("#queuecall-phone_number-echo")).to_contain_text("over trunk carrier")
    page.locator("#queuecall-start_url").fill(application.start_url)
    page.get_by_text("Optional parameters").first.click()
    page.locator("#queuecall-result_url").fill(application.result_url)
    page.locator("#queuecall-scheduled_time").fill("tomorrow 9am")
    expect(page.locator("#queuecall-scheduled_time-echo")).to_contain_text(
        re.compile(r"\w{3} \d+ \w{3} \d{4} 09:00 America/New_York \(in .+\)")
    )
    expect(page.locator("#queuecall-code-curl")).to_contain_text("scheduled_time=tomorrow 9am")
    page.locator("#queuecall-scheduled_time").fill("")
    expect(page.locator("#queuecall-code-curl")).not_to_contain_text("scheduled_time")
    page.get_by_role("button", name="Queue Call").click()
    page.wait_for_url(re.compile(r"/calls/\d+$"))
    page.evaluate("window.unloaded = false")  # gone when the page is loaded anew
    expect(page.locator("#about")).to_contain_text("Completed", timeout=PATIENCE)
    expect(page.locator("ol.steps").first).to_contain_text("Digits keyed")
    expect(page.locator("ol.steps").first).to_contain_text("••••")
    expect(page.locator("#post ~ .card")).to_contain_text("Accepted", timeout=PATIENCE)
    assert page.evaluate("window.unloaded") is False  # all of it came by itself
    call_id = page.url.rpartition("/")[2]
    assert application.keyed[call_id] not in page.content()  # what was keyed is not shown


@pytest.fixture(scope="module")
def cards(gateway: GatewayProcess, lab: Lab, application: SampleApplication) -> dict[str, str]:
    """One call of each callee type; callee type to call id."""
    common = {"start_url": application.start_url, "result_url": application.result_url}
    return {
        callee: gateway.queue_call(phone_number=by_key(lab, key), message_reference=f"card {callee}", **common)
        for callee, key in KINDS.items()
    }


@pytest.mark.parametrize("callee", KINDS)
def test_the_evidence_card_tells_each_callee_type(user: Visit, cards: dict[str, str], callee: str) -> None:
    page = user.open(f"/calls/{cards[callee]}")
    about = page.locator("#about")
    expect(about).to_contain_text(re.compile("Completed|Failed"), timeout=PATIENCE)
    expect(about.locator("dd").filter(has_text=re.compile(f"^{callee}$"))).to_have_count(1)
    expect(page.locator("ol.steps").first).to_contain_text("Dialed over trunk carrier")
    expect(page.locator("ol.steps li").last).to_contain_text("Ended")
    expect(page.locator("svg.timeline")).to_have_count(1)
    if callee in ("voice", "answeringmachine", "fax"):  # something was heard, and the lab keeps it
        expect(page.locator(".timeline .sound").first).to_be_attached()
        expect(page.locator("[data-drawn]")).to_be_attached()
        assert page.evaluate(DRAWN)
    user.picture(f"call-{callee}", full=True)


def test_100_000_numbers_are_previewed_then_queued(user: Visit, application: SampleApplication, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("\n".join(f"1617{5550000 + n}" for n in range(100_000)) + "\nnobody\n16175550000\n")
    page = user.open("/queue#campaign")
    page.locator("#queuecalls-campaign_name").fill("a hundred thousand")
    page.locator("#queuecalls-start_url").fill(application.start_url)
    bar = page.evaluate_handle(
        "() => { const seen = []; new MutationObserver(() => seen.push(document.getElementById('upload').hidden))"
        ".observe(document.getElementById('upload'), {attributes: true}); return seen; }"
    )
    page.get_by_label("Phone Number List").set_input_files(numbers)
    expect(page.locator("#preview")).to_contain_text("can be dialed, 2 lines rejected", timeout=PATIENCE)
    expect(page.locator("#preview")).to_contain_text("is a duplicate of line 1")
    assert bar.json_value() == [False, True]  # the progress was shown, and is gone
    page.get_by_text("Optional parameters").last.click()
    page.locator("#queuecalls-scheduled_time").fill("+3 days")
    expect(page.locator("#queuecalls-scheduled_time-echo")).to_contain_text("(in 3 d)")
    user.page.locator("#create").click()
    page.wait_for_url(re.compile(r"/campaigns/\d+$"), timeout=PATIENCE)
    expect(page.locator("#figures")).to_contain_text("100\N{NARROW NO-BREAK SPACE}000")
    expect(page.locator("#why")).to_contain_text("No call is due yet")
    page.get_by_label("Phone Number").fill("16175551*")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Delete pending found").click()
    expect(page.locator("#chore")).to_contain_text("waiting calls deleted.", timeout=PATIENCE)
    expect(page.locator("#figures")).to_contain_text("Cancelled")


def test_a_campaign_is_paused_resumed_and_its_calls_deleted(user: Visit, lab: Lab, gateway: GatewayProcess) -> None:
    page = user.open("/")
    page.get_by_role("button", name="Suspend all dialing").click()
    expect(page.locator("#switch")).to_contain_text("Dialing is suspended")
    first = gateway.queue_call(phone_number=by_key(lab, "busy"), start_url=f"{gateway.base}/healthz")
    second = gateway.queue_call(phone_number=by_key(lab, "busy"), start_url=f"{gateway.base}/healthz")
    row = page.locator("tr").filter(has_text="Single calls")
    row.get_by_role("link", name="View").click()
    expect(page.locator("#why")).to_contain_text("Dialing is suspended for this account")
    page.locator(f"#call-{first}").get_by_role("button", name="Delete").click()
    expect(page.locator(f"#call-{first}")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".head").first).to_contain_text("Paused")
    expect(page.locator("#why")).to_contain_text("The campaign is paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".head").first).to_contain_text("Active")
    assert gateway.json("calls", "show", second)["state"] == "pending"
    user.open("/").get_by_role("button", name="Resume all dialing").click()
    expect(page.locator("#switch")).to_contain_text("Dialing is on")
    user.open(f"/calls/{second}")
    expect(page.locator("#about")).to_contain_text("Failed", timeout=PATIENCE)


def test_a_page_left_open_for_a_thousand_calls_does_not_grow(
    user: Visit, gateway: GatewayProcess, application: SampleApplication, tmp_path: Path
) -> None:
    """Each deletion is an event, and the page is shown anew; a thousand of them leave it as large as it was."""
    numbers = tmp_path / "thousand.txt"
    numbers.write_text("\n".join(f"1617{5560000 + n}" for n in range(1000)))
    page = user.open("/queue#campaign")
    page.locator("#queuecalls-campaign_name").fill("a thousand")
    page.locator("#queuecalls-start_url").fill(application.start_url)
    page.get_by_label("Phone Number List").set_input_files(numbers)
    page.get_by_text("Optional parameters").last.click()
    page.locator("#queuecalls-scheduled_time").fill("+3 days")
    expect(page.locator("#preview")).to_contain_text("1\N{NARROW NO-BREAK SPACE}000 numbers", timeout=PATIENCE)
    page.locator("#create").click()
    page.wait_for_url(re.compile(r"/campaigns/\d+$"))
    expect(page.locator("#figures")).to_contain_text("1\N{NARROW NO-BREAK SPACE}000")
    count = "() => document.querySelectorAll('*').length"
    before = page.evaluate(count)
    shown = page.evaluate_handle(
        "() => { const seen = {times: 0}; document.addEventListener('refreshed', () => { seen.times += 1; }); return seen; }"
    )
    assert gateway.json("calls", "list", "--limit", "1")  # the socket answers meanwhile
    page.get_by_role("button", name="Delete pending").click()
    expect(page.locator("#chore")).to_contain_text(
        "1\N{NARROW NO-BREAK SPACE}000 waiting calls deleted.", timeout=PATIENCE
    )
    assert shown.json_value()["times"] > 0
    assert page.evaluate(count) <= before + 60  # what was done is told; buttons went


PAGES = {
    "outbound": "/", "queue": "/queue", "campaign": "/campaigns/1", "call": "/calls/1", "results": "/results",
    "system": "/system", "settings": "/settings", "phone": "/phone", "welcome": "/welcome",
}  # fmt: skip

#: Whether an item of the bar is in sight and not scrolled away.
WHOLLY_SHOWN = """(item) => { const at = item.getBoundingClientRect(), bar = item.parentElement.getBoundingClientRect();
    return at.left >= bar.left - 1 && at.right <= bar.right + 1; }"""


def test_an_empty_system_is_begun_in_the_browser(browser: Browser, lab: Lab) -> None:
    gateway = GatewayProcess(lab, name="first-run", agi_port=free_port())  # the other tests' gateway runs beside it
    gateway.start()
    try:
        lines = [json.loads(line) for line in gateway.log.read_text().splitlines() if line.startswith("{")]
        (link,) = [urlsplit(line["url"]).path for line in lines if line["event"] == "pages.first_run"]
        with visit(browser, gateway) as newcomer:
            page = newcomer.open("/")
            expect(page.locator("h1")).to_have_text("Welcome")
            found = {"without the link": newcomer.serious()}
            for size, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                newcomer.open(link)
                found[size] = newcomer.serious()
                newcomer.picture(f"first-{size}-light")
            page.get_by_label("Login").fill("me")
            page.get_by_label("PIN").fill("24682468")
            page.get_by_role("button", name="Make the account").click()
            page.wait_for_url(f"{gateway.base}/welcome")
            assert {name: wrong for name, wrong in found.items() if wrong} == {}
    finally:
        gateway.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_pictured_and_nothing_serious_is_wrong_with_it(
    browser: Browser, gateway: GatewayProcess, cards: dict[str, str], scheme: str
) -> None:
    del cards  # there is something to see
    with visit(browser, gateway, color_scheme=scheme) as operator:
        operator.open("/signin")
        found = {"signin": operator.serious()}
        operator.picture(f"signin-desktop-{scheme}")
        operator.sign_in(OPERATOR, OPERATOR_PIN)
        for size, (width, height) in SIZES.items():
            operator.page.set_viewport_size({"width": width, "height": height})
            for name, path in PAGES.items():
                operator.open(path)
                here = operator.page.locator(".side nav [aria-current]")
                assert not here.count() or here.evaluate(WHOLLY_SHOWN), f"{name} {size}: the bar hides where one is"
                found[f"{name} {size}"] = operator.serious()
                operator.picture(f"{name}-{size}-{scheme}", full=True)
        assert {name: wrong for name, wrong in found.items() if wrong} == {}


def run(language: str, script: Path) -> str:
    if language == "PHP":
        return clients.php(script)
    if language == "curl":
        script.write_text(script.read_text().replace("curl", shlex.join(clients.curl()), 1))
    program = ["sh"] if language == "curl" else [sys.executable]
    return subprocess.run([*program, str(script)], capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_copied_requests_queue_the_call_that_the_form_shows(
    user: Visit, gateway: GatewayProcess, lab: Lab, application: SampleApplication, tmp_path: Path
) -> None:
    """Each language's request, run as it is shown, with the PIN put in its place."""
    page = user.open("/queue")
    page.locator("#queuecall-phone_number").fill(by_key(lab, "busy"))
    page.locator("#queuecall-start_url").fill(application.start_url)
    page.get_by_text("Optional parameters").first.click()
    page.locator("#queuecall-call_parameters").fill('it\'s "$HOME" \\ & more')
    page.locator("#queuecall-scheduled_time").fill("+3 days")
    expect(page.locator("#queuecall-code-curl")).to_contain_text("scheduled_time=+3 days")
    for language in ("curl", "PHP", "Python"):
        text = page.locator(f"#queuecall-code-{language}").text_content()
        assert text is not None
        script = tmp_path / f"client.{language}"
        script.write_text(text.replace("YOUR_PIN", PIN))
        said = run(language, script)
        call_id = re.search(r'status="queued" call_id="(\d+)"', said)
        assert call_id is not None, (language, said)
        call = gateway.json("calls", "show", call_id[1])
        assert call["call_parameters"] == 'it\'s "$HOME" \\ & more', language
        gateway.voxgate("calls", "cancel", call_id[1])


def test_every_callee_type_has_a_behaviour_of_the_lab() -> None:
    assert set(KINDS.values()) <= {behaviour.key for behaviour in BEHAVIOURS}
